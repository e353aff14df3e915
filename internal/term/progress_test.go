package term

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// show runs a script through a renderer and returns what it wrote.
func show(mode Mode, f Facts, events []engine.Event, end float64) string {
	streams, buffers := Test(f)
	clock := &fakeClock{now: epoch}
	p := NewProgress(streams, mode, ProgressOptions{Title: "Deploying demo", Sandbox: true, Clock: clock})
	for _, ev := range events {
		p.Event(ev)
	}
	clock.now = epoch.Add(time.Duration(end * float64(time.Second)))
	p.Close()
	p.Event(at(end, engine.Event{Type: engine.EventWarning, Text: "after the end"}))
	p.Close()
	return buffers.Err.String() + buffers.Out.String()
}

func TestRenderers(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeJSON, ModeQuiet} {
		t.Run(string(mode), func(t *testing.T) {
			got := show(mode, Facts{}, deployScript(), 99)
			golden(t, "deploy."+string(mode)+".txt", got)
			golden(t, "destroy."+string(mode)+".txt", show(mode, Facts{}, destroyScript(), 99))
			if strings.Contains(got, "\x1b") || strings.Contains(got, "after the end") {
				t.Errorf("escape sequences, or events after the end:\n%s", got)
			}
		})
	}
}

// The events of an operation in a sandbox bear the sandbox's time, and those without a time that of the clock.
func TestTimeIsThatOfTheOperation(t *testing.T) {
	for mode, want := range map[Mode]string{ModePlain: "7m00s  a/b  start", ModeJSON: `"time":"2026-11-23T12:07:00Z","type":"start"`} {
		streams, buffers := Test(Facts{})
		clock := &fakeClock{now: epoch}
		p := NewProgress(streams, mode, ProgressOptions{Clock: clock})
		clock.now = epoch.Add(7 * time.Minute)
		p.Event(engine.Event{Type: engine.EventStart, Key: "a/b"})
		if got := buffers.Err.String(); !strings.Contains(got, want) {
			t.Errorf("%s: %q is missing in %q", mode, want, got)
		}
	}
}

// Nobody who follows in plain text or in JSON knows less than somebody before a terminal.
func TestRenderersTellTheSameFacts(t *testing.T) {
	for name, events := range map[string][]engine.Event{"boot fails": deployScript(), "no capacity": launchFails(), "destroy": destroyScript()} {
		for _, mode := range []Mode{ModePlain, ModeJSON} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				got := show(mode, Facts{}, events, 99)
				for _, ev := range events {
					facts := []string{string(ev.Key), ev.ID, ev.Text}
					if ev.Err != nil {
						facts = append(facts, strings.Split(strings.TrimPrefix(ev.Err.Error(), string(ev.Key)+": "), "\n")...)
					}
					for _, fact := range facts {
						if !strings.Contains(got, fact) {
							t.Errorf("%q is missing", fact)
						}
					}
				}
			})
		}
	}
}

func TestJSONLines(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(show(ModeJSON, Facts{}, deployScript(), 99)), "\n")
	for i, l := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(l), &object); err != nil {
			t.Fatalf("line %d is no JSON: %v", i, err)
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(object["time"])); err != nil {
			t.Errorf("line %d: %v", i, err)
		}
		switch {
		case i == 0 && (object["type"] != "version" || object["format"] != 1.0 || object["sandbox"] != true):
			t.Errorf("the first line is %s", l)
		case i == len(lines)-1 && (object["type"] != "summary" || object["seconds"] != 99.0):
			t.Errorf("the last line is %s", l)
		}
	}
	if got, want := len(lines), len(deployScript())+2; got != want {
		t.Errorf("%d lines, want one for each of the events, a version and a summary: %d", got, want)
	}
}

func TestQuietTellsOnlyWhatIsBad(t *testing.T) {
	got := show(ModeQuiet, Facts{}, deployScript(), 99)
	if n := strings.Count(got, "\n"); n != 2 {
		t.Errorf("%d lines, want the warning and the failure:\n%s", n, got)
	}
}

// A screen reader reads lines as they come; nothing may be drawn again.
func TestProgressForAScreenReader(t *testing.T) {
	streams, buffers := Test(Facts{InTTY: true, OutTTY: true, ErrTTY: true, Color: true})
	streams.MakeAccessible()
	p := NewProgress(streams, ModeAuto, ProgressOptions{Title: "Deploying demo"})
	for _, ev := range deployScript() {
		p.Event(ev)
	}
	p.Close()
	got := buffers.Err.String()
	if strings.ContainsAny(got, "\x1b\r✓✗█…⠋") || !strings.Contains(got, "start") || !strings.Contains(got, "end") {
		t.Error(got)
	}
	if streams.CanRedraw() || streams.CanRedrawOut() {
		t.Error("it would be drawn again")
	}
}

func TestModeFollowsTheTerminal(t *testing.T) {
	type kinds = map[Mode]string
	name := func(f Facts, dumb bool, mode Mode) string {
		streams, _ := Test(f)
		streams.dumb = dumb
		return fmt.Sprintf("%T", NewProgress(streams, mode, ProgressOptions{}))
	}
	for _, c := range []struct {
		facts Facts
		dumb  bool
		want  string
	}{
		{Facts{ErrTTY: true}, false, "*term.liveProgress"},
		{Facts{ErrTTY: true}, true, "*term.plainProgress"},
		{Facts{OutTTY: true, InTTY: true}, false, "*term.plainProgress"},
	} {
		if got := name(c.facts, c.dumb, ModeAuto); got != c.want {
			t.Errorf("auto with %+v, dumb %t is %s, want %s", c.facts, c.dumb, got, c.want)
		}
	}
	for mode, want := range (kinds{ModeTTY: "*term.liveProgress", ModeJSON: "*term.jsonProgress", ModeQuiet: "*term.quietProgress", ModePlain: "*term.plainProgress"}) {
		if got := name(Facts{}, false, mode); got != want {
			t.Errorf("%s is %s, want %s", mode, got, want)
		}
	}
}

func TestParseMode(t *testing.T) {
	for _, m := range Modes() {
		if got, err := ParseMode(m); string(got) != m || err != nil {
			t.Errorf("ParseMode(%q) = %q, %v", m, got, err)
		}
	}
	if _, err := ParseMode("fireworks"); err == nil || !strings.Contains(err.Error(), "auto, tty, plain, json, quiet") {
		t.Errorf("ParseMode(fireworks): %v", err)
	}
	if _, err := ParseMode("jsn"); err == nil || !strings.Contains(err.Error(), `did you mean "json"?`) {
		t.Errorf("ParseMode(jsn): %v", err)
	}
}

// An operation that shows nothing leaves nothing: the first thing that can go wrong comes before the first event.
func TestNoEventsNoOutput(t *testing.T) {
	for _, m := range Modes() {
		if got := show(Mode(m), Facts{ErrTTY: true}, nil, 1); got != "" {
			t.Errorf("%s wrote %q", m, got)
		}
	}
}

// What machines and services say must not reach the terminal as commands.
func TestHostileTextIsDefused(t *testing.T) {
	nasty := "\x1b]0;owned\x07\x1b[2Jhello\rworld\x9b31m\u202egnp.exe"
	for _, mode := range []Mode{ModePlain, ModeQuiet, ModeTTY} {
		got := show(mode, Facts{ErrTTY: true}, []engine.Event{
			at(1, engine.Event{Type: engine.EventWarning, Text: nasty, Key: stack.Key("a/" + nasty)}),
			at(2, engine.Event{Type: engine.EventFailed, Key: stack.Key("b/" + nasty), Text: nasty, Err: errors.New(nasty), ID: nasty}),
		}, 3)
		for _, bad := range []string{"\x1b]", "\x1b[2J", "\rworld", "\x07", "\u202e", "\x9b"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s lets %q through: %q", mode, bad, got)
			}
		}
		if !strings.Contains(got, "hello") {
			t.Errorf("%s lost the text: %q", mode, got)
		}
	}
}

// hundred are the events of an operation on 25 resources.
func hundred() []engine.Event {
	plan := &stack.Plan{}
	events := []engine.Event{{Type: engine.EventPlan, Plan: plan}}
	for i := range 25 {
		key := stack.Key(fmt.Sprintf("group/resource-%d", i))
		plan.Steps = append(plan.Steps, create(key, stack.KindVPC, "", 0))
		events = append(events,
			engine.Event{Type: engine.EventStart, Key: key, Usual: 3 * time.Second},
			engine.Event{Type: engine.EventCreated, Key: key, ID: fmt.Sprintf("id-%d", i)},
			engine.Event{Type: engine.EventWaiting, Key: key, Text: "waiting for it to become available"},
			engine.Event{Type: engine.EventReady, Key: key, ID: fmt.Sprintf("id-%d", i), Took: time.Second})
	}
	return events
}

// The display of 100 events in ten seconds must not flood a slow line: it writes less than a third of what drawing each
// of its 100 frames in full would take.
func TestLiveWritesLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, buffers := Test(Facts{ErrTTY: true, Color: true})
		p := NewProgress(streams, ModeTTY, ProgressOptions{Title: "Deploying demo"})
		for i, ev := range hundred() {
			if i == 1 {
				time.Sleep(redrawEvery / 2) // between two drawings, so that the figure is the same each time
			}
			p.Event(ev)
			time.Sleep(redrawEvery)
		}
		p.Close()
		n := buffers.Err.Len()
		t.Logf("%d bytes for 100 events in 10 s", n)
		if n > 100*24*80/3 {
			t.Errorf("%d bytes", n)
		}
	})
}

// The display goes on turning while no event comes, by the clock of the operation, and stops with Close.
func TestLiveTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, buffers := Test(Facts{ErrTTY: true})
		p := NewProgress(streams, ModeAuto, ProgressOptions{Title: "Deploying demo"})
		p.Event(engine.Event{Type: engine.EventStart, Key: "storage/mount-a", Usual: 90 * time.Second})
		time.Sleep(42*time.Second + time.Millisecond)
		synctest.Wait()
		if got := buffers.Err.String(); !strings.Contains(got, "42s  usually ~90s") {
			t.Errorf("no row after 42 s in %q", got[max(0, len(got)-300):])
		}
		p.Close()
		n := buffers.Err.Len()
		time.Sleep(time.Minute)
		if buffers.Err.Len() != n {
			t.Error("it draws after Close")
		}
	})
}
