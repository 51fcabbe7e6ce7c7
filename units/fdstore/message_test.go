package fdstore

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseMessage(t *testing.T) {
	for _, row := range []struct {
		name, in string
		want     message
		ok       bool
	}{
		{"empty", "", message{}, true},
		{"ready", "READY=1", message{ready: true}, true},
		{"newline at the end", "READY=1\n", message{ready: true}, true},
		{"NUL at the end", "READY=1\x00", message{ready: true}, true},
		{"NUL within", "READY=1\x00STOPPING=1", message{}, false},
		{"not 1", "READY=0\nSTOPPING=yes\nFDSTORE=11", message{}, true},
		{"reload", "RELOADING=1\nMONOTONIC_USEC=12", message{reloading: true}, true},
		{"status", "STATUS=a=b c\nWATCHDOG=1", message{status: "a=b c", hasStatus: true, alive: true}, true},
		{"empty status", "STATUS=", message{hasStatus: true}, true},
		{"status not UTF-8", "STATUS=a\xff", message{status: "a\uFFFD", hasStatus: true}, true},
		{"trigger", "WATCHDOG=trigger", message{trigger: true}, true},
		{"store", "FDSTORE=1\nFDNAME=fuse-1\nFDPOLL=0", message{store: true, name: "fuse-1", noPoll: true}, true},
		{"polled", "FDSTORE=1\nFDNAME=x\nFDPOLL=1", message{store: true, name: "x"}, true},
		{"wrong name", "FDSTORE=1\nFDNAME=a:b", message{store: true}, true},
		{"first name counts", "FDNAME=a\nFDNAME=b", message{name: "a"}, true},
		{"remove", "FDSTOREREMOVE=1\nFDNAME=x", message{remove: true, name: "x"}, true},
		{"barrier", "BARRIER=1", message{barrier: true}, true},
		{"ignored", "MAINPID=1\nERRNO=2\nnonsense\n=\nready=1\nREADY =1\n READY=1", message{}, true},
		{"CRLF", "READY=1\r\n", message{}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := parseMessage(row.in)
			if ok != row.ok || (ok && got != row.want) {
				t.Errorf("parseMessage(%q): got %+v, %v, want %+v, %v", row.in, got, ok, row.want, row.ok)
			}
		})
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("READY=1\nSTATUS=x")
	f.Add("FDSTORE=1\nFDNAME=fuse-1\nFDPOLL=0")
	f.Add("FDSTOREREMOVE=1\nFDNAME=a:b\x00")
	f.Add("WATCHDOG=trigger\nWATCHDOG=1\nBARRIER=1\nRELOADING=1\nSTOPPING=1")
	f.Fuzz(func(t *testing.T, in string) {
		m, ok := parseMessage(in)
		if !ok {
			if !strings.Contains(in, "\x00") {
				t.Errorf("%q refused", in)
			}
			return
		}
		if m.name != "" && CheckName(m.name) != nil {
			t.Errorf("%q: wrong name %q taken", in, m.name)
		}
		if strings.ContainsAny(m.status, "\n\x00") || !utf8.ValidString(m.status) {
			t.Errorf("%q: status %q", in, m.status)
		}
		if again, _ := parseMessage(in + "\nNOBODY=knows"); again != m && !strings.HasSuffix(in, "\x00") {
			t.Errorf("%q: an unknown assignment changes %+v to %+v", in, m, again)
		}
	})
}

func TestCheckName(t *testing.T) {
	for _, row := range []struct {
		name string
		ok   bool
	}{
		{"fuse-1", true}, {"a b", true}, {"~", true},
		{strings.Repeat("n", 255), true}, {strings.Repeat("n", 256), false},
		{"", false}, {"a:b", false}, {"a\nb", false}, {"\x7f", false}, {"é", false}, {"\x00", false},
	} {
		if err := CheckName(row.name); (err == nil) != row.ok {
			t.Errorf("CheckName(%q): got %v, want ok %v", row.name, err, row.ok)
		}
	}
}
