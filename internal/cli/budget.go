package cli

import (
	"errors"
	"fmt"

	"geusemaker/internal/stack"
)

// withinBudget refuses a plan that costs more than the user allows.
func withinBudget(c stack.Config, cost stack.Cost, over bool) error {
	var problem error
	switch {
	case over:
	case c.MaxHourly > 0 && cost.Hourly > c.MaxHourly:
		problem = fmt.Errorf("the deployment would cost %s an hour, more than max_hourly %s", cost.Hourly.Format(4), c.MaxHourly.Format(4))
	case c.BudgetMonthly > 0 && cost.Monthly > c.BudgetMonthly:
		problem = fmt.Errorf("the deployment would cost %s a month, more than budget_monthly %s", cost.Monthly.Format(2), c.BudgetMonthly.Format(2))
	}
	if problem == nil {
		return nil
	}
	return &hinted{
		err: problem, code: exitBudget, kind: "over-budget",
		hints: []string{"choose a smaller --instance-type or less --data-gib, or pass --over-budget"},
	}
}

// withAlternatives adds to a refusal over the budget what would fit.
func withAlternatives(err error, in *intention) error {
	h, ok := errors.AsType[*hinted](err)
	if !ok {
		return err
	}
	more := *h
	more.hints = append(whatFits(in.state.Identity, in.state.Config, in.state.Facts), h.hints...)
	return &more
}

// alternative is another way to make the same deployment.
type alternative struct {
	offer      stack.Offer
	gib        int // of the data volume
	throughput int // of the volumes, MiB/s
	cost       stack.Cost
}

// whatFits says in words how the deployment would be within its limits: with the cheapest of the machines that were offered,
// with a smaller data volume, with slower volumes, or not at all.
func whatFits(id stack.Identity, c stack.Config, f stack.Facts) []string {
	best, ok := cheapest(id, c, f)
	if !ok {
		return nil
	}
	for _, throughput := range []int{c.DataThroughput, freeThroughput} {
		for gib := c.DataGiB; gib >= leastDataGiB; gib-- {
			if a, ok := priced(id, c, f, best.offer, gib, throughput); ok && within(c, a.cost) {
				return []string{a.words(c) + " would fit: " + a.price()}
			}
		}
	}
	least, ok := priced(id, c, f, best.offer, leastDataGiB, freeThroughput)
	if !ok {
		return nil
	}
	return []string{
		"none of the pools that preference " + c.Preference + " chose fits: the least of them is " + least.words(c) + " at " + least.price(),
		cheaperPools(c),
	}
}

// lowestCost is the preference that chooses the cheapest pools; another may leave cheaper ones out.
const lowestCost = "lowest-cost"

func cheaperPools(c stack.Config) string {
	if c.Preference == lowestCost {
		return "`geusemaker offers --preference lowest-cost` lists the cheapest machines"
	}
	return "there may be cheaper ones: try --preference lowest-cost; `geusemaker offers --preference lowest-cost` lists them"
}

// The least that the keys data_gib and data_throughput take. That much throughput is in the price of the storage.
const (
	leastDataGiB   = 8
	freeThroughput = 125
)

// cheapest is the deployment with the machine that makes it cheapest.
func cheapest(id stack.Identity, c stack.Config, f stack.Facts) (alternative, bool) {
	var best alternative
	found := false
	for _, o := range f.Offers {
		if a, ok := priced(id, c, f, o, c.DataGiB, c.DataThroughput); ok && o.Hourly > 0 && (!found || a.cost.Monthly < best.cost.Monthly) {
			best, found = a, true
		}
	}
	return best, found
}

func priced(id stack.Identity, c stack.Config, f stack.Facts, o stack.Offer, gib, throughput int) (alternative, bool) {
	f.Offers, c.DataGiB, c.DataThroughput = []stack.Offer{o}, gib, throughput
	g, err := stack.Blueprint(id, c, f)
	if err != nil {
		return alternative{}, false
	}
	return alternative{offer: o, gib: gib, throughput: throughput, cost: stack.Estimate(g, f)}, true
}

func within(c stack.Config, cost stack.Cost) bool { return withinBudget(c, cost, false) == nil }

// words are the flags with which the alternative is asked for, those that differ from what was asked.
func (a alternative) words(c stack.Config) string {
	text := fmt.Sprintf("--instance-type %s (%s)", a.offer.Type, a.offer.Market)
	if c.Market == stack.MarketSpotFirst && a.offer.Market != stack.Spot {
		text = fmt.Sprintf("--instance-type %s --market %s", a.offer.Type, stack.MarketOnDemand)
	}
	if a.gib != c.DataGiB {
		text += fmt.Sprintf(" --data-gib %d", a.gib)
	}
	if a.throughput != c.DataThroughput {
		text += fmt.Sprintf(" --data-throughput %d", a.throughput)
	}
	return text
}

func (a alternative) price() string {
	return fmt.Sprintf("%s an hour, %s a month", a.cost.Hourly.Format(4), a.cost.Monthly.Format(2))
}
