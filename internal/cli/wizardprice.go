package cli

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"geusemaker/internal/stack"
)

// offersOf are the offers of the facts that a configuration takes: those of its market and of its machine type.
func offersOf(c stack.Config, f stack.Facts) []stack.Offer {
	return slices.DeleteFunc(slices.Clone(f.Offers), func(o stack.Offer) bool {
		spot := o.Market == stack.Spot
		return c.Market == stack.MarketSpot && !spot || c.Market == stack.MarketOnDemand && spot ||
			c.InstanceType != stack.Auto && c.InstanceType != o.Type
	})
}

// tentative is what a configuration would cost with the facts of a market, or false where they do not tell. What of the user's
// would be used is priced as new: the plan tells the exact price.
func tentative(c stack.Config, f stack.Facts) (stack.Cost, stack.Offer, bool) {
	f.Offers = offersOf(c, f)
	if len(f.Offers) == 0 {
		return stack.Cost{}, stack.Offer{}, false
	}
	c.VPCID, c.SubnetID, c.SecurityGroupID, c.EFSID, c.KeyPair, c.AddMissingRules = "", "", "", "", "", false
	id := stack.Identity{ID: "000000000000", Name: "unnamed", Account: f.Account, Region: f.Region, Tier: c.Tier}
	g, err := stack.Blueprint(id, c, f)
	if err != nil {
		return stack.Cost{}, stack.Offer{}, false
	}
	return stack.Estimate(g, f), f.Offers[0], true
}

// priceNote is the price of a configuration for the end of an option, where it is known.
func priceNote(c stack.Config, k knowledge) string {
	if k.facts == nil || marketOf(c) != k.market {
		return ""
	}
	cost, _, known := tentative(c, *k.facts)
	if !known {
		return ""
	}
	return ", ~" + cost.Monthly.Format(0) + " a month"
}

// priceLine is the price of a configuration in a sentence.
func priceLine(c stack.Config, k knowledge) string {
	if k.facts == nil {
		return k.unpriced
	}
	cost, offer, known := tentative(c, *k.facts)
	if !known {
		return "the price is not known yet"
	}
	return "So far: ~" + cost.Monthly.Format(2) + " a month, ~" + cost.Hourly.Format(4) + " an hour, with a " + offer.Type + " " + offer.Market + " in " + offer.Zone
}

// marketKeys are the keys on which the facts of the market depend. Market and instance_type are not among them: the facts
// are asked for all of them.
func marketKeys() []string {
	return []string{"region", "tier", "workload", "preference", "os_type", "architecture", "ami_type", "ami_id", "allow_discontinued", "models"}
}

// marketOf tells configurations apart that need other facts. Models matter only on a GPU, which must hold them.
func marketOf(c stack.Config) string {
	var values []string
	for _, key := range marketKeys() {
		if key != "models" || c.WorkloadOrDefault() == stack.WorkloadGPU {
			values = append(values, c.Text(key))
		}
	}
	return strings.Join(values, "|")
}

// inquiries are answers of AWS that are waited for only where they matter: each question is asked once, in the background.
// Whoever begins inquiries ends them by their context and waits for asking.
type inquiries[T any] struct {
	mu     sync.Mutex
	runs   map[string]*inquiry[T]
	asking sync.WaitGroup
}

type inquiry[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// begin asks, unless that was asked before.
func (a *inquiries[T]) begin(key string, ask func() (T, error)) *inquiry[T] {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.runs == nil {
		a.runs = map[string]*inquiry[T]{}
	}
	if r := a.runs[key]; r != nil {
		return r
	}
	r := &inquiry[T]{done: make(chan struct{})}
	a.runs[key] = r
	a.asking.Go(func() {
		defer close(r.done)
		r.value, r.err = ask()
	})
	return r
}

// wait returns the answer, if it comes in time.
func (r *inquiry[T]) wait(ctx context.Context, patience time.Duration) (value T, err error, known bool) {
	select {
	case <-r.done: // it is there already, whatever the patience
		return r.value, r.err, true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.value, r.err, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return value, nil, false
}
