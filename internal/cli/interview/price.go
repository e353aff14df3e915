package interview

import (
	"slices"
	"strings"

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
	c = unreused(c)
	id := stack.Identity{ID: "000000000000", Name: "unnamed", Account: f.Account, Region: f.Region, Tier: c.Tier}
	g, err := stack.Blueprint(id, c, f)
	if err != nil {
		return stack.Cost{}, stack.Offer{}, false
	}
	return stack.Estimate(g, f), f.Offers[0], true
}

// priceNote is the price of a configuration for the end of an option, where it is known.
func priceNote(c stack.Config, k Knowledge) string {
	facts, known := k.facts(c)
	if !known {
		return ""
	}
	cost, _, known := tentative(c, facts)
	if !known {
		return ""
	}
	return ", ~" + cost.Monthly.Format(0) + " a month"
}

// PriceLine is the price of a configuration in a sentence.
func PriceLine(c stack.Config, k Knowledge) string {
	facts, known := k.facts(c)
	if !known {
		return k.Unpriced
	}
	cost, offer, known := tentative(c, facts)
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

// MarketOf tells configurations apart that need other facts. Models matter only on a GPU, which must hold them.
func MarketOf(c stack.Config) string {
	c.Workload = c.WorkloadOrDefault() // unsaid or said, it is the same market
	var values []string
	for _, key := range marketKeys() {
		if key != "models" || c.Workload == stack.WorkloadGPU {
			values = append(values, c.Text(key))
		}
	}
	return strings.Join(values, "|")
}

// Unbound is a configuration that asks for every market and machine type that there is, and reuses nothing: its facts serve
// all configurations of the same MarketOf.
func Unbound(c stack.Config) stack.Config {
	c = with(with(c, "market", stack.MarketSpotFirst), "instance_type", stack.Auto)
	c.MaxHourly = 0
	return unreused(c)
}

// unreused is a configuration that makes everything anew.
func unreused(c stack.Config) stack.Config {
	c.VPCID, c.SubnetID, c.SecurityGroupID, c.EFSID, c.KeyPair, c.AddMissingRules = "", "", "", "", "", false
	return c
}
