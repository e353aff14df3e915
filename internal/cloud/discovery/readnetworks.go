package discovery

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// The largest pages that EC2 gives (EC2 API reference, MaxResults of the operations).
const (
	pageSize       = 1000
	routeTablePage = 100
)

// networks is what was read of the networks of a region.
type networks struct {
	vpcs     []VPC
	subnets  []Subnet
	warnings []string
}

// lists are the answers of EC2 from which networks are put together.
type lists struct {
	vpcs     []ec2types.Vpc
	subnets  []ec2types.Subnet
	tables   []ec2types.RouteTable
	gateways []ec2types.InternetGateway
	acls     []ec2types.NetworkAcl
	nats     []ec2types.NatGateway
	peerings []ec2types.VpcPeeringConnection
	routed   []PrefixList // to which routes lead
}

func (r *Reader) readNetworks(ctx context.Context) (networks, error) {
	var l lists
	var warnings [3]string
	err := together(
		func() (err error) { l.vpcs, err = r.listVPCs(ctx); return err },
		func() (err error) { l.subnets, err = r.listSubnets(ctx); return err },
		func() (err error) { l.tables, err = r.listRouteTables(ctx); return err },
		func() (err error) { l.gateways, err = r.listGateways(ctx); return err },
		optional(ctx, &warnings[0], "network ACLs are not known and count as open",
			func() (err error) { l.acls, err = r.listACLs(ctx); return err }),
		optional(ctx, &warnings[1], "NAT gateways are not known and count as working",
			func() (err error) { l.nats, err = r.listNATs(ctx); return err }),
		optional(ctx, &warnings[2], "peering connections are not known",
			func() (err error) { l.peerings, err = r.listPeerings(ctx); return err }),
	)
	if err != nil {
		return networks{}, err
	}
	if l.routed, err = r.ReadLists(ctx, listsIn(l.tables)...); err != nil {
		return networks{}, err
	}
	out := l.joined(warnings[1] == "")
	out.warnings = said(append(warnings[:], unknownRoutes(l.routed)...))
	return out, nil
}

// unknownRoutes warns of the prefix lists in routes that could not be read.
func unknownRoutes(lists []PrefixList) []string {
	return mapped(lists, func(l PrefixList) string {
		if l.Unknown == "" {
			return ""
		}
		return "what the routes to " + l.ID + " lead to is not known and counts as nothing (" + l.Unknown + ")"
	})
}

// joined puts the lists together.
func (l lists) joined(natsKnown bool) networks {
	var out networks
	for _, v := range l.vpcs {
		out.vpcs = append(out.vpcs, vpcOf(v))
	}
	for _, p := range l.peerings {
		join(out.vpcs, p)
	}
	for i := range out.vpcs {
		v := &out.vpcs[i]
		for _, g := range l.gateways {
			if slices.ContainsFunc(g.Attachments, func(a ec2types.InternetGatewayAttachment) bool { return aws.ToString(a.VpcId) == v.ID }) {
				v.Gateway = aws.ToString(g.InternetGatewayId)
			}
		}
		for _, t := range l.tables {
			if aws.ToString(t.VpcId) != v.ID {
				continue
			}
			for _, block := range l.beyond(t) {
				if !slices.Contains(v.Routes, block) {
					v.Routes = append(v.Routes, block)
				}
			}
		}
	}
	acls := aclsBySubnet(l.acls)
	tables := tablesBySubnet(l.tables)
	for _, raw := range l.subnets {
		s := subnetOf(raw)
		s.ACL = acls[s.ID]
		if t, ok := tables.of(s); ok {
			s.RouteTable, s.Out = aws.ToString(t.RouteTableId), l.outOf(t)
		}
		out.subnets = append(out.subnets, s)
	}
	if natsKnown {
		mark(out.subnets, l.nats)
	}
	return out
}

// aclsBySubnet finds the network ACL of each subnet: there is always exactly one.
func aclsBySubnet(acls []ec2types.NetworkAcl) map[string]ACL {
	by := map[string]ACL{}
	for _, raw := range acls {
		acl := aclOf(raw)
		for _, a := range raw.Associations {
			by[aws.ToString(a.SubnetId)] = acl
		}
	}
	return by
}

func (r *Reader) listVPCs(ctx context.Context) ([]ec2types.Vpc, error) {
	pages := ec2.NewDescribeVpcsPaginator(r.clients.EC2, &ec2.DescribeVpcsInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeVpcsOutput) []ec2types.Vpc { return out.Vpcs })
}

func (r *Reader) listSubnets(ctx context.Context) ([]ec2types.Subnet, error) {
	pages := ec2.NewDescribeSubnetsPaginator(r.clients.EC2, &ec2.DescribeSubnetsInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return out.Subnets })
}

func (r *Reader) listRouteTables(ctx context.Context) ([]ec2types.RouteTable, error) {
	pages := ec2.NewDescribeRouteTablesPaginator(r.clients.EC2, &ec2.DescribeRouteTablesInput{MaxResults: new(int32(routeTablePage))})
	return api.All(ctx, pages, func(out *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return out.RouteTables })
}

func (r *Reader) listGateways(ctx context.Context) ([]ec2types.InternetGateway, error) {
	pages := ec2.NewDescribeInternetGatewaysPaginator(r.clients.EC2, &ec2.DescribeInternetGatewaysInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeInternetGatewaysOutput) []ec2types.InternetGateway { return out.InternetGateways })
}

func (r *Reader) listACLs(ctx context.Context) ([]ec2types.NetworkAcl, error) {
	pages := ec2.NewDescribeNetworkAclsPaginator(r.clients.EC2, &ec2.DescribeNetworkAclsInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeNetworkAclsOutput) []ec2types.NetworkAcl { return out.NetworkAcls })
}

func (r *Reader) listNATs(ctx context.Context) ([]ec2types.NatGateway, error) {
	pages := ec2.NewDescribeNatGatewaysPaginator(r.clients.EC2, &ec2.DescribeNatGatewaysInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeNatGatewaysOutput) []ec2types.NatGateway { return out.NatGateways })
}

func (r *Reader) listPeerings(ctx context.Context) ([]ec2types.VpcPeeringConnection, error) {
	pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(r.clients.EC2, &ec2.DescribeVpcPeeringConnectionsInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeVpcPeeringConnectionsOutput) []ec2types.VpcPeeringConnection {
		return out.VpcPeeringConnections
	})
}

func (r *Reader) readDNS(ctx context.Context, vpc string) (DNS, error) {
	var dns DNS
	ask := func(name ec2types.VpcAttributeName, set func(*ec2.DescribeVpcAttributeOutput)) func() error {
		return func() error {
			out, err := r.clients.EC2.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: name})
			if err == nil {
				set(out)
			}
			return err
		}
	}
	err := together(
		ask(ec2types.VpcAttributeNameEnableDnsSupport, func(out *ec2.DescribeVpcAttributeOutput) { dns.Support = on(out.EnableDnsSupport) }),
		ask(ec2types.VpcAttributeNameEnableDnsHostnames, func(out *ec2.DescribeVpcAttributeOutput) { dns.Hostnames = on(out.EnableDnsHostnames) }),
	)
	return dns, err
}

func on(v *ec2types.AttributeBooleanValue) bool { return v != nil && aws.ToBool(v.Value) }
