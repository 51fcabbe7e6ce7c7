package mount

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestRequestRoundTrip(t *testing.T) {
	mountpoint, options := "/m\xff \n\"\\=", strings.Repeat("\xfe", 4096)
	b := appendRequest(mountpoint, options, 4294967295)
	if len(b) > MaxMessage {
		t.Errorf("length %d", len(b))
	}
	r, err := parseRequest(b)
	if err != nil || r != (Request{FD: -1, Mountpoint: mountpoint, Options: options, Connection: 4294967295}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if n := len(appendRequest("/"+strings.Repeat("\xff", 4095), options, 0)); n > MaxMessage {
		t.Errorf("the longest path and options make %d bytes, more than MaxMessage", n)
	}
}

func TestFailureRoundTrip(t *testing.T) {
	reason := errors.New("open /dev/fuse:\n\"\xff\"")
	r, err := parseRequest(appendFailure(Failure{Mountpoint: "/m\xff", Reason: reason, Connection: 9}))
	if err != nil || r.Failed == nil || r.Failed.Error() != reason.Error() || r.Mountpoint != "/m\xff" || r.Connection != 9 || r.FD != -1 {
		t.Errorf("got %+v, %v", r, err)
	}
	testFailureRoundTrip(t, r)
	long := Failure{Mountpoint: "/" + strings.Repeat("\xff", 4095), Reason: errors.New(strings.Repeat("\xff", 1<<20))}
	if n := len(appendFailure(long)); n > MaxMessage {
		t.Errorf("the longest path and reason make %d bytes, more than MaxMessage", n)
	}
}

func testFailureRoundTrip(t *testing.T, r Request) {
	t.Helper()
	again, err := parseRequest(appendFailure(Failure{Mountpoint: r.Mountpoint, Reason: r.Failed, Connection: r.Connection}))
	if err != nil || again.Failed == nil || again.Failed.Error() != sentence(r.Failed) || again.Mountpoint != r.Mountpoint || again.Connection != r.Connection {
		t.Errorf("%+v is read back as %+v, %v", r, again, err)
	}
}

func TestParseRequestRefuses(t *testing.T) {
	const ok = header + "\nmountpoint=\"/m\"\noptions=\"\"\nconnection=\"1\"\n"
	if _, err := parseRequest([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"empty":          "",
		"prototype":      "mount",
		"other version":  strings.Replace(ok, " 1\n", " 2\n", 1),
		"unknown key":    ok + "uid=\"0\"\n",
		"made, and not":  ok + "failed=\"no\"\n",
		"failed nowhere": strings.Replace(ok, "mountpoint=\"/m\"", "failed=\"no\"", 1),
		"twice":          ok + "options=\"\"\n",
		"missing":        strings.Replace(ok, "options=\"\"\n", "", 1),
		"unquoted":       strings.Replace(ok, `"/m"`, "/m", 1),
		"single quoted":  strings.Replace(ok, `"/m"`, "'m'", 1),
		"raw quoted":     strings.Replace(ok, `"/m"`, "`/m`", 1),
		"relative":       strings.Replace(ok, "/m", "m", 1),
		"NUL":            strings.Replace(ok, "/m", `/m\x00`, 1),
		"connection":     strings.Replace(ok, `"1"`, `"-1"`, 1),
		"blank line":     ok + "\n",
		"binary":         header + "\n\x00\x01",
		"no connection":  strings.Replace(ok, `"1"`, `""`, 1),
		"trailing space": strings.Replace(ok, "\"1\"\n", "\"1\" \n", 1),
	} {
		if _, err := parseRequest([]byte(in)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got %v, want ErrMessage", name, err)
		}
	}
}

func TestReply(t *testing.T) {
	if err := parseReply(appendReply(nil)); err != nil {
		t.Error(err)
	}
	err := parseReply(appendReply(errors.New("no \"thing\"\n")))
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != "no \"thing\"\n" {
		t.Errorf("got %v", err)
	}
	if b := appendReply(errors.New(strings.Repeat("\xff", 1<<20))); len(b) > MaxMessage {
		t.Errorf("reply of %d bytes", len(b))
	}
	for _, in := range []string{"", "ok", header, header + "\n", header + "\nok=1\n", header + "\nfoo=\"\"\n"} {
		if err := parseReply([]byte(in)); !errors.Is(err, ErrMessage) {
			t.Errorf("%q: got %v, want ErrMessage", in, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(appendRequest("/m", "cpu=quota", 7))
	f.Add(appendFailure(Failure{Mountpoint: "/m", Reason: errors.New("no \"fuse\"\n"), Connection: 7}))
	f.Add([]byte(header + "\n=\"\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		parseReply(in)
		r, err := parseRequest(in)
		if err != nil {
			return
		}
		if r.Failed != nil {
			testFailureRoundTrip(t, r)
			return
		}
		again, err := parseRequest(appendRequest(r.Mountpoint, r.Options, r.Connection))
		if err != nil || again != r {
			t.Errorf("%+v is read back as %+v, %v", r, again, err)
		}
		if bytes.IndexByte([]byte(r.Mountpoint), 0) >= 0 {
			t.Errorf("NUL in %q", r.Mountpoint)
		}
	})
}
