package term

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Progress shows an operation while it runs. Its Event is an engine.Sink.
type Progress interface {
	// Event shows one event.
	Event(engine.Event)
	// Close shows how it ended. It may be called more than once; events after it are dropped.
	Close()
}

// Mode says how progress is shown.
type Mode string

// The modes: auto is tty where lines can be drawn again, plain elsewhere.
const (
	ModeAuto  Mode = "auto"
	ModeTTY   Mode = "tty"
	ModePlain Mode = "plain"
	ModeJSON  Mode = "json"
	ModeQuiet Mode = "quiet"
)

// Modes lists the modes, for help and completion.
func Modes() []string {
	return []string{string(ModeAuto), string(ModeTTY), string(ModePlain), string(ModeJSON), string(ModeQuiet)}
}

// ParseMode reads the name of a mode.
func ParseMode(name string) (Mode, error) {
	if slices.Contains(Modes(), name) {
		return Mode(name), nil
	}
	if near := stack.Nearest(name, Modes()); near != "" {
		return "", fmt.Errorf("%q is no way to show progress; did you mean %q?", name, near)
	}
	return "", fmt.Errorf("%q is no way to show progress; use one of %s", name, strings.Join(Modes(), ", "))
}

// Clock tells the time of the operation, which is not that of the wall in a sandbox. Every engine.Clock is one.
type Clock interface{ Now() time.Time }

// ProgressOptions say what is shown.
type ProgressOptions struct {
	Title   string // of the operation, such as "Deploying demo"
	Sandbox bool
	Clock   Clock // the clock on the wall when nil
}

// NewProgress returns the renderer of the mode. Everything is written to the Err stream. A stream that cannot be written
// to any more is no reason to stop an operation, so errors of writing are dropped.
func NewProgress(s *Streams, mode Mode, opts ProgressOptions) Progress {
	if opts.Clock == nil {
		opts.Clock = engine.Wall{}
	}
	b := newBoard(oneLine(opts.Title), opts.Sandbox, opts.Clock.Now())
	if mode == ModeAuto || mode == "" {
		mode = ModePlain
		if s.CanRedraw() {
			mode = ModeTTY
		}
	}
	switch mode {
	case ModeTTY:
		return newLive(s, b, opts.Clock)
	case ModeJSON:
		return &jsonProgress{w: s.Err, board: b, clock: opts.Clock}
	case ModeQuiet:
		return &quietProgress{w: s.Err, screen: s.ErrScreen()}
	default:
		return &plainProgress{w: s.Err, board: b, clock: opts.Clock, shown: map[stack.Key]int64{}}
	}
}

// reason is what an event says in words, and what went wrong. Errors of the engine name the resource, which is shown
// beside the text anyway.
func reason(ev engine.Event) string {
	if ev.Err == nil {
		return clean(ev.Text)
	}
	return joined(": ", clean(ev.Text), strings.TrimPrefix(clean(ev.Err.Error()), clean(string(ev.Key))+": "))
}

// about is what a note or a warning says, and of what.
func about(ev engine.Event) string { return joined(": ", oneLine(string(ev.Key)), oneLine(reason(ev))) }

// isDownload reports whether the event is about bytes that arrive.
func isDownload(ev engine.Event) bool { return ev.Done > 0 || ev.Total > 0 }
