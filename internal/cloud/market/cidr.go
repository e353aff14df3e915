package market

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// firstBlock is the first /16 that is tried. What lies below in 10.0.0.0/8 is what people and other tools choose first.
const firstBlock = 20

// taken is an address range in use, and by what.
type taken struct {
	block netip.Prefix
	by    string
}

// network is what is known of the networks of the region.
type network struct {
	taken  []taken
	vpcs   int
	stacks stacks // that have a VPC
	known  bool
}

// askNetwork asks which address ranges are in use: those of the region's VPCs, of the networks that they are peered with, and
// of those to which their routes lead, by block or by prefix list.
func (m *Market) askNetwork(ctx context.Context) (network, []string) {
	var vpcs []ec2types.Vpc
	var peerings []ec2types.VpcPeeringConnection
	var tables []ec2types.RouteTable
	var behind []taken
	var warnings []string
	err := together(
		func() (err error) {
			pages := ec2.NewDescribeVpcsPaginator(m.clients.EC2, &ec2.DescribeVpcsInput{})
			vpcs, err = api.All(ctx, pages, func(out *ec2.DescribeVpcsOutput) []ec2types.Vpc { return out.Vpcs })
			return err
		},
		func() error {
			pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(m.clients.EC2, &ec2.DescribeVpcPeeringConnectionsInput{})
			peerings, _ = api.All(ctx, pages, func(out *ec2.DescribeVpcPeeringConnectionsOutput) []ec2types.VpcPeeringConnection {
				return out.VpcPeeringConnections
			}) // peerings are rare, and the VPCs tell the most
			return nil
		},
		func() error {
			pages := ec2.NewDescribeRouteTablesPaginator(m.clients.EC2, &ec2.DescribeRouteTablesInput{})
			tables, _ = api.All(ctx, pages, func(out *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return out.RouteTables }) // as above
			behind, warnings = m.blocksOfLists(ctx, tables)
			return nil
		},
	)
	if err != nil {
		warnings = append(warnings, "the address ranges in use are not known ("+because(err)+"); the new VPC may overlap another")
	}
	n := network{vpcs: len(vpcs), stacks: stacks{}, known: err == nil}
	for _, v := range vpcs {
		n.stacks.add(v.Tags)
		n.taken = append(n.taken, blocksOf(v)...)
	}
	for _, p := range peerings {
		n.taken = slices.Concat(n.taken, blocksOfPeer(p.AccepterVpcInfo), blocksOfPeer(p.RequesterVpcInfo))
	}
	for _, t := range tables {
		n.taken = append(n.taken, blocksOfRoutes(t)...)
	}
	n.taken = append(n.taken, behind...)
	return n, warnings
}

func blocksOf(v ec2types.Vpc) []taken {
	by := aws.ToString(v.VpcId)
	all := parsed(by, v.CidrBlock)
	for _, a := range v.CidrBlockAssociationSet {
		if a.CidrBlockState == nil || a.CidrBlockState.State == ec2types.VpcCidrBlockStateCodeAssociated || a.CidrBlockState.State == ec2types.VpcCidrBlockStateCodeAssociating {
			all = append(all, parsed(by, a.CidrBlock)...)
		}
	}
	return all
}

func blocksOfPeer(info *ec2types.VpcPeeringConnectionVpcInfo) []taken {
	if info == nil {
		return nil
	}
	by := aws.ToString(info.VpcId) + ", which is peered"
	all := parsed(by, info.CidrBlock)
	for _, b := range info.CidrBlockSet {
		all = append(all, parsed(by, b.CidrBlock)...)
	}
	return all
}

// blocksOfLists are the ranges in the prefix lists to which route tables lead, but for AWS's own behind gateway endpoints, and
// warnings of lists that could not be read.
func (m *Market) blocksOfLists(ctx context.Context, tables []ec2types.RouteTable) ([]taken, []string) {
	from := map[string]string{} // the VPC from which a route leads to the list
	for _, t := range tables {
		for _, r := range t.Routes {
			if id := discovery.ListOf(r); id != "" {
				from[id] = cmp.Or(from[id], aws.ToString(t.VpcId))
			}
		}
	}
	if len(from) == 0 {
		return nil, nil
	}
	lists, err := m.reader.ReadLists(ctx, slices.Sorted(maps.Keys(from))...)
	if err != nil {
		return nil, nil // broken off, as whatever else was asked
	}
	var warnings []string
	var all []taken
	for _, l := range lists {
		by := from[l.ID]
		if l.Unknown != "" {
			warnings = append(warnings, fmt.Sprintf("what the routes of %s to %s lead to is not known (%s); the new VPC may overlap it", by, l.ID, l.Unknown))
		}
		for _, block := range l.Blocks {
			if block.Bits() > 0 {
				all = append(all, taken{block, "a route of " + by + " to " + l.ID})
			}
		}
	}
	return all, warnings
}

// blocksOfRoutes are the ranges outside of its VPC to which a route table leads, but for the whole internet: those of other
// networks, to which the new VPC could not be joined.
func blocksOfRoutes(t ec2types.RouteTable) []taken {
	var all []taken
	for _, r := range t.Routes {
		if aws.ToString(r.GatewayId) == "local" {
			continue
		}
		for _, one := range parsed("a route of "+aws.ToString(t.VpcId), r.DestinationCidrBlock) {
			if one.block.Bits() > 0 {
				all = append(all, one)
			}
		}
	}
	return all
}

func parsed(by string, cidr *string) []taken {
	block, err := netip.ParsePrefix(aws.ToString(cidr))
	if err != nil {
		return nil
	}
	return []taken{{block, by}}
}

// vpcCIDR is the address range of the new VPC: the user's, or a /16 of 10.0.0.0/8 that is free. Docker's networks on the machine lie in 172.16.0.0/12 and 192.168.0.0/16 (Docker documentation, "dockerd",
// default address pools), which are therefore never chosen.
func (n network) vpcCIDR(c stack.Config) (string, error) {
	if c.VPCCIDR != stack.Auto {
		if _, err := netip.ParsePrefix(c.VPCCIDR); err != nil {
			return "", &stack.FieldError{Key: "vpc_cidr", Problem: fmt.Sprintf("%q is not a CIDR block", c.VPCCIDR), Source: c.SourceOf("vpc_cidr")}
		}
		return c.VPCCIDR, nil
	}
	for i := range 256 {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(firstBlock + i), 0, 0}), 16)
		if n.overlaps(block) == nil {
			return block.String(), nil
		}
	}
	return "", &stack.FieldError{Key: "vpc_cidr", Problem: "every /16 of 10.0.0.0/8 is in use in this region", Fix: "set vpc_cidr to a free block, /16 to /24"}
}

// overlaps is the first range in use that overlaps the block, or nil.
func (n network) overlaps(block netip.Prefix) *taken {
	for _, t := range n.taken {
		if t.block.Overlaps(block) {
			return &t
		}
	}
	return nil
}

// vpcQuota is the quota "VPCs per Region" (Amazon VPC user guide, "Amazon VPC quotas"), which new accounts meet first.
const vpcQuota = "L-F678F1CE"
