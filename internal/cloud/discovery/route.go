package discovery

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Ways out of a subnet.
const (
	OutNone      = "none"             // no route to the internet
	OutGateway   = "internet-gateway" // for those that have a public address
	OutNAT       = "nat-gateway"
	OutInterface = "network-interface" // a NAT instance or an appliance
	OutTransit   = "transit-gateway"   // through another network
	OutOther     = "other"             // a virtual private gateway, a peering, an endpoint of an appliance
	OutBlackhole = "blackhole"         // a route to something that is gone
)

// Out is where the route table of a subnet sends what goes to the internet.
type Out struct {
	Via string // one of the ways above
	ID  string // of the target
	// Private says of a NAT gateway that it leads into other private networks only (VPC user guide, "NAT gateways").
	Private bool
}

// Leads reports whether something that goes to the internet gets there, as far as can be seen from this region.
func (o Out) Leads() bool { return o.Via != OutNone && o.Via != OutBlackhole && !o.Private }

func (o Out) String() string {
	switch {
	case o.ID == "":
		return o.Via
	case o.Private:
		return "private " + o.Via + " " + o.ID
	default:
		return o.Via + " " + o.ID
	}
}

// everywhere is the destination of a default route.
var everywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// outOf is the way out that a route table gives. A route to a block goes before one to a prefix list that holds it (VPC user
// guide, "Route priority and prefix lists").
func (l lists) outOf(t ec2types.RouteTable) Out {
	for _, byList := range []bool{false, true} {
		for _, r := range t.Routes {
			if (ListOf(r) != "") == byList && slices.Contains(l.destinations(r), everywhere) {
				return target(r)
			}
		}
	}
	return Out{Via: OutNone}
}

// destinations are the IPv4 blocks to which a route leads: one, or those of a prefix list. There are none where the list is not
// known or AWS's own behind a gateway endpoint.
func (l lists) destinations(r ec2types.Route) []netip.Prefix {
	at := slices.IndexFunc(l.routed, func(one PrefixList) bool { return one.ID == ListOf(r) })
	if at < 0 {
		return prefixes(aws.ToString(r.DestinationCidrBlock))
	}
	return slices.DeleteFunc(slices.Clone(l.routed[at].Blocks), func(b netip.Prefix) bool { return !b.Addr().Is4() })
}

func target(r ec2types.Route) Out {
	gateway := aws.ToString(r.GatewayId)
	out := Out{Via: OutOther, ID: gateway}
	switch {
	case r.NatGatewayId != nil:
		out = Out{Via: OutNAT, ID: *r.NatGatewayId}
	case r.TransitGatewayId != nil:
		out = Out{Via: OutTransit, ID: *r.TransitGatewayId}
	case r.NetworkInterfaceId != nil:
		out = Out{Via: OutInterface, ID: *r.NetworkInterfaceId}
	case r.VpcPeeringConnectionId != nil:
		out.ID = *r.VpcPeeringConnectionId
	case strings.HasPrefix(gateway, "igw-"):
		out.Via = OutGateway
	}
	if r.State == ec2types.RouteStateBlackhole {
		out.Via = OutBlackhole
	}
	return out
}

// beyond are the address ranges outside of the VPC to which a route table leads, but for the whole internet.
func (l lists) beyond(t ec2types.RouteTable) []netip.Prefix {
	var all []netip.Prefix
	for _, r := range t.Routes {
		if aws.ToString(r.GatewayId) == "local" {
			continue
		}
		for _, block := range l.destinations(r) {
			if block != everywhere {
				all = append(all, block)
			}
		}
	}
	return all
}

// routes are the route tables of a region by what uses them.
type routes struct {
	own, main map[string]ec2types.RouteTable
}

func tablesBySubnet(tables []ec2types.RouteTable) routes {
	r := routes{map[string]ec2types.RouteTable{}, map[string]ec2types.RouteTable{}}
	for _, t := range tables {
		for _, a := range t.Associations {
			if a.SubnetId != nil {
				r.own[*a.SubnetId] = t
			}
			if aws.ToBool(a.Main) {
				r.main[aws.ToString(t.VpcId)] = t
			}
		}
	}
	return r
}

// of is the route table that a subnet uses: its own, else the main one of its VPC (VPC user guide, "Subnet route tables").
func (r routes) of(s Subnet) (ec2types.RouteTable, bool) {
	if t, ok := r.own[s.ID]; ok {
		return t, true
	}
	t, ok := r.main[s.VPC]
	return t, ok
}

// mark notes which NAT gateways lead into private networks only, and which are no more.
func mark(subnets []Subnet, gateways []ec2types.NatGateway) {
	for i, s := range subnets {
		if s.Out.Via != OutNAT {
			continue
		}
		at := slices.IndexFunc(gateways, func(g ec2types.NatGateway) bool { return aws.ToString(g.NatGatewayId) == s.Out.ID })
		switch {
		case at < 0, gateways[at].State != ec2types.NatGatewayStateAvailable && gateways[at].State != ec2types.NatGatewayStatePending:
			subnets[i].Out.Via = OutBlackhole
		default:
			subnets[i].Out.Private = gateways[at].ConnectivityType == ec2types.ConnectivityTypePrivate
		}
	}
}
