package stack_test

import (
	"testing"

	"geusemaker/internal/stack"
)

// An edge costs what its parts cost: with round prices, a balancer 730 x (0.02 + 0.01 + 2 x 0.005), a NAT gateway
// 730 x (0.04 + 0.005) + 10 x 0.05, and certificates and caches nothing before their free amounts are used up.
func TestEstimateOfAnEdge(t *testing.T) {
	const cent = stack.Dollar / 100
	f := goodFacts()
	for key, amount := range map[string]stack.Money{
		stack.PriceBalancer: 2 * cent, stack.PriceBalancerUse: cent, stack.PriceNAT: 4 * cent, stack.PriceNATUse: 5 * cent,
		stack.PriceDistributionOut: 9 * cent,
	} {
		f.Prices[key] = stack.Price{Amount: amount, Unit: "hour", Source: "price list", AsOf: f.FoundAt}
	}
	for name, tt := range map[string]struct {
		edge  stack.Edge
		want  stack.Money
		parts int
	}{
		"nothing":      {stack.Edge{}, 0, 0},
		"certificate":  {stack.Edge{Certificates: 2}, 0, 0},
		"balancer":     {stack.Edge{Balancers: 1, Certificates: 1}, 2920 * cent, 3},
		"distribution": {stack.Edge{Distributions: 1}, 0, 1},
		"NAT":          {stack.Edge{NATs: 1}, 3285*cent + 50*cent, 3},
		"two NATs":     {stack.Edge{NATs: 2}, 2 * (3285*cent + 50*cent), 6},
		"everything":   {stack.Edge{Balancers: 1, Certificates: 1, Distributions: 1, NATs: 1}, 2920*cent + 3335*cent, 7},
	} {
		c := stack.EstimateEdge("edge", tt.edge, f)
		if c.Monthly != tt.want || len(c.Components) != tt.parts {
			t.Errorf("%s: %s a month in %d parts, want %s in %d", name, c.Monthly, len(c.Components), tt.want, tt.parts)
		}
		for _, part := range c.Components {
			if part.Source == "" || part.AsOf.IsZero() && part.Name != "" && !part.Guess {
				t.Errorf("%s: %s has no source or age", name, part.Name)
			}
		}
	}
}
