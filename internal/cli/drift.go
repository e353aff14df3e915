package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// What inspect --refresh says of a resource that is not as it was recorded.
const (
	driftMissing = "missing: it is recorded, but AWS does not have it"
	driftExtra   = "extra: it carries the deployment's tags, but is not recorded"
)

// drift is how what AWS has differs from what is recorded.
type drift struct {
	of       map[stack.Key]string // "" where nothing differs; absent where it could not be asked
	extra    []stack.Record
	news     news
	warnings []string
}

// driftAndRecord asks for the drift, records what became of the machine, and returns the state with it.
func (a *app) driftAndRecord(ctx context.Context, account *cloud.Account, s stack.State, busy bool) (drift, stack.State, error) {
	d, err := a.drift(ctx, account, s)
	if err != nil || d.news.machine.ID == "" && len(d.news.missing) == 0 {
		return d, s, err
	}
	d.news.appraise(ctx, account, s)
	if !busy {
		home, err := a.home()
		if err != nil {
			return d, s, err
		}
		if err := a.record(ctx, home, account, s.Name, d.news); err != nil {
			return d, s, err
		}
	}
	return d, d.news.of(s), nil
}

// driftAtOnce is how many resources are asked for at once.
const driftAtOnce = 8

// drift asks for every recorded resource by its ID, compares it with what is recorded and with what its spec wants, and asks
// for all that carry the deployment's tags. What cannot be asked is a warning.
func (a *app) drift(ctx context.Context, account *cloud.Account, s stack.State) (drift, error) {
	d := drift{of: map[stack.Key]string{}}
	if err := account.MustBe(ctx, s.Account); err != nil {
		return d, err
	}
	var graph stack.Graph // of a record that was imported there is none
	if s.Imported == "" {
		graph, _ = stack.Blueprint(s.Identity, s.Config, s.Facts) // without one, all is compared with what is recorded
	}
	asks := engine.Engine{Drivers: account.Drivers(), Clock: account.Clock()}
	var mu sync.Mutex
	var wg sync.WaitGroup
	atOnce := make(chan struct{}, driftAtOnce)
	for _, r := range s.Sorted() {
		if _, known := asks.Drivers[r.Kind]; r.ID == "" || !known {
			continue
		}
		node, _ := graph.Find(r.Key)
		wg.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			seen, err := asks.Examine(ctx, s, r, node.Spec)
			mu.Lock()
			defer mu.Unlock()
			d.compare(r, seen, err)
		})
	}
	var extraErr error
	wg.Go(func() { d.extra, extraErr = unrecorded(ctx, account, s) })
	wg.Wait()
	if ctx.Err() != nil {
		return d, context.Cause(ctx)
	}
	if extraErr != nil {
		message, _ := words(extraErr)
		d.warnings = append(d.warnings, "cannot tell whether there is more than is recorded: "+message)
	}
	slices.Sort(d.warnings)
	return d, nil
}

// compare notes what became of one resource.
func (d *drift) compare(r stack.Record, seen engine.Examination, err error) {
	if errors.Is(err, engine.ErrNotFound) {
		d.of[r.Key] = driftMissing
		d.news.missing = append(d.news.missing, r.Key)
		if r.Kind == stack.KindInstance {
			d.news.machine = goneMachine(r)
		}
		return
	}
	if err != nil {
		message, _ := words(err)
		what := string(r.Key)
		if seen.Found.ID != "" {
			what = "all of " + what
		}
		d.warnings = append(d.warnings, fmt.Sprintf("cannot ask for %s: %s", what, message))
	}
	if seen.Found.ID == "" {
		return
	}
	d.of[r.Key] = ""
	if !r.Owned {
		return
	}
	recorded := differences(r, seen.Found, seen.Wanted)
	if len(recorded) > 0 && r.Kind == stack.KindInstance {
		d.news.machine = seen.Found
	}
	if changes := slices.Concat(recorded, seen.Changes()); len(changes) > 0 {
		d.of[r.Key] = "changed: " + strings.Join(changes, ", ")
	}
}

// unrecorded lists what carries the deployment's tags and is not recorded.
func unrecorded(ctx context.Context, account *cloud.Account, s stack.State) ([]stack.Record, error) {
	recorded := map[string]bool{}
	for _, r := range s.Records {
		recorded[r.ID] = true
	}
	traces, err := engine.Engine{Drivers: account.Drivers(), Clock: account.Clock()}.Survey(ctx, s.ID)
	var extra []stack.Record
	for _, t := range traces {
		for _, r := range t.Sorted() {
			if t.ID == s.ID && !recorded[r.ID] {
				extra = append(extra, r)
			}
		}
	}
	return extra, err
}

// tell writes into the document what differs.
func (d drift) tell(doc *inspectDoc) {
	for i, r := range doc.Resources {
		if text, asked := d.of[r.Key]; asked {
			doc.Resources[i].Drift = &text
		}
	}
	for _, r := range d.extra {
		doc.Resources = append(doc.Resources, resourceDoc{
			Key: r.Key, Kind: r.Kind, ID: r.ID, Owned: true, Origin: r.Provenance(), Status: r.Status, Attrs: orEmptyMap(r.Attrs), Drift: new(driftExtra),
		})
	}
	doc.Warnings = append(doc.Warnings, d.warnings...)
}
