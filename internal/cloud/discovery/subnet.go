package discovery

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// Subnet is a subnet with what decides over its traffic.
type Subnet struct {
	Resource
	VPC        string
	Zone       string // name, an alias of the account
	ZoneID     string
	CIDR       netip.Prefix // zero where it has IPv6 only
	State      string
	Free       int  // addresses
	MapPublic  bool // whether machines get a public address unless the launch says otherwise
	Default    bool
	Outpost    string // ARN, where it lies on one
	Blocked    string // how VPC Block Public Access acts on it
	RouteTable string
	Out        Out
	ACL        ACL
}

// NeedsPublicIP reports whether a machine in the subnet needs a public address to get out at all: an internet gateway
// translates only for those that have one (VPC user guide, "Enable internet access for a VPC using an internet gateway").
func (s Subnet) NeedsPublicIP() bool { return s.Out.Via == OutGateway }

func subnetOf(s ec2types.Subnet) Subnet {
	out := Subnet{
		Resource: named(aws.ToString(s.SubnetId), api.FromEC2(s.Tags)),
		VPC:      aws.ToString(s.VpcId), Zone: aws.ToString(s.AvailabilityZone), ZoneID: aws.ToString(s.AvailabilityZoneId),
		State: string(s.State), Free: int(aws.ToInt32(s.AvailableIpAddressCount)), MapPublic: aws.ToBool(s.MapPublicIpOnLaunch),
		Default: aws.ToBool(s.DefaultForAz), Outpost: aws.ToString(s.OutpostArn), Blocked: blocked(s.BlockPublicAccessStates),
		Out: Out{Via: OutNone},
	}
	for _, block := range prefixes(aws.ToString(s.CidrBlock)) {
		out.CIDR = block
	}
	return out
}
