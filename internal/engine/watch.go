package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// Machine asks the machine for its report. ErrNotYet means that it cannot be asked yet, any other error that it cannot be
// asked at all.
type Machine interface {
	Report(ctx context.Context, instanceID string, logOffset int64) (stack.Report, error)
}

// Prober asks the services whether they are well: from outside, as their users will, where anybody can reach them.
type Prober interface {
	Probe(ctx context.Context, endpoints []stack.Endpoint) []stack.Endpoint
}

// ErrNotYet says that something cannot be asked yet but probably can soon.
var ErrNotYet = errors.New("not yet")

// Times of a watch: how often the machine is asked, and how soon again while it has more log than fits into one answer; how
// long it may stay silent before only probes count, how long services that run may be unreachable from outside, and how long
// a boot may take in all. After the end the rest of the log is read, for longer when it explains a failure.
const (
	watchPause    = 4 * time.Second
	behindPause   = time.Second
	agentPatience = 5 * time.Minute
	probePatience = 2 * time.Minute
	bootPatience  = 25 * time.Minute

	successPatience = 10 * time.Second
	failurePatience = 2 * time.Minute
)

// Seen is what a watch saw.
type Seen struct {
	Report    *stack.Report // nil when the machine could not be asked
	Endpoints []stack.Endpoint
	Log       string // the bootstrap log, as far as it was read
}

// BootError says that the machine exists but the stack on it does not work.
type BootError struct {
	Step   string // that failed, or the service that does not answer
	Detail string
	Tail   []string // last lines of the log
}

func (e *BootError) Error() string { return fmt.Sprintf("%s failed: %s", e.Step, e.Detail) }

// Watch follows the boot until every service answers from outside, which alone is success. It returns what it saw also
// with an error: a *BootError when the boot failed or a service does not answer in time.
func (e Engine) Watch(ctx context.Context, m Machine, p Prober, instanceID string, endpoints []stack.Endpoint) (Seen, error) {
	now := e.Clock.Now()
	w := watch{Engine: e, ctx: ctx, start: now, patience: NewPatience(e.Clock), told: map[stack.Key]string{}, seen: Seen{Endpoints: endpoints}}
	for {
		var ill *stack.Endpoint
		if err := w.ask(m, instanceID); err != nil {
			return w.seen, err
		}
		if w.mute || w.seen.Report != nil && w.seen.Report.Complete {
			w.seen.Endpoints = p.Probe(ctx, w.seen.Endpoints)
			if ill = w.tellServices(); ill == nil {
				w.readOn(m, instanceID, successPatience)
				return w.seen, nil
			} else if err := w.impatient(ill); err != nil {
				return w.seen, err
			}
		}
		if w.patience.Spent() > bootPatience {
			return w.seen, w.late(ill)
		}
		if err := e.Clock.Sleep(ctx, w.pause()); err != nil {
			return w.seen, ErrInterrupted
		}
	}
}

type watch struct {
	Engine
	ctx      context.Context
	start    time.Time
	patience *Patience
	heard    time.Duration // how much of it was spent when the machine answered last
	complete bool          // probes are all that is missing
	since    time.Duration // how much of the patience was spent by then
	mute     bool          // the machine cannot be asked
	offset   int64
	told     map[stack.Key]string
	seen     Seen
}

func (w *watch) age() time.Duration { return w.Clock.Now().Sub(w.start) }

func (w *watch) emit(ev Event) {
	ev.Time = w.Clock.Now()
	if w.Sink != nil {
		w.Sink(ev)
	}
}

// ask fetches the report and tells what is new in it.
func (w *watch) ask(m Machine, instanceID string) error {
	if w.mute {
		return nil
	}
	report, err := m.Report(w.ctx, instanceID, w.offset)
	switch {
	case w.ctx.Err() != nil:
		return ErrInterrupted
	case errors.Is(err, ErrNotYet) && w.patience.Spent()-w.heard < agentPatience:
		if w.seen.Report == nil {
			w.tell("boot/agent", EventWaiting, "waiting for the machine to answer through Systems Manager", stack.BootStep{})
		}
		return nil
	case err != nil:
		w.mute = true
		if w.told["boot/agent"] != "" && w.seen.Report == nil {
			w.tell("boot/agent", EventSkipped, "no answer", stack.BootStep{Seconds: w.age().Seconds()})
		}
		w.emit(Event{Type: EventWarning, Text: "the machine cannot be asked how its boot goes (" + err.Error() + "); only the services' answers count"})
		return nil
	}
	w.hear(report)
	w.tellReport(report)
	if report.Failed {
		w.readOn(m, instanceID, failurePatience)
		step := failedStep(report)
		return &BootError{Step: step.Name, Detail: step.Detail, Tail: tail(w.seen.Log)}
	}
	return nil
}

// hear keeps a report and the piece of log that came with it.
func (w *watch) hear(r stack.Report) {
	w.heard = w.patience.Spent()
	w.seen.Report = &r
	w.seen.Log += r.Log.Text
	w.offset = r.Log.Next
}

// behind reports whether the machine has more log than was read.
func (w *watch) behind() bool {
	return !w.mute && w.seen.Report != nil && w.offset < w.seen.Report.Log.Size
}

func (w *watch) pause() time.Duration {
	if w.behind() {
		return behindPause
	}
	return watchPause
}

// readOn reads what is left of the log after the end of a boot: an answer holds a piece only, and what explains a failure
// stands last. The outcome does not depend on it.
func (w *watch) readOn(m Machine, instanceID string, patience time.Duration) {
	end := w.Clock.Now().Add(patience)
	for w.behind() && w.Clock.Now().Before(end) {
		from := w.offset
		r, err := m.Report(w.ctx, instanceID, from)
		if err != nil || r.Log.Next <= from {
			return
		}
		w.hear(r)
	}
}

func failedStep(r stack.Report) stack.BootStep {
	for _, s := range r.Steps {
		if s.Status == "failed" {
			return s
		}
	}
	return stack.BootStep{Name: "boot", Detail: "the bootstrap gave up"}
}

// tell emits an event about a row unless it says what was said last.
func (w *watch) tell(key stack.Key, typ EventType, text string, step stack.BootStep) {
	mark := string(typ) + text
	if w.told[key] == mark {
		return
	}
	if _, known := w.told[key]; !known && typ != EventStart {
		w.emit(Event{Type: EventStart, Key: key, Kind: "boot"})
	}
	w.told[key] = mark
	w.emit(Event{Type: typ, Key: key, Kind: "boot", Text: text, Took: time.Duration(step.Seconds * float64(time.Second))})
}

func (w *watch) tellReport(r stack.Report) {
	if _, waited := w.told["boot/agent"]; waited {
		w.tell("boot/agent", EventReady, "", stack.BootStep{Seconds: w.age().Seconds()})
	}
	for _, s := range r.Steps {
		key := stack.Key("boot/" + s.Name)
		switch s.Status {
		case "done":
			w.tell(key, EventReady, s.Detail, s)
		case "failed":
			w.tell(key, EventFailed, s.Detail, s)
		default:
			if _, known := w.told[key]; !known {
				w.tell(key, EventStart, s.Detail, s)
			} else if s.Detail != "" {
				w.tell(key, EventWaiting, s.Detail, s)
			}
		}
	}
	for _, p := range r.Pulls {
		key := stack.Key("image/" + p.Image)
		mark := fmt.Sprint(p.Status, p.Done)
		if w.told[key] == mark || p.Status == "waiting" {
			continue
		}
		if _, known := w.told[key]; !known {
			w.emit(Event{Type: EventStart, Key: key, Kind: "image"})
		}
		w.told[key] = mark
		typ := map[string]EventType{"done": EventReady, "failed": EventFailed}[p.Status]
		if typ == "" {
			typ = EventWaiting
		}
		w.emit(Event{Type: typ, Key: key, Kind: "image", Text: p.Status, Done: p.Done, Total: p.Total})
	}
}

// tellServices tells how each service answers and returns the first that is not well.
func (w *watch) tellServices() *stack.Endpoint {
	var ill *stack.Endpoint
	for i, e := range w.seen.Endpoints {
		key := stack.Key("service/" + e.Service)
		if e.Health == stack.Healthy {
			w.tell(key, EventReady, e.URL, stack.BootStep{Seconds: w.age().Seconds()})
			continue
		}
		w.tell(key, EventWaiting, string(e.Health)+": "+e.Detail, stack.BootStep{})
		if ill == nil {
			ill = &w.seen.Endpoints[i]
		}
	}
	return ill
}

// impatient ends the watch when the machine says that all is well and a service still does not answer from outside.
func (w *watch) impatient(ill *stack.Endpoint) error {
	if w.mute {
		return w.blind()
	}
	if !w.complete {
		w.complete, w.since = true, w.patience.Spent()
	}
	if w.patience.Spent()-w.since < probePatience {
		return nil
	}
	w.tell(stack.Key("service/"+ill.Service), EventFailed, string(ill.Health)+": "+ill.Detail, stack.BootStep{})
	detail := fmt.Sprintf("healthy when the boot ended, but %s now: %s", ill.Health, ill.Detail)
	if ill.Health == stack.Unreachable {
		detail = "healthy on the machine, but unreachable from here: " + ill.Detail
	}
	return &BootError{Step: ill.Service, Detail: detail, Tail: tail(w.seen.Log)}
}

// blind ends a watch of a machine that cannot be asked and of whose services nothing can be known either. Where something
// can, the boot may still go on; its own deadline counts.
func (w *watch) blind() error {
	for _, e := range w.seen.Endpoints {
		if e.Health != stack.HealthUnknown {
			return nil
		}
	}
	return &BootError{Step: "boot", Detail: "neither the machine nor its services can be asked how they are: " + w.seen.Endpoints[0].Detail}
}

// late is the error of a boot that took too long. Where the machine could not be asked, the service that does not answer is
// all that is known.
func (w *watch) late(ill *stack.Endpoint) error {
	if w.mute && ill != nil {
		return &BootError{Step: ill.Service, Detail: fmt.Sprintf("%s after %s: %s", ill.Health, bootPatience, ill.Detail)}
	}
	return &BootError{Step: "boot", Detail: fmt.Sprintf("not complete after %s", bootPatience), Tail: tail(w.seen.Log)}
}

// tail returns the last lines of a log.
func tail(log string) []string {
	if log == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(log, "\n"), "\n")
	if len(lines) > 20 {
		lines = lines[len(lines)-20:]
	}
	return lines
}
