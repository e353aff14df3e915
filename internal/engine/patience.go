package engine

import "time"

// longestLook is the longest time between two looks that counts as waiting. A look is a few calls of AWS and a pause.
const longestLook = 2 * time.Minute

// Patience measures how long something has been waited for. A computer that sleeps, and a clock that is set, make time leap:
// what leaps does not count, so that nothing is given up that nobody had the time to wait for.
type Patience struct {
	clock Clock
	last  time.Time
	spent time.Duration
}

// NewPatience begins to wait.
func NewPatience(clock Clock) *Patience { return &Patience{clock: clock, last: clock.Now()} }

// Spent is how long has been waited so far. It wants to be asked at each look.
func (p *Patience) Spent() time.Duration {
	now := p.clock.Now()
	p.spent += min(max(now.Sub(p.last), 0), longestLook)
	p.last = now
	return p.spent
}
