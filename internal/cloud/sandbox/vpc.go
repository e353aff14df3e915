package sandbox

import (
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type vpc struct {
	resource
	CIDR         string `json:"cidr"`
	Default      bool   `json:"default,omitempty"`
	DNSSupport   bool   `json:"dns_support,omitempty"`
	DNSHostnames bool   `json:"dns_hostnames,omitempty"`
	Dedicated    bool   `json:"dedicated,omitempty"`
	Blocked      string `json:"blocked,omitempty"` // how VPC Block Public Access holds its internet gateway up
}

// networkDelay is how long a VPC or subnet is pending, and a gateway or association on its way.
const networkDelay = time.Second

func (v *vpc) available(now time.Time) bool { return !now.Before(v.Born.Add(networkDelay)) }

func registerVPC(all map[string]operation) {
	on(all, serviceEC2, "CreateVpc", createVpc)
	on(all, serviceEC2, "DescribeVpcs", describeVpcs)
	on(all, serviceEC2, "ModifyVpcAttribute", modifyVpcAttribute)
	on(all, serviceEC2, "DescribeVpcAttribute", describeVpcAttribute)
	on(all, serviceEC2, "DeleteVpc", deleteVpc)
	on(all, serviceEC2, "DescribeAvailabilityZones", describeAvailabilityZones)
	on(all, serviceEC2, "DescribeRegions", describeRegions)
}

// blockOf reads the CIDR block of a VPC or subnet, with the host bits cleared as EC2 stores it.
func blockOf(text, code string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4() {
		return netip.Prefix{}, refuse("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. "+
			"This is not a valid CIDR block.", text)
	}
	if prefix.Bits() < 16 || prefix.Bits() > 28 {
		return netip.Prefix{}, refuse(code, "The CIDR '%s' is invalid.", text)
	}
	return prefix.Masked(), nil
}

func createVpc(c *call, in *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	block, err := blockOf(deref(in.CidrBlock), "InvalidVpc.Range")
	if err != nil {
		return nil, err
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	if float64(len(c.region.VPCs)) >= c.state.quota(quotaVPCs) {
		return nil, refuse("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
	}
	v := &vpc{resource: c.birth(c.newID("vpc"), tags), CIDR: block.String(), DNSSupport: true}
	table := &routeTable{resource: c.birth(c.newID("rtb"), nil), VPC: v.ID}
	table.Routes = []route{{CIDR: v.CIDR, Gateway: "local"}}
	table.Associations = []association{{ID: c.newID("rtbassoc"), Main: true, Made: c.now}}
	group := &securityGroup{
		resource: c.birth(c.newID("sg"), nil), VPC: v.ID, Name: "default", Description: "default VPC security group",
	}
	group.Rules = []*rule{
		{resource: c.birth(c.newID("sgr"), nil), Protocol: "-1", From: -1, To: -1, Group: group.ID},
		{resource: c.birth(c.newID("sgr"), nil), Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"},
	}
	c.region.VPCs[v.ID], c.region.RouteTables[table.ID], c.region.Groups[group.ID] = v, table, group
	shown := c.showVpc(v)
	return &ec2.CreateVpcOutput{Vpc: &shown}, nil
}

func (c *call) showVpc(v *vpc) ec2types.Vpc {
	tenancy := ec2types.TenancyDefault
	if v.Dedicated {
		tenancy = ec2types.TenancyDedicated
	}
	return ec2types.Vpc{
		VpcId: new(v.ID), CidrBlock: new(v.CIDR), IsDefault: new(v.Default), OwnerId: new(c.state.Account), State: c.vpcState(v),
		InstanceTenancy: tenancy, BlockPublicAccessStates: blockStates(v.Blocked), DhcpOptionsId: new("dopt-0" + digest(c.state.Seed, c.region.Name)[:16]),
		Tags: ec2Tags(v.Tags),
		CidrBlockAssociationSet: []ec2types.VpcCidrBlockAssociation{{
			AssociationId: new("vpc-cidr-assoc-" + v.ID[4:]), CidrBlock: new(v.CIDR),
			CidrBlockState: &ec2types.VpcCidrBlockState{State: ec2types.VpcCidrBlockStateCodeAssociated},
		}},
	}
}

func describeVpcs(c *call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	found, next, err := describe(c, vpcKind, c.region.VPCs, query{in.VpcIds, in.Filters, in.MaxResults, in.NextToken},
		func(v *vpc) attributes {
			return attributes{
				"vpc-id": {v.ID}, "cidr": {v.CIDR}, "cidr-block-association.cidr-block": {v.CIDR},
				"is-default": yesNo(v.Default), "isDefault": yesNo(v.Default),
				"owner-id": {c.state.Account}, "state": {string(c.vpcState(v))},
			}
		}, c.showVpc)
	return &ec2.DescribeVpcsOutput{Vpcs: found, NextToken: next}, err
}

func (c *call) vpcState(v *vpc) ec2types.VpcState {
	if v.available(c.now) {
		return ec2types.VpcStateAvailable
	}
	return ec2types.VpcStatePending
}

// modifyVpcAttribute changes one attribute a request (EC2 API reference, ModifyVpcAttribute).
func modifyVpcAttribute(c *call, in *ec2.ModifyVpcAttributeInput) (*ec2.ModifyVpcAttributeOutput, error) {
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	support, hostnames := in.EnableDnsSupport, in.EnableDnsHostnames
	if support != nil && hostnames != nil {
		return nil, refuse("InvalidParameterCombination", "Fields for multiple attribute types specified")
	}
	switch {
	case support != nil:
		v.DNSSupport = deref(support.Value)
	case hostnames != nil && deref(hostnames.Value) && !v.DNSSupport:
		return nil, refuse("InvalidParameterValue", "DNS hostnames need DNS support to be enabled first")
	case hostnames != nil:
		v.DNSHostnames = deref(hostnames.Value)
	case in.EnableNetworkAddressUsageMetrics == nil:
		return nil, refuse("MissingParameter", "The request must contain an attribute to modify")
	}
	return &ec2.ModifyVpcAttributeOutput{}, nil
}

func describeVpcAttribute(c *call, in *ec2.DescribeVpcAttributeInput) (*ec2.DescribeVpcAttributeOutput, error) {
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcAttributeOutput{VpcId: new(v.ID)}
	switch in.Attribute {
	case ec2types.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &ec2types.AttributeBooleanValue{Value: new(v.DNSSupport)}
	case ec2types.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &ec2types.AttributeBooleanValue{Value: new(v.DNSHostnames)}
	case ec2types.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &ec2types.AttributeBooleanValue{Value: new(false)}
	}
	return out, nil
}

// deleteVpc takes the main route table and the default security group along; all else must be gone before (EC2 API
// reference, DeleteVpc).
func deleteVpc(c *call, in *ec2.DeleteVpcInput) (*ec2.DeleteVpcOutput, error) {
	v, err := own(vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	if c.inUse(v) {
		return nil, refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.ID)
	}
	for id, table := range c.region.RouteTables {
		if table.VPC == v.ID {
			delete(c.region.RouteTables, id)
		}
	}
	for id, group := range c.region.Groups {
		if group.VPC == v.ID {
			delete(c.region.Groups, id)
		}
	}
	delete(c.region.VPCs, v.ID)
	return &ec2.DeleteVpcOutput{}, nil
}

func (c *call) inUse(v *vpc) bool {
	for _, n := range c.region.Subnets {
		if n.VPC == v.ID {
			return true
		}
	}
	for _, g := range c.region.Gateways {
		if g.VPC == v.ID {
			return true
		}
	}
	for _, table := range c.region.RouteTables {
		if table.VPC == v.ID && !table.main() {
			return true
		}
	}
	for _, group := range c.region.Groups {
		if group.VPC == v.ID && group.Name != "default" {
			return true
		}
	}
	for _, i := range c.region.Interfaces {
		if i.VPC == v.ID {
			return true
		}
	}
	for _, e := range c.region.Endpoints {
		if e.VPC == v.ID {
			return true
		}
	}
	return false
}

// blockStates tells how VPC Block Public Access acts (VPC user guide, "Block public access to VPCs and subnets"). The sandbox
// shows it and holds nothing up by it.
func blockStates(mode string) *ec2types.BlockPublicAccessStates {
	if mode == "" {
		mode = string(ec2types.BlockPublicAccessModeOff)
	}
	return &ec2types.BlockPublicAccessStates{InternetGatewayBlockMode: ec2types.BlockPublicAccessMode(mode)}
}
