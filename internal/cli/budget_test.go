package cli

import (
	"strings"
	"testing"
	"time"

	"geusemaker/internal/stack"
)

// A refusal over the budget says what would fit: a cheaper machine, then a smaller disk, then slower disks, or nothing.
func TestWhatFits(t *testing.T) {
	const cent = stack.Dollar / 100
	price := func(amount stack.Money) stack.Price {
		return stack.Price{Amount: amount, Unit: "x", Source: "list", AsOf: time.Unix(0, 0)}
	}
	f := stack.Facts{
		Zones: []string{"a", "b"}, VPCCIDR: "10.20.0.0/16", Region: "eu-west-1",
		Offers: []stack.Offer{
			{Type: "m7i.large", Zone: "a", Market: stack.Spot, Hourly: 5 * cent, OnDemand: 10 * cent},
			{Type: "t3a.large", Zone: "b", Market: stack.MarketOnDemand, Hourly: 3 * cent, OnDemand: 3 * cent},
			{Type: "free.large", Zone: "b", Market: stack.Spot}, // its price is not known
		},
		Prices: map[string]stack.Price{stack.PriceGP3Storage: price(10 * cent), stack.PriceGP3Throughput: price(4 * cent)},
	}
	// A month: 21.90 for the machine, 4 for the root volume, 4 for the data volume, and 5 for the throughput of each.
	for budget, want := range map[string]string{
		"40":    "--instance-type t3a.large --market on-demand would fit: $0.0547 an hour, $39.90 a month",
		"39.90": "--instance-type t3a.large --market on-demand would fit: $0.0547 an hour, $39.90 a month",
		"39":    "--instance-type t3a.large --market on-demand --data-gib 31 would fit: $0.0534 an hour, $39.00 a month",
		"30":    "--instance-type t3a.large --market on-demand --data-throughput 125 would fit: $0.0410 an hour, $29.90 a month",
		"28":    "--instance-type t3a.large --market on-demand --data-gib 21 --data-throughput 125 would fit: $0.0384 an hour, $28.00 a month",
		"9":     "none of the pools that preference balanced chose fits: the least of them is --instance-type t3a.large --market on-demand --data-gib 8 --data-throughput 125 at $0.0366 an hour, $26.70 a month",
	} {
		c := stack.NewConfig()
		c.Name, c.Region, c.Backup = "demo", "eu-west-1", "off"
		if err := c.Set("budget_monthly", budget, stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
		got := whatFits(stack.Identity{ID: "0123456789abcdef", Name: "demo"}, c, f)
		if len(got) == 0 || got[0] != want {
			t.Errorf("%s:\n got %s\nwant %s", budget, strings.Join(got, "\n"), want)
		}
	}
	for preference, want := range map[string]string{
		"balanced":    "there may be cheaper ones: try --preference lowest-cost; `geusemaker offers --preference lowest-cost` lists them",
		"lowest-cost": "`geusemaker offers --preference lowest-cost` lists the cheapest machines",
	} {
		c := stack.NewConfig()
		c.Name, c.Region, c.Preference, c.BudgetMonthly = "demo", "eu-west-1", preference, stack.Dollar
		got := whatFits(stack.Identity{ID: "0123456789abcdef", Name: "demo"}, c, f)
		if len(got) != 2 || !strings.Contains(got[0], preference) || got[1] != want {
			t.Errorf("%s: %q", preference, got)
		}
	}
	f.Offers = nil
	if got := whatFits(stack.Identity{ID: "0123456789abcdef"}, stack.NewConfig(), f); got != nil {
		t.Errorf("without offers: %q", got)
	}
}
