package sandbox

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type routeTable struct {
	resource
	VPC          string        `json:"vpc"`
	Token        string        `json:"token,omitempty"`
	Routes       []route       `json:"routes"`
	Associations []association `json:"associations,omitempty"`
}

type route struct {
	CIDR    string `json:"cidr,omitempty"`
	List    string `json:"list,omitempty"` // ID of the prefix list that is the destination instead
	Gateway string `json:"gateway"`        // local, igw-..., nat-..., tgw-... or pcx-...
}

type association struct {
	ID     string    `json:"id"`
	Subnet string    `json:"subnet,omitempty"` // empty for the main one
	Main   bool      `json:"main,omitempty"`
	Made   time.Time `json:"made"`
}

func (t *routeTable) main() bool {
	return slices.ContainsFunc(t.Associations, func(a association) bool { return a.Main })
}

// leave removes the associations that match and tells whether there was one.
func (t *routeTable) leave(match func(association) bool) bool {
	before := len(t.Associations)
	t.Associations = slices.DeleteFunc(t.Associations, match)
	return len(t.Associations) < before
}

func registerRoutes(all map[string]operation) {
	on(all, serviceEC2, "CreateRouteTable", createRouteTable)
	on(all, serviceEC2, "CreateRoute", createRoute)
	on(all, serviceEC2, "DeleteRoute", deleteRoute)
	on(all, serviceEC2, "AssociateRouteTable", associateRouteTable)
	on(all, serviceEC2, "DisassociateRouteTable", disassociateRouteTable)
	on(all, serviceEC2, "DescribeRouteTables", describeRouteTables)
	on(all, serviceEC2, "DeleteRouteTable", deleteRouteTable)
}

func createRouteTable(c *call, in *ec2.CreateRouteTableInput) (*ec2.CreateRouteTableOutput, error) {
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	for _, t := range c.region.RouteTables {
		if token := deref(in.ClientToken); token != "" && t.Token == token && c.now.Sub(t.Born) < tokenMemory {
			if t.VPC != v.ID {
				return nil, mismatch(token)
			}
			shown := c.showRouteTable(t)
			return &ec2.CreateRouteTableOutput{RouteTable: &shown, ClientToken: in.ClientToken}, nil
		}
	}
	t := &routeTable{resource: c.birth(c.newID("rtb"), tags), VPC: v.ID, Token: deref(in.ClientToken)}
	t.Routes = []route{{CIDR: v.CIDR, Gateway: "local"}}
	c.region.RouteTables[t.ID] = t
	shown := c.showRouteTable(t)
	return &ec2.CreateRouteTableOutput{RouteTable: &shown, ClientToken: in.ClientToken}, nil
}

// mismatch answers a client token that was used before with other parameters (EC2 developer guide, "Ensuring idempotency").
func mismatch(token string) error {
	return refuse("IdempotentParameterMismatch", "The client token '%s' was used before with other parameters", token)
}

func createRoute(c *call, in *ec2.CreateRouteInput) (*ec2.CreateRouteOutput, error) {
	t, err := find(c, routeTableKind, c.region.RouteTables, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	prefix, err := netip.ParsePrefix(deref(in.DestinationCidrBlock))
	if err != nil {
		return nil, refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. "+
			"This is not a valid CIDR block.", deref(in.DestinationCidrBlock))
	}
	destination := prefix.Masked().String()
	if in.GatewayId == nil {
		return nil, refuse("InvalidParameterValue", "The sandbox knows routes to internet gateways only: give GatewayId")
	}
	if err := gatewayKind.check(*in.GatewayId); err != nil {
		return nil, refuse("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", *in.GatewayId)
	}
	g, err := find(c, gatewayKind, c.region.Gateways, in.GatewayId)
	if err != nil {
		return nil, refuse("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", *in.GatewayId)
	}
	if g.VPC != t.VPC {
		return nil, refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks",
			t.ID, g.ID)
	}
	for _, r := range t.Routes {
		if r.CIDR == destination {
			return nil, refuse("RouteAlreadyExists", "The route identified by %s already exists.", destination)
		}
	}
	t.Routes = append(t.Routes, route{CIDR: destination, Gateway: g.ID})
	return &ec2.CreateRouteOutput{Return: new(true)}, nil
}

func deleteRoute(c *call, in *ec2.DeleteRouteInput) (*ec2.DeleteRouteOutput, error) {
	t, err := own(routeTableKind, c.region.RouteTables, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	destination := deref(in.DestinationCidrBlock)
	index := slices.IndexFunc(t.Routes, func(r route) bool { return r.CIDR == destination && r.List == deref(in.DestinationPrefixListId) })
	switch {
	case index < 0:
		return nil, refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", destination, t.ID)
	case t.Routes[index].Gateway == "local":
		return nil, refuse("InvalidParameterValue", "cannot remove local route %s in route table %s", destination, t.ID)
	}
	t.Routes = slices.Delete(t.Routes, index, index+1)
	return &ec2.DeleteRouteOutput{}, nil
}

func associateRouteTable(c *call, in *ec2.AssociateRouteTableInput) (*ec2.AssociateRouteTableOutput, error) {
	t, err := find(c, routeTableKind, c.region.RouteTables, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	n, err := find(c, subnetKind, c.region.Subnets, in.SubnetId)
	if err != nil {
		return nil, err
	}
	if n.VPC != t.VPC {
		return nil, refuse("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", t.ID, n.ID)
	}
	for _, other := range c.region.RouteTables {
		for _, a := range other.Associations {
			if a.Subnet != n.ID {
				continue
			}
			if other.ID != t.ID {
				return nil, refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts "+
					"with an existing association", t.ID)
			}
			return &ec2.AssociateRouteTableOutput{AssociationId: new(a.ID), AssociationState: c.associationState(a)}, nil
		}
	}
	a := association{ID: c.newID("rtbassoc"), Subnet: n.ID, Made: c.now}
	t.Associations = append(t.Associations, a)
	return &ec2.AssociateRouteTableOutput{AssociationId: new(a.ID), AssociationState: c.associationState(a)}, nil
}

func (c *call) associationState(a association) *ec2types.RouteTableAssociationState {
	if c.now.Before(a.Made.Add(networkDelay)) {
		return &ec2types.RouteTableAssociationState{State: ec2types.RouteTableAssociationStateCodeAssociating}
	}
	return &ec2types.RouteTableAssociationState{State: ec2types.RouteTableAssociationStateCodeAssociated}
}

func disassociateRouteTable(c *call, in *ec2.DisassociateRouteTableInput) (*ec2.DisassociateRouteTableOutput, error) {
	id := deref(in.AssociationId)
	for _, t := range c.region.RouteTables {
		for _, a := range t.Associations {
			if a.ID == id && a.Main {
				return nil, refuse("InvalidParameterValue", "cannot disassociate the main route table association %s", id)
			}
		}
		if t.leave(func(a association) bool { return a.ID == id }) {
			return &ec2.DisassociateRouteTableOutput{}, nil
		}
	}
	return nil, refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
}

func (c *call) showRouteTable(t *routeTable) ec2types.RouteTable {
	shown := ec2types.RouteTable{
		RouteTableId: new(t.ID), VpcId: new(t.VPC), OwnerId: new(c.state.Account), Tags: ec2Tags(t.Tags),
	}
	for _, r := range t.Routes {
		origin := ec2types.RouteOriginCreateRoute
		if r.Gateway == "local" {
			origin = ec2types.RouteOriginCreateRouteTable
		}
		one := ec2types.Route{Origin: origin, State: c.routeState(t, r)}
		if r.List != "" {
			one.DestinationPrefixListId = new(r.List)
		} else {
			one.DestinationCidrBlock = new(r.CIDR)
		}
		switch prefix, _, _ := strings.Cut(r.Gateway, "-"); prefix {
		case "nat":
			one.NatGatewayId = new(r.Gateway)
		case "tgw":
			one.TransitGatewayId = new(r.Gateway)
		case "pcx":
			one.VpcPeeringConnectionId = new(r.Gateway)
		default:
			one.GatewayId = new(r.Gateway)
		}
		shown.Routes = append(shown.Routes, one)
	}
	for _, e := range inOrder(c.region.Endpoints) { // a gateway endpoint adds its route by itself
		if slices.Contains(e.RouteTables, t.ID) {
			shown.Routes = append(shown.Routes, ec2types.Route{
				DestinationPrefixListId: new(c.prefixListID(e.Service)), GatewayId: new(e.ID), Origin: ec2types.RouteOriginCreateRoute,
				State: ec2types.RouteStateActive,
			})
		}
	}
	for _, a := range t.Associations {
		one := ec2types.RouteTableAssociation{
			RouteTableAssociationId: new(a.ID), RouteTableId: new(t.ID), Main: new(a.Main),
			AssociationState: c.associationState(a),
		}
		if a.Subnet != "" {
			one.SubnetId = new(a.Subnet)
		}
		shown.Associations = append(shown.Associations, one)
	}
	return shown
}

// routeState is blackhole once the gateway is detached or gone. Transit gateways lie outside of the sandbox and are taken to
// be there.
func (c *call) routeState(t *routeTable, r route) ec2types.RouteState {
	there := true
	switch prefix, _, _ := strings.Cut(r.Gateway, "-"); prefix {
	case "igw":
		g := c.region.Gateways[r.Gateway]
		there = g != nil && g.VPC == t.VPC
	case "nat":
		there = c.region.NATGateways[r.Gateway] != nil
	case "pcx":
		there = c.region.Peerings[r.Gateway] != nil
	}
	if !there {
		return ec2types.RouteStateBlackhole
	}
	return ec2types.RouteStateActive
}

// describeRouteTables gives smaller pages than other operations (EC2 API reference, DescribeRouteTables, MaxResults).
func describeRouteTables(c *call, in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, error) {
	if deref(in.MaxResults) > 100 {
		return nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between 5 and 100.", *in.MaxResults)
	}
	found, next, err := describe(c, routeTableKind, c.region.RouteTables,
		query{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken},
		func(t *routeTable) attributes {
			a := attributes{
				"route-table-id": {t.ID}, "vpc-id": {t.VPC}, "owner-id": {c.state.Account}, "route.gateway-id": nil,
				"route.destination-cidr-block": nil, "route.state": nil, "association.route-table-association-id": nil,
				"association.subnet-id": nil, "association.main": nil, "association.route-table-id": nil,
				"association.gateway-id": nil, "route.nat-gateway-id": nil, "route.origin": nil, "route.destination-prefix-list-id": nil,
			}
			for _, r := range t.Routes {
				filter := "route.gateway-id"
				if strings.HasPrefix(r.Gateway, "nat-") {
					filter = "route.nat-gateway-id"
				}
				a[filter] = append(a[filter], r.Gateway)
				a["route.destination-cidr-block"] = append(a["route.destination-cidr-block"], r.CIDR)
				a["route.destination-prefix-list-id"] = append(a["route.destination-prefix-list-id"], r.List)
				a["route.state"] = append(a["route.state"], string(c.routeState(t, r)))
			}
			for _, one := range t.Associations {
				a["association.route-table-association-id"] = append(a["association.route-table-association-id"], one.ID)
				a["association.subnet-id"] = append(a["association.subnet-id"], one.Subnet)
				a["association.main"] = append(a["association.main"], yesNo(one.Main)...)
				a["association.route-table-id"] = []string{t.ID}
			}
			return a
		}, c.showRouteTable)
	return &ec2.DescribeRouteTablesOutput{RouteTables: found, NextToken: next}, err
}

func deleteRouteTable(c *call, in *ec2.DeleteRouteTableInput) (*ec2.DeleteRouteTableOutput, error) {
	t, err := own(routeTableKind, c.region.RouteTables, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if len(t.Associations) > 0 {
		return nil, refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.ID)
	}
	for _, e := range c.region.Endpoints {
		if slices.Contains(e.RouteTables, t.ID) {
			return nil, refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.ID)
		}
	}
	delete(c.region.RouteTables, t.ID)
	return &ec2.DeleteRouteTableOutput{}, nil
}

// public tells whether a subnet's route table leads to an attached internet gateway.
func (c *call) public(n *subnet) bool { return c.leadsTo(n, "igw-") }

// translated tells whether a subnet's route table leads out through a NAT gateway.
func (c *call) translated(n *subnet) bool { return c.leadsTo(n, "nat-") }

// leadsTo tells whether a subnet's default route goes to a gateway of this kind that is there.
func (c *call) leadsTo(n *subnet, prefix string) bool {
	var used *routeTable
	for _, t := range c.region.RouteTables {
		if slices.ContainsFunc(t.Associations, func(a association) bool { return a.Subnet == n.ID }) {
			used = t
			break
		}
		if t.VPC == n.VPC && t.main() {
			used = t
		}
	}
	return used != nil && slices.ContainsFunc(used.Routes, func(r route) bool {
		return r.CIDR == "0.0.0.0/0" && strings.HasPrefix(r.Gateway, prefix) && c.routeState(used, r) == ec2types.RouteStateActive
	})
}
