package sandbox

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// rule is one rule of a security group: one peer, one range of ports.
type rule struct {
	resource
	Egress      bool   `json:"egress,omitempty"`
	Protocol    string `json:"protocol"` // tcp, udp, icmp, a number, or -1 for all
	From        int32  `json:"from"`     // -1 where the protocol has no ports
	To          int32  `json:"to"`
	CIDR        string `json:"cidr,omitempty"`  // IPv4
	CIDR6       string `json:"cidr6,omitempty"` // IPv6
	Group       string `json:"group,omitempty"`
	List        string `json:"list,omitempty"` // ID of a prefix list
	Description string `json:"description,omitempty"`
}

func (r *rule) same(other *rule) bool {
	return r.Egress == other.Egress && r.Protocol == other.Protocol && r.From == other.From && r.To == other.To &&
		r.CIDR == other.CIDR && r.CIDR6 == other.CIDR6 && r.Group == other.Group && r.List == other.List
}

// admits tells whether the rule lets TCP connections to a port in.
func (r *rule) admits(port int) bool {
	return !r.Egress && (r.Protocol == "-1" || r.Protocol == "tcp" && int(r.From) <= port && port <= int(r.To))
}

// blocks are the addresses that a rule names: its own, or those of its prefix list.
func (c *call) blocks(r *rule) []netip.Prefix {
	cidrs := []string{r.CIDR, r.CIDR6}
	for _, e := range c.listOf(r).Entries {
		cidrs = append(cidrs, e.CIDR)
	}
	var blocks []netip.Prefix
	for _, cidr := range cidrs {
		if block, err := netip.ParsePrefix(cidr); err == nil {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// rules indexes the rules of all groups of the region by id.
func (r *region) rules() map[string]*rule {
	all := map[string]*rule{}
	for _, g := range r.Groups {
		for _, one := range g.Rules {
			all[one.ID] = one
		}
	}
	return all
}

// change is what the four calls that change rules have in common.
type change struct {
	group         *string
	egress        bool
	permissions   []ec2types.IpPermission
	simple        ec2types.IpPermission // the older parameters: one CIDR, one range of ports
	specification []ec2types.TagSpecification
	ids           []string
}

func simple(protocol *string, from, to *int32, cidr *string) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if cidr != nil {
		p.IpRanges = []ec2types.IpRange{{CidrIp: cidr}}
	}
	return p
}

// wanted splits the permissions of a request into single rules.
func (c *call) wanted(g *securityGroup, change change) ([]*rule, error) {
	permissions := change.permissions
	if change.simple.IpProtocol != nil {
		permissions = append(slices.Clone(permissions), change.simple)
	}
	if len(permissions) == 0 {
		return nil, refuse("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	var wanted []*rule
	for _, permission := range permissions {
		pattern, err := portsOf(permission)
		if err != nil {
			return nil, err
		}
		pattern.Egress = change.egress
		peers, err := c.peers(g, permission)
		if err != nil {
			return nil, err
		}
		for _, peer := range peers {
			if !groupText().MatchString(peer.Description) {
				return nil, refuse("InvalidParameterValue", "Invalid rule description. Valid descriptions are strings less "+
					"than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
			}
			one := pattern
			one.CIDR, one.CIDR6, one.Group, one.List, one.Description = peer.CIDR, peer.CIDR6, peer.Group, peer.List, peer.Description
			wanted = append(wanted, &one)
		}
	}
	return wanted, nil
}

// portsOf reads the protocol and ports of a permission. Protocol -1 means all traffic, whatever ports are given.
func portsOf(p ec2types.IpPermission) (rule, error) {
	r := rule{Protocol: strings.ToLower(deref(p.IpProtocol)), From: -1, To: -1}
	switch r.Protocol {
	case "6":
		r.Protocol = "tcp"
	case "17":
		r.Protocol = "udp"
	case "1":
		r.Protocol = "icmp"
	}
	switch r.Protocol {
	case "-1":
		return r, nil
	case "tcp", "udp":
		if p.FromPort == nil || p.ToPort == nil {
			return r, refuse("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for "+
				"portRange.")
		}
		if *p.FromPort < 0 || *p.ToPort > 65535 || *p.FromPort > *p.ToPort {
			return r, refuse("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", *p.FromPort, *p.ToPort)
		}
	case "":
		return r, refuse("MissingParameter", "The request must contain the parameter ipProtocol")
	}
	if p.FromPort != nil && p.ToPort != nil {
		r.From, r.To = *p.FromPort, *p.ToPort
	}
	return r, nil
}

// peers reads whom a permission lets through. CIDR blocks lose their host bits when stored (EC2 API reference, IpRange).
func (c *call) peers(g *securityGroup, p ec2types.IpPermission) ([]rule, error) {
	var peers []rule
	for _, r := range p.IpRanges {
		prefix, err := netip.ParsePrefix(deref(r.CidrIp))
		if err != nil || !prefix.Addr().Is4() {
			return nil, refuse("InvalidParameterValue", "CIDR block %s is malformed", deref(r.CidrIp))
		}
		peers = append(peers, rule{CIDR: prefix.Masked().String(), Description: deref(r.Description)})
	}
	for _, r := range p.Ipv6Ranges {
		prefix, err := netip.ParsePrefix(deref(r.CidrIpv6))
		if err != nil || !prefix.Addr().Is6() {
			return nil, refuse("InvalidParameterValue", "CIDR block %s is malformed", deref(r.CidrIpv6))
		}
		peers = append(peers, rule{CIDR6: prefix.Masked().String(), Description: deref(r.Description)})
	}
	for _, pair := range p.UserIdGroupPairs {
		other, err := find(c, groupKind, c.region.Groups, pair.GroupId)
		if err != nil {
			return nil, err
		}
		if other.VPC != g.VPC {
			return nil, refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
		peers = append(peers, rule{Group: other.ID, Description: deref(pair.Description)})
	}
	for _, l := range p.PrefixListIds {
		list, err := c.prefixList(l.PrefixListId)
		if err != nil {
			return nil, err
		}
		peers = append(peers, rule{List: list.ID, Description: deref(l.Description)})
	}
	if len(peers) == 0 {
		return nil, refuse("InvalidParameterValue", "The permission names no CIDR block, no prefix list and no security group")
	}
	return peers, nil
}

// authorize adds all rules of a request or none. A duplicate refuses the whole call; there are at most 60 rules a direction
// and address family (VPC user guide, "Amazon VPC quotas").
func (c *call) authorize(change change) ([]ec2types.SecurityGroupRule, error) {
	g, err := find(c, groupKind, c.region.Groups, change.group)
	if err != nil {
		return nil, err
	}
	tags, err := taggedOne(change.specification, ec2types.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	wanted, err := c.wanted(g, change)
	if err != nil {
		return nil, err
	}
	after := slices.Clone(g.Rules)
	for _, r := range wanted {
		if slices.ContainsFunc(after, r.same) {
			return nil, refuse("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, from port: %d, to port: %d, "+
				"ALLOW\" already exists", r.CIDR+r.CIDR6+r.Group+r.List, r.Protocol, r.From, r.To)
		}
		after = append(after, r)
	}
	if c.over(after, change.egress) {
		return nil, refuse("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been "+
			"reached.")
	}
	var shown []ec2types.SecurityGroupRule
	for _, r := range wanted {
		r.resource = c.birth(c.newID("sgr"), tags)
		shown = append(shown, c.showRule(g, r))
	}
	g.Rules = after
	return shown, nil
}

// over tells whether there are too many rules. One through a prefix list counts as as many as the list may have entries (VPC
// user guide, "Prefix lists concepts and rules").
func (c *call) over(rules []*rule, egress bool) bool {
	four, six := int32(0), int32(0)
	for _, r := range rules {
		if r.Egress != egress {
			continue
		}
		weight := max(1, c.listOf(r).Max)
		if r.CIDR6 == "" {
			four += weight
		}
		if r.CIDR == "" {
			six += weight
		}
	}
	return four > 60 || six > 60
}

// revoke removes rules. In a default VPC, rules that do not exist are listed instead of refused (EC2 API reference,
// RevokeSecurityGroupEgress).
func (c *call) revoke(change change) (unknown []ec2types.IpPermission, err error) {
	g, err := find(c, groupKind, c.region.Groups, change.group)
	if err != nil {
		return nil, err
	}
	remove := map[string]bool{}
	for _, id := range change.ids {
		index := slices.IndexFunc(g.Rules, func(r *rule) bool { return r.ID == id && r.Egress == change.egress })
		if index < 0 {
			return nil, refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		remove[id] = true
	}
	if len(change.ids) == 0 {
		wanted, err := c.wanted(g, change)
		if err != nil {
			return nil, err
		}
		for _, r := range wanted {
			index := slices.IndexFunc(g.Rules, r.same)
			switch {
			case index >= 0:
				remove[g.Rules[index].ID] = true
			case c.region.VPCs[g.VPC] != nil && c.region.VPCs[g.VPC].Default:
				unknown = append(unknown, permissionOf(c, r))
			default:
				return nil, refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
		}
	}
	g.Rules = slices.DeleteFunc(g.Rules, func(r *rule) bool { return remove[r.ID] })
	return unknown, nil
}

func authorizeIngress(c *call, in *ec2.AuthorizeSecurityGroupIngressInput) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	rules, err := c.authorize(change{
		group: in.GroupId, permissions: in.IpPermissions, specification: in.TagSpecifications,
		simple: simple(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &ec2.AuthorizeSecurityGroupIngressOutput{Return: new(true), SecurityGroupRules: rules}, err
}

func authorizeEgress(c *call, in *ec2.AuthorizeSecurityGroupEgressInput) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := c.authorize(change{
		group: in.GroupId, egress: true, permissions: in.IpPermissions, specification: in.TagSpecifications,
		simple: simple(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &ec2.AuthorizeSecurityGroupEgressOutput{Return: new(true), SecurityGroupRules: rules}, err
}

func revokeIngress(c *call, in *ec2.RevokeSecurityGroupIngressInput) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	unknown, err := c.revoke(change{
		group: in.GroupId, permissions: in.IpPermissions, ids: in.SecurityGroupRuleIds,
		simple: simple(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &ec2.RevokeSecurityGroupIngressOutput{Return: new(true), UnknownIpPermissions: unknown}, err
}

func revokeEgress(c *call, in *ec2.RevokeSecurityGroupEgressInput) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	unknown, err := c.revoke(change{
		group: in.GroupId, egress: true, permissions: in.IpPermissions, ids: in.SecurityGroupRuleIds,
		simple: simple(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &ec2.RevokeSecurityGroupEgressOutput{Return: new(true), UnknownIpPermissions: unknown}, err
}

// permissions groups the rules of one direction by protocol and ports, as DescribeSecurityGroups shows them.
func (c *call) permissions(g *securityGroup, egress bool) []ec2types.IpPermission {
	var all []ec2types.IpPermission
	for _, r := range g.Rules {
		if r.Egress != egress {
			continue
		}
		one := permissionOf(c, r)
		index := slices.IndexFunc(all, func(p ec2types.IpPermission) bool {
			return *p.IpProtocol == r.Protocol && deref(p.FromPort) == deref(one.FromPort) && deref(p.ToPort) == deref(one.ToPort)
		})
		if index < 0 {
			all = append(all, one)
			continue
		}
		all[index].IpRanges = append(all[index].IpRanges, one.IpRanges...)
		all[index].Ipv6Ranges = append(all[index].Ipv6Ranges, one.Ipv6Ranges...)
		all[index].UserIdGroupPairs = append(all[index].UserIdGroupPairs, one.UserIdGroupPairs...)
		all[index].PrefixListIds = append(all[index].PrefixListIds, one.PrefixListIds...)
	}
	return all
}

func permissionOf(c *call, r *rule) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: new(r.Protocol)}
	if r.Protocol != "-1" {
		p.FromPort, p.ToPort = new(r.From), new(r.To)
	}
	var description *string
	if r.Description != "" {
		description = new(r.Description)
	}
	switch {
	case r.CIDR != "":
		p.IpRanges = []ec2types.IpRange{{CidrIp: new(r.CIDR), Description: description}}
	case r.CIDR6 != "":
		p.Ipv6Ranges = []ec2types.Ipv6Range{{CidrIpv6: new(r.CIDR6), Description: description}}
	case r.Group != "":
		p.UserIdGroupPairs = []ec2types.UserIdGroupPair{{
			GroupId: new(r.Group), UserId: new(c.state.Account), Description: description,
		}}
	case r.List != "":
		p.PrefixListIds = []ec2types.PrefixListId{{PrefixListId: new(r.List), Description: description}}
	}
	return p
}

func (c *call) showRule(g *securityGroup, r *rule) ec2types.SecurityGroupRule {
	shown := ec2types.SecurityGroupRule{
		SecurityGroupRuleId: new(r.ID), GroupId: new(g.ID), GroupOwnerId: new(c.state.Account), IsEgress: new(r.Egress),
		IpProtocol: new(r.Protocol), FromPort: new(r.From), ToPort: new(r.To), Tags: ec2Tags(r.Tags),
		SecurityGroupRuleArn: new(c.arn("ec2", "security-group-rule/"+r.ID)),
	}
	if r.Description != "" {
		shown.Description = new(r.Description)
	}
	switch {
	case r.CIDR != "":
		shown.CidrIpv4 = new(r.CIDR)
	case r.CIDR6 != "":
		shown.CidrIpv6 = new(r.CIDR6)
	case r.List != "":
		shown.PrefixListId = new(r.List)
	default:
		shown.ReferencedGroupInfo = &ec2types.ReferencedSecurityGroup{
			GroupId: new(r.Group), UserId: new(c.state.Account), VpcId: new(g.VPC),
		}
	}
	return shown
}

func describeSecurityGroupRules(c *call, in *ec2.DescribeSecurityGroupRulesInput) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	homes := map[string]*securityGroup{"": {}}
	for _, g := range c.region.Groups {
		if !g.visible(c.now) {
			continue
		}
		for _, r := range g.Rules {
			homes[r.ID] = g
		}
	}
	all := c.region.rules()
	for id := range all {
		if homes[id] == nil {
			delete(all, id)
		}
	}
	found, next, err := describe(c, ruleKind, all,
		query{in.SecurityGroupRuleIds, in.Filters, in.MaxResults, in.NextToken},
		func(r *rule) attributes {
			return attributes{"security-group-rule-id": {r.ID}, "group-id": {homes[r.ID].ID}}
		},
		func(r *rule) ec2types.SecurityGroupRule { return c.showRule(homes[r.ID], r) })
	return &ec2.DescribeSecurityGroupRulesOutput{SecurityGroupRules: found, NextToken: next}, err
}
