package sandbox

import (
	"net/netip"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type subnet struct {
	resource
	VPC       string `json:"vpc"`
	CIDR      string `json:"cidr"`
	Zone      string `json:"zone"`
	MapPublic bool   `json:"map_public,omitempty"`
	Default   bool   `json:"default,omitempty"`
}

func registerSubnets(all map[string]operation) {
	on(all, serviceEC2, "CreateSubnet", createSubnet)
	on(all, serviceEC2, "DescribeSubnets", describeSubnets)
	on(all, serviceEC2, "ModifySubnetAttribute", modifySubnetAttribute)
	on(all, serviceEC2, "DeleteSubnet", deleteSubnet)
}

func createSubnet(c *call, in *ec2.CreateSubnetInput) (*ec2.CreateSubnetOutput, error) {
	v, err := find(c, vpcKind, c.region.VPCs, in.VpcId)
	if err != nil {
		return nil, err
	}
	block, err := blockOf(deref(in.CidrBlock), "InvalidSubnet.Range")
	if err != nil {
		return nil, err
	}
	whole := netip.MustParsePrefix(v.CIDR)
	if !whole.Contains(block.Addr()) || block.Bits() < whole.Bits() {
		return nil, refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	for _, other := range c.region.Subnets {
		if other.VPC == v.ID && netip.MustParsePrefix(other.CIDR).Overlaps(block) {
			return nil, refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
		}
	}
	z := zonesOf(c.region.Name)[c.random.IntN(len(zonesOf(c.region.Name)))] // AWS chooses; it spreads nothing by itself
	if in.AvailabilityZone != nil || in.AvailabilityZoneId != nil {
		if z, err = c.zoneNamed(in.AvailabilityZone, in.AvailabilityZoneId); err != nil {
			return nil, err
		}
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	n := &subnet{resource: c.birth(c.newID("subnet"), tags), VPC: v.ID, CIDR: block.String(), Zone: z.Name}
	c.region.Subnets[n.ID] = n
	shown := c.showSubnet(n)
	return &ec2.CreateSubnetOutput{Subnet: &shown}, nil
}

// reserved is how many addresses AWS keeps of each subnet: network, router, DNS, future use, broadcast (VPC user guide,
// "Subnet CIDR blocks").
const reserved = 5

// free counts the addresses of a subnet that no network interface has.
func (c *call) free(n *subnet) int {
	prefix, err := netip.ParsePrefix(n.CIDR)
	if err != nil {
		return 0
	}
	left := 1<<(32-prefix.Bits()) - reserved
	for _, i := range c.region.Interfaces {
		if i.Subnet == n.ID {
			left--
		}
	}
	return left
}

// address picks the first free address of a subnet, or none.
func (c *call) address(n *subnet) (string, bool) {
	if c.free(n) <= 0 {
		return "", false
	}
	taken := map[string]bool{}
	for _, i := range c.region.Interfaces {
		taken[i.PrivateIP] = true
	}
	prefix := netip.MustParsePrefix(n.CIDR)
	addr := prefix.Addr()
	for range reserved - 1 { // the first four are not given out
		addr = addr.Next()
	}
	for prefix.Contains(addr) && prefix.Contains(addr.Next()) {
		if !taken[addr.String()] {
			return addr.String(), true
		}
		addr = addr.Next()
	}
	return "", false
}

func (c *call) subnetState(n *subnet) ec2types.SubnetState {
	if c.now.Before(n.Born.Add(networkDelay)) {
		return ec2types.SubnetStatePending
	}
	return ec2types.SubnetStateAvailable
}

// blocked is how VPC Block Public Access acts on a subnet: as on its VPC.
func (c *call) blocked(n *subnet) string {
	if v := c.region.VPCs[n.VPC]; v != nil {
		return v.Blocked
	}
	return ""
}

func (c *call) showSubnet(n *subnet) ec2types.Subnet {
	return ec2types.Subnet{
		SubnetId: new(n.ID), VpcId: new(n.VPC), CidrBlock: new(n.CIDR), State: c.subnetState(n),
		AvailabilityZone: new(n.Zone), AvailabilityZoneId: new(zoneID(c.region.Name, n.Zone)),
		AvailableIpAddressCount: new(int32(c.free(n))), DefaultForAz: new(n.Default), MapPublicIpOnLaunch: new(n.MapPublic),
		BlockPublicAccessStates:     blockStates(c.blocked(n)),
		AssignIpv6AddressOnCreation: new(false), OwnerId: new(c.state.Account),
		SubnetArn: new(c.arn("ec2", "subnet/"+n.ID)), Tags: ec2Tags(n.Tags),
	}
}

func describeSubnets(c *call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	found, next, err := describe(c, subnetKind, c.region.Subnets,
		query{in.SubnetIds, in.Filters, in.MaxResults, in.NextToken},
		func(n *subnet) attributes {
			id := zoneID(c.region.Name, n.Zone)
			return attributes{
				"subnet-id": {n.ID}, "vpc-id": {n.VPC}, "cidr-block": {n.CIDR}, "cidr": {n.CIDR}, "cidrBlock": {n.CIDR},
				"availability-zone": {n.Zone}, "availabilityZone": {n.Zone},
				"availability-zone-id": {id}, "availabilityZoneId": {id},
				"available-ip-address-count": {strconv.Itoa(c.free(n))}, "state": {string(c.subnetState(n))},
				"default-for-az": yesNo(n.Default), "defaultForAz": yesNo(n.Default),
				"map-public-ip-on-launch": yesNo(n.MapPublic), "owner-id": {c.state.Account},
				"subnet-arn": {c.arn("ec2", "subnet/"+n.ID)},
			}
		}, c.showSubnet)
	return &ec2.DescribeSubnetsOutput{Subnets: found, NextToken: next}, err
}

func modifySubnetAttribute(c *call, in *ec2.ModifySubnetAttributeInput) (*ec2.ModifySubnetAttributeOutput, error) {
	n, err := find(c, subnetKind, c.region.Subnets, in.SubnetId)
	if err != nil {
		return nil, err
	}
	if in.MapPublicIpOnLaunch != nil {
		n.MapPublic = deref(in.MapPublicIpOnLaunch.Value)
	}
	return &ec2.ModifySubnetAttributeOutput{}, nil
}

func deleteSubnet(c *call, in *ec2.DeleteSubnetInput) (*ec2.DeleteSubnetOutput, error) {
	n, err := own(subnetKind, c.region.Subnets, in.SubnetId)
	if err != nil {
		return nil, err
	}
	for _, i := range c.region.Interfaces {
		if i.Subnet == n.ID {
			return nil, refuse("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", n.ID)
		}
	}
	for _, table := range c.region.RouteTables {
		table.leave(func(a association) bool { return a.Subnet == n.ID })
	}
	delete(c.region.Subnets, n.ID)
	return &ec2.DeleteSubnetOutput{}, nil
}
