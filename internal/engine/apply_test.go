package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// A deploy takes as long as its longest chain, no longer: each resource begins the moment that what it needs got far enough.
func TestApplyTakesTheCriticalPath(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			seconds := func() time.Duration { return time.Duration(1+random.IntN(30)) * time.Second }
			var nodes []stack.Node
			scripts := map[stack.Key]script{}
			createdAt, readyAt := map[stack.Key]time.Duration{}, map[stack.Key]time.Duration{}
			var whole time.Duration
			for i := range 8 { // no more than may be created at once
				key := stack.Key(fmt.Sprintf("r%d", i))
				var refs []stack.Ref
				var start, settle time.Duration
				for j := range i {
					need := stack.Key(fmt.Sprintf("r%d", j))
					switch random.IntN(8) {
					case 0:
						refs, start = append(refs, created(need)), max(start, createdAt[need])
					case 1:
						refs, start = append(refs, ready(need)), max(start, readyAt[need])
					case 2:
						refs, settle = append(refs, late(created(need))), max(settle, createdAt[need])
					case 3:
						refs, settle = append(refs, late(ready(need))), max(settle, readyAt[need])
					}
				}
				s := script{create: seconds(), settle: seconds()}
				settle = max(settle, start+s.create)
				scripts[key], createdAt[key], readyAt[key] = s, start+s.create, settle+s.settle
				whole = max(whole, readyAt[key])
				nodes = append(nodes, node(key, plain, refs...))
			}
			w := newWorld(t, nodes...)
			w.scripts = scripts
			start := time.Now()
			began, err := w.apply(t.Context())
			if err != nil || len(began) != len(nodes) {
				t.Fatalf("began %v: %v", began, err)
			}
			if took := time.Since(start); took != whole {
				t.Errorf("seed %d: took %s, the longest chain takes %s", seed, took, whole)
			}
			for key := range scripts {
				if got := w.at(start, engine.EventCreated, key); got != createdAt[key] {
					t.Errorf("seed %d: %s has its ID after %s, want %s", seed, key, got, createdAt[key])
				}
				if got := w.at(start, engine.EventReady, key); got != readyAt[key] {
					t.Errorf("seed %d: %s is ready after %s, want %s", seed, key, got, readyAt[key])
				}
			}
			w.checkDeployed()
		})
	}
}

// Waiting does not count against the bound on creates, and deleting is mostly waiting.
func TestApplyCreatesEightAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var nodes []stack.Node
		for i := range 20 {
			nodes = append(nodes, node(stack.Key(fmt.Sprintf("r%02d", i)), plain))
		}
		w := newWorld(t, nodes...)
		for _, n := range nodes {
			w.scripts[n.Key] = script{create: time.Second, settle: time.Minute, delete: time.Minute}
		}
		start := time.Now()
		w.mustApply()
		if w.most != 8 {
			t.Errorf("%d creates ran at once, want 8", w.most)
		}
		if took, want := time.Since(start), 3*time.Second+time.Minute; took != want {
			t.Errorf("took %s, want %s: three rounds of creates, one wait", took, want)
		}
		w.checkDeployed()
		start = time.Now()
		if _, err := w.destroy(t.Context(), engine.Removal{}); err != nil || time.Since(start) != time.Minute {
			t.Errorf("destroyed in %s, want 1m: all at once; %v", time.Since(start), err)
		}
	})
}

// The disk sees each resource pending, created and ready, in this order, with a serial that rises; and it is told what the
// drivers found.
func TestApplySavesEveryStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain), node("b", other, created("a")), node("v", data, outlives("b")))
		s := w.state()
		s.Config.Tags = map[string]string{"Team": "ai", stack.TagStack: "stolen"}
		var history []string
		p := w.start()
		e := p.engine()
		e.Save = func(s stack.State) error {
			line := fmt.Sprint(s.Serial)
			for _, r := range s.Sorted() {
				line += fmt.Sprintf(" %s=%s%v", r.Key, r.Status, r.Needs)
			}
			history = append(history, line)
			return p.save(s)
		}
		w.scripts["a"] = script{create: 2 * time.Second, settle: 10 * time.Second}
		w.scripts["b"] = script{create: 2 * time.Second, settle: 2 * time.Second}
		w.scripts["v"] = script{create: time.Second, settle: 10 * time.Second}
		if _, err := e.Apply(t.Context(), w.graph, s); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"1 a=pending[]",
			"2 a=created[]",
			"3 a=created[] b=pending[a]",
			"4 a=created[] b=created[a]",
			"5 a=created[] b=created[a v] v=pending[]", // the machine's removal comes before the disk's
			"6 a=created[] b=created[a v] v=created[]",
			"7 a=created[] b=ready[a v] v=created[]",
			"8 a=ready[] b=ready[a v] v=created[]",
			"9 a=ready[] b=ready[a v] v=ready[]",
		}
		if diff := cmp.Diff(want, history); diff != "" {
			t.Errorf("saves (-want +got):\n%s", diff)
		}
		rec := w.state().Records["a"]
		if diff := cmp.Diff(map[string]string{"made": "a-1", "settled": "yes"}, rec.Attrs); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
		if rec.CreatedAt.Sub(rec.BegunAt) != 2*time.Second || rec.ReadyAt.Sub(rec.BegunAt) != 12*time.Second || rec.Attempt != 1 {
			t.Errorf("times: %+v", rec)
		}
		w.checkEvents()

		w.calls = nil
		saves := w.saves
		w.mustApply()
		if len(w.calls) > 0 || w.saves != saves {
			t.Errorf("a second deploy calls %v and saves %d times", w.calls, w.saves-saves)
		}
		for key, typ := range w.endings() {
			if typ != engine.EventKept {
				t.Errorf("a second deploy ends %s as %s", key, typ)
			}
		}
	})
}

// Tags are the user's and ours, and ours win: the account is the second copy of the state.
func TestTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		s := w.state()
		s.Config.Tags = map[string]string{"Team": "ai", stack.TagStack: "stolen"}
		e := w.engine()
		var got map[string]string
		e.Drivers[plain] = tagged{driver{w.start(), plain}, &got}
		if _, err := e.Apply(t.Context(), w.graph, s); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"Team": "ai", "geusemaker:stack": identity.ID, "geusemaker:name": "demo", "geusemaker:tier": "dev",
			"geusemaker:key": "a", "geusemaker:version": "v1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
}

// A resource whose kind nobody knows is named, with what to do.
func TestUnknownKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		e := w.engine()
		clear(e.Drivers)
		_, err := e.Apply(t.Context(), w.graph, w.state())
		if want := `a: this version does not know resources of kind "plain"; use the version that made them`; err == nil || err.Error() != want {
			t.Errorf("without a driver: %v", err)
		}
		w.checkEvents()
	})
}

// tagged notes the tags of what is made.
type tagged struct {
	driver
	tags *map[string]string
}

func (d tagged) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	*d.tags = t.Tags
	if key := engine.KeyFrom(ctx); key != t.Key {
		d.t.Errorf("the call for %s is marked as one for %q", t.Key, key)
	}
	return d.driver.Create(ctx, t)
}

// What is the user's is read and used, never changed or deleted.
func TestAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := node("a", plain)
		mine.Adopt = "yours-1"
		w := newWorld(t, mine, node("b", plain, ready("a")))
		if _, err := w.apply(t.Context()); !errors.Is(err, engine.ErrNotFound) || len(w.living()) > 0 {
			t.Errorf("an absent one is adopted: %v, %v", err, w.living())
		}
		w.things = append(w.things, &thing{kind: plain, id: "yours-1", foreign: true})
		w.mustApply()
		rec := w.state().Records["a"]
		if rec.ID != "yours-1" || rec.Owned || rec.Status != stack.StatusReady || rec.Attrs["read"] != "yes" {
			t.Errorf("recorded as %+v", rec)
		}
		if diff := cmp.Diff([]string{"read a", "read a", "create b", "settle b"}, w.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		w.calls = nil
		removed, err := w.destroy(t.Context(), engine.Removal{})
		if err != nil || !removed.Proven || len(removed.Deleted) != 1 || len(removed.Remaining) != 0 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		if len(removed.Kept) != 1 || removed.Kept[0].ID != "yours-1" || removed.Kept[0].Reason != "it is yours; it stays as it is" {
			t.Errorf("kept %+v", removed.Kept)
		}
		if diff := cmp.Diff([]string{"delete b"}, w.calls); diff != "" || len(w.living()) != 1 {
			t.Errorf("calls (-want +got), of which %v is left:\n%s", w.living(), diff)
		}
	})
}

// A resource that was made is never taken for one of the user's, nor one of the user's for one that was made.
func TestAdoptionChangesHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.mustApply()
		made := w.state().Records["a"].ID
		w.graph.Nodes[0].Adopt = "yours-1"
		w.things = append(w.things, &thing{kind: plain, id: "yours-1", foreign: true})
		if _, err := w.apply(t.Context()); err == nil || !strings.Contains(err.Error(), made+" was made for this deployment, and yours-1 is to be used in its place") {
			t.Errorf("got %v", err)
		}
		w.graph.Nodes[0].Adopt = made
		w.calls = nil
		w.mustApply()
		if rec := w.state().Records["a"]; !rec.Owned || rec.ID != made || len(w.calls) > 0 {
			t.Errorf("what was made is now %+v after %v", rec, w.calls)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.graph.Nodes[0].Adopt = "yours-1"
		w.things = append(w.things, &thing{kind: plain, id: "yours-1", foreign: true})
		w.mustApply()
		w.graph.Nodes[0].Adopt = ""
		w.mustApply()
		if rec := w.state().Records["a"]; !rec.Owned || rec.ID == "yours-1" {
			t.Errorf("instead of the user's there is %+v", rec)
		}
	})
}
