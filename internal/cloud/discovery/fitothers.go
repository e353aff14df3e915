package discovery

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"geusemaker/internal/stack"
)

// FitGroup judges a security group as that of the machine.
func (r *Region) FitGroup(g SecurityGroup, n Need) Fit {
	var f Fit
	f.made(g.Resource)
	f.in(g.VPC, n)
	ingress, egress := r.MissingRules(g, n)
	if len(ingress) > 0 {
		f.problem(ProblemIngress, "does not let in "+listed(ingress, "from")+r.unread(g.Ingress, ingress), "add these rules, or let --add-missing-rules do it", lacking("", false, ingress)...)
	}
	if len(egress) > 0 {
		f.problem(ProblemEgress, "does not let out "+listed(egress, "to")+r.unread(g.Egress, egress), "add these rules, or let --add-missing-rules do it", lacking("", true, egress)...)
	}
	for _, rule := range r.SpellOut(g.Ingress) {
		if rule.Block.IsValid() && rule.Block.Bits() == 0 {
			f.note(fmt.Sprintf("lets the whole internet in to %s", ports(rule)))
		}
	}
	return f
}

// MissingRules are the rules that a security group lacks to be that of the machine.
func (r *Region) MissingRules(g SecurityGroup, n Need) (ingress, egress []Rule) {
	ingress = uncovered(n.Ingress, r.SpellOut(g.Ingress))
	egress = append(uncovered(n.Egress, r.SpellOut(g.Egress)), r.missingToFiles(g, n)...)
	return ingress, egress
}

// missingToFiles are the rules that let NFS out to the file system and that a group lacks, one for each block: of
// the blocks of its VPC those in which the file system is reached, when it exists, else all in which it will be. There are none
// where the VPC is not known.
func (r *Region) missingToFiles(g SecurityGroup, n Need) []Rule {
	rules := r.SpellOut(g.Egress)
	blocks := r.blocksOf(g.VPC, n)
	if doors := r.doors(n); len(doors) > 0 {
		v, _ := r.VPC(g.VPC)
		blocks = slices.DeleteFunc(slices.Clone(v.CIDRs), func(block netip.Prefix) bool { return reached(doors, block, rules) })
	}
	return uncovered(mapped(blocks, func(block netip.Prefix) Rule {
		return Rule{Protocol: "tcp", From: nfs, To: nfs, Block: block, Reason: "the file system"}
	}), rules)
}

// blocksOf are the addresses in a VPC that the machine, and a mount target that is made for it, may have: those of the subnet
// that is chosen, else all.
func (r *Region) blocksOf(vpc string, n Need) []netip.Prefix {
	if s, known := r.Subnet(n.Subnet); known && s.CIDR.IsValid() && s.VPC == vpc {
		return []netip.Prefix{s.CIDR}
	}
	v, _ := r.VPC(vpc)
	return v.CIDRs
}

// doors are the mount targets of the chosen file system through which the machine may have to reach it.
func (r *Region) doors(n Need) []MountTarget {
	files, _ := r.FileSystem(n.FileSystem)
	zones := r.zonesOf(n)
	return slices.DeleteFunc(slices.Clone(files.Targets), func(t MountTarget) bool { return zones != nil && !slices.Contains(zones, t.Zone) })
}

// reached reports whether rules let NFS out to each mount target that stands in a block: by its address, or by one of its
// groups. One whose address is not known may stand in any.
func reached(doors []MountTarget, block netip.Prefix, rules []Rule) bool {
	return !slices.ContainsFunc(doors, func(t MountTarget) bool {
		address, err := netip.ParseAddr(t.Address)
		if err == nil && !block.Contains(address) {
			return false
		}
		want := Rule{Protocol: "tcp", From: nfs, To: nfs}
		wants := mapped(t.Groups, func(group string) Rule {
			one := want
			one.Group = group
			return one
		})
		if err == nil {
			want.Block = netip.PrefixFrom(address, address.BitLen())
			wants = append(wants, want)
		}
		return len(uncovered(wants, rules)) == len(wants)
	})
}

func uncovered(wanted, have []Rule) []Rule {
	return slices.DeleteFunc(slices.Clone(wanted), func(want Rule) bool {
		return slices.ContainsFunc(have, func(r Rule) bool { return r.covers(want) })
	})
}

func lacking(group string, egress bool, rules []Rule) []MissingRule {
	return mapped(rules, func(r Rule) MissingRule { return MissingRule{group, egress, r} })
}

// listed names rules, those of one peer together.
func listed(rules []Rule, preposition string) string {
	var peers []string
	by := map[string][]string{}
	for _, r := range rules {
		peer := r.Peer()
		if by[peer] == nil {
			peers = append(peers, peer)
		}
		by[peer] = append(by[peer], r.Port())
	}
	var parts []string
	for _, peer := range peers {
		parts = append(parts, fmt.Sprintf("tcp %s %s %s", strings.Join(by[peer], ", "), preposition, peer))
	}
	return strings.Join(parts, "; ")
}

// ports are the ports of a rule for a sentence.
func ports(r Rule) string {
	if r.Protocol == all {
		return "all ports"
	}
	return r.Protocol + " " + r.Port()
}

// FitFileSystem judges a file system. That a zone has no mount target is no obstacle, since one can be made, unless the file
// system is of another zone only.
func (r *Region) FitFileSystem(fs FileSystem, n Need) Fit {
	var f Fit
	if fs.State != string(efstypes.LifeCycleStateAvailable) {
		f.problem(ProblemState, "is "+fs.State, "wait until it is available, or choose another")
	}
	switch name := fs.Deployment(); {
	case name == "":
	case r.lives(fs):
		f.problem(ProblemDeployment, "is in use by the deployment "+name+", which made it and deletes it when it is destroyed",
			"choose one that is your own, or keep its data with `geusemaker destroy "+name+" --keep-data`")
	default:
		f.note("was made by the deployment " + name + "; what destroy --keep-data kept is attached again")
	}
	if !fs.Encrypted {
		f.problem(ProblemEncryption, "is not encrypted, and EFS encrypts only what is made so", "copy the data to an encrypted file system")
	}
	if fs.Replica {
		f.problem(ProblemReplica, "is the destination of a replication and read-only", "choose its source, or end the replication")
	}
	f.in(fs.VPC(), n)
	zones := r.zonesOf(n)
	if fs.Zone != "" {
		r.fitZone(&f, fs, zones, n)
	}
	r.fitTargets(&f, fs, zones, n)
	return f
}

// lives reports whether the deployment of ours that made a file system has more than its data: a mount target, or a network or
// security group with its tag. What destroy --keep-data leaves has neither.
func (r *Region) lives(fs FileSystem) bool {
	theirs := func(one Resource) bool { return one.Tags[stack.TagStack] == fs.Tags[stack.TagStack] }
	return len(fs.Targets) > 0 ||
		slices.ContainsFunc(r.VPCs, func(v VPC) bool { return theirs(v.Resource) }) ||
		slices.ContainsFunc(r.Subnets, func(s Subnet) bool { return theirs(s.Resource) }) ||
		slices.ContainsFunc(r.Groups, func(g SecurityGroup) bool { return theirs(g.Resource) })
}

// fitZone judges whether the machine can be in the zone of a One Zone file system, the only one that reaches it.
func (r *Region) fitZone(f *Fit, fs FileSystem, zones []string, n Need) {
	const oneZone = "is a One Zone file system of "
	subnet, chosen := r.Subnet(n.Subnet)
	group, _ := r.Group(n.Group)
	vpc := cmp.Or(n.VPC, subnet.VPC, group.VPC, fs.VPC())
	switch {
	case zones != nil && !slices.Contains(zones, fs.Zone):
		f.problem(ProblemZone, oneZone+fs.Zone, "choose a subnet of that zone, or a regional file system")
	case n.FreshVPC: // who makes one says so, of the whole configuration
	case vpc == "":
		f.problem(ProblemZone, oneZone+fs.Zone+", and a new VPC spreads over several zones", "set subnet_id to one of that zone, or choose a regional file system")
	case !chosen && !r.holds(vpc, fs.Zone, n):
		f.problem(ProblemZone, oneZone+fs.Zone+", where "+vpc+" has no fit subnet", "make a subnet there, or choose a regional file system")
	}
}

// holds reports whether a VPC has a fit subnet in a zone.
func (r *Region) holds(vpc, zone string, n Need) bool {
	return slices.ContainsFunc(r.SubnetsOf(vpc), func(s Subnet) bool {
		fit := fitSubnet(s, n)
		return s.Zone == zone && fit.OK()
	})
}

// zonesOf are the zones in which the machine may be; nil: not known.
func (r *Region) zonesOf(n Need) []string {
	if s, known := r.Subnet(n.Subnet); known {
		return []string{s.Zone}
	}
	return n.Zones
}

// fitTargets judges the mount targets of the zones in which the machine may be.
func (r *Region) fitTargets(f *Fit, fs FileSystem, zones []string, n Need) {
	if len(fs.Targets) == 0 {
		f.note("has no mount target; one is made")
		return
	}
	reached := 0
	told := map[string]bool{} // targets of several zones mostly share their groups
	for _, t := range fs.Targets {
		if zones != nil && !slices.Contains(zones, t.Zone) {
			continue
		}
		reached++
		if t.State != string(efstypes.LifeCycleStateAvailable) {
			f.problem(ProblemState, "has a mount target in "+t.Zone+" that is "+t.State, "wait until it is available")
		}
		group := strings.Join(t.Groups, ", ")
		if told[group] || r.letsIn(t, n) {
			continue
		}
		told[group] = true
		want := Rule{Protocol: "tcp", From: nfs, To: nfs, Group: n.Group, Reason: "NFS from the machine"}
		f.problem(ProblemNFS, fmt.Sprintf("does not let the machine in: %s has no rule for tcp %d from %s%s", group, nfs, hostNamed(n), r.unreadOf(t.Groups, want)),
			"add the rule, or let --add-missing-rules do it", MissingRule{Group: t.Groups[0], Rule: want})
	}
	if reached == 0 {
		f.note("has no mount target in " + strings.Join(zones, " or ") + "; one is made")
	}
}

// unreadOf is unread of the rules of several groups that let in.
func (r *Region) unreadOf(groups []string, missing Rule) string {
	var have []Rule
	for _, id := range groups {
		g, _ := r.Group(id)
		have = append(have, g.Ingress...)
	}
	return r.unread(have, []Rule{missing})
}

func hostNamed(n Need) string {
	if n.Group != "" {
		return n.Group
	}
	return "the machine's group"
}

// letsIn reports whether a mount target's groups together let the machine in: its group, or all addresses that it may have.
// Where the groups could not be read, they are taken to.
func (r *Region) letsIn(t MountTarget, n Need) bool {
	if len(t.Groups) == 0 {
		return true
	}
	var have []Rule
	for _, id := range t.Groups {
		g, known := r.Group(id)
		if !known {
			return true
		}
		have = append(have, r.SpellOut(g.Ingress)...)
	}
	want := Rule{Protocol: "tcp", From: nfs, To: nfs, Group: n.Group}
	if n.Group != "" && len(uncovered([]Rule{want}, have)) == 0 {
		return true
	}
	want.Group = ""
	var wants []Rule
	for _, block := range r.blocksOf(t.VPC, n) {
		want.Block = block
		wants = append(wants, want)
	}
	return len(wants) > 0 && len(uncovered(wants, have)) == 0
}

// FitKeyPair judges a key pair: every kind that EC2 has works with Linux.
func (r *Region) FitKeyPair(k KeyPair, _ Need) Fit {
	var f Fit
	if k.Type != "" && k.Type != string(ec2types.KeyTypeRsa) && k.Type != string(ec2types.KeyTypeEd25519) {
		f.problem(ProblemKind, "is of the type "+k.Type+", which the machine's SSH server may not know", "choose an rsa or ed25519 key pair")
	}
	return f
}

// FitLoadBalancer judges a load balancer as the front of a machine.
func (r *Region) FitLoadBalancer(l LoadBalancer, n Need) Fit {
	var f Fit
	f.made(l.Resource)
	f.in(l.VPC, n)
	if l.Type != string(elbtypes.LoadBalancerTypeEnumApplication) {
		f.problem(ProblemKind, "is a "+l.Type+" load balancer, which does not speak HTTP", "choose an application load balancer")
	}
	if l.State != string(elbtypes.LoadBalancerStateEnumActive) {
		f.problem(ProblemState, "is "+l.State, "wait until it is active")
	}
	if n.direct() && l.Scheme != string(elbtypes.LoadBalancerSchemeEnumInternetFacing) {
		f.problem(ProblemRoute, "is internal, so nobody reaches it from outside", "choose an internet-facing one")
	}
	return f
}
