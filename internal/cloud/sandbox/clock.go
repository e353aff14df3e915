package sandbox

import (
	"context"
	"sync"
	"time"
)

// Clock is the time of the pretend account. It runs Speed times as fast as the wall clock and never backwards.
type Clock struct {
	speed float64

	mu   sync.Mutex
	base time.Time // virtual time at wall
	wall time.Time
}

func newClock(speed float64) *Clock {
	now := time.Now()
	return &Clock{speed: speed, base: now.UTC().Round(0), wall: now}
}

// Now returns the virtual time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	elapsed := time.Since(c.wall)
	return c.base.Add(time.Duration(float64(elapsed) * c.speed))
}

// Sleep waits for d of virtual time, or until ctx ends, whose error it then returns.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(float64(d) / c.speed))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// advance moves the clock to at, when that lies ahead. Another process that shares the account may have run faster.
func (c *Clock) advance(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.now()) {
		c.base, c.wall = at, time.Now()
	}
}
