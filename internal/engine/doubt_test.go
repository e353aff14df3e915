package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// A create whose outcome is unknown is looked for before another is made: never two, and no more than five tries.
func TestUnknownOutcome(t *testing.T) {
	lost := engine.Unsure{Err: errors.New("connection reset")}
	for _, tt := range []struct {
		name    string
		answers []answer
		create  time.Duration
		lag     time.Duration
		creates int
		living  []string
		err     string
	}{
		{"made", []answer{{err: lost, made: true}}, 0, 0, 1, []string{"a-1"}, ""},
		{"made, seen late", []answer{{err: lost, made: true}}, 0, 7 * time.Second, 1, []string{"a-1"}, ""},
		{"made after a long search, seen late", []answer{{err: lost, made: true}}, 19 * time.Minute, 19*time.Minute/2 + 7*time.Second, 1, []string{"a-1"}, ""},
		{"not made", []answer{{err: lost}}, 0, 0, 2, []string{"a-1"}, ""},
		{"not made, then made and lost", []answer{{err: lost}, {err: lost, made: true}}, 0, 3 * time.Second, 2, []string{"a-1"}, ""},
		{"never made", slices.Repeat([]answer{{err: lost}}, 6), 0, 0, 5, []string{}, "a: connection reset"},
		{"refused", []answer{{err: errors.New("denied")}}, 0, 0, 1, []string{}, "a: denied"},
		{"lost, then refused", []answer{{err: lost}, {err: errors.New("denied")}}, 0, 0, 2, []string{}, "a: denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, node("a", plain))
				w.lag, w.scripts["a"] = tt.lag, script{create: tt.create, answers: tt.answers}
				_, err := w.apply(t.Context())
				if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if got := w.count("create", "a"); got != tt.creates {
					t.Errorf("created %d times, want %d", got, tt.creates)
				}
				if diff := cmp.Diff(tt.living, w.living()); diff != "" {
					t.Errorf("in the account (-want +got):\n%s", diff)
				}
				if tt.err == "" {
					w.checkDeployed()
				}
			})
		})
	}
}

// The reason for which a create is in doubt is not lost when the look-up fails as well.
func TestUnknownOutcomeKeepsItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.scripts["a"] = script{answers: []answer{{err: engine.Unsure{Err: errors.New("connection reset")}, made: true}}}
		w.listErr = errors.New("throttled")
		if _, err := w.apply(t.Context()); err == nil || !strings.Contains(err.Error(), "connection reset") || !strings.Contains(err.Error(), "throttled") {
			t.Errorf("error %v", err)
		}
		w.listErr = nil
		time.Sleep(time.Minute)
		w.mustApply()
		w.checkDeployed()
	})
}

// A create that runs into its own deadline is looked for all the same.
func TestDeadlineOfACreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.scripts["a"] = script{create: 30 * time.Minute}
		e := w.engine()
		e.Drivers[plain] = doubtful{e.Drivers[plain].(driver)}
		if _, err := e.Apply(t.Context(), w.graph, w.state()); err != nil {
			t.Errorf("error %v", err)
		}
		w.checkDeployed()
	})
}

// A create that runs into its own deadline and left nothing is not tried again.
func TestDeadlineOfACreateThatLeftNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, node("a", plain))
		w.scripts["a"] = script{create: 90 * time.Minute}
		e := w.engine()
		e.Drivers[plain] = doubtful{e.Drivers[plain].(driver)}
		_, err := e.Apply(t.Context(), w.graph, w.state())
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, engine.ErrInterrupted) || w.count("create", "a") != 1 {
			t.Errorf("created %d times: %v", w.count("create", "a"), err)
		}
	})
}

// doubtful marks every error of a create as one after which the resource may exist.
type doubtful struct{ driver }

func (d doubtful) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	found, err := d.driver.Create(ctx, t)
	if err != nil {
		err = engine.Unsure{Err: err}
	}
	return found, err
}

// What has vanished by the time it is settled is made anew, a few times, and never twice at once.
func TestVanishedIsMadeAnew(t *testing.T) {
	for vanish, want := range []string{"", "", "", "a: a-3: not found"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, node("a", plain), node("b", plain, ready("a")))
			w.scripts["a"] = script{create: time.Second, settle: time.Second, vanish: vanish}
			var tokens []string
			w.onSave = func(int) error {
				if w.disk != nil && !slices.Contains(tokens, w.disk.Records["a"].Token) {
					tokens = append(tokens, w.disk.Records["a"].Token)
				}
				return nil
			}
			_, err := w.apply(t.Context())
			if (err == nil) != (want == "") || err != nil && err.Error() != want {
				t.Errorf("%d vanish: %v, want %q", vanish, err, want)
			}
			if creates := w.count("create", "a"); creates != min(vanish+1, 3) || len(tokens) != creates {
				t.Errorf("%d vanish: created %d times with the tokens %v", vanish, creates, tokens)
			}
			if want == "" {
				w.checkDeployed()
			} else if len(w.living()) > 0 || w.count("create", "b") > 0 {
				t.Errorf("%v exist", w.living())
			}
		})
	}
}

// The token is the same for the same intent, whatever process carries it out, and another for another intent.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := func(id string, nodes ...stack.Node) map[stack.Key]string {
			w := newWorld(t, nodes...)
			s := w.state()
			s.ID = id
			e := w.engine()
			e.Drivers = map[stack.Kind]engine.Driver{plain: forgetful{}}
			_, _ = e.Apply(t.Context(), w.graph, s)
			all := map[stack.Key]string{}
			for key, rec := range s.Records {
				all[key] = rec.Token
			}
			return all
		}
		first, again := tokens("x", node("a", plain), node("b", plain)), tokens("x", node("b", plain), node("a", plain))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("tokens of the same intent differ:\n%s", diff)
		}
		if first["a"] == first["b"] || first["a"] == tokens("y", node("a", plain))["a"] || len(first["a"]) > 64 {
			t.Errorf("tokens of different intents: %v", first)
		}
	})
}

// forgetful refuses everything.
type forgetful struct{ engine.Driver }

func (forgetful) Create(context.Context, engine.Target) (engine.Found, error) {
	return engine.Found{}, errors.New("no")
}
