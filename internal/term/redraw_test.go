package term

import (
	"strings"
	"testing"
)

func TestAPageFitsTheWindow(t *testing.T) {
	const page = "one\ntwo\nthree\nfour\n"
	for _, tt := range []struct {
		name, page    string
		width, height int
		want          string
	}{
		{"with room", page, 60, 10, page},
		{"just so", page, 60, 5, page},
		{"one too tall", page, 60, 4, "one\ntwo\n… 2 more lines; a taller window shows them\n"},
		{"wrapped by the window", strings.Repeat("x", 61) + "\nrest\nend\n", 60, 4, strings.Repeat("x", 61) + "\n… 2 more lines; a taller window shows them\n"},
		{"hardly a window", page, 10, 2, "… 4 more l\n"},
		{"nothing", "", 60, 5, ""},
	} {
		streams, _ := Test(Facts{OutTTY: true, Width: tt.width, Height: tt.height})
		if got := streams.Fit(tt.page); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	colored := strings.Repeat("\x1b[31mx\x1b[0m\n", 4)
	streams, _ := Test(Facts{OutTTY: true, Width: 60, Height: 5})
	if got := streams.Fit(colored); got != colored {
		t.Errorf("colours count as text: %q", got)
	}
}
