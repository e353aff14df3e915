package stack

import (
	"slices"
	"time"
)

// Interval is a span of time over which one resource was billed in one way. Together the intervals are the memory that
// keeps the cost to date right when a machine is stopped, started or made anew, and when a resource is gone.
type Interval struct {
	Key  Key       `json:"key"`
	ID   string    `json:"id"`
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero: it goes on
	// Of a machine: what ran, where, and at which price. A stopped one costs its disks only.
	Type    string `json:"type,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Market  string `json:"market,omitempty"`
	Hourly  Money  `json:"hourly,omitempty"`
	Stopped bool   `json:"stopped,omitempty"`
}

// billed reports whether resources of the kind cost money for as long as they exist.
func (k Kind) billed() bool { return k == KindInstance || k == KindVolume || k == KindFileSystem }

// Meter brings the intervals up to what the records say at the time now: it opens one for what is billed and has none, and
// ends those of what is gone, was stopped, or is another resource by now. Calling it twice is calling it once.
func (s *State) Meter(now time.Time) { s.Intervals = s.metered(now.UTC()) }

// metered are the intervals at the time at, when the records came to say what they say.
func (s State) metered(at time.Time) []Interval {
	all := slices.Clone(s.Intervals)
	for i, open := range all {
		if now, billed := s.interval(s.Records[open.Key]); open.To.IsZero() && (!billed || !now.continues(open)) {
			all[i].To = later(at, open.From)
		}
	}
	for _, r := range s.Sorted() {
		next, billed := s.interval(r)
		switch known := slices.ContainsFunc(all, func(i Interval) bool { return i.Key == r.Key && i.ID == r.ID }); {
		case slices.ContainsFunc(all, func(i Interval) bool { return i.Key == r.Key && i.To.IsZero() }):
			continue
		case known:
			next.From = at // it was stopped or started
		case r.CreatedAt.IsZero() || !r.Kind.billed() || !r.Owned:
			continue
		case next.Stopped || !billed: // first seen when it had ended: until then it ran
			ran := s.launched(r)
			ran.To = later(at, ran.From)
			all, next.From = append(all, ran), ran.To
		}
		if billed {
			all = append(all, next)
		}
	}
	return all
}

// interval is what a record says is billed, from the time of its creation; false where nothing is.
func (s State) interval(r Record) (Interval, bool) {
	i := s.launched(r)
	if r.Kind == KindInstance && r.Gone() {
		return i, false
	}
	i.Stopped = r.Kind == KindInstance && r.Stopped()
	return i, r.Kind.billed() && r.Owned && !r.CreatedAt.IsZero()
}

// launched is the interval that begins with the creation of a resource.
func (s State) launched(r Record) Interval {
	i := Interval{Key: r.Key, ID: r.ID, From: r.CreatedAt.UTC()}
	if r.Kind != KindInstance {
		return i
	}
	i.Type, i.Zone, i.Market = r.Attrs[AttrType], r.Attrs[AttrZone], r.Attrs[AttrMarket]
	if o, ok := s.Facts.OfferOf(r); ok {
		i.Hourly = o.Hourly
	}
	return i
}

// continues reports whether an open interval describes the same as i.
func (i Interval) continues(open Interval) bool {
	return i.ID == open.ID && i.Stopped == open.Stopped && i.Type == open.Type && i.Market == open.Market
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Billing says when a component of a cost is billed.
type Billing string

// The ways of billing. The zero value is by the hour for as long as the resource exists.
const (
	BilledRunning Billing = "running" // while the machine runs
	BilledMachine Billing = "machine" // the machine itself: while it runs, at the price of its interval
	BilledWork    Billing = "work"    // by what the machine does with the resource: while the machine runs
)

// Accrual is what a component costs an hour over a span of time.
type Accrual struct {
	Key      Key
	Name     string // of the component
	From, To time.Time
	Hourly   Money
}

// Accruals are what the deployment has been costing since it began, with what is gone by now.
func (s State) Accruals() []Accrual {
	_, whole := s.priced()
	return s.accruals(whole)
}

func (s State) accruals(c Cost) []Accrual {
	intervals := s.metered(s.UpdatedAt)
	var all []Accrual
	for _, part := range c.Components {
		key := part.Key
		if part.Billing == BilledWork {
			key = KeyInstance
		}
		for _, i := range intervals {
			if i.Key != key || i.Stopped && part.Billing != "" {
				continue
			}
			a := Accrual{Key: part.Key, Name: part.Name, From: i.From, To: i.To, Hourly: part.Hourly}
			if part.Billing == BilledMachine && i.Hourly != 0 {
				a.Hourly = i.Hourly
			}
			all = append(all, a)
		}
	}
	return all
}

// Between is what was added up from one time to another. What has not ended goes on until then.
func (a Accrual) Between(from, to time.Time) Money {
	from = later(from, a.From)
	if !a.To.IsZero() && a.To.Before(to) {
		to = a.To
	}
	if !to.After(from) {
		return 0
	}
	return a.Hourly.Times(int64(to.Sub(from)/time.Second), 3600)
}
