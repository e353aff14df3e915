package sandbox

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
)

// AddNetworks gives a region the networks of a company that has been there for years, for those who want to see what can be
// reused: next to the default VPC one that is fit, with public and private subnets, security groups, file systems, key pairs
// and load balancers, and others that lack something each. The quotas of VPCs and gateways are raised, as such a company has
// had them raised. Doing it twice is doing it once.
func (a *Account) AddNetworks(region string) error {
	if !slices.Contains(Regions(), region) {
		return fmt.Errorf("the sandbox has no region %q: it has %v", region, Regions())
	}
	return a.update(func(s *state) error {
		e := &estate{region: s.Regions[region], seed: s.Seed, built: a.clock.Now().Add(-900 * 24 * time.Hour)}
		e.company()
		e.legacy()
		e.vault()
		e.others()
		made(&s.Quotas)
		s.Quotas[quotaVPCs], s.Quotas[quotaGateways] = 20, 20
		return nil
	})
}

// estate builds what somebody else has built long ago. Its ids depend on nothing but the names.
type estate struct {
	region *region
	seed   uint64
	built  time.Time
}

func (e *estate) born(prefix, name string) resource {
	return resource{
		ID: prefix + "-0" + digest(e.seed, e.region.Name, name)[:16], Born: e.built, Seen: e.built,
		Tags: map[string]string{"Name": name, "owner": "platform"},
	}
}

// vpc makes a VPC with its main route table, which leads nowhere, and its default security group.
func (e *estate) vpc(name, cidr string) *vpc {
	v := &vpc{resource: e.born("vpc", name), CIDR: cidr, DNSSupport: true, DNSHostnames: true}
	e.region.VPCs[v.ID] = v
	main := e.table(v, name+"-main")
	main.Associations = []association{{ID: e.born("rtbassoc", name).ID, Main: true, Made: e.built}}
	e.group(v, "default", name+"-default", &rule{Protocol: "-1", From: -1, To: -1, Group: e.born("sg", name+"-default").ID})
	return v
}

// gateway attaches an internet gateway.
func (e *estate) gateway(v *vpc, name string) *gateway {
	g := &gateway{resource: e.born("igw", name), VPC: v.ID, Attached: e.built}
	e.region.Gateways[g.ID] = g
	return g
}

// table makes a route table with a default route to a target, if one is named.
func (e *estate) table(v *vpc, name string, target ...string) *routeTable {
	t := &routeTable{resource: e.born("rtb", name), VPC: v.ID, Routes: []route{{CIDR: v.CIDR, Gateway: "local"}}}
	for _, id := range target {
		t.Routes = append(t.Routes, route{CIDR: "0.0.0.0/0", Gateway: id})
	}
	e.region.RouteTables[t.ID] = t
	return t
}

// subnet makes a subnet in the zone of that number. A nil table means the main one.
func (e *estate) subnet(v *vpc, name, cidr string, number int, t *routeTable) *subnet {
	n := &subnet{resource: e.born("subnet", name), VPC: v.ID, CIDR: cidr, Zone: zonesOf(e.region.Name)[number].Name}
	e.region.Subnets[n.ID] = n
	if t != nil {
		t.Associations = append(t.Associations, association{ID: e.born("rtbassoc", name).ID, Subnet: n.ID, Made: e.built})
	}
	return n
}

// group makes a security group that lets everything out, with rules that let something in.
func (e *estate) group(v *vpc, groupName, name string, rules ...*rule) *securityGroup {
	g := &securityGroup{resource: e.born("sg", name), VPC: v.ID, Name: groupName, Description: groupName + " of " + v.Tags["Name"]}
	rules = append(rules, &rule{Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"})
	for i, one := range rules {
		one.resource = e.born("sgr", fmt.Sprint(name, i))
		one.Tags = nil
	}
	g.Rules = rules
	e.region.Groups[g.ID] = g
	return g
}

// interfaceIn takes the next address of a subnet for a service.
func (e *estate) interfaceIn(n *subnet, name, service string, groups ...string) *netInterface {
	address := netip.MustParsePrefix(n.CIDR).Addr()
	for range reserved - 1 {
		address = address.Next()
	}
	for _, i := range e.region.Interfaces {
		if i.Subnet == n.ID && i.PrivateIP != "" {
			address = address.Next()
		}
	}
	i := &netInterface{
		resource: e.born("eni", name), VPC: n.VPC, Subnet: n.ID, Zone: n.Zone, PrivateIP: address.String(), Groups: groups,
		Requester: service, Description: name,
	}
	i.Tags = nil
	if known := e.region.Interfaces[i.ID]; known != nil {
		return known
	}
	e.region.Interfaces[i.ID] = i
	return i
}

// files makes a file system with a mount target in each of the subnets.
func (e *estate) files(name string, set func(*fileSystem), groups []string, in ...*subnet) {
	f := &fileSystem{
		resource: e.born("fs", name), Token: name, Encrypted: true, Performance: efstypes.PerformanceModeGeneralPurpose,
		Throughput: efstypes.ThroughputModeElastic, Backup: efstypes.StatusEnabled,
	}
	set(f)
	e.region.FileSystems[f.ID] = f
	for _, n := range in {
		i := e.interfaceIn(n, "mount target of "+name+" in "+n.Zone, "amazon-efs", groups...)
		m := &mountTarget{resource: e.born("fsmt", name+n.ID), FileSystem: f.ID, Subnet: n.ID, VPC: n.VPC, Zone: n.Zone, Interface: i.ID, IP: i.PrivateIP}
		m.Tags = nil
		e.region.MountTargets[m.ID] = m
	}
}

// prefixList makes a prefix list for as many entries as it has. It is of the company's, so it can be used in all of its VPCs.
func (e *estate) prefixList(name string, entries ...prefixEntry) string {
	l := &prefixList{resource: e.born(prefixListKind.prefix, name), Name: name, Family: "IPv4", Max: int32(len(entries)), Entries: entries}
	e.region.PrefixLists[l.ID] = l
	return l.ID
}

func (e *estate) keyPair(name, kind string) {
	k := &keyPair{resource: e.born("key", name), Name: name, Type: kind, Fingerprint: digest(e.seed, name)[:32]}
	e.region.KeyPairs[k.ID] = k
}

func (e *estate) balancer(name, kind, scheme string, groups []string, in ...*subnet) {
	b := &balancer{resource: e.born("lb", name), Name: name, Type: kind, Scheme: scheme, VPC: in[0].VPC, Groups: groups}
	b.ID = digest(e.seed, e.region.Name, name)[:16]
	for _, n := range in {
		b.Subnets = append(b.Subnets, n.ID)
	}
	e.region.Balancers[b.ID] = b
}
