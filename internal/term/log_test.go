package term

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// A panel shows all of a text, in the width that there is, and nothing in it can get out of its frame.
func TestPanelKeepsEveryWordInItsFrame(t *testing.T) {
	text := "short\n\n" + strings.Repeat("x", 95) + "\n\x1b[2J\x1b[31mred\x1b[0m größe 世界世界世界世界世界世界世界世界世界世界\n\n"
	for _, width := range []int{40, 80, 200} {
		panel := Screen{Width: width}.Panel("boot log of demo", text)
		var inside strings.Builder
		for line := range strings.Lines(panel) {
			if w := ansi.StringWidth(line); w > width {
				t.Errorf("width %d: a line has %d columns: %q", width, w, line)
			}
			if after, ok := strings.CutPrefix(line, "│ "); ok {
				inside.WriteString(strings.TrimSuffix(after, "\n"))
			}
		}
		want := "short" + strings.Repeat("x", 95) + "red größe 世界世界世界世界世界世界世界世界世界世界"
		if inside.String() != want {
			t.Errorf("width %d: %q", width, inside.String())
		}
		if !strings.HasPrefix(panel, "┌ boot log of demo ─") || !strings.HasSuffix(panel, "─\n") {
			t.Errorf("width %d:\n%s", width, panel)
		}
	}
}

func TestPanelOnAPipeIsTheTextItself(t *testing.T) {
	text := "one\n\x1b[31mtwo\x1b[0m\n\n"
	if got := (Screen{}).Panel("title", text); got != "one\n\x1b[31mtwo\x1b[0m\n" {
		t.Errorf("%q", got)
	}
}
