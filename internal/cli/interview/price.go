package interview

import (
	"slices"
	"strings"

	"geusemaker/internal/cloud/discovery"
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

// tentative is what a configuration would cost, or false where what is known does not tell.
func tentative(c stack.Config, k Knowledge) (stack.Cost, stack.Offer, bool) {
	f, known := k.facts(c)
	if !known {
		return stack.Cost{}, stack.Offer{}, false
	}
	f = reusing(c, f, k.Region)
	f.Offers = offersOf(c, f)
	if len(f.Offers) == 0 {
		return stack.Cost{}, stack.Offer{}, false
	}
	id := stack.Identity{ID: "000000000000", Name: "unnamed", Account: f.Account, Region: f.Region, Tier: c.Tier}
	g, err := stack.Blueprint(id, unreused(c), f)
	if err != nil {
		return stack.Cost{}, stack.Offer{}, false
	}
	return stack.Estimate(g, f), f.Offers[0], true
}

// reusing are the facts of a market with what changes the price of what is the user's: a file system is not billed to the
// deployment, a machine in a private subnet has no public address, and one in a chosen subnet stands in its zone. What is not
// known of it is priced as new: the plan tells the exact price.
func reusing(c stack.Config, f stack.Facts, r *discovery.Region) stack.Facts {
	if r == nil {
		r = &discovery.Region{}
	}
	if files, _ := r.FileSystem(c.EFSID); files.Deployment() == "" { // what a deployment kept is billed as its own
		f.Reuse.Files.ID = c.EFSID
	}
	if s, known := r.Subnet(c.SubnetID); known {
		f.Offers = slices.DeleteFunc(slices.Clone(f.Offers), func(o stack.Offer) bool { return o.Zone != s.Zone })
	}
	if privately(c, r) {
		f.Reuse.VPC.ID = c.VPCID
		f.Reuse.Subnets = nil
		for _, zone := range f.Zones {
			f.Reuse.Subnets = append(f.Reuse.Subnets, stack.ReusedSubnet{ID: zone, Zone: zone})
		}
	}
	return f
}

// privately reports whether the machine would stand in a private subnet: in the one that is chosen, or through a tunnel in any
// of the VPC that is fit.
func privately(c stack.Config, r *discovery.Region) bool {
	if s, known := r.Subnet(c.SubnetID); known {
		return !s.NeedsPublicIP()
	}
	n := discovery.NeedOf(c, "", nil)
	return c.Access == stack.AccessTunnel && slices.ContainsFunc(r.SubnetsOf(c.VPCID), func(s discovery.Subnet) bool {
		return !s.NeedsPublicIP() && r.FitSubnet(s, n).OK()
	})
}

// priceNote is the price of a configuration for the end of an option, where it is known.
func priceNote(c stack.Config, k Knowledge) string {
	cost, _, known := tentative(c, k)
	if !known {
		return ""
	}
	return ", ~" + cost.Monthly.Format(0) + " a month"
}

// PriceLine is the price of a configuration in a sentence.
func PriceLine(c stack.Config, k Knowledge) string {
	if _, known := k.facts(c); !known {
		return k.Unpriced
	}
	cost, offer, known := tentative(c, k)
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
