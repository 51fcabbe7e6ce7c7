package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSections(t *testing.T) {
	const in = `<!-- The object /a. -->
<node><interface name="org.a1.M">
 <!-- Reads
      a_file *again*. -->
 <method name="Read"><arg name="pid" type="u" direction="in"/><arg name="content" type="ay" direction="out"/></method>
 <!-- How many. -->
 <property name="Count" type="t" access="read"><annotation name="x" value="y"/></property>
 <!-- It is gone. -->
 <signal name="Gone"><arg name="id" type="s"/></signal>
</interface></node>`
	const want = `# INTERFACE org.a1.M

The object /a.

## Methods

*Read*(u _pid_) returns ay _content_
	Reads a\_file \*again\*.

## Properties

*Count* t
	How many.

## Signals

*Gone*(s _id_)
	It is gone.

`
	var got strings.Builder
	if err := appendSections(&got, strings.NewReader(in)); err != nil || got.String() != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got.String(), want)
	}
	if err := appendSections(&got, strings.NewReader(`<node><interface name="a"><method name="M"/></interface></node>`)); err == nil {
		t.Error("a method without a comment is accepted")
	}
}

// The page has each member of the real interfaces.
func TestPage(t *testing.T) {
	files, err := filepath.Glob("../../../dbusapi/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %q, %v", files, err)
	}
	var page strings.Builder
	if err := run(append([]string{"../org.linuxcontainers.lxcfs1.5.scd.in"}, files...), &page); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`<(?:method|property|signal) name="(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(page.String(), "\n*"+m[1]+"*") {
				t.Errorf("%s: nothing on %s", name, m[1])
			}
		}
	}
}
