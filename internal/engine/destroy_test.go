package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// ids are the IDs of records, sorted.
func ids(records []stack.Record) []string {
	list := []string{}
	for _, r := range records {
		list = append(list, r.ID)
	}
	slices.Sort(list)
	return list
}

func keptIDs(kept []engine.Kept) []string {
	var records []stack.Record
	for _, k := range kept {
		records = append(records, k.Record)
	}
	return ids(records)
}

// deployed is a small stack that has been standing for an hour.
func deployed(t *testing.T) *world {
	t.Helper()
	w := smallStack(t)
	w.mustApply()
	time.Sleep(time.Hour)
	w.calls = nil
	return w
}

// Dependents go first, the rest at once, the disk after the machine; what lists show for some more seconds is waited out.
func TestDestroy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := deployed(t)
		start := time.Now()
		removed, err := w.destroy(t.Context(), engine.Removal{})
		if err != nil || !removed.Proven || len(removed.Kept)+len(removed.Remaining) > 0 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		if diff := cmp.Diff([]string{"disk-1", "files-1", "gateway-1", "machine-1", "net-1", "role-1", "subnet-1"}, ids(removed.Deleted)); diff != "" {
			t.Errorf("deleted (-want +got):\n%s", diff)
		}
		got := map[stack.Key]time.Duration{}
		for _, n := range w.graph.Nodes {
			got[n.Key] = w.at(start, engine.EventDeleted, n.Key)
		}
		want := map[stack.Key]time.Duration{
			"machine": 20 * time.Second, "disk": 22 * time.Second, "files": 23 * time.Second,
			"role": 21 * time.Second, "gateway": 21 * time.Second, "subnet": 21 * time.Second, "net": 22 * time.Second,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("times of the deletions (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took != 26*time.Second { // one more scan: files was listed until 25.5
			t.Errorf("took %s, want 26s", took)
		}
		w.checkGone()

		w.calls = nil
		if removed, err := w.destroy(t.Context(), engine.Removal{}); err != nil || !removed.Proven || len(w.calls) > 0 {
			t.Errorf("destroyed again: %+v, %v with calls %v", removed, err, w.calls)
		}
	})
}

// A failure stops only what depends on it. What is not gone stays recorded, and nothing is called proven.
func TestDestroyGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t,
			node("net", plain), node("subnet", plain, created("net")), node("machine", plain, ready("subnet")), node("role", plain),
			node("files", other), node("mount", other, ready("files")))
		w.mustApply()
		busy, denied := errors.New("in use"), errors.New("denied")
		w.scripts["machine"], w.scripts["role"] = script{deleteErr: busy}, script{deleteErr: denied}
		w.scripts["mount"] = script{delete: time.Minute}
		removed, err := w.destroy(t.Context(), engine.Removal{})
		if err == nil || !errors.Is(err, busy) || !errors.Is(err, denied) || removed.Proven {
			t.Errorf("removed %+v, %v", removed, err)
		}
		left := []string{"machine-1", "net-1", "role-1", "subnet-1"}
		for what, got := range map[string][]string{"remaining": ids(removed.Remaining), "in the account": w.living(), "recorded": ids(w.state().Sorted())} {
			if diff := cmp.Diff(left, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		want := map[stack.Key]engine.EventType{
			"machine": engine.EventFailed, "role": engine.EventFailed, "subnet": engine.EventSkipped, "net": engine.EventSkipped,
			"mount": engine.EventDeleted, "files": engine.EventDeleted,
		}
		if diff := cmp.Diff(want, w.endings()); diff != "" {
			t.Errorf("endings (-want +got):\n%s", diff)
		}
		w.scripts = map[stack.Key]script{}
		if removed, err := w.destroy(t.Context(), engine.Removal{}); err != nil || !removed.Proven {
			t.Errorf("afterwards: %+v, %v", removed, err)
		}
		w.checkGone()
	})
}

// What was only intended is looked for: it goes if it exists, and its record goes if it does not.
func TestDestroyOfIntents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("made", plain), node("unmade", plain), node("vanished", plain))
		w.lag = 3 * time.Second
		lost := errors.New("crashed")
		w.scripts["made"] = script{answers: []answer{{err: lost, made: true}}}
		w.scripts["unmade"] = script{answers: []answer{{err: lost}}}
		if _, err := w.apply(t.Context()); err == nil {
			t.Fatal("apply did not fail")
		}
		w.vanish("vanished")
		removed, err := w.destroy(t.Context(), engine.Removal{})
		if err != nil || !removed.Proven {
			t.Errorf("removed %+v, %v", removed, err)
		}
		if diff := cmp.Diff([]string{"made-1", "vanished-1"}, ids(removed.Deleted)); diff != "" {
			t.Errorf("deleted (-want +got):\n%s", diff)
		}
		texts := map[stack.Key]string{}
		for _, ev := range w.events {
			if ev.Type == engine.EventDeleted {
				texts[ev.Key] = ev.ID + ev.Text
			}
		}
		if diff := cmp.Diff(map[stack.Key]string{"made": "made-1", "vanished": "vanished-1", "unmade": "was never made"}, texts); diff != "" {
			t.Errorf("endings (-want +got):\n%s", diff)
		}
		w.checkGone()
	})
}

func TestDestroyKeepsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := deployed(t)
		w.make(data, "disk") // the fruit of a lost answer holds data as well, for all we know
		removed, err := w.destroy(t.Context(), engine.Removal{KeepData: true})
		if err != nil || !removed.Proven || len(removed.Remaining) > 0 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		kept := []string{"disk-1", "disk-2"}
		if diff := cmp.Diff(kept, keptIDs(removed.Kept)); diff != "" || removed.Kept[0].Reason != "it holds your data" {
			t.Errorf("kept %+v (-want +got):\n%s", removed.Kept, diff)
		}
		if diff := cmp.Diff(kept, w.living()); diff != "" {
			t.Errorf("in the account (-want +got):\n%s", diff)
		}
		if removed, err = w.destroy(t.Context(), engine.Removal{}); err != nil || !removed.Proven || len(removed.Deleted) != 2 {
			t.Errorf("then without keeping: %+v, %v", removed, err)
		}
		w.checkGone()
	})
}

// Data that was never made is not kept for ever; data whose ID was never learned is found and kept.
func TestDestroyKeepsOnlyDataThatExists(t *testing.T) {
	for _, made := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, node("disk", data), node("a", plain))
			w.lag = 0
			w.scripts["disk"] = script{answers: []answer{{err: errors.New("crashed"), made: made}}}
			if _, err := w.apply(t.Context()); err == nil {
				t.Fatal("apply did not fail")
			}
			removed, err := w.destroy(t.Context(), engine.Removal{KeepData: true})
			if err != nil || !removed.Proven {
				t.Errorf("made %t: %+v, %v", made, removed, err)
			}
			if made {
				if len(removed.Kept) != 1 || removed.Kept[0].ID != "disk-1" {
					t.Errorf("kept %+v, want disk-1", removed.Kept)
				}
				return
			}
			if len(removed.Kept) != 0 {
				t.Errorf("kept %+v, which was never made", removed.Kept)
			}
			w.checkGone()
		})
	}
}

func TestDestroyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := deployed(t)
		stray := w.make(plain, "net").id
		removed, err := w.destroy(t.Context(), engine.Removal{Only: []stack.Key{"disk", "machine", "subnet", "no such"}})
		if err != nil || removed.Proven || len(removed.Remaining)+len(removed.Kept) > 0 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		if diff := cmp.Diff([]string{"disk-1", "machine-1", "subnet-1"}, ids(removed.Deleted)); diff != "" {
			t.Errorf("deleted (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"files-1", "gateway-1", "net-1", stray, "role-1"}, w.living()); diff != "" {
			t.Errorf("in the account (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"files-1", "gateway-1", "net-1", "role-1"}, ids(w.state().Sorted())); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

// The last scan finds what nobody recorded, removes it, and proves; or says why it cannot.
func TestDestroyProves(t *testing.T) {
	denied := errors.New("denied")
	for _, tt := range []struct {
		name      string
		edit      func(*world)
		err       string
		deleted   int
		proven    bool
		remaining []string
	}{
		{"nothing else", func(*world) {}, "", 7, true, []string{}},
		{"duplicates", func(w *world) { w.make(plain, "net"); w.make(plain, "net"); w.make(other, "machine") }, "", 10, true, []string{}},
		{"duplicate that stays", func(w *world) {
			w.make(data, "disk")
			w.scripts["disk"] = script{}
			w.things[len(w.things)-1].key = "stubborn"
			w.scripts["stubborn"] = script{deleteErr: denied}
		}, "stubborn#disk-2: denied", 7, false, []string{"disk-2"}},
		{"listed for long", func(w *world) { w.linger = 11 * time.Second }, "", 7, true, []string{}},
		{
			"listed for ever", func(w *world) { w.linger = time.Hour },
			"the account still shows 7 resources of this deployment, such as disk-1; run the same command again in a minute", 7, false,
			[]string{"disk-1", "files-1", "gateway-1", "machine-1", "net-1", "role-1", "subnet-1"},
		},
		{"no list", func(w *world) { w.listErr = denied }, "cannot prove that nothing is left: plain: denied", 7, false, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := deployed(t)
				tt.edit(w)
				time.Sleep(w.lag)
				removed, err := w.destroy(t.Context(), engine.Removal{})
				if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if len(removed.Deleted) != tt.deleted || removed.Proven != tt.proven {
					t.Errorf("deleted %v, proven %t", ids(removed.Deleted), removed.Proven)
				}
				if diff := cmp.Diff(tt.remaining, ids(removed.Remaining)); diff != "" {
					t.Errorf("remaining (-want +got):\n%s", diff)
				}
				if tt.proven {
					w.checkGone()
				}
			})
		})
	}
}

// A disk that was kept is attached to the machine that is made anew, and outlives this one too.
func TestKeptDataIsSettledAgain(t *testing.T) {
	for _, how := range []string{"destroyed but for its data", "machine vanished"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := smallStack(t)
				w.mustApply()
				if how == "machine vanished" {
					s := w.state()
					rec := s.Records["machine"]
					rec.Status = "created" // its process died before it was ready
					s.Records["machine"] = rec
					w.disk = s
					w.vanish("machine")
				} else if removed, err := w.destroy(t.Context(), engine.Removal{KeepData: true}); err != nil || len(removed.Kept) != 1 {
					t.Fatalf("kept %+v, %v", removed.Kept, err)
				}
				w.calls = nil
				w.mustApply()
				w.checkDeployed()
				made, settled := slices.Index(w.calls, "create machine"), slices.Index(w.calls, "settle disk")
				if made < 0 || settled < made || slices.Contains(w.calls, "create disk") {
					t.Errorf("calls %v", w.calls)
				}
				if _, err := w.destroy(t.Context(), engine.Removal{}); err != nil { // holds that the disk is not pulled from under it
					t.Error(err)
				}
				w.checkGone()
			})
		})
	}
}

// A state file may be damaged: a cycle is said in words, and nothing is touched.
func TestDestroyRefusesACycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := deployed(t)
		s := w.state()
		rec := s.Records["net"]
		rec.Needs = []stack.Key{"machine", "gone long ago"}
		s.Records["net"] = rec
		want := "the state of demo is damaged: gateway and machine need each other; `geusemaker recover demo` rebuilds it"
		if _, err := engine.PlanDestroy(*s, engine.Removal{}); err == nil || err.Error() != want {
			t.Errorf("plan: %v", err)
		}
		removed, err := w.engine().Destroy(t.Context(), s, engine.Removal{})
		if err == nil || err.Error() != want || removed.Proven || len(removed.Remaining) != 7 {
			t.Errorf("destroy: %+v, %v", removed, err)
		}
		if len(w.calls) > 0 {
			t.Errorf("calls %v", w.calls)
		}
	})
}

// An interrupt ends a destroy wherever it is, and the next one goes on.
func TestDestroyInterrupted(t *testing.T) {
	times := []time.Duration{0, 5 * time.Second, 22500 * time.Millisecond, 24 * time.Second} // 24 s: between the last scans
	for range 20 {
		times = append(times, 20*time.Second) // just when the machine is gone and much else would begin, in any order
	}
	for _, after := range times {
		synctest.Test(t, func(t *testing.T) {
			w := deployed(t)
			ctx, stop := context.WithCancel(t.Context())
			if after == 0 {
				stop()
			}
			time.AfterFunc(after, stop)
			start := time.Now()
			removed, err := w.destroy(ctx, engine.Removal{})
			if !interrupted(err) || removed.Proven || time.Since(start) != after {
				t.Errorf("stopped after %s, ended after %s: %+v, %v", after, time.Since(start), removed, err)
			}
			for _, n := range w.graph.Nodes {
				if typ := w.endings()[n.Key]; typ != engine.EventSkipped && typ != engine.EventDeleted {
					t.Errorf("stopped after %s: %s is last shown as %q", after, n.Key, typ)
				}
			}
			if removed, err := w.destroy(t.Context(), engine.Removal{}); err != nil || !removed.Proven {
				t.Errorf("afterwards: %+v, %v", removed, err)
			}
			w.checkGone()
		})
	}
}

// Whichever save fails, what exists stays recorded until a later destroy has removed it.
func TestDestroyWhileSavesFail(t *testing.T) {
	for n := range 14 {
		synctest.Test(t, func(t *testing.T) {
			w := deployed(t)
			first := w.saves + 1 + n
			w.onSave = func(n int) error {
				if n >= first {
					return errors.New("disk full")
				}
				return nil
			}
			if removed, err := w.destroy(t.Context(), engine.Removal{}); err == nil || removed.Proven {
				t.Errorf("save %d fails: %+v, %v", n, removed, err)
			}
			recorded := ids(w.state().Sorted())
			for _, id := range w.living() {
				if !slices.Contains(recorded, id) {
					t.Errorf("save %d fails: %s is forgotten", n, id)
				}
			}
			w.onSave = nil
			if removed, err := w.destroy(t.Context(), engine.Removal{}); err != nil || !removed.Proven {
				t.Errorf("afterwards: %+v, %v", removed, err)
			}
			w.checkGone()
		})
	}
}
