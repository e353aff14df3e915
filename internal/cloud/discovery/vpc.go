package discovery

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// VPC is a virtual private cloud.
type VPC struct {
	Resource
	CIDRs   []netip.Prefix // IPv4, the first is the primary one
	Default bool
	State   string // available or pending
	Tenancy string // default or dedicated
	Gateway string // ID of the attached internet gateway, or ""
	Blocked string // how VPC Block Public Access holds up its gateway: "", block-bidirectional or block-ingress
	Peers   []Peer
	// Routes are the address ranges beyond the VPC to which its route tables lead, but for the whole internet.
	Routes []netip.Prefix
	DNS    *DNS // nil: not asked; see Reader.AskDNS
}

// DNS are the DNS attributes of a VPC, both of which an EFS mount by name needs (EFS user guide, "Mounting with the EFS mount
// helper").
type DNS struct{ Support, Hostnames bool }

// Peer is a network at the other end of an active peering connection.
type Peer struct {
	Connection string // pcx-...
	VPC        string
	CIDRs      []netip.Prefix
}

func vpcOf(v ec2types.Vpc) VPC {
	out := VPC{
		Resource: named(aws.ToString(v.VpcId), api.FromEC2(v.Tags)),
		Default:  aws.ToBool(v.IsDefault), State: string(v.State), Tenancy: string(v.InstanceTenancy),
		CIDRs:   prefixes(aws.ToString(v.CidrBlock)),
		Blocked: blocked(v.BlockPublicAccessStates),
	}
	for _, a := range v.CidrBlockAssociationSet {
		if a.CidrBlockState != nil && a.CidrBlockState.State != ec2types.VpcCidrBlockStateCodeAssociated {
			continue
		}
		if aws.ToString(a.CidrBlock) != aws.ToString(v.CidrBlock) {
			out.CIDRs = append(out.CIDRs, prefixes(aws.ToString(a.CidrBlock))...)
		}
	}
	return out
}

// blocked is how Block Public Access acts, or "" where it does not (VPC user guide, "Block public access to VPCs and
// subnets").
func blocked(s *ec2types.BlockPublicAccessStates) string {
	if s == nil || s.InternetGatewayBlockMode == ec2types.BlockPublicAccessModeOff {
		return ""
	}
	return string(s.InternetGatewayBlockMode)
}

// join adds a peering connection to the VPCs that it joins.
func join(vpcs []VPC, c ec2types.VpcPeeringConnection) {
	if c.Status == nil || c.Status.Code != ec2types.VpcPeeringConnectionStateReasonCodeActive {
		return
	}
	ends := [2]*ec2types.VpcPeeringConnectionVpcInfo{c.RequesterVpcInfo, c.AccepterVpcInfo}
	for i, end := range ends {
		other := ends[1-i]
		if end == nil || other == nil {
			continue
		}
		for v := range vpcs {
			if vpcs[v].ID == aws.ToString(end.VpcId) {
				vpcs[v].Peers = append(vpcs[v].Peers, peerOf(aws.ToString(c.VpcPeeringConnectionId), other))
			}
		}
	}
}

func peerOf(connection string, info *ec2types.VpcPeeringConnectionVpcInfo) Peer {
	p := Peer{Connection: connection, VPC: aws.ToString(info.VpcId)}
	for _, b := range info.CidrBlockSet {
		p.CIDRs = append(p.CIDRs, prefixes(aws.ToString(b.CidrBlock))...)
	}
	if len(p.CIDRs) == 0 {
		p.CIDRs = prefixes(aws.ToString(info.CidrBlock))
	}
	return p
}

// prefixes reads a CIDR block, or none.
func prefixes(cidr string) []netip.Prefix {
	block, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil
	}
	return []netip.Prefix{block.Masked()}
}
