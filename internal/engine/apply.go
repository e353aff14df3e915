package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"geusemaker/internal/stack"
)

// PlanApply says what Apply would do, and why.
func PlanApply(g stack.Graph, s stack.State, cost stack.Cost) stack.Plan {
	p := stack.Plan{Steps: []stack.Step{}}
	for _, n := range g.Nodes {
		part := cost.Of(n.Key)
		step := stack.Step{
			Key: n.Key, Kind: n.Spec.Kind(), Action: stack.ActionCreate, Cause: stack.Describe(n.Spec), Needs: []stack.Key{},
			Hourly: part.Hourly, Guess: part.Guessed(),
		}
		for _, ref := range n.Spec.Refs() {
			step.Needs = append(step.Needs, ref.Key)
			if ref.Until == stack.StatusCreated {
				step.NeedsID = append(step.NeedsID, ref.Key)
			}
			if ref.Late {
				step.NeedsLate = append(step.NeedsLate, ref.Key)
			}
		}
		step.Provenance = n.Provenance()
		rec, known := s.Records[n.Key]
		switch done := serves(n, rec); {
		case n.Adopt != "" && !done:
			step.Action, step.Cause = stack.ActionAdopt, n.Adopt+" is yours and stays as it is"
		case done:
			step.Action, step.Cause = stack.ActionKeep, rec.ID
		case outlives(n.Spec) && rec.Survived():
			step.Action, step.Cause, step.Unfinished = stack.ActionKeep, rec.ID+", "+keptAgain, true
		case known && rec.Owned && rec.Gone():
			step.Cause = rec.ID + " is gone; " + step.Cause
		case known && rec.Owned:
			step.Cause = "begun " + rec.BegunAt.Format(time.RFC3339) + "; will be looked for first"
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

// keptAgain is said of what outlived the machine that it belongs to.
const keptAgain = "kept with all that it holds, attached again"

// outlives reports whether a resource outlives another that it is made for.
func outlives(spec stack.Spec) bool {
	return slices.ContainsFunc(spec.Refs(), func(ref stack.Ref) bool { return ref.Outlives })
}

// serves reports whether a record is that of what the node wants, and of something that is finished: of the user's own
// resource that it names, or of one of ours.
func serves(n stack.Node, rec stack.Record) bool {
	if n.Adopt != "" {
		return rec.Status == stack.StatusReady && rec.ID == n.Adopt
	}
	return rec.Status == stack.StatusReady && rec.Owned
}

// Apply makes what the graph wants and the state does not have. The state is saved at every step. It returns the keys of
// the resources whose creation it began, for a roll-back, and all errors joined; ErrInterrupted alone when ctx ended.
//
// After the first failure nothing new is started: creates that run are finished, waits are broken off.
func (e Engine) Apply(ctx context.Context, g stack.Graph, s *stack.State) ([]stack.Key, error) {
	r := e.begin(s)
	r.journal.outlivers = outlivers(g)
	waitCtx, breakOff := context.WithCancelCause(ctx)
	defer breakOff(nil)
	var tasks []task
	for _, n := range g.Nodes {
		tasks = append(tasks, task{
			key: n.Key, after: n.Spec.Refs(),
			run:  func(created func() error) error { return r.build(waitCtx, n, created) },
			skip: func() { r.emit(Event{Type: EventSkipped, Key: n.Key, Kind: n.Spec.Kind()}) },
		})
	}
	errs := walk(ctx, tasks, func(err error) bool {
		breakOff(ErrInterrupted)
		return true
	})
	began := []stack.Key{} // never nil: a Removal takes that for everything
	for _, n := range g.Nodes {
		if r.began[n.Key] {
			began = append(began, n.Key)
		}
	}
	err := join(errs)
	if err == nil && ctx.Err() != nil {
		err = ErrInterrupted
	}
	return began, err
}

// build brings one resource from whatever is recorded of it to ready.
func (r *run) build(ctx context.Context, n stack.Node, created func() error) error {
	ctx = withKey(ctx, n.Key)
	kind := n.Spec.Kind()
	rec := r.journal.get(n.Key)
	rec.Key, rec.Kind = n.Key, kind
	if serves(n, rec) {
		r.emit(Event{Type: EventKept, Key: n.Key, Kind: kind, ID: rec.ID, Text: "exists already"})
		return nil
	}
	usual, _ := kind.Usual()
	start := r.Clock.Now()
	r.emit(Event{Type: EventStart, Key: n.Key, Kind: kind, Usual: usual})
	rec, err := r.make(ctx, n, rec)
	var has, ready Event
	for attempt := 1; err == nil; attempt++ {
		has, ready = there(n, rec)
		r.emit(has)
		if attempt == 1 {
			if err = created(); err != nil {
				break
			}
		}
		rec, err = r.settle(ctx, n, rec)
		if !errors.Is(err, ErrNotFound) || attempt == maxVanished || ctx.Err() != nil {
			break
		}
		r.emit(Event{Type: EventWaiting, Key: n.Key, Kind: kind, ID: rec.ID, Text: err.Error() + "; it is made anew"})
		rec, err = r.make(ctx, n, rec)
	}
	took := r.Clock.Now().Sub(start)
	if err != nil {
		return r.ended(ctx, rec, took, err)
	}
	ready.Took = took
	r.emit(ready)
	return nil
}

// there are the events of a resource that has an ID: now, and once it is ready. What outlived a machine is not told like
// something new, which would read as if what it holds were lost.
func there(n stack.Node, rec stack.Record) (has, ready Event) {
	has = Event{Type: EventCreated, Key: n.Key, Kind: n.Spec.Kind(), ID: rec.ID}
	ready = has
	ready.Type = EventReady
	if outlives(n.Spec) && rec.Survived() {
		has.Type, has.Text, ready.Text = EventWaiting, rec.ID+" exists already", keptAgain
	}
	return has, ready
}

// make returns the record of a resource that has an ID: the user's own, the one that an earlier operation made, or a new
// one.
func (r *run) make(ctx context.Context, n stack.Node, rec stack.Record) (stack.Record, error) {
	d, err := r.driver(n.Spec.Kind())
	if err != nil {
		return rec, err
	}
	switch {
	case n.Adopt != "" && rec.Owned && rec.ID == n.Adopt:
		return rec, nil // made by us, and found like something of the user's
	case n.Adopt != "" && rec.Owned && rec.ID != "":
		return rec, fmt.Errorf("%s was made for this deployment, and %s is to be used in its place: destroy the deployment first", rec.ID, n.Adopt)
	case n.Adopt != "":
		return r.adopt(ctx, d, n)
	}
	if rec.Status != "" && rec.Owned {
		found, err := r.locate(ctx, d, r.target(ctx, rec, n.Spec))
		if err == nil {
			return r.learned(n.Key, found)
		}
		if !errors.Is(err, ErrNotFound) {
			return rec, err
		}
	}
	return r.create(ctx, d, n)
}

// create makes a new resource: intent first, then the call, then the ID. When the call's outcome is unknown the resource
// is looked for before another is made.
func (r *run) create(ctx context.Context, d Driver, n stack.Node) (stack.Record, error) {
	rec, err := r.journal.intend(n)
	if err != nil {
		return rec, err
	}
	r.mu.Lock()
	r.began[n.Key] = true
	r.mu.Unlock()
	t := r.target(ctx, rec, n.Spec)
	ctx = context.WithoutCancel(ctx)
	for attempt := 1; ; attempt++ {
		limited, cancel := context.WithTimeout(ctx, createDeadline)
		start := r.Clock.Now()
		found, err := d.Create(limited, t)
		late := limited.Err() != nil && r.Clock.Now().Sub(start) < createDeadline+longestLook // longer only when asleep
		cancel()
		if _, ok := errors.AsType[Unsure](err); ok {
			cause := err
			t.Tell("the answer was lost; looking whether it was made")
			found, err = r.locate(ctx, d, t)
			if errors.Is(err, ErrNotFound) {
				if attempt < maxAttempts && !t.Stopping() && !late {
					continue
				}
				err = cause
			} else if err != nil {
				err = errors.Join(cause, err)
			}
		}
		if err != nil {
			return rec, err
		}
		return r.learned(n.Key, found)
	}
}

// learned records the ID of a resource.
func (r *run) learned(key stack.Key, found Found) (stack.Record, error) {
	now := r.Clock.Now().UTC()
	rec, err := r.journal.change(key, func(rec *stack.Record) bool {
		rec.Status, rec.ID = stack.StatusCreated, found.ID
		rec.Attrs = merge(rec.Attrs, found.Attrs)
		if rec.CreatedAt.IsZero() {
			rec.CreatedAt = now
		}
		return false
	})
	if err != nil {
		return rec, fmt.Errorf("%s exists, but: %w", found.ID, err)
	}
	return rec, nil
}

func (r *run) settle(ctx context.Context, n stack.Node, rec stack.Record) (stack.Record, error) {
	d, err := r.driver(n.Spec.Kind())
	if err != nil {
		return rec, err
	}
	found := Found{ID: rec.ID}
	if n.Adopt == "" {
		found, err = d.Settle(ctx, r.target(ctx, rec, n.Spec))
		if err != nil {
			return rec, err
		}
	}
	now := r.Clock.Now().UTC()
	return r.journal.change(n.Key, func(rec *stack.Record) bool {
		rec.Status, rec.ReadyAt = stack.StatusReady, now
		rec.Attrs = merge(rec.Attrs, found.Attrs)
		return false
	})
}

// adopt takes a resource of the user's as it is. It is read, and from then on never touched.
func (r *run) adopt(ctx context.Context, d Driver, n stack.Node) (stack.Record, error) {
	rec := stack.Record{Key: n.Key, Kind: n.Spec.Kind(), ID: n.Adopt, Status: stack.StatusPending}
	found, err := d.Read(ctx, r.target(ctx, rec, n.Spec))
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%s, which is yours and was to be used, is gone: %w", n.Adopt, err)
	}
	if err != nil {
		return rec, err
	}
	return r.journal.change(n.Key, func(stored *stack.Record) bool {
		rec.Status, rec.Attrs, rec.CreatedAt = stack.StatusCreated, found.Attrs, r.Clock.Now().UTC()
		*stored = rec
		return false
	})
}

func merge(old, news map[string]string) map[string]string {
	if len(news) == 0 {
		return old
	}
	all := map[string]string{}
	for _, m := range []map[string]string{old, news} {
		maps.Copy(all, m)
	}
	return all
}
