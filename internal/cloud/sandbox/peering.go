package sandbox

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// peering joins a VPC with one of another account.
type peering struct {
	resource
	VPC          string `json:"vpc"`
	Peer         string `json:"peer"`
	PeerCIDR     string `json:"peer_cidr"`
	PeerAccount  string `json:"peer_account"`
	PeerRegion   string `json:"peer_region"`
	PeerAccepted bool   `json:"peer_accepted,omitempty"`
}

var peeringKind = kind{"pcx", "InvalidVpcPeeringConnectionID", "InvalidVpcPeeringConnectionId", "The vpcPeeringConnection ID"}

func registerPeerings(all map[string]operation) {
	on(all, serviceEC2, "DescribeVpcPeeringConnections", describeVpcPeeringConnections)
}

func (c *call) showPeering(p *peering) ec2types.VpcPeeringConnection {
	status := ec2types.VpcPeeringConnectionStateReasonCodePendingAcceptance
	if p.PeerAccepted {
		status = ec2types.VpcPeeringConnectionStateReasonCodeActive
	}
	own := ""
	if v := c.region.VPCs[p.VPC]; v != nil {
		own = v.CIDR
	}
	end := func(vpc, cidr, account, region string) *ec2types.VpcPeeringConnectionVpcInfo {
		return &ec2types.VpcPeeringConnectionVpcInfo{
			VpcId: new(vpc), CidrBlock: new(cidr), OwnerId: new(account), Region: new(region),
			CidrBlockSet: []ec2types.CidrBlock{{CidrBlock: new(cidr)}},
		}
	}
	return ec2types.VpcPeeringConnection{
		VpcPeeringConnectionId: new(p.ID), Tags: ec2Tags(p.Tags),
		Status:           &ec2types.VpcPeeringConnectionStateReason{Code: status},
		RequesterVpcInfo: end(p.VPC, own, c.state.Account, c.region.Name),
		AccepterVpcInfo:  end(p.Peer, p.PeerCIDR, p.PeerAccount, p.PeerRegion),
	}
}

func describeVpcPeeringConnections(c *call, in *ec2.DescribeVpcPeeringConnectionsInput) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	found, next, err := describe(c, peeringKind, c.region.Peerings,
		query{in.VpcPeeringConnectionIds, in.Filters, in.MaxResults, in.NextToken},
		func(p *peering) attributes {
			return attributes{
				"vpc-peering-connection-id": {p.ID}, "requester-vpc-info.vpc-id": {p.VPC}, "accepter-vpc-info.vpc-id": {p.Peer},
				"status-code": {string(c.showPeering(p).Status.Code)},
			}
		}, c.showPeering)
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: found, NextToken: next}, err
}
