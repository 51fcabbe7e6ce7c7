package dbusapi

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files that name each other agree.
func TestDataFiles(t *testing.T) {
	read := func(name string) string {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if !strings.Contains(read(BusName+".policy"), `<action id="`+ManageAction+`">`) {
		t.Error("polkit does not know the action")
	}
	if !strings.Contains(read(BusName+".policy"), `<annotate key="org.freedesktop.policykit.owner">unix-user:lxcfs</annotate>`) {
		t.Error("the daemon, which is not root, may not ask polkit about others")
	}
	activation := read(BusName + ".service")
	unit := "dbus-" + BusName + ".service"
	if !strings.Contains(activation, "Name="+BusName+"\n") || !strings.Contains(activation, "SystemdService="+unit+"\n") {
		t.Errorf("activation:\n%s", activation)
	}
	service := read("../units/lxcfs.service.in")
	for _, line := range []string{"BusName=" + BusName, "Alias=" + unit, "User=lxcfs"} {
		if !strings.Contains(service, "\n"+line+"\n") {
			t.Errorf("lxcfs.service has no line %s", line)
		}
	}
	build := read("meson.build")
	for _, pattern := range []string{BusName + ".*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) != 6 {
			t.Errorf("%q, %v", names, err)
		}
		for _, name := range names {
			if !strings.Contains(build, "name + '"+strings.TrimPrefix(name, BusName)+"'") {
				t.Errorf("%s is not installed", name)
			}
		}
	}
}

// busconfig is a policy file of dbus-daemon(1).
type busconfig struct {
	Policies []struct {
		User    string `xml:"user,attr"`
		Context string `xml:"context,attr"`
		Allow   []struct {
			Own         string `xml:"own,attr"`
			Destination string `xml:"send_destination,attr"`
			Sender      string `xml:"receive_sender,attr"`
		} `xml:"allow"`
		Deny []struct{} `xml:"deny"`
	} `xml:"policy"`
}

func TestPolicy(t *testing.T) {
	content, err := os.ReadFile(BusName + ".conf")
	if err != nil {
		t.Fatal(err)
	}
	var policy busconfig
	if err := xml.Unmarshal(content, &policy); err != nil {
		t.Fatal(err)
	}
	owners, anybody := map[string]bool{}, false
	for _, p := range policy.Policies {
		for _, a := range p.Allow {
			if a.Own == BusName {
				owners[p.User] = true
			}
			anybody = anybody || p.Context == "default" && a.Destination == BusName
		}
	}
	if len(owners) != 2 || !owners["lxcfs"] || !owners["root"] || !anybody {
		t.Errorf("owners %v, everybody may talk to it: %v", owners, anybody)
	}
}
