package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestALineIsTakenApartWhereItsStyleChanges(t *testing.T) {
	got := runs(" \x1b[32m✓\x1b[39m \x1b[2mnetwork/vpc  ready\x1b[0m \x1b[1;31mfailed\x1b[0m")
	want := []run{
		{column: 1, text: "✓", color: 2},
		{column: 3, text: "network/vpc", dim: true},
		{column: 16, text: "ready", dim: true},
		{column: 22, text: "failed", bold: true, color: 1},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(run{})); diff != "" {
		t.Error(diff)
	}
}

func TestAPictureIsWellFormed(t *testing.T) {
	var b strings.Builder
	if err := draw(&b, "a <title> & more", strings.NewReader("plain\n\x1b[33m<&>\x1b[39m\n\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `class="f3">&lt;&amp;&gt;</text>`) {
		t.Error(b.String())
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
