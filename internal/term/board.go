package term

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// phase is how far a row is.
type phase int

const (
	pending phase = iota
	running
	ready
	kept
	deleted
	failed
	skipped
)

// phases are the words in which rows are counted, in this order.
var phases = [...]string{
	pending: "not started", running: "unfinished", ready: "ready", kept: "kept", deleted: "deleted", failed: "failed", skipped: "skipped",
}

func (p phase) ended() bool { return p > running }

// row is one resource, image, boot step or service.
type row struct {
	key    string
	phase  phase
	action stack.Action
	needs  []string

	id      string
	text    string // what it waits for, what is tried, or what came of it
	problem string
	trying  string   // the latest text about work that has not led to an ID yet
	tried   []string // those before it, oldest first
	started time.Time
	took    time.Duration
	usual   time.Duration
	done    int64
	total   int64
	rank    int // among the ended, in the order in which they ended
}

// maxTried bounds what is remembered of the tries of one resource.
const maxTried = 50

// board is what is known of an operation from its events. All renderers read it, so none can know more than another.
type board struct {
	title   string
	sandbox bool
	start   time.Time
	rows    []*row
	at      map[string]*row
	ended   int  // how many rows ended so far
	broken  bool // something failed that is no row
}

func newBoard(title string, sandbox bool, start time.Time) *board {
	return &board{title: title, sandbox: sandbox, start: start, at: map[string]*row{}}
}

// apply takes an event in.
func (b *board) apply(ev engine.Event) {
	switch ev.Type {
	case engine.EventPlan:
		if ev.Plan != nil {
			b.plan(*ev.Plan)
		}
	case engine.EventNote, engine.EventWarning: // about the operation, not about a row
	default:
		if ev.Key != "" {
			b.update(b.row(string(ev.Key)), ev)
		} else if ev.Type == engine.EventFailed {
			b.broken = true
		}
	}
}

func (b *board) plan(p stack.Plan) {
	for _, step := range p.Steps {
		if step.Action == stack.ActionKeep && !step.Unfinished {
			continue
		}
		r := b.row(string(step.Key))
		r.action = step.Action
		ready, gone := step.Kind.Usual()
		if r.usual = ready; r.action == stack.ActionDelete {
			r.usual = gone
		}
		for _, need := range step.Needs {
			r.needs = append(r.needs, oneLine(string(need)))
		}
	}
}

func (b *board) row(key string) *row {
	key = oneLine(key)
	r, ok := b.at[key]
	if !ok {
		r = &row{key: key}
		b.at[key] = r
		b.rows = append(b.rows, r)
	}
	return r
}

func (b *board) update(r *row, ev engine.Event) {
	if ev.ID != "" {
		r.id = oneLine(ev.ID)
	}
	switch ev.Type {
	case engine.EventStart:
		b.begin(r, ev)
	case engine.EventCreated, engine.EventWaiting:
		if r.phase != running {
			b.begin(r, ev)
		}
		r.say(ev)
	case engine.EventReady:
		b.end(r, ready, ev)
	case engine.EventKept:
		b.end(r, kept, ev)
	case engine.EventDeleted:
		b.end(r, deleted, ev)
	case engine.EventFailed:
		b.end(r, failed, ev)
	case engine.EventSkipped:
		b.end(r, skipped, ev)
	default: // apply lets no other through
	}
}

// begin starts the clock of a row. A second start of the same work only says something new about it.
func (b *board) begin(r *row, ev engine.Event) {
	if r.phase != running {
		r.phase, r.started, r.took = running, ev.Time, 0
		r.problem, r.trying, r.tried = "", "", nil
	}
	if ev.Usual > 0 {
		r.usual = ev.Usual
	}
	r.text = oneLine(ev.Text)
}

// say takes in what is new about work that goes on.
func (r *row) say(ev engine.Event) {
	text := oneLine(reason(ev))
	switch {
	case isDownload(ev):
		r.done, r.total = ev.Done, ev.Total
	case ev.Type == engine.EventCreated:
		r.trying, r.tried = "", nil // what was tried in vain does not matter any more
		text = joined(": ", joined(" ", "created", r.id), text)
	case text != "" && text != r.trying:
		r.remember()
		r.trying = text
	}
	if text != "" {
		r.text = text
	}
}

// remember moves what was being tried to what was tried.
func (r *row) remember() {
	if r.trying != "" {
		r.tried = append(r.tried, r.trying)
		r.tried = r.tried[max(0, len(r.tried)-maxTried):]
	}
}

func (b *board) end(r *row, p phase, ev engine.Event) {
	r.phase, r.took, r.text = p, ev.Took, oneLine(ev.Text)
	if isDownload(ev) {
		r.done, r.total = ev.Done, ev.Total
	}
	if p == failed {
		r.remember()
		r.problem = reason(ev)
	}
	b.ended++
	r.rank = b.ended
}

// waits names what a pending row needs that has not ended yet.
func (b *board) waits(r *row) string {
	var open []string
	for _, need := range r.needs {
		if n, ok := b.at[need]; ok && !n.phase.ended() {
			open = append(open, need)
		}
	}
	switch len(open) {
	case 0:
		return "waits"
	case 1:
		return "waits for " + open[0]
	default:
		return fmt.Sprintf("waits for %s and %d more", open[0], len(open)-1)
	}
}

// state says in words how a row is.
func (b *board) state(r *row) string {
	switch r.phase {
	case pending:
		return b.waits(r)
	case running:
		switch {
		case r.text != "":
			return r.text
		case r.action == stack.ActionCreate:
			return "creating"
		case r.action == stack.ActionAdopt:
			return "checking"
		case r.action == stack.ActionDelete:
			return "deleting"
		default:
			return "working"
		}
	case ready:
		if r.total > 0 {
			return joined("  ", r.id, Bytes(r.total))
		}
		return joined("  ", r.id, r.text)
	case failed:
		return joined(" ", phases[failed], r.id)
	default:
		return joined(": ", joined(" ", phases[r.phase], r.id), r.text)
	}
}

// elapsed is how long the work on a row takes or took.
func (r *row) elapsed(now time.Time) time.Duration {
	if r.phase == running {
		return now.Sub(r.started)
	}
	return r.took
}

// left is how long the planned rows will take yet, if each takes as long as usual: the longest chain of what is under way and
// what waits for it. What has lasted longer than usual is about to end.
func (b *board) left(now time.Time) time.Duration {
	known := map[*row]time.Duration{}
	var of func(*row) time.Duration
	of = func(r *row) time.Duration {
		if d, ok := known[r]; ok || r.phase.ended() || r.action == "" {
			return d
		}
		known[r] = 0 // a plan that was read from a damaged file may hold a circle
		rest := r.usual
		if r.phase == running {
			rest = max(r.usual-r.elapsed(now), 0)
		} else {
			var before time.Duration
			for _, need := range r.needs {
				if n, ok := b.at[need]; ok {
					before = max(before, of(n))
				}
			}
			rest += before
		}
		known[r] = rest
		return rest
	}
	var longest time.Duration
	for _, r := range b.rows {
		longest = max(longest, of(r))
	}
	return longest
}

// removes reports whether the operation takes away what is planned.
func (b *board) removes() bool {
	return slices.ContainsFunc(b.rows, func(r *row) bool { return r.action == stack.ActionDelete })
}

// count counts the rows in each phase.
func (b *board) count() [len(phases)]int {
	var n [len(phases)]int
	for _, r := range b.rows {
		n[r.phase]++
	}
	return n
}

// counted is the count in words: "9 ready, 1 failed".
func (b *board) counted() string {
	n := b.count()
	var parts []string
	for _, p := range []phase{ready, deleted, kept, failed, skipped, running, pending} {
		if n[p] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[p], phases[p]))
		}
	}
	return strings.Join(parts, ", ")
}

// in returns the rows in a phase.
func (b *board) in(p phase) []*row {
	return slices.DeleteFunc(slices.Clone(b.rows), func(r *row) bool { return r.phase != p })
}

// name is the title, marked when the account is a pretend one.
func (b *board) name() string {
	if b.sandbox {
		return joined(" ", b.title, "(sandbox)")
	}
	return b.title
}
