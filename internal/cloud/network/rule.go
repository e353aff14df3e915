package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

// rule is one rule in the form in which EC2 keeps it. Two rules are the same when their peers are.
type rule struct {
	peer
	reason string
}

type peer struct {
	protocol string
	port     int32
	block    netip.Prefix // without host bits; zero when group is set
	group    string       // ID
}

// converted turns the rules of a spec into those of EC2. EC2 stores a CIDR block without its host bits (EC2 API reference,
// IpRange), so two rules of a spec may be one here.
func converted(rules []stack.Rule, id func(stack.Key) string) ([]rule, error) {
	var all []rule
	for _, r := range rules {
		p := peer{protocol: r.Protocol, port: int32(r.Port)}
		if r.Group != "" {
			p.group = id(r.Group)
		} else {
			block, err := netip.ParsePrefix(r.CIDR)
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", r.Reason, err)
			}
			p.block = block.Masked()
		}
		if !slices.ContainsFunc(all, func(o rule) bool { return o.peer == p }) {
			all = append(all, rule{peer: p, reason: r.Reason})
		}
	}
	return all, nil
}

// missing returns the rules that the permissions of a group do not contain.
func missing(wanted []rule, have []ec2types.IpPermission) []rule {
	present := map[peer]bool{}
	for _, p := range have {
		if aws.ToInt32(p.FromPort) != aws.ToInt32(p.ToPort) {
			continue // a range of ports is somebody else's
		}
		base := peer{protocol: aws.ToString(p.IpProtocol), port: aws.ToInt32(p.FromPort)}
		cidrs := make([]string, 0, len(p.IpRanges)+len(p.Ipv6Ranges))
		for _, r := range p.IpRanges {
			cidrs = append(cidrs, aws.ToString(r.CidrIp))
		}
		for _, r := range p.Ipv6Ranges {
			cidrs = append(cidrs, aws.ToString(r.CidrIpv6))
		}
		for _, cidr := range cidrs {
			if block, err := netip.ParsePrefix(cidr); err == nil {
				one := base
				one.block = block.Masked()
				present[one] = true
			}
		}
		for _, pair := range p.UserIdGroupPairs {
			one := base
			one.group = aws.ToString(pair.GroupId)
			present[one] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(r rule) bool { return present[r.peer] })
}

// permissions puts rules into the form of a request: one permission for each protocol and port.
func permissions(rules []rule) []ec2types.IpPermission {
	sorted := slices.SortedStableFunc(slices.Values(rules), func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.port, b.port))
	})
	var all []ec2types.IpPermission
	for i, r := range sorted {
		if i == 0 || sorted[i-1].protocol != r.protocol || sorted[i-1].port != r.port {
			all = append(all, ec2types.IpPermission{IpProtocol: new(r.protocol), FromPort: new(r.port), ToPort: new(r.port)})
		}
		p, reason := &all[len(all)-1], new(describable(r.reason))
		switch {
		case r.group != "":
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, ec2types.UserIdGroupPair{GroupId: new(r.group), Description: reason})
		case r.block.Addr().Is4():
			p.IpRanges = append(p.IpRanges, ec2types.IpRange{CidrIp: new(r.block.String()), Description: reason})
		default:
			p.Ipv6Ranges = append(p.Ipv6Ranges, ec2types.Ipv6Range{CidrIpv6: new(r.block.String()), Description: reason})
		}
	}
	return all
}

// referring returns the permissions, or the parts of them, that let a group in, as a request to revoke them takes them.
func referring(have []ec2types.IpPermission, group string) []ec2types.IpPermission {
	var all []ec2types.IpPermission
	for _, p := range have {
		var pairs []ec2types.UserIdGroupPair
		for _, pair := range p.UserIdGroupPairs {
			if aws.ToString(pair.GroupId) == group {
				pairs = append(pairs, ec2types.UserIdGroupPair{GroupId: pair.GroupId})
			}
		}
		if len(pairs) > 0 {
			all = append(all, ec2types.IpPermission{IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort, UserIdGroupPairs: pairs})
		}
	}
	return all
}

// describable makes a text fit for the description of a group or rule: at most 255 characters of those that EC2 takes (EC2
// API reference, CreateSecurityGroup and IpRange).
func describable(text string) string {
	const others = " ._-:/()#,@[]+=&;{}!$*"
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(others, r):
			return r
		default:
			return '-'
		}
	}, text)
	return kept[:min(len(kept), 255)]
}
