package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"geusemaker/internal/stack"
)

// Removal says what Destroy is to do.
type Removal struct {
	// Only limits the removal to these resources; nil means all.
	Only []stack.Key
	// KeepData leaves what holds the user's data.
	KeepData bool
}

// Removed says what Destroy did: nothing is reported as deleted that was not seen gone.
type Removed struct {
	Deleted   []stack.Record
	Kept      []Kept
	Remaining []stack.Record
	// Proven says that a scan of the account found nothing of the deployment but what was kept.
	Proven bool
}

// Kept is a resource that was left, and why.
type Kept struct {
	stack.Record
	Reason string
}

// The reasons for which a resource is kept.
const (
	reasonAdopted = "it is yours; it stays as it is"
	reasonData    = "it holds your data"
)

// PlanDestroy says what Destroy would do, and why.
func PlanDestroy(s stack.State, what Removal) (stack.Plan, error) {
	order, err := destroyOrder(s)
	if err != nil {
		return stack.Plan{}, err
	}
	cost := s.Cost(s.UpdatedAt)
	kept := cost.Idle(stack.Record{}) // nothing works with it any more
	p := stack.Plan{Steps: []stack.Step{}}
	for _, rec := range order {
		part := cost.Of(rec.Key)
		step := stack.Step{
			Key: rec.Key, Kind: rec.Kind, Action: stack.ActionDelete, Cause: rec.ID, Needs: []stack.Key{},
			Hourly: part.Hourly, Guess: part.Guessed(), Provenance: rec.Provenance(),
		}
		if reason := what.keeps(rec); reason != "" {
			part = kept.Of(rec.Key)
			step.Action, step.Cause, step.Hourly, step.Guess = stack.ActionKeep, reason, part.Hourly, part.Guessed()
		} else if rec.ID == "" {
			step.Cause = "was begun; will be looked for"
		}
		for _, other := range order {
			if slices.Contains(other.Needs, rec.Key) {
				step.Needs = append(step.Needs, other.Key)
			}
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

// keeps returns why the resource is not to be deleted, or "".
func (what Removal) keeps(rec stack.Record) string {
	switch {
	case !rec.Owned:
		return reasonAdopted
	case what.KeepData && rec.Kind.HoldsData():
		return reasonData
	default:
		return ""
	}
}

// destroyOrder sorts the records so that each comes before those that it needs. A state file is not to be trusted like a
// graph: a damaged one may hold a cycle.
func destroyOrder(s stack.State) ([]stack.Record, error) {
	records := s.Sorted()
	at := map[stack.Key]int{}
	for i, rec := range records {
		at[rec.Key] = i
	}
	order, cycle := stack.Order(len(records), func(i int) []int {
		var needs []int
		for _, key := range records[i].Needs {
			if j, ok := at[key]; ok {
				needs = append(needs, j)
			}
		}
		return needs
	})
	if cycle != nil {
		return nil, fmt.Errorf("the state of %s is damaged: %s and %s need each other; `geusemaker recover %s` rebuilds it",
			s.Name, records[cycle[0]].Key, records[cycle[len(cycle)-1]].Key, s.Name)
	}
	sorted := make([]stack.Record, 0, len(order))
	for _, i := range slices.Backward(order) {
		sorted = append(sorted, records[i])
	}
	return sorted, nil
}

// Destroy removes what is recorded, as much of it at once as can be, and goes on with all that does not depend on what
// failed. A record goes only when its resource was seen gone. When the whole deployment was to go, the account is scanned
// by tag at the end; what is found is removed too, and Proven tells whether nothing was left.
func (e Engine) Destroy(ctx context.Context, s *stack.State, what Removal) (Removed, error) {
	r := e.begin(s)
	var out Removed
	err := r.remove(ctx, what, &out)
	if _, blocked := errors.AsType[*ResourceError](err); what.Only == nil && (err == nil || blocked) {
		err = r.prove(ctx, what, &out, err)
	}
	for _, rec := range s.Sorted() {
		if reason := what.keeps(rec); reason != "" {
			out.Kept = append(out.Kept, Kept{rec, reason})
		} else if what.Only == nil || slices.Contains(what.Only, rec.Key) {
			out.Remaining = append(out.Remaining, rec)
		}
	}
	if err == nil && out.Proven {
		err = r.forget()
	}
	return out, err
}

// forget drops the records of what is the user's: nothing of ours uses it any more. Data that was kept may be used again with
// something else.
func (r *run) forget() error {
	for _, rec := range r.journal.state.Sorted() {
		if rec.Owned {
			continue
		}
		if _, err := r.journal.change(rec.Key, func(*stack.Record) bool { return true }); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes the records that are to go, dependents first.
func (r *run) remove(ctx context.Context, what Removal, out *Removed) error {
	order, err := destroyOrder(*r.journal.state)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var tasks []task
	for _, rec := range order {
		if what.keeps(rec) != "" && rec.ID != "" || what.Only != nil && !slices.Contains(what.Only, rec.Key) {
			continue
		}
		var after []stack.Ref
		for _, other := range order {
			if slices.Contains(other.Needs, rec.Key) {
				after = append(after, stack.Ref{Key: other.Key, Until: stack.StatusReady})
			}
		}
		tasks = append(tasks, task{
			key: rec.Key, after: after,
			run: func(created func() error) error {
				if err := created(); err != nil { // deleting is mostly waiting: as many at once as the order allows
					return r.ended(ctx, rec, 0, err)
				}
				kept := what.keeps(rec)
				gone, err := r.delete(ctx, rec, kept)
				if err == nil && gone.ID != "" && kept == "" {
					mu.Lock()
					out.Deleted = append(out.Deleted, gone)
					mu.Unlock()
				}
				return err
			},
			skip: func() {
				r.emit(Event{Type: EventSkipped, Key: rec.Key, Kind: rec.Kind, ID: rec.ID, Text: "something that needs it is still there"})
			},
		})
	}
	err = join(walk(ctx, tasks, func(error) bool { return false }))
	if err == nil && ctx.Err() != nil {
		err = ErrInterrupted
	}
	return err
}

// delete removes one resource and then its record, which it returns with the ID that the resource turned out to have. With
// a reason to keep it, the resource is only looked for, since it is not known whether it was ever made.
func (r *run) delete(ctx context.Context, rec stack.Record, kept string) (stack.Record, error) {
	ctx = withKey(ctx, rec.Key)
	_, usual := rec.Kind.Usual()
	start := r.Clock.Now()
	r.emit(Event{Type: EventStart, Key: rec.Key, Kind: rec.Kind, ID: rec.ID, Usual: usual, Text: "deleting"})
	rec, err := r.deleteResource(ctx, rec, kept != "")
	took := r.Clock.Now().Sub(start)
	if err != nil {
		return rec, r.ended(ctx, rec, took, err)
	}
	ending := Event{Type: EventDeleted, Key: rec.Key, Kind: rec.Kind, ID: rec.ID, Took: took}
	switch {
	case rec.ID == "":
		ending.Text = "was never made"
	case kept != "":
		ending.Type, ending.Text = EventKept, kept
	}
	r.emit(ending)
	return rec, nil
}

func (r *run) deleteResource(ctx context.Context, rec stack.Record, keep bool) (stack.Record, error) {
	d, err := r.driver(rec.Kind)
	if err != nil {
		return rec, err
	}
	if rec.ID == "" {
		found, err := r.locate(ctx, d, r.target(ctx, rec, nil))
		switch {
		case errors.Is(err, ErrNotFound):
			_, err = r.journal.change(rec.Key, func(*stack.Record) bool { return true })
			return rec, err
		case err != nil:
			return rec, err
		}
		rec.ID, rec.Attrs = found.ID, merge(rec.Attrs, found.Attrs)
		if keep {
			return r.learned(rec.Key, found)
		}
	}
	id, attrs := rec.ID, rec.Attrs
	rec, err = r.journal.change(rec.Key, func(rec *stack.Record) bool {
		rec.Status, rec.ID, rec.Attrs = stack.StatusDeleting, id, attrs
		return false
	})
	if err != nil {
		return rec, err
	}
	if err := d.Delete(ctx, r.target(ctx, rec, nil)); err != nil {
		return rec, err
	}
	_, err = r.journal.change(rec.Key, func(*stack.Record) bool { return true })
	return rec, err
}

// rescans is how often the account is scanned before what it shows is believed: lists go on showing what was just deleted
// for some seconds.
const (
	rescans     = 5
	rescanPause = 3 * time.Second
)

// prove scans the account until nothing of the deployment is left but what is kept. What nobody had recorded, such as the
// fruit of a lost answer, is recorded and removed. It may be what stood in the way of a resource that could not be removed
// before, which failed tells: with it out of the way, that is tried once more.
func (r *run) prove(ctx context.Context, what Removal, out *Removed, failed error) error {
	if r.journal.state.ID == "" {
		return errors.Join(failed, errors.New("cannot prove that nothing is left: the deployment has no ID, and a scan without one shows all deployments"))
	}
	var left []stack.Record
	for round := range rescans {
		if round > 0 {
			if err := r.Clock.Sleep(ctx, rescanPause); err != nil {
				return ErrInterrupted
			}
		}
		found, err := r.Scan(ctx, r.journal.state.ID)
		left = without(found, r.journal.state.Sorted())
		unknown := without(left, out.Deleted)
		switch {
		case failed != nil && (err != nil || len(unknown) == 0):
			return failed
		case ctx.Err() != nil:
			return ErrInterrupted
		case err != nil:
			return fmt.Errorf("cannot prove that nothing is left: %w", err)
		case len(left) == 0:
			out.Proven = true
			return nil
		}
		for _, rec := range unknown {
			if _, err := r.journal.change(rec.Key, func(stored *stack.Record) bool { *stored = rec; return false }); err != nil {
				return err
			}
		}
		if failed = r.remove(ctx, what, out); failed != nil {
			return failed
		}
	}
	out.Remaining = left
	return fmt.Errorf("the account still shows %d resources of this deployment, such as %s; run the same command again in a minute", len(left), left[0].ID)
}

// without returns the records whose resource is not among others.
func without(records, others []stack.Record) []stack.Record {
	return slices.DeleteFunc(slices.Clone(records), func(rec stack.Record) bool {
		return slices.ContainsFunc(others, func(o stack.Record) bool { return o.Kind == rec.Kind && o.ID == rec.ID })
	})
}
