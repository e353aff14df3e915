package cli

import (
	"fmt"
	"sync"

	"geusemaker/internal/engine"
	"geusemaker/internal/term"
)

// shownProgress is the progress of the operation that runs. Its events come from the engine one after the other, and notes
// about the network come in between.
type shownProgress struct {
	app *app

	mu sync.Mutex
	to term.Progress
}

// show lets notes be shown with the progress until that is closed.
func (a *app) show(to term.Progress) term.Progress {
	p := &shownProgress{app: a, to: to}
	a.logMu.Lock()
	defer a.logMu.Unlock()
	a.shown = p
	return p
}

// Event implements term.Progress.
func (p *shownProgress) Event(ev engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to.Event(ev)
}

// Close implements term.Progress.
func (p *shownProgress) Close() {
	p.app.logMu.Lock()
	if p.app.shown == p {
		p.app.shown = nil
	}
	p.app.logMu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to.Close()
}

// note tells people what a command waits for or does without, unless they asked for quiet. It may be called from any
// goroutine.
func (a *app) note(text string) {
	a.logMu.Lock()
	p := a.shown
	a.logMu.Unlock()
	switch {
	case p != nil:
		p.Event(engine.Event{Type: engine.EventNote, Text: text})
	case !a.global.quiet:
		fmt.Fprintln(a.streams.Err, "note: "+text)
	}
}

// away tells that the network is. Where only errors are wanted on the error stream, as one JSON object, it is told in the
// progress of an operation alone.
func (a *app) away(text string) {
	a.logMu.Lock()
	p := a.shown
	a.logMu.Unlock()
	if p != nil || a.global.output != outputJSON {
		a.note(text)
	}
}
