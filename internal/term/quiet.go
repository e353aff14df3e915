package term

import (
	"fmt"
	"io"

	"geusemaker/internal/engine"
)

// quietProgress shows failures and warnings only.
type quietProgress struct {
	w      io.Writer
	screen Screen
	closed bool
}

func (p *quietProgress) Event(ev engine.Event) {
	if p.closed {
		return
	}
	switch ev.Type {
	case engine.EventFailed:
		what := joined(" ", oneLine(string(ev.Key)), oneLine(ev.ID))
		fmt.Fprintf(p.w, "%s%s\n", p.screen.Red("failed: "), joined(": ", what, oneLine(reason(ev))))
	case engine.EventWarning:
		fmt.Fprintf(p.w, "%s%s\n", p.screen.Yellow("warning: "), about(ev))
	default: // all else is for those who want to follow
	}
}

func (p *quietProgress) Close() { p.closed = true }
