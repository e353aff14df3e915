package discovery_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/discovery"
)

// twoBlocks is a region whose VPC got a second block, with a subnet and a mount target of it in a second zone.
func twoBlocks() *discovery.Region {
	r := region()
	r.VPCs[0].CIDRs = append(r.VPCs[0].CIDRs, block("10.2.0.0/16"))
	second := goodSubnet()
	second.Resource, second.Zone, second.CIDR = made("subnet-2", "public"), "eu-west-1b", block("10.2.0.0/20")
	r.Subnets = append(r.Subnets, second)
	r.FileSystems[0].Targets = append(r.FileSystems[0].Targets, discovery.MountTarget{
		ID: "fsmt-2", Subnet: "subnet-2", VPC: "vpc-1", Zone: "eu-west-1b", Address: "10.2.0.9", State: "available", Groups: []string{"sg-2"},
	})
	return r
}

// nfsTo are rules out for the internet, as every machine needs them, and for NFS to these blocks.
func nfsTo(cidrs ...string) []discovery.Rule {
	rules := []discovery.Rule{tcp(443, "0.0.0.0/0"), tcp(80, "0.0.0.0/0")}
	for _, cidr := range cidrs {
		rules = append(rules, tcp(2049, cidr))
	}
	return rules
}

func TestNFSOutIsWantedToEachBlockAndMountTarget(t *testing.T) {
	byGroup := func(id string) []discovery.Rule {
		return append(nfsTo(), discovery.Rule{Protocol: "tcp", From: 2049, To: 2049, Group: id})
	}
	for name, c := range map[string]struct {
		change func(*discovery.Region)
		egress []discovery.Rule
		set    []string
		want   []string
	}{
		"nothing":                   {egress: nfsTo(), want: []string{"tcp 2049 10.1.0.0/16", "tcp 2049 10.2.0.0/16"}},
		"one block":                 {egress: nfsTo("10.1.0.0/16"), want: []string{"tcp 2049 10.2.0.0/16"}},
		"both blocks":               {egress: nfsTo("10.1.0.0/16", "10.2.0.0/16")},
		"both at once":              {egress: nfsTo("10.0.0.0/8")},
		"the subnet that is chosen": {egress: nfsTo("10.2.0.0/20"), set: []string{"subnet_id", "subnet-2"}},
		"another subnet":            {egress: nfsTo("10.1.0.0/16"), set: []string{"subnet_id", "subnet-2"}, want: []string{"tcp 2049 10.2.0.0/20"}},
		"one of two mount targets":  {egress: nfsTo("10.1.0.9/32"), set: []string{"efs_id", "fs-1"}, want: []string{"tcp 2049 10.2.0.0/16"}},
		"the mount target of the zone": {
			egress: nfsTo("10.1.0.9/32"), set: []string{"efs_id", "fs-1", "subnet_id", "subnet-1"},
		},
		"the mount target of another zone": {
			egress: nfsTo("10.1.0.9/32"), set: []string{"efs_id", "fs-1", "subnet_id", "subnet-2"}, want: []string{"tcp 2049 10.2.0.0/16"},
		},
		"the group of all mount targets": {egress: byGroup("sg-2"), set: []string{"efs_id", "fs-1"}},
		"the group of one mount target": {
			change: func(r *discovery.Region) { r.FileSystems[0].Targets[0].Groups = []string{"sg-9"} },
			egress: byGroup("sg-2"), set: []string{"efs_id", "fs-1"}, want: []string{"tcp 2049 10.1.0.0/16"},
		},
		"a mount target without an address yet": {
			change: func(r *discovery.Region) { r.FileSystems[0].Targets[0].Address = "" },
			egress: nfsTo("10.2.0.0/16"), set: []string{"efs_id", "fs-1"}, want: []string{"tcp 2049 10.1.0.0/16"},
		},
		"a mount target of a zone that does not sell the machine": {
			change: func(r *discovery.Region) { r.FileSystems[0].Targets[0].Zone = "eu-west-1c" },
			egress: nfsTo("10.2.0.0/16"), set: []string{"efs_id", "fs-1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := twoBlocks()
			if c.change != nil {
				c.change(r)
			}
			r.Groups[0].Egress = c.egress
			_, egress := r.MissingRules(r.Groups[0], need(t, c.set...))
			var got []string
			for _, rule := range egress {
				got = append(got, rule.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMountTargetLetsInEveryAddressThatTheMachineMayHave(t *testing.T) {
	closed := "nfs: does not let the machine in: sg-2 has no rule for tcp 2049 from the machine's group; add the rule, or let --add-missing-rules do it"
	for name, c := range map[string]struct {
		ingress []string
		set     []string
		want    []string
	}{
		"one block":                     {ingress: []string{"10.1.0.0/16"}, want: []string{closed}},
		"both blocks":                   {ingress: []string{"10.1.0.0/16", "10.2.0.0/16"}},
		"the block of the subnet":       {ingress: []string{"10.2.0.0/16"}, set: []string{"subnet_id", "subnet-2"}},
		"not the block of the subnet":   {ingress: []string{"10.1.0.0/16"}, set: []string{"subnet_id", "subnet-2"}, want: []string{closed}},
		"the subnet, and nothing else":  {ingress: []string{"10.2.0.0/20"}, set: []string{"subnet_id", "subnet-2"}},
		"an address of the subnet only": {ingress: []string{"10.2.0.0/24"}, set: []string{"subnet_id", "subnet-2"}, want: []string{closed}},
	} {
		t.Run(name, func(t *testing.T) {
			r := twoBlocks()
			r.Groups[1].Ingress = nil
			for _, cidr := range c.ingress {
				r.Groups[1].Ingress = append(r.Groups[1].Ingress, tcp(2049, cidr))
			}
			check(t, r.FitFileSystem(r.FileSystems[0], need(t, c.set...)), c.want...)
		})
	}
	t.Run("by two groups together", func(t *testing.T) {
		r := twoBlocks()
		r.Groups[1].Ingress = []discovery.Rule{tcp(2049, "10.1.0.0/16")}
		r.Groups = append(r.Groups, discovery.SecurityGroup{Resource: made("sg-3", "more"), VPC: "vpc-1", Ingress: []discovery.Rule{tcp(2049, "10.2.0.0/16")}})
		for i := range r.FileSystems[0].Targets {
			r.FileSystems[0].Targets[i].Groups = []string{"sg-2", "sg-3"}
		}
		check(t, r.FitFileSystem(r.FileSystems[0], need(t)))
	})
	t.Run("IPv6 only", func(t *testing.T) {
		r := twoBlocks()
		r.Subnets[1].CIDR, r.Groups[1].Ingress = netip.Prefix{}, []discovery.Rule{tcp(2049, "10.2.0.0/16")}
		check(t, r.FitFileSystem(r.FileSystems[0], need(t, "subnet_id", "subnet-2")), closed)
	})
}

func TestAOneZoneFileSystemNeedsASubnetOfItsZone(t *testing.T) {
	const text, regional = "zone: is a One Zone file system of eu-west-1b", "or choose a regional file system"
	elsewhere := text + ", where vpc-1 has no fit subnet; make a subnet there, " + regional
	mounted := func(r *discovery.Region) {
		r.FileSystems[0].Targets = []discovery.MountTarget{{ID: "fsmt-2", Subnet: "subnet-2", VPC: "vpc-1", Zone: "eu-west-1b", State: "available"}}
	}
	full := func(r *discovery.Region) { r.Subnets[1].Free = 0 }
	for name, c := range map[string]struct {
		change func(*discovery.Region)
		set    []string
		want   []string
	}{
		"no VPC is chosen":     {want: []string{text + ", and a new VPC spreads over several zones; set subnet_id to one of that zone, " + regional}},
		"its mount target's":   {change: mounted},
		"a VPC with a subnet":  {set: []string{"vpc_id", "vpc-1"}},
		"a subnet of the zone": {set: []string{"subnet_id", "subnet-2"}},
		"a group of the VPC":   {set: []string{"security_group_id", "sg-1"}},
		"a subnet elsewhere":   {set: []string{"subnet_id", "subnet-1"}, want: []string{text + "; choose a subnet of that zone, or a regional file system"}},
		"a VPC without a subnet there": {
			change: func(r *discovery.Region) { r.Subnets = r.Subnets[:1] }, set: []string{"vpc_id", "vpc-1"}, want: []string{elsewhere},
		},
		"a VPC with a full subnet there":      {change: full, set: []string{"vpc_id", "vpc-1"}, want: []string{elsewhere}},
		"a group of a VPC with a full subnet": {change: full, set: []string{"security_group_id", "sg-1"}, want: []string{elsewhere}},
		"a full subnet beside its mount target": {
			change: func(r *discovery.Region) { mounted(r); full(r) }, want: []string{elsewhere},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := twoBlocks()
			r.FileSystems[0].Zone, r.FileSystems[0].Targets = "eu-west-1b", nil
			if c.change != nil {
				c.change(r)
			}
			check(t, r.FitFileSystem(r.FileSystems[0], need(t, c.set...)), c.want...)
		})
	}
}
