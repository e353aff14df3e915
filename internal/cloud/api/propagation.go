package api

import (
	"context"
	"errors"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// AWS is eventually consistent: a new resource may be unknown to other calls for seconds, seldom minutes (EC2 developer
// guide, "Eventual consistency"; IAM user guide, "Changes that I make are not always immediately visible").
const (
	// Propagation bounds how long a call goes on answering that something that was just made does not exist.
	Propagation = 5 * time.Minute
	// Patience bounds how long a delete waits for what still uses the resource, as others found enough
	// (hashicorp/terraform-provider-aws, security groups and subnets).
	Patience = 15 * time.Minute
	// young is the age below which a delete does not yet believe that what it shall delete does not exist.
	young = 30 * time.Second
)

// Known repeats do, a call that names resources that were just made, while AWS does not know them all. When the operation
// is told to stop meanwhile, engine.ErrInterrupted ends it: that AWS does not know them yet is no failure to tell of.
func Known(ctx context.Context, clock engine.Clock, t engine.Target, do func(context.Context) error) error {
	return KnownOr(ctx, clock, t, func(error) bool { return false }, do)
}

// KnownOr is Known for a call that other errors keep from succeeding for a while, too.
func KnownOr(ctx context.Context, clock engine.Clock, t engine.Target, passing func(error) bool, do func(context.Context) error) error {
	w := Wait{Clock: clock, For: "AWS to know what " + string(t.Key) + " needs", Budget: Propagation, Tell: t.Tell}
	lags := func(err error) bool { return IsNotFound(err) || passing(err) }
	err := Retry(ctx, w, func(err error) bool { return lags(err) && !Stopping(t) }, do)
	if lags(err) && Stopping(t) {
		return engine.ErrInterrupted
	}
	return err
}

// Stopping reports that the operation was told to stop, so that a create should not be tried again.
func Stopping(t engine.Target) bool { return t.Stopping != nil && t.Stopping() }

// Remove repeats del, the calls that delete the resource of t, while something still uses it or it is between two states.
// That it is gone already is success, but of a resource that was made only seconds ago that is not believed at once.
func Remove(ctx context.Context, clock engine.Clock, t engine.Target, del func(context.Context) error) error {
	w := Wait{Clock: clock, For: "what still uses " + t.Record.ID + " to go", Budget: Patience, Tell: t.Tell}
	passing := func(err error) bool {
		return IsDependency(err) || IsBusy(err) || IsNotFound(err) && isNew(t.Record, clock.Now())
	}
	err := Retry(ctx, w, passing, del)
	if IsNotFound(err) && ctx.Err() == nil {
		return nil
	}
	return err
}

// Gone waits until describe no longer finds the resource of t, which it says with engine.ErrNotFound.
func Gone[T any](ctx context.Context, clock engine.Clock, t engine.Target, describe func(context.Context, string) (T, error)) error {
	w := Wait{Clock: clock, For: t.Record.ID + " to be gone", Budget: Patience, Tell: t.Tell}
	return w.Until(ctx, func(ctx context.Context) (bool, error) {
		_, err := describe(ctx, t.Record.ID)
		if errors.Is(err, engine.ErrNotFound) {
			return true, nil
		}
		return false, err
	})
}

// Absent turns the error of a call that describes something by its ID into engine.ErrNotFound when there is no such thing.
func Absent(err error) error {
	if IsNotFound(err) {
		return engine.ErrNotFound
	}
	return err
}

func isNew(r stack.Record, now time.Time) bool {
	born := r.CreatedAt
	if born.IsZero() {
		born = r.BegunAt
	}
	return now.Sub(born) < young
}
