package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"geusemaker/internal/stack"
)

// sighting is one resource that a driver lists.
type sighting struct {
	Found
	kind stack.Kind
}

// record is what a sighting tells, under the key that its tags name.
func (f sighting) record() stack.Record {
	return stack.Record{
		Key: f.Key, Kind: f.kind, ID: f.ID, Owned: true, Status: stack.StatusCreated, Attrs: f.Attrs, BegunAt: f.Since, CreatedAt: f.Since,
	}
}

// list asks every driver, at once, for what the account holds of a deployment, or of all when the ID is empty. An error
// means that the answer is not complete.
func (e Engine) list(ctx context.Context, stackID string) ([]sighting, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var all []sighting
	var errs []error
	for kind, d := range e.Drivers {
		wg.Go(func() {
			found, err := d.List(ctx, stackID)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", kind, err))
			}
			for _, f := range found {
				all = append(all, sighting{f, kind})
			}
		})
	}
	wg.Wait()
	slices.SortFunc(all, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return all, errors.Join(errs...)
}

// Scan lists what the account holds of a deployment, each under a key of its own. An error means that the answer is not
// complete.
func (e Engine) Scan(ctx context.Context, stackID string) ([]stack.Record, error) {
	found, err := e.list(ctx, stackID)
	var all []stack.Record
	for _, f := range found {
		r := f.record()
		r.Key += stack.Key("#" + f.ID)
		all = append(all, r)
	}
	return all, err
}

// Survey lists what the account holds, by deployment: of one, or of all when the ID is empty. An error means that the answer
// is not complete.
func (e Engine) Survey(ctx context.Context, stackID string) ([]stack.Trace, error) {
	found, err := e.list(ctx, stackID)
	var traces []stack.Trace
	for _, f := range found {
		if f.Stack == "" {
			continue // somebody's tag without a value is none of ours
		}
		i := slices.IndexFunc(traces, func(t stack.Trace) bool { return t.ID == f.Stack })
		if i < 0 {
			i = len(traces)
			traces = append(traces, stack.Trace{ID: f.Stack})
		}
		t := &traces[i]
		t.Name, t.Tier = cmp.Or(t.Name, f.Name), cmp.Or(t.Tier, f.Tier)
		t.Reuses = cmp.Or(t.Reuses, f.Reuses)
		t.Add(f.record())
	}
	for i := range traces {
		traces[i].DropParts()
	}
	slices.SortFunc(traces, func(a, b stack.Trace) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return traces, err
}
