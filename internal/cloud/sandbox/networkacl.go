package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// networkACL is a network ACL. The sandbox makes one with every VPC and shows it; it does not hold traffic up by it.
type networkACL struct {
	resource
	VPC     string     `json:"vpc"`
	Subnets []string   `json:"subnets,omitempty"` // of the others the VPC's default one takes care
	Default bool       `json:"default,omitempty"`
	Entries []aclEntry `json:"entries"`
}

type aclEntry struct {
	Number   int32  `json:"number"`
	Egress   bool   `json:"egress,omitempty"`
	Allow    bool   `json:"allow,omitempty"`
	Protocol string `json:"protocol"`
	From     int32  `json:"from,omitempty"`
	To       int32  `json:"to,omitempty"`
	CIDR     string `json:"cidr"`
}

var networkACLKind = kind{"acl", "InvalidNetworkAclID", "InvalidNetworkAclId", "The networkAcl ID"}

func registerNetworkACLs(all map[string]operation) {
	on(all, serviceEC2, "DescribeNetworkAcls", describeNetworkAcls)
}

// openEntries let everything through; the last of each direction, which nobody can remove, lets nothing (VPC user guide,
// "Default network ACL").
func openEntries() []aclEntry {
	return []aclEntry{
		{Number: 100, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"},
		{Number: 32767, Protocol: "-1", CIDR: "0.0.0.0/0"},
		{Number: 100, Egress: true, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"},
		{Number: 32767, Egress: true, Protocol: "-1", CIDR: "0.0.0.0/0"},
	}
}

// networkACLs are those of the region: the default one of each VPC is not kept but follows from it.
func (c *call) networkACLs() map[string]*networkACL {
	all := map[string]*networkACL{}
	taken := map[string]bool{}
	for id, one := range c.region.NetworkACLs {
		all[id] = one
		for _, n := range one.Subnets {
			taken[n] = true
		}
	}
	for _, v := range c.region.VPCs {
		one := &networkACL{VPC: v.ID, Default: true, Entries: openEntries()}
		one.resource = resource{ID: "acl-" + v.ID[len("vpc-"):], Born: v.Born, Seen: v.Seen}
		for _, n := range c.region.Subnets {
			if n.VPC == v.ID && !taken[n.ID] {
				one.Subnets = append(one.Subnets, n.ID)
			}
		}
		slices.Sort(one.Subnets)
		all[one.ID] = one
	}
	return all
}

func (c *call) showNetworkACL(a *networkACL) ec2types.NetworkAcl {
	shown := ec2types.NetworkAcl{
		NetworkAclId: new(a.ID), VpcId: new(a.VPC), IsDefault: new(a.Default), OwnerId: new(c.state.Account), Tags: ec2Tags(a.Tags),
	}
	for _, id := range a.Subnets {
		shown.Associations = append(shown.Associations, ec2types.NetworkAclAssociation{
			NetworkAclId: new(a.ID), SubnetId: new(id), NetworkAclAssociationId: new("aclassoc-" + id[len("subnet-"):]),
		})
	}
	for _, e := range a.Entries {
		one := ec2types.NetworkAclEntry{
			RuleNumber: new(e.Number), Egress: new(e.Egress), Protocol: new(e.Protocol), CidrBlock: new(e.CIDR),
			RuleAction: ec2types.RuleActionDeny,
		}
		if e.Allow {
			one.RuleAction = ec2types.RuleActionAllow
		}
		if e.Protocol != "-1" {
			one.PortRange = &ec2types.PortRange{From: new(e.From), To: new(e.To)}
		}
		shown.Entries = append(shown.Entries, one)
	}
	return shown
}

func describeNetworkAcls(c *call, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
	found, next, err := describe(c, networkACLKind, c.networkACLs(),
		query{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken},
		func(a *networkACL) attributes {
			return attributes{
				"network-acl-id": {a.ID}, "vpc-id": {a.VPC}, "default": yesNo(a.Default), "association.subnet-id": a.Subnets,
				"owner-id": {c.state.Account},
			}
		}, c.showNetworkACL)
	return &ec2.DescribeNetworkAclsOutput{NetworkAcls: found, NextToken: next}, err
}
