package api_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

func TestPollsStartFastAndGrowSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		var told []string
		start := time.Now()
		w := api.Wait{
			Clock: engine.Wall{}, For: "the mount target to become available", Budget: time.Minute,
			Tell: func(s string) { told = append(told, s) },
		}
		err := w.Until(t.Context(), func(context.Context) (bool, error) {
			at = append(at, time.Since(start))
			return len(at) == 9, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const ms = time.Millisecond
		want := []time.Duration{0, 500 * ms, 1300 * ms, 2580 * ms, 4628 * ms, 7904800 * time.Microsecond, 12904800 * time.Microsecond, 17904800 * time.Microsecond, 22904800 * time.Microsecond}
		if !slices.Equal(at, want) {
			t.Errorf("checked at %v, want %v", at, want)
		}
		if !slices.Equal(told, []string{"waiting for the mount target to become available"}) {
			t.Errorf("told %q", told)
		}
	})
}

func TestShortWaitsAreNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		w := api.Wait{Clock: engine.Wall{}, For: "it", Budget: time.Minute, Tell: func(s string) { t.Errorf("told %q", s) }}
		if err := w.Until(t.Context(), func(context.Context) (bool, error) { n++; return n == 3, nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestAWaitEnds(t *testing.T) {
	boom := errors.New("boom")
	passing := errors.New("not yet")
	tests := []struct {
		name string
		run  func(context.Context, api.Wait) error
		want func(error) bool
	}{
		{"with the error of its check", func(ctx context.Context, w api.Wait) error {
			return w.Until(ctx, func(context.Context) (bool, error) { return false, boom })
		}, func(err error) bool { return errors.Is(err, boom) }},
		{"when its budget is spent", func(ctx context.Context, w api.Wait) error {
			return w.Until(ctx, func(context.Context) (bool, error) { return false, nil })
		}, func(err error) bool {
			e, ok := errors.AsType[*api.TimeoutError](err)
			return ok && e.After >= 30*time.Second && e.After < 36*time.Second && strings.Contains(err.Error(), "gave up waiting for it after 3")
		}},
		{"with what was seen last", func(ctx context.Context, w api.Wait) error {
			return api.Retry(ctx, w, func(err error) bool { return errors.Is(err, passing) }, func(context.Context) error { return passing })
		}, func(err error) bool {
			return errors.Is(err, passing) && strings.HasSuffix(err.Error(), ": not yet")
		}},
		{"with an error that does not pass", func(ctx context.Context, w api.Wait) error {
			n := 0
			return api.Retry(ctx, w, func(err error) bool { return errors.Is(err, passing) }, func(context.Context) error {
				if n++; n < 4 {
					return passing
				}
				return boom
			})
		}, func(err error) bool { return errors.Is(err, boom) && !errors.Is(err, passing) }},
		{"when it is cancelled, with what was seen last", func(ctx context.Context, w api.Wait) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return api.Retry(ctx, w, func(err error) bool { return true }, func(context.Context) error { return passing })
		}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) && errors.Is(err, passing) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := test.run(t.Context(), api.Wait{Clock: engine.Wall{}, For: "it", Budget: 30 * time.Second})
				if !test.want(err) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
