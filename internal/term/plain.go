package term

import (
	"fmt"
	"io"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// plainProgress writes one line an event, for pipes, logs and terminals that cannot move their cursor.
type plainProgress struct {
	w      io.Writer
	board  *board
	clock  Clock
	keys   int                 // width of the column of keys
	shown  map[stack.Key]int64 // quarters of a download that were told
	open   bool
	closed bool
}

func (p *plainProgress) Event(ev engine.Event) {
	if p.closed {
		return
	}
	if ev.Time.IsZero() {
		ev.Time = p.clock.Now()
	}
	if !p.open {
		p.open = true
		p.line(p.board.start, "start", p.board.name())
	}
	p.board.apply(ev)
	if p.worth(ev) {
		what, text := p.words(ev)
		p.line(ev.Time, what, text)
	}
}

// worth holds back a download that only grew a little: a line for each quarter is enough.
func (p *plainProgress) worth(ev engine.Event) bool {
	if ev.Type != engine.EventWaiting || !isDownload(ev) {
		return true
	}
	quarter := int64(1)
	if ev.Total > 0 {
		quarter = 1 + 4*min(ev.Done, ev.Total)/ev.Total
	}
	if quarter <= p.shown[ev.Key] {
		return false
	}
	p.shown[ev.Key] = quarter
	return true
}

// words is what a line says after its time.
func (p *plainProgress) words(ev engine.Event) (what, text string) {
	what = string(ev.Key)
	id, say, took := oneLine(ev.ID), oneLine(reason(ev)), ""
	if ev.Took > 0 {
		took = "in " + Duration(ev.Took)
	}
	switch ev.Type {
	case engine.EventPlan:
		return "plan", p.plan(ev)
	case engine.EventNote, engine.EventWarning:
		return string(ev.Type), about(ev)
	case engine.EventStart:
		text = joined(" ", "start", id)
		if ev.Usual > 0 {
			text += " (" + usually(ev.Usual) + ")"
		}
		text = joined(": ", text, say)
	case engine.EventWaiting:
		text = say
		if isDownload(ev) {
			text = joined(" ", text, Bytes(ev.Done))
			if ev.Total > 0 {
				text += " of " + Bytes(ev.Total)
			}
		}
	default:
		size := ""
		if ev.Total > 0 {
			size = Bytes(ev.Total)
		}
		text = joined(": ", joined(" ", string(ev.Type), id, size, took), say)
	}
	if what == "" {
		return string(ev.Type), say
	}
	return what, text
}

// plan counts the steps and prepares the column of keys.
func (p *plainProgress) plan(ev engine.Event) string {
	for _, r := range p.board.rows {
		p.keys = max(p.keys, min(len(r.key), 24))
	}
	if ev.Plan == nil {
		return oneLine(ev.Text)
	}
	var parts []string
	for _, a := range []stack.Action{stack.ActionCreate, stack.ActionAdopt, stack.ActionDelete, stack.ActionKeep} {
		if n := ev.Plan.Count(a); n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n, a))
		}
	}
	return joined(": ", oneLine(ev.Text), joined(", ", parts...))
}

func (p *plainProgress) line(at time.Time, what, text string) {
	fmt.Fprintf(p.w, "%6s  %s  %s\n", Duration(at.Sub(p.board.start)), pad(oneLine(what), p.keys), text)
}

func (p *plainProgress) Close() {
	if p.closed || !p.open {
		p.closed = true
		return
	}
	p.closed = true
	p.line(p.clock.Now(), "end", joined(": ", p.board.name(), p.board.counted()))
}
