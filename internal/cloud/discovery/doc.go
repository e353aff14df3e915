// Package discovery finds what of a user's own account could be reused by a deployment, and tells whether it is fit for that
// or why not.
//
// It reads and it judges, apart from each other:
//
//	reader := discovery.New("eu-west-1", clients)               // kept for the run: what was read once is not asked again
//	region, err := reader.Read(ctx, discovery.Networks, discovery.Groups)
//	need := discovery.NeedOf(c, facts.CallerCIDR, zones)        // what this configuration asks of what it reuses
//	err = reader.Complete(ctx, region, need, judged...)         // DNS attributes of VPCs and prefix lists in rules of groups: only where they matter
//	subnet, _ := region.Subnet(c.SubnetID)
//	fit := region.FitSubnet(subnet, need)                       // pure: fit.Problems say what is wrong and how to put it right
//
// A Region is a plain value, so every judgement is tested without a cloud. MissingRules gives the rules that a security
// group lacks as values, for those who want to add them. Taken lists the address ranges that a new VPC must not overlap.
// A rule through a prefix list counts as one for each of the list's blocks (SpellOut).
//
// Nothing here changes anything. What only helps (network ACLs, NAT gateways, peerings) never stops a reading: when it may not
// be asked, Region.Warnings say so and what rests on it counts as fit. Only a prefix list that may not be read lets nobody
// through, and the problem that follows says why.
package discovery
