package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"geusemaker/internal/term"
)

// drawing counts what the display of an operation writes.
type drawing struct {
	bytes.Buffer
	frames int
	tall   int    // lines of the tallest frame but the last
	most   int    // bytes of the largest frame but the last
	last   string // what stays
}

func (d *drawing) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte(ansi.SetModeSynchronizedOutput)) {
		d.frames++
		d.most = max(d.most, len(d.last))
		d.tall = max(d.tall, strings.Count(d.last, "\r\n"))
		d.last = string(b)
	}
	return d.Buffer.Write(b)
}

// displayed runs a deploy into the pretend account before a window, and returns what it drew and how long it took.
func displayed(t *testing.T, width, height int) (*drawing, time.Duration) {
	t.Helper()
	home := t.TempDir()
	streams, _ := term.Test(term.Facts{ErrTTY: true, Color: true, Width: width, Height: height})
	seen := &drawing{}
	streams.Err = seen
	begun := time.Now()
	code := Run(t.Context(), streams, []string{"deploy", "demo", "--sandbox", "--yes"}, []string{"GEUSEMAKER_HOME=" + home, "HOME=" + home, "GEUSEMAKER_SANDBOX_SPEED=60"})
	if code != 0 {
		t.Fatalf("ended with %d:\n%s", code, seen.String())
	}
	return seen, time.Since(begun)
}

// TestTheDisplayOfADeployIsLight bounds what a whole deploy into the pretend account draws: at most ten frames a second, none
// taller than the window, and of each only what has changed. Three minutes of AWS pass in three seconds here, so that far more
// changes in a second than anybody will see.
func TestTheDisplayOfADeployIsLight(t *testing.T) {
	const framesASecond, bytesAFrame, bytesAtTheEnd = 10, 1700, 5_000
	for _, window := range [][2]int{{80, 24}, {200, 60}, {40, 10}} {
		t.Run(fmt.Sprintf("%dx%d", window[0], window[1]), func(t *testing.T) {
			t.Parallel()
			seen, took := displayed(t, window[0], window[1])
			t.Logf("%d frames and %d bytes in %s, the largest frame %d bytes", seen.frames, seen.Len(), took.Round(100*time.Millisecond), seen.most)
			if limit := int(framesASecond*took.Seconds()) + 3; seen.frames > limit || seen.frames < 5 {
				t.Errorf("%d frames in %s, want at most %d", seen.frames, took, limit)
			}
			if limit := bytesAFrame*seen.frames + bytesAtTheEnd; seen.Len() > limit {
				t.Errorf("%d bytes in %d frames, want at most %d", seen.Len(), seen.frames, limit)
			}
			if seen.tall >= window[1] {
				t.Errorf("a frame has %d lines, and the window %d", seen.tall, window[1])
			}
			for _, want := range []string{"✓ network/vpc ", "✓ service/n8n ", "✓ deploy demo [sandbox] · "} {
				if end := ansi.Strip(seen.last); !strings.Contains(end, want) {
					t.Errorf("%q does not stay to be read:\n%s", want, end)
				}
			}
		})
	}
}
