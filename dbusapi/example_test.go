package dbusapi_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// Which containers read files of lxcfs, and how much memory they see.
func ExampleClient_Containers() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client, err := dbusapi.Connect(ctx, dbusapi.SystemBusAddress())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	containers, err := client.Containers(ctx)
	if errors.Is(err, dbusapi.ErrNotRunning) {
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range containers {
		fmt.Printf("%s/%s: %d of %d bytes are available\n", c.Runtime, c.Name, c.MemoryAvailable, c.MemoryTotal)
	}
}
