package engine_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// driver makes the things of one kind as their scripts say.
type driver struct {
	*process
	kind stack.Kind
}

func (d driver) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	s, err := d.begin("create", t)
	if err != nil {
		return engine.Found{}, err
	}
	d.checkNeeds("created", t, func(r stack.Ref) bool { return !r.Late })
	d.mu.Lock()
	d.creating++
	d.most = max(d.most, d.creating)
	d.mu.Unlock()
	n := d.count("create", t.Key)
	defer func() {
		d.mu.Lock()
		d.creating--
		d.mu.Unlock()
	}()
	a := answer{made: true}
	if n <= len(s.answers) {
		a = s.answers[n-1]
	}
	clock := engine.Wall{}
	if err := clock.Sleep(ctx, s.create/2); err != nil {
		return engine.Found{}, err
	}
	var found engine.Found
	if a.made && (!d.dead() || d.lands) {
		th := d.make(d.kind, t.Key)
		found = engine.Found{ID: th.id, Attrs: map[string]string{"made": th.id}}
	}
	if err := clock.Sleep(ctx, s.create-s.create/2); err != nil {
		return engine.Found{}, err
	}
	if d.dead() {
		return engine.Found{}, errDead
	}
	if a.err != nil {
		return engine.Found{}, a.err
	}
	return found, nil
}

func (d driver) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	s, err := d.begin("settle", t)
	if err != nil {
		return engine.Found{}, err
	}
	d.checkNeeds("settled", t, func(stack.Ref) bool { return true })
	if err := (engine.Wall{}).Sleep(ctx, s.settle); err != nil {
		return engine.Found{}, fmt.Errorf("waiting for %s: %w", t.Record.ID, ctx.Err())
	}
	if d.dead() {
		return engine.Found{}, errDead
	}
	if n := d.count("settle", t.Key); n <= s.vanish {
		d.vanish(t.Key)
		return engine.Found{}, fmt.Errorf("%s: %w", t.Record.ID, engine.ErrNotFound)
	}
	return engine.Found{ID: t.Record.ID, Attrs: map[string]string{"settled": "yes"}}, s.settleErr
}

func (d driver) Read(_ context.Context, t engine.Target) (engine.Found, error) {
	if _, err := d.begin("read", t); err != nil {
		return engine.Found{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, th := range d.things {
		if th.id == t.Record.ID && th.kind == d.kind && th.gone.IsZero() && time.Since(th.since) >= d.lag {
			return engine.Found{ID: th.id, Attrs: map[string]string{"read": "yes"}}, nil
		}
	}
	return engine.Found{}, engine.ErrNotFound
}

func (d driver) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.dead():
		return nil, errDead
	case ctx.Err() != nil:
		return nil, fmt.Errorf("list: %w", ctx.Err())
	case stackID != identity.ID:
		d.t.Errorf("list of the stack %q", stackID)
	case d.kind == plain && d.listErr != nil:
		return nil, d.listErr
	}
	var found []engine.Found
	for _, th := range d.things {
		shown := th.gone.IsZero() || time.Since(th.gone) < d.linger
		if th.kind == d.kind && !th.foreign && shown && time.Since(th.since) >= d.lag {
			found = append(found, engine.Found{ID: th.id, Key: th.key, Stack: identity.ID, Name: identity.Name, Since: th.since})
		}
	}
	return found, nil
}

func (d driver) Delete(ctx context.Context, t engine.Target) error {
	s, err := d.begin("delete", t)
	if err != nil {
		return err
	}
	if t.Spec != nil {
		d.t.Errorf("%s is deleted with a spec", t.Key)
	}
	d.checkFree(t)
	if err := (engine.Wall{}).Sleep(ctx, s.delete/2); err != nil {
		return err
	}
	if s.deleteErr != nil {
		return s.deleteErr
	}
	if !d.dead() || d.lands {
		d.mu.Lock()
		for _, th := range d.things {
			if th.id == t.Record.ID && th.gone.IsZero() {
				th.gone = time.Now()
			}
		}
		d.mu.Unlock()
	}
	if err := (engine.Wall{}).Sleep(ctx, s.delete-s.delete/2); err != nil {
		return err
	}
	if d.dead() {
		return errDead
	}
	return nil
}

// checkNeeds holds that what a resource needs by now has got far enough.
func (d driver) checkNeeds(what string, t engine.Target, now func(stack.Ref) bool) {
	for _, r := range t.Spec.Refs() {
		if need := d.recorded(r.Key); now(r) && (!need.Status.Reached(r.Until) || t.Need(r.Key).ID != need.ID) {
			d.t.Errorf("%s is %s while %s is %q", t.Key, what, r.Key, need.Status)
		}
	}
}

// checkFree holds that nothing is deleted while something recorded lives that needs it. What nobody knows of is the
// account's to defend.
func (d driver) checkFree(t engine.Target) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lives := func(key stack.Key) bool {
		return slices.ContainsFunc(d.things, func(th *thing) bool {
			return th.key == key && th.gone.IsZero() && th.id == d.disk.Records[key].ID
		})
	}
	for _, n := range d.graph.Nodes {
		for _, r := range n.Spec.Refs() {
			if r.Key == t.Key && !r.Outlives && lives(n.Key) {
				d.t.Errorf("%s is deleted while %s needs it", t.Key, n.Key)
			}
			if n.Key == t.Key && r.Outlives && lives(r.Key) {
				d.t.Errorf("%s is pulled from under %s", t.Key, r.Key)
			}
		}
	}
}
