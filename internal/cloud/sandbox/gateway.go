package sandbox

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type gateway struct {
	resource
	VPC      string    `json:"vpc,omitempty"` // attached to
	Attached time.Time `json:"attached,omitzero"`
}

func registerGateways(all map[string]operation) {
	on(all, serviceEC2, "CreateInternetGateway", createInternetGateway)
	on(all, serviceEC2, "AttachInternetGateway", attachInternetGateway)
	on(all, serviceEC2, "DetachInternetGateway", detachInternetGateway)
	on(all, serviceEC2, "DescribeInternetGateways", describeInternetGateways)
	on(all, serviceEC2, "DeleteInternetGateway", deleteInternetGateway)
}

func createInternetGateway(c *call, in *ec2.CreateInternetGatewayInput) (*ec2.CreateInternetGatewayOutput, error) {
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	if float64(len(c.region.Gateways)) >= c.state.quota(quotaGateways) {
		return nil, refuse("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.")
	}
	g := &gateway{resource: c.birth(c.newID("igw"), tags)}
	c.region.Gateways[g.ID] = g
	shown := c.showGateway(g)
	return &ec2.CreateInternetGatewayOutput{InternetGateway: &shown}, nil
}

func attachInternetGateway(c *call, in *ec2.AttachInternetGatewayInput) (*ec2.AttachInternetGatewayOutput, error) {
	g, err := find(c, gatewayKind, c.region.Gateways, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	if g.VPC != "" {
		return nil, refuse("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID, g.VPC)
	}
	for _, other := range c.region.Gateways {
		if other.VPC == v.ID {
			return nil, refuse("InvalidParameterValue", "Network %s already has an internet gateway attached", v.ID)
		}
	}
	g.VPC, g.Attached = v.ID, c.now
	return &ec2.AttachInternetGatewayOutput{}, nil
}

// detachInternetGateway is refused while anything in the VPC has a public address (EC2 API reference,
// DetachInternetGateway).
func detachInternetGateway(c *call, in *ec2.DetachInternetGatewayInput) (*ec2.DetachInternetGatewayOutput, error) {
	g, err := own(gatewayKind, c.region.Gateways, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if g.VPC == "" || g.VPC != deref(in.VpcId) {
		return nil, refuse("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID, deref(in.VpcId))
	}
	for _, i := range c.region.Interfaces {
		if i.VPC == g.VPC && i.PublicIP != "" && c.publicNow(i) {
			return nil, refuse("DependencyViolation", "Network %s has some mapped public address(es). "+
				"Please unmap those public address(es) before detaching the gateway.", g.VPC)
		}
	}
	g.VPC, g.Attached = "", time.Time{}
	return &ec2.DetachInternetGatewayOutput{}, nil
}

func (c *call) showGateway(g *gateway) ec2types.InternetGateway {
	shown := ec2types.InternetGateway{
		InternetGatewayId: new(g.ID), OwnerId: new(c.state.Account), Tags: ec2Tags(g.Tags),
	}
	if g.VPC != "" {
		shown.Attachments = []ec2types.InternetGatewayAttachment{{VpcId: new(g.VPC), State: c.attachment(g)}}
	}
	return shown
}

// attachment is the state of the gateway's attachment. EC2 says available where its model has only attached.
func (c *call) attachment(g *gateway) ec2types.AttachmentStatus {
	if c.now.Before(g.Attached.Add(networkDelay)) {
		return ec2types.AttachmentStatusAttaching
	}
	return "available"
}

func describeInternetGateways(c *call, in *ec2.DescribeInternetGatewaysInput) (*ec2.DescribeInternetGatewaysOutput, error) {
	found, next, err := describe(c, gatewayKind, c.region.Gateways,
		query{in.InternetGatewayIds, in.Filters, in.MaxResults, in.NextToken},
		func(g *gateway) attributes {
			a := attributes{
				"internet-gateway-id": {g.ID}, "owner-id": {c.state.Account}, "attachment.vpc-id": nil, "attachment.state": nil,
			}
			if g.VPC != "" {
				a["attachment.vpc-id"], a["attachment.state"] = []string{g.VPC}, []string{string(c.attachment(g))}
			}
			return a
		}, c.showGateway)
	return &ec2.DescribeInternetGatewaysOutput{InternetGateways: found, NextToken: next}, err
}

func deleteInternetGateway(c *call, in *ec2.DeleteInternetGatewayInput) (*ec2.DeleteInternetGatewayOutput, error) {
	g, err := own(gatewayKind, c.region.Gateways, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if g.VPC != "" {
		return nil, refuse("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", g.ID)
	}
	delete(c.region.Gateways, g.ID)
	return &ec2.DeleteInternetGatewayOutput{}, nil
}
