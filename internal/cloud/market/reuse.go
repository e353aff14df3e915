package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// reuse is how a configuration is fitted into what the user has. It decides and asks nothing.
type reuse struct {
	region *discovery.Region
	config stack.Config // with the VPC that the other keys imply
	need   discovery.Need
	zones  []string // that sell the machine, best first

	found    stack.Reuse
	problems []unfit
	notes    []string
}

// unfit is one thing that stands against a reuse: the check that it belongs to, and the key with what is wrong.
type unfit struct {
	check string
	err   *stack.FieldError
}

// reuses reports whether a configuration names a network, or a file system, of the user's.
func reuses(c stack.Config) bool {
	return inNetwork(c) || c.EFSID != ""
}

// inNetwork reports whether a configuration names a network of the user's.
func inNetwork(c stack.Config) bool {
	return c.VPCID != "" || c.SubnetID != "" || c.SecurityGroupID != ""
}

// impliedVPC is the VPC that the configuration leads to: the one that it names, or that of what it names. It is "" when a new
// one is made.
func impliedVPC(c stack.Config, r *discovery.Region) string {
	subnet, _ := r.Subnet(c.SubnetID)
	group, _ := r.Group(c.SecurityGroupID)
	files, _ := theirs(c, r)
	if files.Deployment() != "" {
		files = discovery.FileSystem{} // kept by a deployment of ours, which makes its mount targets anew
	}
	return cmp.Or(c.VPCID, subnet.VPC, group.VPC, files.VPC())
}

// theirs is the file system that the configuration names, without the mount targets that this deployment has made itself: those
// whose security groups, or whose VPC, bear its name.
func theirs(c stack.Config, r *discovery.Region) (discovery.FileSystem, bool) {
	files, named := r.FileSystem(c.EFSID)
	files.Targets = slices.DeleteFunc(slices.Clone(files.Targets), func(t discovery.MountTarget) bool {
		vpc, _ := r.VPC(t.VPC)
		ours := vpc.Deployment() == c.Name
		for _, id := range t.Groups {
			group, _ := r.Group(id)
			ours = ours || group.Deployment() == c.Name
		}
		return ours && c.Name != ""
	})
	return files, named
}

// reuseOf fits a configuration into what was found. Zones are those that sell the machine, best first; those that are given
// hold something of the deployment already and come first.
func reuseOf(c stack.Config, r *discovery.Region, caller string, zones, given []string) reuse {
	c.VPCID = impliedVPC(c, r)
	f := reuse{region: r, config: c, need: discovery.NeedOf(c, caller, zones), zones: zones}
	f.need.FreshVPC = c.VPCID == ""
	if len(given) > 0 {
		f.zones = slices.DeleteFunc(slices.Clone(given), func(z string) bool { return !slices.Contains(zones, z) })
	}
	if f.missing() {
		return f
	}
	if c.VPCID != "" {
		f.network()
	}
	f.group()
	f.files()
	return f
}

// add notes a problem, once: what is in the way of the network may be in the way of the file system too.
func (f *reuse) add(check, key, fix, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if slices.ContainsFunc(f.problems, func(u unfit) bool { return u.err.Key == key && u.err.Problem == problem }) {
		return
	}
	f.problems = append(f.problems, unfit{check, &stack.FieldError{Key: key, Source: f.config.SourceOf(key), Problem: problem, Fix: fix}})
}

// missing notes what is named and does not exist, without which the rest cannot be judged.
func (f *reuse) missing() bool {
	c, r := f.config, f.region
	_, vpc := r.VPC(c.VPCID)
	_, subnet := r.Subnet(c.SubnetID)
	_, group := r.Group(c.SecurityGroupID)
	_, files := r.FileSystem(c.EFSID)
	for _, one := range []struct {
		check, key, id, what, command string
		exists                        bool
	}{
		{CheckVPC, "vpc_id", c.VPCID, "VPC", "vpcs", vpc},
		{CheckSubnet, "subnet_id", c.SubnetID, "subnet", "subnets", subnet},
		{CheckGroup, "security_group_id", c.SecurityGroupID, "security group", "security-groups", group},
		{CheckFileSystem, "efs_id", c.EFSID, "file system", "file-systems", files},
	} {
		if one.id != "" && !one.exists {
			f.add(one.check, one.key, "`geusemaker discover "+one.command+"` lists what there is", "there is no %s %s in %s", one.what, one.id, r.Name)
		}
	}
	return len(f.problems) > 0
}

// judge notes what a fit says. Rules that the user's groups lack are no obstacle when they are to be added.
func (f *reuse) judge(check, key, id string, fit discovery.Fit) {
	for _, p := range fit.Problems {
		if len(p.Missing) > 0 && f.config.AddMissingRules {
			for _, m := range p.Missing {
				f.found.Missing = append(f.found.Missing, missingRule(m, id, f.config.SecurityGroupID))
			}
			continue
		}
		f.add(check, key, p.Fix, "%s %s", id, p.Text)
	}
	for _, note := range fit.Notes {
		f.notes = append(f.notes, id+" "+note)
	}
}

// missingRule is a missing rule in the terms of a blueprint. One without a group is of what was judged, and one whose peer has
// no ID yet is of the machine's group.
func missingRule(m discovery.MissingRule, judged, host string) stack.MissingRule {
	r := stack.Rule{Egress: m.Egress, Protocol: m.Rule.Protocol, Port: m.Rule.From, Reason: m.Rule.Reason}
	if m.Rule.Block.IsValid() {
		r.CIDR = m.Rule.Block.String()
	} else if m.Rule.Group == host { // "" for one that is made
		r.Group = stack.KeyHostGroup
	}
	return stack.MissingRule{Group: cmp.Or(m.Group, judged), Rule: r}
}

// network takes the VPC, and the subnets of it in which the machine may be launched: the one that is named, or of each zone
// the one that fits best.
func (f *reuse) network() {
	c := f.config
	vpc, _ := f.region.VPC(c.VPCID)
	f.found.VPC = stack.ReusedVPC{ID: vpc.ID}
	for _, block := range vpc.CIDRs {
		f.found.VPC.CIDRs = append(f.found.VPC.CIDRs, block.String())
	}
	var chosen []discovery.Subnet
	if s, named := f.region.Subnet(c.SubnetID); named {
		f.judge(CheckSubnet, "subnet_id", s.ID, f.region.FitSubnet(s, f.need))
		chosen = []discovery.Subnet{s}
	} else {
		f.judge(CheckVPC, "vpc_id", vpc.ID, f.region.FitVPC(vpc, f.need))
		chosen = f.subnets()
	}
	files, _ := f.region.FileSystem(c.EFSID)
	switch {
	case len(chosen) > 0 || len(f.problems) > 0:
	case files.Zone != "":
		f.add(CheckFileSystem, "efs_id", "make a subnet there, or choose a regional file system", "%s is a One Zone file system of %s, where %s has no fit subnet", files.ID, files.Zone, vpc.ID)
	default:
		f.add(CheckSubnet, "vpc_id", "make a subnet there, or choose another VPC", "%s has no fit subnet in %s, where the deployment's data lie", vpc.ID, strings.Join(f.zones, " or "))
	}
	for _, s := range chosen {
		f.found.Subnets = append(f.found.Subnets, stack.ReusedSubnet{ID: s.ID, Zone: s.Zone, CIDR: s.CIDR.String(), Public: s.NeedsPublicIP()})
	}
}

// subnets are the fit subnets of the best zones, one a zone: with direct access public ones, through a tunnel rather private
// ones, and of equals the one with the most free addresses. All are of one sort, since a machine gets a public address or not.
func (f *reuse) subnets() []discovery.Subnet {
	direct := f.config.Access == stack.AccessDirect
	for _, public := range []bool{direct, !direct} {
		var chosen []discovery.Subnet
		for _, zone := range f.zones {
			fit := slices.DeleteFunc(f.region.SubnetsOf(f.config.VPCID), func(s discovery.Subnet) bool {
				return s.Zone != zone || s.NeedsPublicIP() != public || !f.region.FitSubnet(s, f.need).OK()
			})
			if len(fit) > 0 && len(chosen) < stack.MostReused && f.holdsFiles(zone) {
				chosen = append(chosen, slices.MinFunc(fit, func(a, b discovery.Subnet) int { return cmp.Or(cmp.Compare(b.Free, a.Free), cmp.Compare(a.ID, b.ID)) }))
			}
		}
		if len(chosen) > 0 {
			return chosen
		}
	}
	return nil
}

// holdsFiles reports whether the file system can be reached in a zone: one of the kind One Zone only in its own.
func (f *reuse) holdsFiles(zone string) bool {
	files, _ := f.region.FileSystem(f.config.EFSID)
	return files.Zone == "" || files.Zone == zone
}

// group takes the security group of the machine.
func (f *reuse) group() {
	g, named := f.region.Group(f.config.SecurityGroupID)
	if !named {
		return
	}
	f.found.Group = g.ID
	f.hold(g.ID)
	f.judge(CheckGroup, "security_group_id", g.ID, f.region.FitGroup(g, f.narrowed()))
}

// narrowed is what is needed in the zones of the subnets that were chosen.
func (f *reuse) narrowed() discovery.Need {
	need := f.need
	need.Zones = f.found.Zones()
	if len(f.found.Subnets) == 1 {
		need.Subnet = f.found.Subnets[0].ID
	}
	return need
}

// files takes the file system with its mount targets in the zones of the machine. One that an earlier deployment of ours kept
// is attached by its records instead.
func (f *reuse) files() {
	fs, named := theirs(f.config, f.region)
	if named && fs.Deployment() == "" {
		f.found.Files.ID = fs.ID
		f.judge(CheckFileSystem, "efs_id", fs.ID, f.region.FitFileSystem(fs, f.narrowed()))
		if fs.Zone != "" && f.found.Own() {
			f.add(CheckFileSystem, "efs_id", "set subnet_id to one of that zone, or choose a regional file system", "%s is a One Zone file system of %s, and a new VPC spreads over several zones", fs.ID, fs.Zone)
		}
		for _, zone := range f.found.Zones() {
			if t, there := fs.Target(zone); there {
				f.found.Files.Targets = append(f.found.Files.Targets, stack.ReusedTarget{ID: t.ID, Zone: zone})
			}
		}
		for _, m := range f.found.Missing {
			if m.Group != f.found.Group {
				f.hold(m.Group)
			}
		}
	}
	f.room(fs)
}

// room checks that the subnets have an address for each mount target that is made in them, beside that of the machine.
func (f *reuse) room(fs discovery.FileSystem) {
	for _, s := range f.found.Subnets {
		free, _ := f.region.Subnet(s.ID)
		_, there := fs.Target(s.Zone)
		if (f.found.Files.ID == "" || !there) && free.Free == 1 {
			f.add(CheckSubnet, "subnet_id", "choose a larger subnet, or free some of its addresses",
				"%s has 1 free address; the machine and a mount target of the file system need 2", s.ID)
		}
	}
}

// hold notes the rules that a group of the user's has, those through a prefix list for each of its blocks: an audit has to show
// who is let in.
func (f *reuse) hold(group string) {
	g, _ := f.region.Group(group)
	for direction, rules := range map[string][]discovery.Rule{stack.DirectionIn: g.Ingress, stack.DirectionOut: g.Egress} {
		for _, r := range f.region.SpellOut(rules) {
			gate := stack.Gate{Direction: direction, Protocol: r.Protocol, Ports: r.Port(), Peer: r.Peer(), Reason: r.Reason}
			if r.List != "" && r.Block.IsValid() {
				gate.Peer, gate.Reason = r.Block.String(), strings.TrimPrefix(r.Reason+", of "+r.List, ", ")
			}
			if gate.Protocol == "-1" {
				gate.Protocol = stack.Everything
			}
			f.found.Held = append(f.found.Held, stack.HeldRule{GroupID: g.ID, Gate: gate})
		}
	}
	slices.SortStableFunc(f.found.Held, func(a, b stack.HeldRule) int {
		return cmp.Or(cmp.Compare(a.GroupID, b.GroupID), cmp.Compare(a.Gate.Direction, b.Gate.Direction))
	})
}

// discover reads what the configuration reuses may lie in; nil where it reuses nothing.
func (m *Market) discover(ctx context.Context, c stack.Config) (*discovery.Region, error) {
	if !reuses(c) {
		return nil, nil
	}
	r, err := m.reader.Read(ctx, discovery.Networks, discovery.Groups, discovery.Files)
	if err != nil {
		return nil, err
	}
	files, _ := r.FileSystem(c.EFSID)
	err = together(
		func() error {
			if vpc, known := r.VPC(impliedVPC(c, r)); known {
				return m.reader.AskDNS(ctx, r, vpc.ID)
			}
			return nil
		},
		func() error { return m.reader.AskLists(ctx, r, append(files.GuardIDs(), c.SecurityGroupID)...) },
	)
	return r, err
}

// fitIn decides on the network: the user's, in the zones that sell the machine, or a range for a new one.
// It is an error only when nothing can be planned.
func (q *inquiry) fitIn(f *stack.Facts, selling, given []string) (err error) {
	if q.region != nil {
		q.reuse = reuseOf(q.config, q.region, q.address, selling, given)
		f.Reuse = q.reuse.found
		if q.reuse.hopeless() {
			return q.reuse.unfit()
		}
		if !f.Reuse.Own() {
			return nil
		}
	}
	f.VPCCIDR, err = q.net.vpcCIDR(q.config)
	return err
}

// ofReuse are the warnings of the reading.
func (q *inquiry) ofReuse() []string {
	if q.region == nil {
		return nil
	}
	return q.region.Warnings
}

// hopeless reports that what is to be reused cannot be planned with, fit or not.
func (f reuse) hopeless() bool {
	named := len(f.problems) > 0 && f.found.VPC.ID == "" && f.found.Group == "" && f.found.Files.ID == ""
	return named || f.found.VPC.ID != "" && len(f.found.Subnets) == 0
}

// unfit is the error of all problems, or nil.
func (f reuse) unfit() error {
	var errs []error
	for _, p := range f.problems {
		errs = append(errs, p.err)
	}
	return errors.Join(errs...)
}
