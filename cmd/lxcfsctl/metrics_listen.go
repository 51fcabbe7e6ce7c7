package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// Bounds of a scrape, and of the wait for the next one: the socket starts the
// process again.
const (
	scrapeTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// serveMetrics answers on the socket that systemd passed on, until nobody has
// asked for a while.
func serveMetrics(ctx context.Context, stderr io.Writer) error {
	listeners, err := activation.Listeners()
	if err != nil {
		return err
	}
	if len(listeners) != 1 || listeners[0] == nil {
		return usageError{fmt.Errorf("--listen is for lxcfs-metrics.service: %d sockets were passed on", len(listeners))}
	}
	return serveMetricsOn(ctx, listeners[0], idleTimeout, func() (sample, error) {
		s, err := sampleNow(ctx)
		if err != nil {
			_ = screenOf(stderr).complain(inOneSentence(err)) // the scrape says that it failed
		}
		return s, err
	})
}

// sampleNow takes a sample over a connection of its own: a bus may have been
// restarted since the last one.
func sampleNow(ctx context.Context) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	client, err := dbusapi.Connect(ctx, "")
	if err != nil {
		return sample{}, err
	}
	defer client.Close()
	return takeSample(ctx, client)
}

func serveMetricsOn(ctx context.Context, l net.Listener, idle time.Duration, take func() (sample, error)) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(collector{take}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(idle, cancel)
	defer quiet.Stop()
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4, Timeout: 2 * scrapeTimeout})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			quiet.Reset(idle)
			mux.ServeHTTP(w, r)
		}),
		ReadTimeout: scrapeTimeout, WriteTimeout: 3 * scrapeTimeout, IdleTimeout: idle, MaxHeaderBytes: 64 << 10,
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		server.Shutdown(ctx)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
