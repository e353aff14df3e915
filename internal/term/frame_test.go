package term

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"

	"github.com/charmbracelet/x/ansi"
)

// frames draws the display of a script at some moments, in seconds.
func frames(width, height int, events []engine.Event, moments ...float64) string {
	var out strings.Builder
	clock := &fakeClock{now: epoch.Add(-time.Second)}
	b := newBoard("Working on demo", true, epoch)
	for i, at := range moments {
		play(b, clock, events, at)
		fmt.Fprintf(&out, "== %gs\n", at)
		for _, l := range b.frame(Screen{Width: width}, height, clock.now, i) {
			out.WriteString(l + "\n")
		}
	}
	return out.String()
}

func TestFrames(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 10}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			got := frames(size[0], size[1], deployScript(), 0, 1, 5, 16, 20, 46, 75, 99) +
				frames(size[0], size[1], destroyScript(), 0, 5, 40, 99)
			golden(t, "frames-"+name+".txt", got)
			for block := range strings.SplitSeq(got, "== ") {
				if n := strings.Count(block, "\n") - 1; n > size[1]-1 {
					t.Errorf("a frame of %d lines in a window of %d", n, size[1])
				}
			}
			fits(t, got, size[0]-1)
		})
	}
}

// Whatever the window, a frame fits, names the operation, and hides no failure while there is room for it.
func TestFrameFitsAnyWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := newBoard("Deploying a deployment with a 長い名前", random.IntN(2) == 0, epoch)
		fails := 0
		for i := range random.IntN(60) {
			key := stack.Key(fmt.Sprintf("ネットワーク/%d-%s", i, strings.Repeat("x", random.IntN(40))))
			types := []engine.EventType{engine.EventStart, engine.EventWaiting, engine.EventReady, engine.EventFailed, engine.EventSkipped, engine.EventKept}
			ev := at(float64(i), engine.Event{Type: types[random.IntN(len(types))], Key: key, Text: strings.Repeat("失敗した ", random.IntN(30)), ID: "id-1", Took: time.Hour})
			if ev.Type == engine.EventFailed {
				fails++
			}
			b.apply(ev)
			b.apply(at(float64(i), engine.Event{Type: ev.Type, Key: key, Text: "second", Took: time.Minute}))
		}
		width, height := 1+random.IntN(150), 1+random.IntN(70)
		lines := b.frame(Screen{Width: width}, height, epoch.Add(time.Hour), 3)
		if len(lines) > max(height-1, 1) {
			t.Fatalf("%d lines in a window of %d", len(lines), height)
		}
		for _, l := range lines {
			if w := ansi.StringWidth(l); w > max(width-1, 1) {
				t.Fatalf("%d columns in a window of %d: %q", w, width, l)
			}
		}
		if n := strings.Count(strings.Join(lines, "\n"), "✗"); width > 10 && height > fails+10 && n != fails {
			t.Fatalf("%d failures shown of %d in a window of %dx%d:\n%s", n, fails, width, height, strings.Join(lines, "\n"))
		}
	}
}

func TestSummary(t *testing.T) {
	var out strings.Builder
	end := func(title string, events []engine.Event, until float64) {
		b, clock := newBoard(title, false, epoch), &fakeClock{now: epoch.Add(-time.Second)}
		play(b, clock, events, until)
		out.WriteString(strings.Join(b.summary(Screen{Width: 80}, clock.now), "\n") + "\n\n")
	}
	end("Deploying demo, no capacity", launchFails(), 13)
	end("Deploying demo, boot fails", deployScript(), 99)
	end("Deploying demo, interrupted", deployScript(), 15)
	end("Destroying demo", destroyScript(), 99)
	end("Deploying demo, well", []engine.Event{start1(0, "network/vpc", "vpc"), ready1(3, "network/vpc", "vpc-1", 3*time.Second)}, 185)
	golden(t, "summary.txt", out.String())
	fits(t, out.String(), 80)
}

// A service that was well and is not any more is under way again.
func TestEndedRowCanStartAgain(t *testing.T) {
	b := newBoard("", false, epoch)
	b.apply(ready1(5, "service/n8n", "", 5*time.Second))
	b.apply(tell(60, "service/n8n", "unreachable: connection refused"))
	r := b.at["service/n8n"]
	if r.phase != running || r.elapsed(epoch.Add(70*time.Second)) != 10*time.Second {
		t.Errorf("phase %d, elapsed %s; want a row that has been running for 10s", r.phase, r.elapsed(epoch.Add(70*time.Second)))
	}
}

// A failure of the operation itself is no row, but the summary must not look like a success.
func TestSummaryKnowsFailuresWithoutRow(t *testing.T) {
	b := newBoard("Destroying demo", false, epoch)
	b.apply(at(1, engine.Event{Type: engine.EventDeleted, Key: "network/vpc"}))
	b.apply(at(2, engine.Event{Type: engine.EventFailed, Text: "cannot prove that nothing is left"}))
	if got := b.summary(Screen{}, epoch)[0]; !strings.HasPrefix(got, "✗") {
		t.Errorf("the summary begins %q", got)
	}
}

// What was tried before the launch succeeded is not shown any more.
func TestTriesAreForgottenAfterSuccess(t *testing.T) {
	b, clock := newBoard("", false, epoch), &fakeClock{now: epoch.Add(-time.Second)}
	play(b, clock, deployScript(), 15)
	if text := strings.Join(b.frame(Screen{Width: 80}, 24, clock.now, 0), "\n"); !strings.Contains(text, "before: no spot capacity") {
		t.Errorf("the tries are not shown:\n%s", text)
	}
	play(b, clock, deployScript(), 20)
	if text := strings.Join(b.frame(Screen{Width: 80}, 24, clock.now, 0), "\n"); strings.Contains(text, "before:") {
		t.Errorf("the tries are still shown:\n%s", text)
	}
}

func BenchmarkFrame(b *testing.B) {
	board, clock := newBoard("Deploying demo", false, epoch), &fakeClock{now: epoch.Add(-time.Second)}
	play(board, clock, deployScript(), 50)
	b.ReportAllocs()
	for i := range b.N {
		board.frame(Screen{Width: 80, Color: true}, 24, clock.now, i)
	}
}
