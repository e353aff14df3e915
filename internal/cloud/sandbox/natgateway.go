package sandbox

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// natGateway lets subnets out that have no way of their own. Nobody makes one through the sandbox: it is there or not.
type natGateway struct {
	resource
	VPC     string `json:"vpc"`
	Subnet  string `json:"subnet"`
	Private bool   `json:"private,omitempty"` // leads into other private networks only
}

var natGatewayKind = kind{"nat", "NatGateway", "NatGatewayId", "The NatGateway"}

func registerNATGateways(all map[string]operation) {
	on(all, serviceEC2, "DescribeNatGateways", describeNatGateways)
}

func (c *call) showNATGateway(g *natGateway) ec2types.NatGateway {
	shown := ec2types.NatGateway{
		NatGatewayId: new(g.ID), VpcId: new(g.VPC), SubnetId: new(g.Subnet), State: ec2types.NatGatewayStateAvailable,
		ConnectivityType: ec2types.ConnectivityTypePublic, CreateTime: new(g.Born), Tags: ec2Tags(g.Tags),
	}
	if g.Private {
		shown.ConnectivityType = ec2types.ConnectivityTypePrivate
	}
	return shown
}

func describeNatGateways(c *call, in *ec2.DescribeNatGatewaysInput) (*ec2.DescribeNatGatewaysOutput, error) {
	for _, id := range in.NatGatewayIds {
		if c.region.NATGateways[id] == nil {
			return nil, refuse("NatGatewayNotFound", "NatGateway %s was not found", id)
		}
	}
	found, next, err := describe(c, natGatewayKind, c.region.NATGateways,
		query{in.NatGatewayIds, in.Filter, in.MaxResults, in.NextToken},
		func(g *natGateway) attributes {
			return attributes{"nat-gateway-id": {g.ID}, "vpc-id": {g.VPC}, "subnet-id": {g.Subnet}, "state": {"available"}}
		}, c.showNATGateway)
	return &ec2.DescribeNatGatewaysOutput{NatGateways: found, NextToken: next}, err
}
