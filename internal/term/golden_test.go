package term

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with the file testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// fits fails when a line is wider than the screen, or when there is an escape sequence in it.
func fits(t *testing.T, text string, width int) {
	t.Helper()
	if i := strings.IndexByte(text, '\x1b'); i >= 0 {
		t.Errorf("escape sequence without colour: %q", text[i:min(i+10, len(text))])
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("line of %d columns on a screen of %d: %q", w, width, line)
		}
		if line != strings.TrimRight(line, " ") {
			t.Errorf("trailing spaces: %q", line)
		}
	}
}
