package discovery

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// all is the protocol of a rule that means every protocol and port.
const all = "-1"

// SecurityGroup is a security group with its rules.
type SecurityGroup struct {
	Resource
	GroupName   string
	Description string
	VPC         string
	Ingress     []Rule
	Egress      []Rule
}

// Rule lets one peer through to a range of ports, or through to them at one peer.
type Rule struct {
	Protocol string // tcp, udp, icmp, a number, or -1 for all
	From, To int    // both -1 where the protocol has no ports
	// The peer is one of these.
	Block  netip.Prefix
	Group  string
	List   string // ID of a prefix list; see Region.SpellOut
	Reason string
}

// Port are the ports of the rule as people write them.
func (r Rule) Port() string {
	switch {
	case r.Protocol == all || r.From < 0:
		return "all"
	case r.From == r.To:
		return strconv.Itoa(r.From)
	default:
		return fmt.Sprintf("%d-%d", r.From, r.To)
	}
}

// Peer is whom the rule lets through.
func (r Rule) Peer() string {
	switch {
	case r.Group != "":
		return r.Group
	case r.List != "":
		return r.List
	default:
		return r.Block.String()
	}
}

func (r Rule) String() string {
	if r.Protocol == all {
		return "all traffic " + r.Peer()
	}
	return strings.Join([]string{r.Protocol, r.Port(), r.Peer()}, " ")
}

// covers reports whether the rule lets everything through that another asks for.
func (r Rule) covers(want Rule) bool {
	if !r.opens(want) {
		return false
	}
	if want.Group != "" {
		return r.Group == want.Group
	}
	return r.Block.IsValid() && contains(r.Block, want.Block)
}

// opens reports whether the rule is for all ports that another asks for, whoever the peers.
func (r Rule) opens(want Rule) bool {
	return r.Protocol == all || r.Protocol == want.Protocol && r.From <= want.From && r.To >= want.To
}

func groupOf(g ec2types.SecurityGroup) SecurityGroup {
	out := SecurityGroup{
		Resource:  named(aws.ToString(g.GroupId), api.FromEC2(g.Tags)),
		GroupName: aws.ToString(g.GroupName), Description: aws.ToString(g.Description), VPC: aws.ToString(g.VpcId),
		Ingress: rulesOf(g.IpPermissions), Egress: rulesOf(g.IpPermissionsEgress),
	}
	if out.Name == "" {
		out.Name = out.GroupName
	}
	return out
}

// rulesOf splits permissions into rules of one peer each.
func rulesOf(permissions []ec2types.IpPermission) []Rule {
	var rules []Rule
	for _, p := range permissions {
		base := Rule{Protocol: aws.ToString(p.IpProtocol), From: -1, To: -1}
		if p.FromPort != nil && p.ToPort != nil && base.Protocol != all {
			base.From, base.To = int(*p.FromPort), int(*p.ToPort)
		}
		add := func(reason *string, set func(*Rule)) {
			one := base
			one.Reason = aws.ToString(reason)
			set(&one)
			rules = append(rules, one)
		}
		for _, r := range p.IpRanges {
			for _, block := range prefixes(aws.ToString(r.CidrIp)) {
				add(r.Description, func(one *Rule) { one.Block = block })
			}
		}
		for _, r := range p.Ipv6Ranges {
			for _, block := range prefixes(aws.ToString(r.CidrIpv6)) {
				add(r.Description, func(one *Rule) { one.Block = block })
			}
		}
		for _, r := range p.UserIdGroupPairs {
			add(r.Description, func(one *Rule) { one.Group = aws.ToString(r.GroupId) })
		}
		for _, r := range p.PrefixListIds {
			add(r.Description, func(one *Rule) { one.List = aws.ToString(r.PrefixListId) })
		}
	}
	return rules
}
