package discovery_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

const caller = "203.0.113.10/32"

func block(cidr string) netip.Prefix { return netip.MustParsePrefix(cidr) }

func made(id, name string) discovery.Resource {
	return discovery.Resource{ID: id, Name: name, Tags: map[string]string{"Name": name}}
}

// ours is what a deployment of ours made.
func ours(id string) discovery.Resource {
	return discovery.Resource{ID: id, Tags: map[string]string{stack.TagStack: "0123", stack.TagName: "demo"}}
}

// open is a network ACL as every VPC has at first.
func open() discovery.ACL {
	return discovery.ACL{ID: "acl-1", Entries: []discovery.Entry{
		{Number: 100, Allow: true, Protocol: "-1", To: 65535, Block: block("0.0.0.0/0")},
		{Number: 100, Egress: true, Allow: true, Protocol: "-1", To: 65535, Block: block("0.0.0.0/0")},
		{Number: 32767, Protocol: "-1", To: 65535, Block: block("0.0.0.0/0")},
		{Number: 32767, Egress: true, Protocol: "-1", To: 65535, Block: block("0.0.0.0/0")},
	}}
}

func goodVPC() discovery.VPC {
	return discovery.VPC{
		Resource: made("vpc-1", "office"), CIDRs: []netip.Prefix{block("10.1.0.0/16")}, State: "available", Tenancy: "default",
		Gateway: "igw-1", DNS: &discovery.DNS{Support: true, Hostnames: true},
	}
}

func goodSubnet() discovery.Subnet {
	return discovery.Subnet{
		Resource: made("subnet-1", "public"), VPC: "vpc-1", Zone: "eu-west-1a", CIDR: block("10.1.0.0/20"), State: "available",
		Free: 4000, MapPublic: true, RouteTable: "rtb-1", Out: discovery.Out{Via: discovery.OutGateway, ID: "igw-1"}, ACL: open(),
	}
}

func tcp(port int, cidr string) discovery.Rule {
	return discovery.Rule{Protocol: "tcp", From: port, To: port, Block: block(cidr)}
}

// through is a rule whose peers are in a prefix list.
func through(list, protocol string, from, to int) discovery.Rule {
	return discovery.Rule{Protocol: protocol, From: from, To: to, List: list}
}

func list(id string, cidrs ...string) discovery.PrefixList {
	l := discovery.PrefixList{ID: id}
	for _, cidr := range cidrs {
		l.Blocks = append(l.Blocks, block(cidr))
	}
	return l
}

func goodGroup() discovery.SecurityGroup {
	return discovery.SecurityGroup{
		Resource: made("sg-1", "machines"), GroupName: "machines", VPC: "vpc-1",
		Ingress: []discovery.Rule{tcp(443, caller), tcp(11434, caller), tcp(6333, caller), tcp(11235, "203.0.113.0/24")},
		Egress:  []discovery.Rule{{Protocol: "-1", From: -1, To: -1, Block: block("0.0.0.0/0")}},
	}
}

func filesGroup() discovery.SecurityGroup {
	return discovery.SecurityGroup{
		Resource: made("sg-2", "files"), GroupName: "files", VPC: "vpc-1",
		Ingress: []discovery.Rule{{Protocol: "tcp", From: 2049, To: 2049, Group: "sg-1"}},
	}
}

func goodFiles() discovery.FileSystem {
	return discovery.FileSystem{
		Resource: made("fs-1", "models"), State: "available", Encrypted: true, Throughput: "elastic",
		Targets: []discovery.MountTarget{{
			ID: "fsmt-1", Subnet: "subnet-1", VPC: "vpc-1", Zone: "eu-west-1a", Address: "10.1.0.9", State: "available", Groups: []string{"sg-2"},
		}},
	}
}

func region() *discovery.Region {
	return &discovery.Region{
		Name: "eu-west-1", VPCs: []discovery.VPC{goodVPC()}, Subnets: []discovery.Subnet{goodSubnet()},
		Groups: []discovery.SecurityGroup{goodGroup(), filesGroup()}, FileSystems: []discovery.FileSystem{goodFiles()},
	}
}

// need is what a deployment with these keys asks.
func need(t *testing.T, set ...string) discovery.Need {
	t.Helper()
	c := stack.NewConfig()
	for i := 0; i < len(set); i += 2 {
		if err := c.Set(set[i], set[i+1], stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	return discovery.NeedOf(c, caller, []string{"eu-west-1a", "eu-west-1b"})
}

// check compares the problems of a fit, as "id: text; fix" each.
func check(t *testing.T, fit discovery.Fit, want ...string) {
	t.Helper()
	var got []string
	for _, p := range fit.Problems {
		got = append(got, p.ID+": "+p.Text+"; "+p.Fix)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if fit.OK() != (len(want) == 0) {
		t.Errorf("OK is %v with %d problems", fit.OK(), len(want))
	}
}

func TestAVPCIsFitOrSaysWhyNot(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*discovery.VPC)
		set    []string
		want   []string
	}{
		"fit": {},
		"pending": {
			change: func(v *discovery.VPC) { v.State = "pending" },
			want:   []string{"state: is pending; wait until it is available"},
		},
		"of another deployment": {
			change: func(v *discovery.VPC) { v.Resource = ours("vpc-1") },
			want:   []string{"deployment: was made by the deployment demo, which deletes it when it is destroyed; choose one that is your own"},
		},
		"dedicated": {
			change: func(v *discovery.VPC) { v.Tenancy = "dedicated" },
			want:   []string{"tenancy: has dedicated tenancy: a machine in it takes dedicated hardware, which is billed extra; change its tenancy to default, or choose another VPC"},
		},
		"without DNS hostnames": {
			change: func(v *discovery.VPC) { v.DNS = &discovery.DNS{Support: true} },
			want:   []string{"dns: has DNS hostnames off, so the file system's name is not found; turn on DNS resolution and DNS hostnames of the VPC (aws ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-hostnames)"},
		},
		"DNS not asked": {change: func(v *discovery.VPC) { v.DNS = nil }},
		"without a gateway": {
			change: func(v *discovery.VPC) { v.Gateway = "" },
			want:   []string{"internet-gateway: has no internet gateway, so nobody reaches the machine from outside; attach one, or set access to tunnel, for which a NAT gateway is enough"},
		},
		"without a gateway, by tunnel": {change: func(v *discovery.VPC) { v.Gateway = "" }, set: []string{"access", "tunnel"}},
		"another than the chosen one": {
			set:  []string{"vpc_id", "vpc-9"},
			want: []string{"vpc: is not vpc-9; choose that", "subnets: has no fit subnet among its 1: subnet-1 lies in vpc-1, not in vpc-9; see `geusemaker discover subnets --vpc vpc-1`"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := region()
			if c.change != nil {
				c.change(&r.VPCs[0])
			}
			check(t, r.FitVPC(r.VPCs[0], need(t, c.set...)), c.want...)
		})
	}
	t.Run("without subnets", func(t *testing.T) {
		r := region()
		r.Subnets = nil
		check(t, r.FitVPC(r.VPCs[0], need(t)), "subnets: has no subnets; make a subnet in it, or choose another VPC")
	})
}

func TestASubnetIsFitOrSaysWhyNot(t *testing.T) {
	const outside = "choose a subnet with a route to an internet gateway"
	const nat = "route 0.0.0.0/0 to a NAT gateway or an internet gateway"
	out := func(via, id string) func(*discovery.Subnet) {
		return func(s *discovery.Subnet) { s.Out = discovery.Out{Via: via, ID: id} }
	}
	blocked := func(mode string) func(*discovery.Subnet) { return func(s *discovery.Subnet) { s.Blocked = mode } }
	tunnel := []string{"access", "tunnel"}
	for name, c := range map[string]struct {
		change func(*discovery.Subnet)
		set    []string
		want   []string
	}{
		"fit":                      {},
		"fit by tunnel":            {set: tunnel},
		"NAT by tunnel":            {change: out(discovery.OutNAT, "nat-1"), set: tunnel},
		"without public addresses": {change: func(s *discovery.Subnet) { s.MapPublic = false }},
		"pending":                  {change: func(s *discovery.Subnet) { s.State = "pending" }, want: []string{"state: is pending; wait until it is available"}},
		"of another deployment": {
			change: func(s *discovery.Subnet) { s.Resource = ours("subnet-1") },
			want:   []string{"deployment: was made by the deployment demo, which deletes it when it is destroyed; choose one that is your own"},
		},
		"of another VPC": {set: []string{"vpc_id", "vpc-9"}, want: []string{"vpc: lies in vpc-1, not in vpc-9; choose one of vpc-9"}},
		"on an Outpost": {
			change: func(s *discovery.Subnet) { s.Outpost = "arn:aws:outposts:eu-west-1:1:outpost/op-1" },
			want:   []string{"outpost: lies on an Outpost, which has neither EFS nor the usual machines; choose a subnet of the region"},
		},
		"IPv6 only": {change: func(s *discovery.Subnet) { s.CIDR = netip.Prefix{} }, want: []string{"ipv6-only: has no IPv4 addresses; choose a subnet with IPv4"}},
		"full":      {change: func(s *discovery.Subnet) { s.Free = 0 }, want: []string{"addresses: has no free address; choose a larger subnet, or free some of its addresses"}},
		"in a zone that does not sell it": {
			change: func(s *discovery.Subnet) { s.Zone = "eu-west-1c" },
			want:   []string{"zone: lies in eu-west-1c, which does not sell the machine; choose a subnet in eu-west-1a, eu-west-1b, or another instance_type"},
		},
		"without a route":           {change: out(discovery.OutNone, ""), want: []string{"route: has no route to the internet; " + outside}},
		"without a route by tunnel": {change: out(discovery.OutNone, ""), set: tunnel, want: []string{"route: has no route to the internet, which Systems Manager and container images need; " + nat}},
		"private": {
			change: out(discovery.OutNAT, "nat-1"),
			want:   []string{"route: is private: it routes the internet to nat-gateway nat-1, so nobody reaches the machine from outside; choose a public subnet, or set access to tunnel"},
		},
		"behind a private NAT gateway": {
			change: func(s *discovery.Subnet) { s.Out = discovery.Out{Via: discovery.OutNAT, ID: "nat-1", Private: true} }, set: tunnel,
			want: []string{"route: routes the internet to nat-1, a private NAT gateway, which does not lead there; " + nat},
		},
		"blackhole": {change: out(discovery.OutBlackhole, "igw-9"), want: []string{"route: routes the internet to igw-9, which is gone; " + nat}},
		"blocked":   {change: blocked("block-bidirectional"), set: tunnel, want: []string{"block-public-access: is cut off from the internet by VPC Block Public Access; exclude it there, or choose another"}},
		"closed":    {change: blocked("block-ingress"), want: []string{"block-public-access: is closed to the internet by VPC Block Public Access; exclude it there, or set access to tunnel"}},
		"closed, by tunnel": {
			change: blocked("block-ingress"), set: tunnel,
			want: []string{"block-public-access: gets no answers through its internet gateway: VPC Block Public Access lets NAT gateways through only; choose a subnet with a NAT gateway"},
		},
		"network ACL against callers": {
			change: func(s *discovery.Subnet) {
				deny := discovery.Entry{Number: 50, Protocol: "6", From: 443, To: 443, Block: block("203.0.113.0/24")}
				s.ACL.Entries = append([]discovery.Entry{deny}, s.ACL.Entries...)
			},
			want: []string{"network-acl: has the network ACL acl-1, which holds up tcp 443 from 203.0.113.10/32; let it through there, in both directions"},
		},
		"network ACL against answers": {
			change: func(s *discovery.Subnet) {
				s.ACL.Entries[0].From, s.ACL.Entries[0].To, s.ACL.Entries[0].Protocol = 0, 12000, "6"
			},
			want: []string{"network-acl: has the network ACL acl-1, which holds up the answers to what the machine asks for (tcp 32768-60999 in); let it through there, in both directions"},
		},
		"network ACL not known": {change: func(s *discovery.Subnet) { s.ACL = discovery.ACL{} }},
	} {
		t.Run(name, func(t *testing.T) {
			r := region()
			if c.change != nil {
				c.change(&r.Subnets[0])
			}
			check(t, r.FitSubnet(r.Subnets[0], need(t, c.set...)), c.want...)
		})
	}
	t.Run("of an unfit VPC", func(t *testing.T) {
		r := region()
		r.VPCs[0].DNS = &discovery.DNS{}
		fit := r.FitSubnet(r.Subnets[0], need(t))
		if len(fit.Problems) != 1 || !strings.HasPrefix(fit.Problems[0].Text, "lies in vpc-1, which has DNS resolution and DNS hostnames off") {
			t.Errorf("%+v", fit.Problems)
		}
	})
}

func TestASecurityGroupIsFitOrNamesTheMissingRules(t *testing.T) {
	const add = "; add these rules, or let --add-missing-rules do it"
	for name, c := range map[string]struct {
		change func(*discovery.SecurityGroup)
		lists  []discovery.PrefixList
		set    []string
		want   []string
	}{
		"fit":           {},
		"fit by tunnel": {change: func(g *discovery.SecurityGroup) { g.Ingress = nil }, set: []string{"access", "tunnel"}},
		"ranges and all protocols cover": {change: func(g *discovery.SecurityGroup) {
			g.Ingress = []discovery.Rule{{Protocol: "tcp", From: 1, To: 11300, Block: block("203.0.113.0/24")}, {Protocol: "-1", From: -1, To: -1, Block: block(caller)}}
		}},
		"no rules": {
			change: func(g *discovery.SecurityGroup) { g.Ingress = nil },
			want:   []string{"ingress: does not let in tcp 443, 11434, 6333, 11235 from 203.0.113.10/32" + add},
		},
		"wrong protocol and address": {
			change: func(g *discovery.SecurityGroup) {
				g.Ingress[0].Protocol = "udp"
				g.Ingress[1].Block = block("198.51.100.0/24")
			},
			want: []string{"ingress: does not let in tcp 443, 11434 from 203.0.113.10/32" + add},
		},
		"by a prefix list, in and out": {
			change: func(g *discovery.SecurityGroup) {
				g.Ingress, g.Egress = []discovery.Rule{through("pl-1", "tcp", 1, 65535)}, []discovery.Rule{through("pl-2", "-1", -1, -1)}
			},
			lists: []discovery.PrefixList{list("pl-1", "198.51.100.0/24", "203.0.113.0/28"), list("pl-2", "10.0.0.0/8", "0.0.0.0/0")},
		},
		"a prefix list of others": {
			change: func(g *discovery.SecurityGroup) { g.Ingress[0] = through("pl-1", "tcp", 443, 443) },
			lists:  []discovery.PrefixList{list("pl-1", "198.51.100.0/24", "203.0.113.128/25")},
			want:   []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"a prefix list for other ports": {
			change: func(g *discovery.SecurityGroup) { g.Ingress[0] = through("pl-1", "udp", 443, 443) },
			lists:  []discovery.PrefixList{list("pl-1", "0.0.0.0/0")},
			want:   []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"an empty prefix list": {
			change: func(g *discovery.SecurityGroup) { g.Ingress[0] = through("pl-1", "tcp", 443, 443) },
			lists:  []discovery.PrefixList{list("pl-1")},
			want:   []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"an IPv6 prefix list": {
			change: func(g *discovery.SecurityGroup) { g.Ingress[0] = through("pl-1", "tcp", 443, 443) },
			lists:  []discovery.PrefixList{list("pl-1", "::/0")},
			want:   []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"a prefix list that was not asked for": {
			change: func(g *discovery.SecurityGroup) { g.Ingress[0] = through("pl-1", "tcp", 443, 443) },
			want:   []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"a prefix list that may not be read": {
			change: func(g *discovery.SecurityGroup) {
				g.Ingress[0], g.Ingress[1], g.Egress = through("pl-1", "tcp", 443, 443), through("pl-1", "tcp", 80, 12000), []discovery.Rule{through("pl-2", "-1", -1, -1)}
			},
			lists: []discovery.PrefixList{{ID: "pl-1", Unknown: "not allowed"}, {ID: "pl-2", Unknown: "gone"}},
			want: []string{
				"ingress: does not let in tcp 443, 11434 from 203.0.113.10/32 (whether pl-1 does is not known: not allowed)" + add,
				"egress: does not let out tcp 443, 80 to 0.0.0.0/0; tcp 2049 to 10.1.0.0/16 (whether pl-2 does is not known: gone)" + add,
			},
		},
		"a prefix list that may not be read, for what is not missing": {
			change: func(g *discovery.SecurityGroup) {
				g.Ingress[0] = through("pl-1", "tcp", 22, 22)
			},
			lists: []discovery.PrefixList{{ID: "pl-1", Unknown: "not allowed"}},
			want:  []string{"ingress: does not let in tcp 443 from 203.0.113.10/32" + add},
		},
		"nothing out": {
			change: func(g *discovery.SecurityGroup) { g.Egress = nil },
			want:   []string{"egress: does not let out tcp 443, 80 to 0.0.0.0/0; tcp 2049 to 10.1.0.0/16" + add},
		},
		"out to the file system's group": {
			change: func(g *discovery.SecurityGroup) {
				g.Egress = []discovery.Rule{tcp(443, "0.0.0.0/0"), tcp(80, "0.0.0.0/0"), {Protocol: "tcp", From: 2049, To: 2049, Group: "sg-2"}}
			},
			set: []string{"efs_id", "fs-1"},
		},
		"of another VPC": {set: []string{"vpc_id", "vpc-9"}, want: []string{"vpc: lies in vpc-1, not in vpc-9; choose one of vpc-9"}},
		"of another deployment": {
			change: func(g *discovery.SecurityGroup) { g.Resource = ours("sg-1") },
			want:   []string{"deployment: was made by the deployment demo, which deletes it when it is destroyed; choose one that is your own"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := region()
			if c.change != nil {
				c.change(&r.Groups[0])
			}
			r.Lists = c.lists
			check(t, r.FitGroup(r.Groups[0], need(t, c.set...)), c.want...)
		})
	}
}

func TestAPrefixListMayLetTheWholeInternetIn(t *testing.T) {
	r := region()
	r.Groups[0].Ingress, r.Lists = []discovery.Rule{through("pl-1", "-1", -1, -1)}, []discovery.PrefixList{list("pl-1", caller, "0.0.0.0/0")}
	if diff := cmp.Diff([]string{"lets the whole internet in to all ports"}, r.FitGroup(r.Groups[0], need(t)).Notes); diff != "" {
		t.Error(diff)
	}
}

func TestMissingRulesCanBeAdded(t *testing.T) {
	r := region()
	r.Groups[0].Ingress = r.Groups[0].Ingress[1:]
	fit := r.FitGroup(r.Groups[0], need(t))
	missing := fit.Missing()
	if !fit.Addable() || len(missing) != 1 || missing[0].Rule.String() != "tcp 443 203.0.113.10/32" || missing[0].Rule.Reason != "n8n" || missing[0].Egress {
		t.Errorf("%+v", missing)
	}
	r.Groups[0].Resource = ours("sg-1")
	if fit := r.FitGroup(r.Groups[0], need(t)); fit.Addable() {
		t.Error("rules alone do not make a group fit that a deployment will delete")
	}
}

func TestAFileSystemIsFitOrSaysWhyNot(t *testing.T) {
	const inUse = "deployment: is in use by the deployment demo, which made it and deletes it when it is destroyed; choose one that is your own, or keep its data with `geusemaker destroy demo --keep-data`"
	for name, c := range map[string]struct {
		change func(*discovery.Region)
		set    []string
		want   []string
	}{
		"fit": {set: []string{"security_group_id", "sg-1"}},
		"by the addresses of the subnet": {
			change: func(r *discovery.Region) { r.Groups[1].Ingress = []discovery.Rule{tcp(2049, "10.1.0.0/20")} },
			set:    []string{"subnet_id", "subnet-1"},
		},
		"closed": {
			change: func(r *discovery.Region) { r.Groups[1].Ingress = nil }, set: []string{"security_group_id", "sg-1"},
			want: []string{"nfs: does not let the machine in: sg-2 has no rule for tcp 2049 from sg-1; add the rule, or let --add-missing-rules do it"},
		},
		"by a prefix list": {
			change: func(r *discovery.Region) {
				r.Groups[1].Ingress, r.Lists = []discovery.Rule{through("pl-1", "tcp", 2049, 2049)}, []discovery.PrefixList{list("pl-1", "10.2.0.0/16", "10.1.0.0/16")}
			},
		},
		"by a prefix list that may not be read": {
			change: func(r *discovery.Region) {
				r.Groups[1].Ingress, r.Lists = []discovery.Rule{through("pl-1", "tcp", 2049, 2049)}, []discovery.PrefixList{{ID: "pl-1", Unknown: "gone"}}
			},
			want: []string{"nfs: does not let the machine in: sg-2 has no rule for tcp 2049 from the machine's group (whether pl-1 does is not known: gone); add the rule, or let --add-missing-rules do it"},
		},
		"closed to a group that is yet to be made": {
			want: []string{"nfs: does not let the machine in: sg-2 has no rule for tcp 2049 from the machine's group; add the rule, or let --add-missing-rules do it"},
		},
		"without mount targets": {change: func(r *discovery.Region) { r.FileSystems[0].Targets = nil }},
		"without a mount target in the zone": {
			change: func(r *discovery.Region) { r.FileSystems[0].Targets[0].Zone = "eu-west-1c" },
		},
		"creating": {
			change: func(r *discovery.Region) { r.FileSystems[0].State = "creating" }, set: []string{"security_group_id", "sg-1"},
			want: []string{"state: is creating; wait until it is available, or choose another"},
		},
		"mount target creating": {
			change: func(r *discovery.Region) { r.FileSystems[0].Targets[0].State = "creating" }, set: []string{"security_group_id", "sg-1"},
			want: []string{"state: has a mount target in eu-west-1a that is creating; wait until it is available"},
		},
		"not encrypted": {
			change: func(r *discovery.Region) { r.FileSystems[0].Encrypted = false }, set: []string{"security_group_id", "sg-1"},
			want: []string{"encryption: is not encrypted, and EFS encrypts only what is made so; copy the data to an encrypted file system"},
		},
		"a replica": {
			change: func(r *discovery.Region) { r.FileSystems[0].Replica = true }, set: []string{"security_group_id", "sg-1"},
			want: []string{"replica: is the destination of a replication and read-only; choose its source, or end the replication"},
		},
		"One Zone elsewhere": {
			change: func(r *discovery.Region) { r.FileSystems[0].Zone, r.FileSystems[0].Targets = "eu-west-1c", nil },
			want:   []string{"zone: is a One Zone file system of eu-west-1c; choose a subnet of that zone, or a regional file system"},
		},
		"of a deployment that lives": {
			change: func(r *discovery.Region) { r.FileSystems[0].Resource = ours("fs-1") }, set: []string{"security_group_id", "sg-1"},
			want: []string{inUse},
		},
		"of a deployment that is being made, or removed": {
			change: func(r *discovery.Region) {
				r.FileSystems[0].Resource, r.FileSystems[0].Targets, r.Groups[1].Resource = ours("fs-1"), nil, ours("sg-2")
			},
			want: []string{inUse},
		},
		"kept by a deployment": {
			change: func(r *discovery.Region) { r.FileSystems[0].Resource, r.FileSystems[0].Targets = ours("fs-1"), nil },
		},
		"of another VPC": {
			set:  []string{"vpc_id", "vpc-9", "security_group_id", "sg-1"},
			want: []string{"vpc: lies in vpc-1, not in vpc-9; choose one of vpc-9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := region()
			if c.change != nil {
				c.change(r)
			}
			check(t, r.FitFileSystem(r.FileSystems[0], need(t, c.set...)), c.want...)
		})
	}
	t.Run("with a fresh VPC", func(t *testing.T) {
		n := need(t, "security_group_id", "sg-1")
		n.FreshVPC = true
		r := region()
		check(t, r.FitFileSystem(r.FileSystems[0], n), "vpc: lies in vpc-1, but the deployment makes its own VPC; set vpc_id to vpc-1")
	})
}

func TestALoadBalancerIsFitOrSaysWhyNot(t *testing.T) {
	good := discovery.LoadBalancer{Resource: made("arn", "front"), Type: "application", Scheme: "internet-facing", State: "active", VPC: "vpc-1"}
	r := region()
	check(t, r.FitLoadBalancer(good, need(t)))
	for want, change := range map[string]func(*discovery.LoadBalancer){
		"kind: is a network load balancer, which does not speak HTTP; choose an application load balancer": func(l *discovery.LoadBalancer) { l.Type = "network" },
		"state: is provisioning; wait until it is active":                                                  func(l *discovery.LoadBalancer) { l.State = "provisioning" },
		"route: is internal, so nobody reaches it from outside; choose an internet-facing one":             func(l *discovery.LoadBalancer) { l.Scheme = "internal" },
	} {
		one := good
		change(&one)
		check(t, r.FitLoadBalancer(one, need(t)), want)
	}
}

func TestKeyPairsFit(t *testing.T) {
	r := region()
	check(t, r.FitKeyPair(discovery.KeyPair{Resource: made("key-1", "me"), Type: "ed25519"}, need(t)))
	check(t, r.FitKeyPair(discovery.KeyPair{Resource: made("key-1", "me"), Type: "dsa"}, need(t)),
		"kind: is of the type dsa, which the machine's SSH server may not know; choose an rsa or ed25519 key pair")
}

func TestTakenNamesVPCsPeersAndRoutes(t *testing.T) {
	r := region()
	r.VPCs[0].Peers = []discovery.Peer{{Connection: "pcx-1", VPC: "vpc-7", CIDRs: []netip.Prefix{block("10.7.0.0/16")}}}
	r.VPCs[0].Routes = []netip.Prefix{block("10.8.0.0/14")}
	want := map[string]string{"10.1.0.0/16": "vpc-1", "10.7.0.0/16": "vpc-7, a peer of vpc-1", "10.8.0.0/14": "a route of vpc-1"}
	got := map[string]string{}
	for _, taken := range r.Taken() {
		got[taken.Block.String()] = taken.By
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
