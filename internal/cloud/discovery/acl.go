package discovery

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ACL is a network ACL: what a subnet lets in and out, without memory of connections. One without an ID is not known and
// counts as open.
type ACL struct {
	ID      string
	Entries []Entry // in the order in which they are tried
}

// Entry is one numbered rule of a network ACL. The first that matches decides (VPC user guide, "Network ACL rules").
type Entry struct {
	Number   int
	Egress   bool
	Allow    bool
	Protocol string // a number, or -1 for all
	From, To int
	Block    netip.Prefix
}

// protocolTCP is the number of TCP (IANA, "Protocol Numbers"); network ACLs have no names for protocols.
const protocolTCP = "6"

func aclOf(a ec2types.NetworkAcl) ACL {
	out := ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, e := range a.Entries {
		for _, block := range prefixes(aws.ToString(e.CidrBlock)) {
			one := Entry{
				Number: int(aws.ToInt32(e.RuleNumber)), Egress: aws.ToBool(e.Egress), Allow: e.RuleAction == ec2types.RuleActionAllow,
				Protocol: aws.ToString(e.Protocol), From: 0, To: 65535, Block: block,
			}
			if e.PortRange != nil && one.Protocol != all {
				one.From, one.To = int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))
			}
			out.Entries = append(out.Entries, one)
		}
	}
	slices.SortStableFunc(out.Entries, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// Lets reports whether TCP to a port passes in one direction: the port of the machine and addresses that ask for inbound
// traffic, the port of the others and their addresses for outbound. A range that is denied in part counts as denied.
func (a ACL) Lets(egress bool, port int, block netip.Prefix) bool {
	if a.ID == "" {
		return true
	}
	for _, e := range a.Entries {
		if e.Egress != egress || e.Protocol != all && e.Protocol != protocolTCP || port < e.From || port > e.To {
			continue
		}
		if e.Allow && contains(e.Block, block) {
			return true
		}
		if !e.Allow && e.Block.Overlaps(block) {
			return false
		}
	}
	return false
}

// contains reports whether all of one range lies in another.
func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
