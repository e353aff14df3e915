package network

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Examine implements engine.Examiner.
func (d vpcs) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	v, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	traits := stack.Traits{
		stack.AttrCIDR:  {aws.ToString(v.CidrBlock)},
		stack.TraitTags: stack.TagTrait(api.FromEC2(v.Tags), t.Tags),
	}
	out, err := d.ec2.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{
		VpcId: v.VpcId, Attribute: ec2types.VpcAttributeNameEnableDnsHostnames,
	})
	if err == nil && out.EnableDnsHostnames != nil {
		traits[stack.TraitNames] = []string{stack.OnOff(aws.ToBool(out.EnableDnsHostnames.Value))}
	}
	return foundVPC(v), traits, err
}

// Examine implements engine.Examiner.
func (d gateways) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	g, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	attached := []string{}
	for _, a := range g.Attachments {
		attached = append(attached, aws.ToString(a.VpcId))
	}
	return foundGateway(g), stack.Traits{
		stack.TraitVPC:  attached,
		stack.TraitTags: stack.TagTrait(api.FromEC2(g.Tags), t.Tags),
	}, nil
}

// Examine implements engine.Examiner.
func (d subnets) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	n, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	return foundSubnet(n), stack.Traits{
		stack.AttrCIDR:    {aws.ToString(n.CidrBlock)},
		stack.AttrZone:    {aws.ToString(n.AvailabilityZone)},
		stack.TraitVPC:    {aws.ToString(n.VpcId)},
		stack.TraitPublic: {stack.OnOff(aws.ToBool(n.MapPublicIpOnLaunch))},
		stack.TraitTags:   stack.TagTrait(api.FromEC2(n.Tags), t.Tags),
	}, nil
}

// Examine implements engine.Examiner. The route within the VPC cannot be changed and is left out, and so are those of gateway
// endpoints, which come and go with them.
func (d routeTables) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	table, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	routes, subnets := []string{}, []string{}
	for _, r := range table.Routes {
		if through := nextHop(r); through != "local" && !strings.HasPrefix(through, "vpce-") {
			routes = append(routes, stack.Route(destination(r), through))
		}
	}
	for _, a := range table.Associations {
		if a.SubnetId != nil {
			subnets = append(subnets, *a.SubnetId)
		}
	}
	return foundRouteTable(table), stack.Traits{
		stack.TraitRoutes:  routes,
		stack.TraitSubnets: subnets,
		stack.TraitTags:    stack.TagTrait(api.FromEC2(table.Tags), t.Tags),
	}, nil
}

// destination is where a route leads.
func destination(r ec2types.Route) string {
	return firstText(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock, r.DestinationPrefixListId)
}

// nextHop is through what a route leads; one whose gateway is gone leads nowhere (EC2 API reference, Route).
func nextHop(r ec2types.Route) string {
	hop := firstText(r.GatewayId, r.NatGatewayId, r.InstanceId, r.NetworkInterfaceId, r.VpcPeeringConnectionId, r.TransitGatewayId,
		r.EgressOnlyInternetGatewayId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn)
	if r.State == ec2types.RouteStateBlackhole {
		hop += ", which is gone"
	}
	return hop
}

func firstText(texts ...*string) string {
	for _, t := range texts {
		if aws.ToString(t) != "" {
			return *t
		}
	}
	return "something unknown"
}

// Examine implements engine.Examiner.
func (d securityGroups) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	g, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	return foundGroup(g), stack.Traits{
		stack.TraitRules:    openings(g.IpPermissions, "from"),
		stack.TraitOutgoing: openings(g.IpPermissionsEgress, "to"),
		stack.TraitTags:     stack.TagTrait(api.FromEC2(g.Tags), t.Tags),
	}, nil
}

// Examine implements engine.Examiner.
func (d endpoints) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	e, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	return foundEndpoint(e), stack.Traits{
		stack.TraitVPC:     {aws.ToString(e.VpcId)},
		stack.TraitService: {aws.ToString(e.ServiceName)},
		stack.TraitRoutes:  e.RouteTableIds,
		stack.TraitTags:    stack.TagTrait(api.FromEC2(e.Tags), t.Tags),
	}, nil
}

// Examine implements engine.Examiner. What a rule says cannot be told apart from the rule: another is another rule.
func (d groupRules) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	r, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	return foundRule(r), stack.Traits{stack.TraitTags: stack.TagTrait(api.FromEC2(r.Tags), t.Tags)}, nil
}

// openings are the permissions of a group in words, one for each peer.
func openings(permissions []ec2types.IpPermission, direction string) []string {
	all := []string{}
	for _, p := range permissions {
		var peers []*string
		for _, r := range p.IpRanges {
			peers = append(peers, r.CidrIp)
		}
		for _, r := range p.Ipv6Ranges {
			peers = append(peers, r.CidrIpv6)
		}
		for _, g := range p.UserIdGroupPairs {
			peers = append(peers, g.GroupId)
		}
		for _, l := range p.PrefixListIds {
			peers = append(peers, l.PrefixListId)
		}
		for _, peer := range peers {
			all = append(all, stack.Opening(aws.ToString(p.IpProtocol), int(aws.ToInt32(p.FromPort)), int(aws.ToInt32(p.ToPort)), direction, aws.ToString(peer)))
		}
	}
	return all
}
