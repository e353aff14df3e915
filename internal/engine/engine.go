package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"geusemaker/internal/stack"
)

// Engine carries out operations on one deployment at a time.
type Engine struct {
	Drivers map[stack.Kind]Driver
	Save    Save
	Sink    Sink
	Clock   Clock
	Version string // of the tool, for the version tag
}

// createDeadline bounds one attempt at a create with all its retries. It is the engine's own, since a create that has started is not
// cancelled: a launch may walk through many pools of capacity.
const createDeadline = 20 * time.Minute

// Describes lag behind creates by some seconds (EC2 developer guide, "Eventual consistency"), so what an earlier process
// may have made is asked for more than once: at 0, 2, 4 and 8 seconds. What was intended so long ago that no create can still be under way is
// asked for once.
var lookups = [...]time.Duration{0, 2 * time.Second, 2 * time.Second, 4 * time.Second}

const longAgo = maxAttempts*createDeadline + 5*time.Minute

// How often a resource is made anew: after a create whose outcome was unknown and which left nothing, which costs a look only,
// and when what was made vanished again.
const (
	maxAttempts = 5
	maxVanished = 3
)

// ErrInterrupted ends an operation that was told to stop before its end.
var ErrInterrupted = errors.New("interrupted")

// run is one operation.
type run struct {
	Engine
	journal *journal
	sink    sync.Mutex

	// began are the resources whose creation this operation began.
	mu    sync.Mutex
	began map[stack.Key]bool
}

func (e Engine) begin(s *stack.State) *run {
	return &run{Engine: e, journal: &journal{state: s, save: e.Save, clock: e.Clock}, began: map[stack.Key]bool{}}
}

func (r *run) emit(ev Event) {
	r.sink.Lock()
	defer r.sink.Unlock()
	ev.Time = r.Clock.Now()
	if r.Sink != nil {
		r.Sink(ev)
	}
}

// target is what a driver gets to see of a record.
func (r *run) target(ctx context.Context, rec stack.Record, spec stack.Spec) Target {
	return Target{
		Stopping: func() bool { return ctx.Err() != nil },
		Stack:    r.journal.state.Identity, Key: rec.Key, Spec: spec, Record: rec,
		Tags: r.tags(rec.Key),
		Need: r.journal.get,
		Tell: func(text string) { r.emit(Event{Type: EventWaiting, Key: rec.Key, Kind: rec.Kind, Text: text}) },
		Warn: func(text string) { r.emit(Event{Type: EventWarning, Key: rec.Key, Kind: rec.Kind, Text: text}) },
	}
}

// tags are those of the deployment, and by which version the resource was made.
func (r *run) tags(key stack.Key) map[string]string {
	tags := r.journal.tags(key)
	tags[stack.TagVersion] = r.Version
	return tags
}

func (r *run) driver(kind stack.Kind) (Driver, error) {
	if d, ok := r.Drivers[kind]; ok {
		return d, nil
	}
	return nil, fmt.Errorf("this version does not know resources of kind %q; use the version that made them", kind)
}

// locate looks for a resource that may or may not exist: by its ID, or by its tags when its ID was never learned.
func (r *run) locate(ctx context.Context, d Driver, t Target) (Found, error) {
	waits := lookups[:]
	if r.Clock.Now().Sub(t.Record.BegunAt) > longAgo {
		waits = waits[:1]
	}
	var found Found
	err := ErrNotFound
	for _, wait := range waits {
		if err := r.Clock.Sleep(ctx, wait); err != nil {
			return Found{}, err
		}
		if found, err = r.lookup(ctx, d, t); !errors.Is(err, ErrNotFound) {
			return found, err
		}
	}
	return Found{}, err
}

func (r *run) lookup(ctx context.Context, d Driver, t Target) (Found, error) {
	if t.Record.ID != "" {
		return d.Read(ctx, t)
	}
	all, err := d.List(ctx, t.Stack.ID)
	if err != nil {
		return Found{}, err
	}
	for _, f := range all {
		if f.Key == t.Key {
			return f, nil
		}
	}
	return Found{}, ErrNotFound
}

// ended tells how the work on a resource ended without success, and returns the error under the name of the resource. A
// wait that was broken off is no failure of the resource.
func (r *run) ended(ctx context.Context, rec stack.Record, took time.Duration, err error) error {
	if errors.Is(err, ErrInterrupted) || ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		r.emit(Event{Type: EventSkipped, Key: rec.Key, Kind: rec.Kind, ID: rec.ID, Text: "stopped waiting", Took: took})
		return fmt.Errorf("%s: %w", rec.Key, ErrInterrupted)
	}
	err = &ResourceError{Key: rec.Key, Err: err}
	r.emit(Event{Type: EventFailed, Key: rec.Key, Kind: rec.Kind, ID: rec.ID, Err: err, Took: took})
	return err
}

// ResourceError is an error of one resource.
type ResourceError struct {
	Key stack.Key
	Err error
}

func (e *ResourceError) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

// Unwrap gives the error itself.
func (e *ResourceError) Unwrap() error { return e.Err }

// join puts the errors of a walk together. Waits that were broken off because something else failed are no news then.
func join(errs []error) error {
	var real []error
	for _, err := range errs {
		if !errors.Is(err, ErrInterrupted) {
			real = append(real, err)
		}
	}
	if len(real) == 0 && len(errs) > 0 {
		return ErrInterrupted
	}
	return errors.Join(real...)
}
