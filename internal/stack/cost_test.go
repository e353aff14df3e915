package stack_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func costText(c stack.Cost) string {
	var b strings.Builder
	for _, p := range c.Components {
		fmt.Fprintf(&b, "%-16s %-24s %5d %-12s %12s/h %10s/month  %s %s", p.Key, p.Name, p.Quantity, p.Unit, p.Hourly.Format(6), p.Monthly, p.Source, p.AsOf.Format(time.DateOnly))
		if p.Guess {
			b.WriteString(", assumed")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s hourly %s, daily %s, monthly %s, to date %s, on demand %s, saving %d %%\nsources: %s, guessed: %t\n",
		c.Currency, c.Hourly.Format(6), c.Daily.Format(4), c.Monthly, c.ToDate, c.OnDemandMonthly, c.SavingPercent, c.Sources(), c.Guessed())
	return b.String()
}

// The whole price of a dev deployment, from round prices: 0.04 x 730 + 40 x 0.10 + 125 x 0.05 + 0.005 x 730 for the machine,
// 10 x 0.36 + 50 x 0.03 + 20 x 0.06 + 10 x 0.05 for the files, 40 x 0.10 + 125 x 0.05 for the data volume: $60.15.
func TestEstimateOfDev(t *testing.T) {
	f := goodFacts()
	c := stack.Estimate(blueprint(t, goodConfig(), f), f)
	golden(t, "dev.cost", costText(c))
	var sum stack.Money
	for _, n := range blueprint(t, goodConfig(), f).Nodes {
		sum += c.Of(n.Key).Hourly
	}
	if sum != c.Hourly {
		t.Errorf("the resources cost %s an hour, the whole %s", sum.Decimal(), c.Hourly.Decimal())
	}
	if want := 6015 * stack.Dollar / 100; c.Monthly != want {
		t.Errorf("%s a month, want %s", c.Monthly, want)
	}
}

func TestEstimateFollowsTheGraph(t *testing.T) {
	monthly := func(edit func(*stack.Config, *stack.Facts)) stack.Cost {
		c, f := goodConfig(), goodFacts()
		edit(&c, &f)
		return stack.Estimate(blueprint(t, c, f), f)
	}
	const cent = stack.Dollar / 100
	base := monthly(func(*stack.Config, *stack.Facts) {})
	for name, tt := range map[string]struct {
		edit func(*stack.Config, *stack.Facts)
		want stack.Money // more than the base
	}{
		"larger data volume":  {func(c *stack.Config, _ *stack.Facts) { c.DataGiB += 100 }, 10 * stack.Dollar},
		"no extra throughput": {func(c *stack.Config, _ *stack.Facts) { c.DataThroughput = 125 }, -1250 * cent},
		"no backup":           {func(c *stack.Config, _ *stack.Facts) { c.Backup = "off" }, -50 * cent},
		"on demand":           {func(_ *stack.Config, f *stack.Facts) { f.Offers = f.Offers[1:] }, 5840 * cent},
		"no offer known":      {func(_ *stack.Config, f *stack.Facts) { f.Offers = nil }, -2920 * cent},
	} {
		if got := monthly(tt.edit).Monthly - base.Monthly; got != tt.want {
			t.Errorf("%s costs %s more, want %s", name, got, tt.want)
		}
	}
	if c := monthly(func(_ *stack.Config, f *stack.Facts) { f.Offers = f.Offers[1:] }); c.SavingPercent != 0 || c.OnDemandMonthly != c.Monthly {
		t.Errorf("on demand saves %d %% of %s", c.SavingPercent, c.OnDemandMonthly)
	}

	c := monthly(func(_ *stack.Config, f *stack.Facts) { f.Offers[0].Hourly, f.Offers[0].OnDemand = cent, 13*cent })
	if want := c.Monthly + 8760*cent; c.OnDemandMonthly != want || c.SavingPercent != 70 { // 87.60 of 125.85
		t.Errorf("on demand %s, want %s; saving %d %%, want 70", c.OnDemandMonthly, want, c.SavingPercent)
	}

	g := blueprint(t, goodConfig(), goodFacts())
	for i := range g.Nodes {
		g.Nodes[i].Adopt = "yours"
	}
	if c := stack.Estimate(g, goodFacts()); len(c.Components) != 0 || c.Monthly != 0 || c.SavingPercent != 0 || c.Guessed() {
		t.Errorf("what the user has already costs %s", costText(c))
	}
}

// The machine's own offer counts, not the best of today; only what exists has cost anything, from when it was made.
func TestCostToDate(t *testing.T) {
	s := stack.State{Identity: demo, Config: goodConfig(), Facts: goodFacts(), Records: map[stack.Key]stack.Record{
		stack.KeyInstance: {
			Key: stack.KeyInstance, Kind: stack.KindInstance, ID: "i-1", Owned: true, CreatedAt: day,
			Attrs: map[string]string{stack.AttrType: "m7i.large", stack.AttrZone: "eu-central-1a", stack.AttrMarket: stack.MarketOnDemand},
		},
		stack.KeyFiles: {Key: stack.KeyFiles, Kind: stack.KindFileSystem, Owned: true, CreatedAt: day.Add(90 * time.Minute)},
		stack.KeyData:  {Key: stack.KeyData, Kind: stack.KindVolume, Status: stack.StatusPending},
		stack.KeyVPC:   {Key: stack.KeyVPC, Kind: stack.KindVPC, CreatedAt: day},
	}}
	c := s.Cost(day.Add(2 * time.Hour))
	if text := costText(c); !strings.Contains(text, "m7i.large on-demand") || strings.Contains(text, "m7i.large spot") {
		t.Errorf("the machine is not priced as it was launched:\n%s", text)
	}
	want := c.Of(stack.KeyInstance).Hourly * 2
	for _, part := range c.Of(stack.KeyFiles).Components {
		if part.Billing == stack.BilledWork {
			want += part.Hourly * 2 // as long as the machine worked with it
		} else {
			want += part.Hourly / 2
		}
	}
	if diff := int64(c.ToDate - want); diff < -2 || diff > 2 {
		t.Errorf("to date %s, want %s", c.ToDate.Decimal(), want.Decimal())
	}
	if c := s.Cost(day.Add(-time.Hour)); c.ToDate != 0 {
		t.Errorf("it cost %s before it was made", c.ToDate)
	}
	if diff := cmp.Diff(goodFacts(), s.Facts); diff != "" {
		t.Errorf("pricing changed the facts (-before +after):\n%s", diff)
	}
	s.Config.Tier, s.Records = "of an older tool", nil
	if c := s.Cost(day); c.Currency != "USD" || c.Components == nil || c.Monthly != 0 {
		t.Errorf("a deployment without a blueprint costs %+v", c)
	}
}
