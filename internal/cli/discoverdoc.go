package cli

import (
	"net/netip"
	"time"

	"geusemaker/internal/cloud/discovery"
)

// discoverDoc is what `discover` prints: what was found of one kind, and what it was judged for.
type discoverDoc[T any] struct {
	Regions  []string `json:"regions"` // that were looked at
	Access   string   `json:"access"`  // for which it is fit or not
	Found    []T      `json:"found"`
	Warnings []string `json:"warnings"`
	Sandbox  bool     `json:"sandbox"`
}

// foundDoc is what everything has that could be reused.
type foundDoc struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Region   string            `json:"region"`
	Fit      bool              `json:"fit"`
	Addable  bool              `json:"addable"` // fit once the missing rules are added
	Problems []problemDoc      `json:"problems"`
	Notes    []string          `json:"notes"`
	Tags     map[string]string `json:"tags"`
}

// problemDoc is one reason why something cannot be reused.
type problemDoc struct {
	ID           string           `json:"id"`
	Text         string           `json:"text"`
	Fix          string           `json:"fix"`
	MissingRules []missingRuleDoc `json:"missing_rules"`
}

type missingRuleDoc struct {
	Group     string `json:"security_group"` // that lacks the rule
	Direction string `json:"direction"`      // ingress or egress
	ruleDoc
}

type ruleDoc struct {
	Protocol string `json:"protocol"` // tcp, udp, icmp, a number, or -1 for all
	FromPort int    `json:"from_port"`
	ToPort   int    `json:"to_port"`
	Peer     string `json:"peer"` // a range of addresses, a security group or a prefix list; empty: the machine's group, yet to be made
	Reason   string `json:"reason"`
}

// heldRuleDoc is a rule that a security group has.
type heldRuleDoc struct {
	ruleDoc
	ListCIDRs   []string `json:"prefix_list_cidrs"`   // where the peer is a prefix list: its blocks
	ListUnknown string   `json:"prefix_list_unknown"` // why the blocks could not be read; empty: they were
}

type vpcDoc struct {
	foundDoc
	CIDRs         []string  `json:"cidrs"`
	Default       bool      `json:"default"`
	State         string    `json:"state"`
	Tenancy       string    `json:"tenancy"`
	Gateway       string    `json:"internet_gateway"`
	BlockedAccess string    `json:"block_public_access"` // off, block-bidirectional or block-ingress
	DNSSupport    *bool     `json:"dns_support"`         // null: not asked, since it is unfit anyway
	DNSHostnames  *bool     `json:"dns_hostnames"`
	Subnets       int       `json:"subnets"`
	FitSubnets    int       `json:"fit_subnets"`
	Peers         []peerDoc `json:"peers"`
	Routes        []string  `json:"routes"` // beyond the VPC, but for the internet
}

type peerDoc struct {
	Connection string   `json:"connection"`
	VPC        string   `json:"vpc"`
	CIDRs      []string `json:"cidrs"`
}

type subnetDoc struct {
	foundDoc
	VPC        string `json:"vpc"`
	VPCName    string `json:"vpc_name"`
	Zone       string `json:"zone"`
	ZoneID     string `json:"zone_id"`
	CIDR       string `json:"cidr"`
	Free       int    `json:"free_addresses"`
	MapPublic  bool   `json:"map_public_ip"`
	Default    bool   `json:"default"`
	RouteTable string `json:"route_table"`
	Out        string `json:"out"` // internet-gateway, nat-gateway, transit-gateway, network-interface, other, blackhole or none
	OutID      string `json:"out_id"`
	NetworkACL string `json:"network_acl"`
}

type groupDoc struct {
	foundDoc
	GroupName   string        `json:"group_name"`
	Description string        `json:"description"`
	VPC         string        `json:"vpc"`
	VPCName     string        `json:"vpc_name"`
	Ingress     []heldRuleDoc `json:"ingress"`
	Egress      []heldRuleDoc `json:"egress"`
}

type fileSystemDoc struct {
	foundDoc
	State        string           `json:"state"`
	Encrypted    bool             `json:"encrypted"`
	KMSKey       string           `json:"kms_key"`
	Performance  string           `json:"performance"`
	Throughput   string           `json:"throughput"`
	Provisioned  float64          `json:"provisioned_mibps"`
	OneZone      string           `json:"one_zone"` // of a One Zone file system
	Bytes        int64            `json:"bytes"`
	Replica      bool             `json:"replica"`
	CreatedAt    *time.Time       `json:"created_at"`
	VPC          string           `json:"vpc"`
	VPCName      string           `json:"vpc_name"`
	MountTargets []mountTargetDoc `json:"mount_targets"`
}

type mountTargetDoc struct {
	ID      string   `json:"id"`
	Subnet  string   `json:"subnet"`
	Zone    string   `json:"zone"`
	Address string   `json:"address"`
	State   string   `json:"state"`
	Groups  []string `json:"security_groups"`
}

type keyPairDoc struct {
	foundDoc
	Type        string     `json:"type"`
	Fingerprint string     `json:"fingerprint"`
	CreatedAt   *time.Time `json:"created_at"`
}

type balancerDoc struct {
	foundDoc
	Type      string     `json:"type"`
	Scheme    string     `json:"scheme"`
	State     string     `json:"state"`
	VPC       string     `json:"vpc"`
	VPCName   string     `json:"vpc_name"`
	DNSName   string     `json:"dns_name"`
	Zones     []string   `json:"zones"`
	Groups    []string   `json:"security_groups"`
	CreatedAt *time.Time `json:"created_at"`
}

// judged is what a fit says of a resource.
func judged(region string, r discovery.Resource, f discovery.Fit) foundDoc {
	d := foundDoc{
		ID: r.ID, Name: r.Name, Region: region, Fit: f.OK(), Addable: f.Addable(), Problems: []problemDoc{}, Notes: orEmpty(f.Notes), Tags: r.Tags,
	}
	if d.Tags == nil {
		d.Tags = map[string]string{}
	}
	for _, p := range f.Problems {
		one := problemDoc{ID: p.ID, Text: p.Text, Fix: p.Fix, MissingRules: []missingRuleDoc{}}
		for _, m := range p.Missing {
			rule := missingRuleDoc{Group: m.Group, Direction: "ingress", ruleDoc: ruleOf(m.Rule)}
			if rule.Group == "" {
				rule.Group = r.ID
			}
			if m.Egress {
				rule.Direction = "egress"
			}
			one.MissingRules = append(one.MissingRules, rule)
		}
		d.Problems = append(d.Problems, one)
	}
	return d
}

func ruleOf(r discovery.Rule) ruleDoc {
	d := ruleDoc{Protocol: r.Protocol, FromPort: r.From, ToPort: r.To, Reason: r.Reason}
	if r.Group != "" || r.List != "" || r.Block.IsValid() {
		d.Peer = r.Peer()
	}
	return d
}

func each[From, To any](all []From, to func(From) To) []To {
	out := make([]To, 0, len(all))
	for _, one := range all {
		out = append(out, to(one))
	}
	return out
}

func cidrs(blocks []netip.Prefix) []string { return each(blocks, netip.Prefix.String) }

func vpcFound(r *discovery.Region, v discovery.VPC, n discovery.Need) vpcDoc {
	d := vpcDoc{
		foundDoc: judged(r.Name, v.Resource, r.FitVPC(v, n)), CIDRs: cidrs(v.CIDRs), Default: v.Default, State: v.State, Tenancy: v.Tenancy,
		Gateway: v.Gateway, BlockedAccess: "off", Routes: cidrs(v.Routes),
		Peers: each(v.Peers, func(p discovery.Peer) peerDoc { return peerDoc{p.Connection, p.VPC, cidrs(p.CIDRs)} }),
	}
	if v.Blocked != "" {
		d.BlockedAccess = v.Blocked
	}
	if v.DNS != nil {
		d.DNSSupport, d.DNSHostnames = &v.DNS.Support, &v.DNS.Hostnames
	}
	for _, s := range r.SubnetsOf(v.ID) {
		d.Subnets++
		if r.FitSubnet(s, n).OK() {
			d.FitSubnets++
		}
	}
	return d
}

func subnetFound(r *discovery.Region, s discovery.Subnet, n discovery.Need) subnetDoc {
	d := subnetDoc{
		foundDoc: judged(r.Name, s.Resource, r.FitSubnet(s, n)), VPC: s.VPC, VPCName: r.NameOfVPC(s.VPC), Zone: s.Zone, ZoneID: s.ZoneID,
		Free: s.Free, MapPublic: s.MapPublic, Default: s.Default, RouteTable: s.RouteTable, Out: s.Out.Via, OutID: s.Out.ID, NetworkACL: s.ACL.ID,
	}
	if s.CIDR.IsValid() {
		d.CIDR = s.CIDR.String()
	}
	return d
}

func groupFound(r *discovery.Region, g discovery.SecurityGroup, n discovery.Need) groupDoc {
	held := func(rule discovery.Rule) heldRuleDoc {
		list, _ := r.List(rule.List)
		return heldRuleDoc{ruleOf(rule), cidrs(list.Blocks), list.Unknown}
	}
	return groupDoc{
		foundDoc: judged(r.Name, g.Resource, r.FitGroup(g, n)), GroupName: g.GroupName, Description: g.Description,
		VPC: g.VPC, VPCName: r.NameOfVPC(g.VPC), Ingress: each(g.Ingress, held), Egress: each(g.Egress, held),
	}
}

func fileSystemFound(r *discovery.Region, f discovery.FileSystem, n discovery.Need) fileSystemDoc {
	return fileSystemDoc{
		foundDoc: judged(r.Name, f.Resource, r.FitFileSystem(f, n)), State: f.State, Encrypted: f.Encrypted, KMSKey: f.Key,
		Performance: f.Performance, Throughput: f.Throughput, Provisioned: f.Provisioned, OneZone: f.Zone, Bytes: f.Bytes,
		Replica: f.Replica, CreatedAt: known(f.CreatedAt), VPC: f.VPC(), VPCName: r.NameOfVPC(f.VPC()),
		MountTargets: each(f.Targets, func(t discovery.MountTarget) mountTargetDoc {
			return mountTargetDoc{t.ID, t.Subnet, t.Zone, t.Address, t.State, orEmpty(t.Groups)}
		}),
	}
}

func keyPairFound(r *discovery.Region, k discovery.KeyPair, n discovery.Need) keyPairDoc {
	return keyPairDoc{foundDoc: judged(r.Name, k.Resource, r.FitKeyPair(k, n)), Type: k.Type, Fingerprint: k.Fingerprint, CreatedAt: known(k.CreatedAt)}
}

func balancerFound(r *discovery.Region, l discovery.LoadBalancer, n discovery.Need) balancerDoc {
	return balancerDoc{
		foundDoc: judged(r.Name, l.Resource, r.FitLoadBalancer(l, n)), Type: l.Type, Scheme: l.Scheme, State: l.State, VPC: l.VPC,
		VPCName: r.NameOfVPC(l.VPC), DNSName: l.DNSName, Zones: orEmpty(l.Zones), Groups: orEmpty(l.Groups), CreatedAt: known(l.CreatedAt),
	}
}
