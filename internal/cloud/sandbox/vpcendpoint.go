package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// endpoint is a VPC endpoint: of the gateway kind with route tables, or of the interface kind with network interfaces.
type endpoint struct {
	resource
	VPC         string   `json:"vpc"`
	Type        string   `json:"type"`
	Service     string   `json:"service"`
	Token       string   `json:"token,omitempty"`
	RouteTables []string `json:"route_tables,omitempty"`
	Subnets     []string `json:"subnets,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	Interfaces  []string `json:"interfaces,omitempty"`
}

// endpointDelay is how long an interface endpoint is pending.
const endpointDelay = 30 * time.Second

func registerEndpoints(all map[string]operation) {
	on(all, serviceEC2, "CreateVpcEndpoint", createVpcEndpoint)
	on(all, serviceEC2, "DescribeVpcEndpoints", describeVpcEndpoints)
	on(all, serviceEC2, "DeleteVpcEndpoints", deleteVpcEndpoints)
}

func createVpcEndpoint(c *call, in *ec2.CreateVpcEndpointInput) (*ec2.CreateVpcEndpointOutput, error) {
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeVpcEndpoint)
	if err != nil {
		return nil, err
	}
	e := &endpoint{
		VPC: v.ID, Type: string(in.VpcEndpointType), Service: deref(in.ServiceName), Token: deref(in.ClientToken),
		RouteTables: slices.Clone(in.RouteTableIds), Subnets: slices.Clone(in.SubnetIds),
	}
	if e.Type == "" {
		e.Type = string(ec2types.VpcEndpointTypeGateway)
	}
	for _, other := range c.region.Endpoints {
		if e.Token != "" && other.Token == e.Token {
			if other.VPC != e.VPC || other.Service != e.Service {
				return nil, mismatch(e.Token)
			}
			return &ec2.CreateVpcEndpointOutput{VpcEndpoint: new(c.showEndpoint(other)), ClientToken: in.ClientToken}, nil
		}
	}
	if !strings.HasPrefix(e.Service, "com.amazonaws."+c.region.Name+".") {
		return nil, refuse("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", e.Service)
	}
	for _, id := range e.RouteTables {
		if _, err := find(c, routeTableKind, c.region.RouteTables, &id); err != nil {
			return nil, err
		}
		for _, other := range c.region.Endpoints {
			if other.Service == e.Service && slices.Contains(other.RouteTables, id) {
				return nil, refuse("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s",
					id, c.prefixListID(e.Service))
			}
		}
	}
	if e.Groups, err = c.groupsFor(in.SecurityGroupIds, v.ID); err != nil {
		return nil, err
	}
	var homes []*subnet
	for _, id := range e.Subnets {
		n, err := find(c, subnetKind, c.region.Subnets, &id)
		if err != nil {
			return nil, err
		}
		if c.free(n) <= 0 {
			return nil, refuse("InsufficientFreeAddressesInSubnet", "Not enough free addresses in subnet %s", n.ID)
		}
		homes = append(homes, n)
	}
	e.resource = c.birth(c.newID("vpce"), tags)
	for _, n := range homes {
		if i, ok := c.join(n, e.Groups, nil); ok {
			i.Requester, i.Description = "amazon-vpce", "VPC Endpoint Interface "+e.ID
			e.Interfaces = append(e.Interfaces, i.ID)
		}
	}
	c.region.Endpoints[e.ID] = e
	return &ec2.CreateVpcEndpointOutput{VpcEndpoint: new(c.showEndpoint(e)), ClientToken: in.ClientToken}, nil
}

// The states of an endpoint, as EC2 sends them: the SDK's constants have capitals (AWS PrivateLink guide, "Interface endpoint
// lifecycle").
const (
	endpointPending   ec2types.State = "pending"
	endpointAvailable ec2types.State = "available"
)

func (c *call) endpointState(e *endpoint) ec2types.State {
	if e.Type != string(ec2types.VpcEndpointTypeGateway) && c.now.Before(e.Born.Add(endpointDelay)) {
		return endpointPending
	}
	return endpointAvailable
}

func (c *call) showEndpoint(e *endpoint) ec2types.VpcEndpoint {
	shown := ec2types.VpcEndpoint{
		VpcEndpointId: new(e.ID), VpcId: new(e.VPC), ServiceName: new(e.Service), State: c.endpointState(e),
		VpcEndpointType: ec2types.VpcEndpointType(e.Type), RouteTableIds: slices.Clone(e.RouteTables), SubnetIds: slices.Clone(e.Subnets),
		NetworkInterfaceIds: slices.Clone(e.Interfaces), CreationTimestamp: new(e.Born), OwnerId: new(c.state.Account), Tags: ec2Tags(e.Tags),
	}
	for _, g := range c.groupIdentifiers(e.Groups) {
		shown.Groups = append(shown.Groups, ec2types.SecurityGroupIdentifier{GroupId: g.GroupId, GroupName: g.GroupName})
	}
	return shown
}

func describeVpcEndpoints(c *call, in *ec2.DescribeVpcEndpointsInput) (*ec2.DescribeVpcEndpointsOutput, error) {
	found, next, err := describe(c, endpointKind, c.region.Endpoints,
		query{in.VpcEndpointIds, in.Filters, in.MaxResults, in.NextToken},
		func(e *endpoint) attributes {
			return attributes{
				"vpc-endpoint-id": {e.ID}, "vpc-id": {e.VPC}, "service-name": {e.Service}, "vpc-endpoint-type": {e.Type},
				"vpc-endpoint-state": {string(c.endpointState(e))},
			}
		}, c.showEndpoint)
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: found, NextToken: next}, err
}

func deleteVpcEndpoints(c *call, in *ec2.DeleteVpcEndpointsInput) (*ec2.DeleteVpcEndpointsOutput, error) {
	out := &ec2.DeleteVpcEndpointsOutput{}
	for _, id := range in.VpcEndpointIds {
		e, ok := c.region.Endpoints[id]
		if !ok {
			out.Unsuccessful = append(out.Unsuccessful, ec2types.UnsuccessfulItem{
				ResourceId: new(id),
				Error: &ec2types.UnsuccessfulItemError{
					Code: new("InvalidVpcEndpoint.NotFound"), Message: new("The Vpc Endpoint Id '" + id + "' does not exist"),
				},
			})
			continue
		}
		for _, i := range e.Interfaces {
			if c.region.Interfaces[i] != nil {
				c.region.Interfaces[i].Gone = c.now.Add(interfaceLag)
			}
		}
		delete(c.region.Endpoints, id)
	}
	return out, nil
}
