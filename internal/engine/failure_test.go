package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// After a failure nothing new is started, creates that run are finished and recorded, waits are broken off, and the error is
// the real one only.
func TestApplyStopsAtAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no, never := errors.New("no"), errors.New("never")
		w := newWorld(t,
			node("bad", plain), node("worse", plain), node("slow", plain), node("waits", plain), node("early", plain),
			node("patient", plain, late(created("bad"))), node("dependent", plain, created("bad")), node("further", plain, ready("dependent")), node("later", plain, created("slow")))
		w.scripts = map[stack.Key]script{
			"bad":   {create: 5 * time.Second, answers: []answer{{err: no}}},
			"worse": {create: 6 * time.Second, answers: []answer{{err: never}}},
			"slow":  {create: 9 * time.Second, settle: time.Hour}, "waits": {create: time.Second, settle: time.Hour}, "early": {create: time.Second, settle: time.Second}, "patient": {create: time.Second},
		}
		start := time.Now()
		began, err := w.apply(t.Context())
		if took := time.Since(start); took != 9*time.Second {
			t.Errorf("took %s, want 9s: until the last create was finished, and no longer", took)
		}
		if !errors.Is(err, no) || !errors.Is(err, never) || errors.Is(err, engine.ErrInterrupted) || err.Error() != "bad: no\nworse: never" {
			t.Errorf("error %q", err)
		}
		if re, ok := errors.AsType[*engine.ResourceError](err); !ok || re.Key != "bad" {
			t.Errorf("error of %v", re)
		}
		if diff := cmp.Diff([]stack.Key{"bad", "worse", "slow", "waits", "early", "patient"}, began); diff != "" {
			t.Errorf("began (-want +got):\n%s", diff)
		}
		want := map[stack.Key]engine.EventType{
			"bad": engine.EventFailed, "worse": engine.EventFailed, "slow": engine.EventSkipped, "waits": engine.EventSkipped, "early": engine.EventReady,
			"patient": engine.EventSkipped, "dependent": engine.EventSkipped, "further": engine.EventSkipped, "later": engine.EventSkipped,
		}
		if diff := cmp.Diff(want, w.endings()); diff != "" {
			t.Errorf("endings (-want +got):\n%s", diff)
		}
		records := w.state().Records
		for key, want := range map[stack.Key]stack.Status{"bad": stack.StatusPending, "slow": stack.StatusCreated, "waits": stack.StatusCreated, "early": stack.StatusReady, "patient": stack.StatusCreated, "later": ""} {
			if got := records[key].Status; got != want {
				t.Errorf("%s is recorded as %q, want %q", key, got, want)
			}
		}

		time.Sleep(time.Hour)
		w.scripts = map[stack.Key]script{} // the cause is gone
		w.mustApply()
		w.checkDeployed()
		if before, after := records["slow"], w.state().Records["slow"]; !after.CreatedAt.Equal(before.CreatedAt) || after.Attempt != 1 {
			t.Errorf("slow was made at %s, but is recorded as %+v", before.CreatedAt, after)
		}
	})
}

// A call that somebody else cancelled has failed; it was not the user who stopped the operation.
func TestFailureThatLooksLikeAnInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.scripts["a"] = script{settleErr: fmt.Errorf("call: %w", context.Canceled)}
		if _, err := w.apply(t.Context()); err == nil || errors.Is(err, engine.ErrInterrupted) || w.endings()["a"] != engine.EventFailed {
			t.Errorf("ends as %s: %v", w.endings()["a"], err)
		}
	})
}

// What a roll-back is to remove is what this operation began: nothing, never everything, when it began nothing.
func TestBeganIsNothingRatherThanNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain), node("b", plain, created("a")))
		w.scripts["b"] = script{answers: []answer{{err: errors.New("no")}}}
		if began, err := w.apply(t.Context()); err == nil || len(began) != 2 {
			t.Fatalf("began %v, %v", began, err)
		}
		w.listErr = errors.New("access denied") // so that nobody can tell whether b exists
		began, err := w.apply(t.Context())
		if err == nil || began == nil || len(began) != 0 {
			t.Fatalf("began %#v, %v; want none, and not nil", began, err)
		}
		if _, err := w.destroy(t.Context(), engine.Removal{Only: began}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a-1"}, w.living()); diff != "" {
			t.Errorf("after the roll-back of nothing (-want +got):\n%s", diff)
		}
	})
}

// An interrupt starts nothing new; creates that run are finished and saved, waits end at once.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("slow", plain), node("waits", plain), node("done", plain), node("next", plain, created("slow")),
			node("patient", plain, late(ready("waits"))))
		w.scripts = map[stack.Key]script{
			"slow": {create: 10 * time.Second, settle: time.Minute}, "waits": {create: time.Second, settle: time.Hour}, "done": {create: time.Second, settle: time.Second},
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(4*time.Second, stop)
		start := time.Now()
		began, err := w.apply(ctx)
		if took := time.Since(start); took != 10*time.Second || !interrupted(err) {
			t.Errorf("ended after %s with %v", took, err)
		}
		if diff := cmp.Diff([]stack.Key{"slow", "waits", "done", "patient"}, began); diff != "" {
			t.Errorf("began (-want +got):\n%s", diff)
		}
		if got := w.at(start, engine.EventSkipped, "waits"); got != 4*time.Second {
			t.Errorf("the wait ended after %s, want 4s", got)
		}
		records := w.state().Records
		for key, want := range map[stack.Key]string{"slow": "created slow-1", "waits": "created waits-1", "done": "ready done-1", "patient": "created patient-1", "next": " "} {
			if got := string(records[key].Status) + " " + records[key].ID; got != want {
				t.Errorf("%s is recorded as %q, want %q", key, got, want)
			}
		}
		w.mustApply()
		w.checkDeployed()

		alone := newWorld(t, node("slow", plain), node("next", plain, created("slow")))
		alone.scripts["slow"] = script{create: 10 * time.Second}
		ctx, stop = context.WithTimeout(t.Context(), 4*time.Second)
		defer stop()
		if _, err := alone.apply(ctx); !interrupted(err) || alone.count("create", "next") > 0 {
			t.Errorf("something new was begun after the interrupt: %v, %v", alone.living(), err)
		}

		lost := newWorld(t, node("slow", plain))
		lost.scripts["slow"] = script{create: 10 * time.Second, answers: []answer{{err: engine.Unsure{Err: errors.New("connection reset")}}}}
		ctx, stop = context.WithTimeout(t.Context(), 4*time.Second)
		defer stop()
		if _, err := lost.apply(ctx); err == nil || lost.count("create", "slow") != 1 {
			t.Errorf("tried again after the interrupt: %v, %v", lost.living(), err)
		}

		began, err = w.engine().Apply(ctx, w.graph, w.state()) // stopped before its beginning
		if !interrupted(err) || len(began) != 0 {
			t.Errorf("began %v, %v", began, err)
		}
	})
}

// interrupted reports whether an operation says that it was stopped, and nothing else.
func interrupted(err error) bool {
	return errors.Is(err, engine.ErrInterrupted) && err.Error() == engine.ErrInterrupted.Error()
}

// A deadline ends an operation as an interrupt does, whatever it was waiting for.
func TestDeadlineIsAnInterrupt(t *testing.T) {
	for _, tt := range []struct {
		name string
		rec  stack.Record
	}{
		{"while settling", stack.Record{}},
		{"while looking for it", stack.Record{Key: "a", Kind: plain, Owned: true, Status: stack.StatusPending, Token: "t"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, node("a", plain))
				w.scripts["a"] = script{settle: time.Hour}
				s := w.state()
				if tt.rec.Key != "" {
					tt.rec.BegunAt = time.Now()
					s.Records["a"] = tt.rec
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				if _, err := w.engine().Apply(ctx, w.graph, s); !interrupted(err) {
					t.Errorf("apply: %v", err)
				}
				w.checkEvents()
			})
		})
	}
}

// When the disk is full the error names what exists already, and nothing new is begun.
func TestSaveFails(t *testing.T) {
	full := errors.New("no space left on device")
	for _, tt := range []struct {
		fails int
		want  string
		calls int
	}{
		{1, "a: cannot save the state of demo: no space left on device", 0},
		{2, "a: a-1 exists, but: cannot save the state of demo: no space left on device", 1},
		{3, "a: cannot save the state of demo: no space left on device", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, node("a", plain), node("b", plain, ready("a")))
			w.onSave = func(n int) error {
				if n >= tt.fails {
					return full
				}
				return nil
			}
			_, err := w.apply(t.Context())
			if err == nil || err.Error() != tt.want || !errors.Is(err, full) {
				t.Errorf("save %d fails: %v, want %s", tt.fails, err, tt.want)
			}
			if len(w.calls) != tt.calls {
				t.Errorf("save %d fails: calls %v", tt.fails, w.calls)
			}
			w.onSave = nil
			w.mustApply()
			w.checkDeployed()
		})
	}
}
