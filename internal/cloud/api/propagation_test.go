package api_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// answers returns the errors in turn, the last one for ever, and counts.
func answers(errs ...error) (next func(context.Context) error, count *int) {
	n := 0
	return func(context.Context) error {
		err := errs[min(n, len(errs)-1)]
		n++
		return err
	}, &n
}

func TestRemove(t *testing.T) {
	var (
		unknown = coded("InvalidVpcID.NotFound", "vpc-1")
		used    = coded("DependencyViolation", "in use")
		busy    = coded("IncorrectState", "creating")
		denied  = coded("UnauthorizedOperation", "no")
	)
	tests := []struct {
		name    string
		age     time.Duration
		timeout time.Duration
		answers []error
		calls   int
		ok      bool
	}{
		{"what is there goes", time.Hour, time.Hour, []error{nil}, 1, true},
		{"what is gone already is success", time.Hour, time.Hour, []error{unknown}, 1, true},
		{"what was just made is not believed to be gone", time.Second, time.Hour, []error{unknown, unknown, nil}, 3, true},
		{"what was just made may be gone after all", 25 * time.Second, time.Hour, []error{unknown}, 6, true},
		{"it waits for dependents and changes", time.Hour, time.Hour, []error{used, busy, used, nil}, 4, true},
		{"a refusal is final", time.Hour, time.Hour, []error{denied}, 1, false},
		{"to be told to stop is no success", time.Second, 2 * time.Second, []error{unknown}, 3, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				target := engine.Target{Record: stack.Record{ID: "vpc-1", CreatedAt: time.Now().Add(-test.age)}}
				del, calls := answers(test.answers...)
				err := api.Remove(ctx, engine.Wall{}, target, del)
				if (err == nil) != test.ok || *calls != test.calls {
					t.Errorf("after %d calls, want %d: %v", *calls, test.calls, err)
				}
			})
		})
	}
}

func TestRemoveGivesUpWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		del, _ := answers(coded("DependencyViolation", "in use"))
		start := time.Now()
		err := api.Remove(t.Context(), engine.Wall{}, engine.Target{Record: stack.Record{ID: "vpc-1"}}, del)
		if took := time.Since(start); !api.IsDependency(err) || took < api.Patience || took > api.Patience+time.Minute {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestGoneWaitsUntilNothingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		for _, test := range []struct {
			answers []error
			calls   int
			want    error
		}{
			{[]error{nil, nil, engine.ErrNotFound}, 3, nil},
			{[]error{nil, broken}, 2, broken},
		} {
			look, calls := answers(test.answers...)
			err := api.Gone(t.Context(), engine.Wall{}, engine.Target{}, func(ctx context.Context, _ string) (string, error) { return "", look(ctx) })
			if !errors.Is(err, test.want) || *calls != test.calls {
				t.Errorf("after %d calls: %v", *calls, err)
			}
		}
	})
}

func TestAbsent(t *testing.T) {
	if err := api.Absent(coded("InvalidVpcID.NotFound", "")); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := api.Absent(coded("RequestLimitExceeded", "")); errors.Is(err, engine.ErrNotFound) || err == nil {
		t.Errorf("got %v", err)
	}
}
