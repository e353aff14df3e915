package api

import (
	"context"
	"fmt"
	"time"

	"geusemaker/internal/engine"
)

// The pace of polls: fast at first, since most parts of a network are ready within a second, then slower, since a mount
// target takes more than a minute.
const (
	firstPoll  = 500 * time.Millisecond
	maxPoll    = 5 * time.Second
	pollFactor = 1.6
	// quiet is how long a wait may last before people are told of it.
	quiet = 2 * time.Second
)

// Wait says how to wait for something in AWS.
type Wait struct {
	Clock  engine.Clock
	For    string        // what is waited for, in the words of "waiting for ...": "the VPC to become available"
	Budget time.Duration // after this long the wait fails; what the computer sleeps through does not count
	First  time.Duration // pause after the first check; 500 ms when zero
	Max    time.Duration // longest pause; 5 s when zero
	Tell   func(string)  // told once when the wait lasts longer than 2 s; may be nil
}

// TimeoutError ends a wait whose budget is spent.
type TimeoutError struct {
	For   string
	After time.Duration
	Last  error // what was seen last; may be nil
}

func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("gave up waiting for %s after %s", e.For, e.After.Round(time.Second))
	if e.Last != nil {
		text += ": " + e.Last.Error()
	}
	return text
}

// Unwrap gives what was seen last.
func (e *TimeoutError) Unwrap() error { return e.Last }

// Until calls check, at once and then ever more slowly, until it reports that it is done. An error of check ends the wait.
// A *TimeoutError says that the budget is spent.
func (w Wait) Until(ctx context.Context, check func(context.Context) (done bool, err error)) error {
	return w.repeat(ctx, func(ctx context.Context) (bool, error, error) {
		done, err := check(ctx)
		return done, err, nil
	})
}

// Retry repeats do while its error is retryable, such as "not found" of something just made, or a dependency that is still
// going. When the budget of w is spent, the *TimeoutError holds the last error.
func Retry(ctx context.Context, w Wait, retryable func(error) bool, do func(context.Context) error) error {
	return w.repeat(ctx, func(ctx context.Context) (bool, error, error) {
		err := do(ctx)
		if err != nil && retryable(err) {
			return false, nil, err
		}
		return err == nil, err, nil
	})
}

// repeat calls step until it is done or fails for good; the third result is an error that may pass.
func (w Wait) repeat(ctx context.Context, step func(context.Context) (done bool, final, passing error)) error {
	patience := engine.NewPatience(w.Clock)
	pause := max(w.First, 0)
	if pause == 0 {
		pause = firstPoll
	}
	longest := w.Max
	if longest == 0 {
		longest = maxPoll
	}
	told := w.Tell == nil
	for {
		done, err, last := step(ctx)
		if done || err != nil {
			return err
		}
		waited := patience.Spent()
		if waited >= w.Budget {
			return &TimeoutError{For: w.For, After: waited, Last: last}
		}
		if !told && waited >= quiet {
			w.Tell("waiting for " + w.For)
			told = true
		}
		if err := w.Clock.Sleep(ctx, pause); err != nil {
			if last != nil {
				err = fmt.Errorf("%w; before: %w", err, last)
			}
			return err
		}
		pause = min(time.Duration(float64(pause)*pollFactor), longest)
	}
}
