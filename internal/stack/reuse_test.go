package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// TestRuleSets holds what every tier opens in every access mode. Only a balancer reaches the machine of a tier that has one, SSH
// is closed unless it is asked for, and through a tunnel nothing is open.
func TestRuleSets(t *testing.T) {
	const (
		direct   = "host 443 allow_cidrs, host 11434 allow_cidrs, host 6333 allow_cidrs, host 11235 allow_cidrs"
		balanced = "balancer 443 allow_cidrs, balancer 80 allow_cidrs, host 443 balancer, host 11434 balancer, host 6333 balancer, host 11235 balancer"
		files    = "files 2049 host"
		out      = "host out 443 world, host out 80 world, host out udp 123 world, host out 2049 files"
	)
	for _, tt := range []struct{ settings, want string }{
		{"", direct + ", " + files},
		{"access=tunnel", files},
		{"ssh_cidr=my-ip", direct + ", host 22 ssh_cidr, " + files},
		{"access=tunnel ssh_cidr=my-ip", "host 22 ssh_cidr, " + files},
		{"https=off", strings.Replace(direct, "443", "80", 1) + ", " + files},
		{"https=acme domain=ai.example.com", direct + ", host 80 world, " + files},
		{"egress=restricted", direct + ", " + files + ", " + out},
		{"tier=automation", balanced + ", " + files},
		{"tier=gpu", balanced + ", " + files},
		{"tier=automation https=acme domain=ai.example.com", balanced + ", " + files},
		{"tier=gpu access=tunnel", files},
		{"tier=automation ssh_cidr=my-ip", balanced + ", host 22 ssh_cidr, " + files},
		{"tier=automation egress=restricted", balanced + ", " + files + ", " + out + ", balancer out 443 host, balancer out 11434 host, balancer out 6333 host, balancer out 11235 host"},
	} {
		c := stack.NewConfig()
		for setting := range strings.FieldsSeq(tt.settings) {
			key, value, _ := strings.Cut(setting, "=")
			if err := c.Set(key, value, stack.Source{}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, d := range stack.Doors(c) {
			words := []string{strings.TrimPrefix(string(d.Group), "access/")}
			if d.Egress {
				words = append(words, "out")
			}
			if d.Protocol != "tcp" {
				words = append(words, d.Protocol)
			}
			got = append(got, strings.Join(append(words, fmt.Sprint(d.Port), string(d.Peer)), " "))
			if d.Reason == "" {
				t.Errorf("%s: no reason for %+v", tt.settings, d)
			}
		}
		if diff := cmp.Diff(strings.Split(tt.want, ", "), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.settings, diff)
		}
	}
}

// reusing are facts of a network, a group and a file system of the user's.
func reusing() stack.Facts {
	f := goodFacts()
	f.Reuse = stack.Reuse{
		VPC: stack.ReusedVPC{ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
		Subnets: []stack.ReusedSubnet{
			{ID: "subnet-1", Zone: "eu-central-1b", CIDR: "10.1.0.0/20", Public: true}, {ID: "subnet-2", Zone: "eu-central-1a", CIDR: "10.1.16.0/20", Public: true},
		},
		Group: "sg-1",
		Files: stack.ReusedFiles{ID: "fs-1", Targets: []stack.ReusedTarget{{ID: "fsmt-2", Zone: "eu-central-1a"}}},
		Missing: []stack.MissingRule{
			{Group: "sg-1", Rule: stack.Rule{Protocol: "tcp", Port: 443, CIDR: "203.0.113.7/32", Reason: "n8n"}},
			{Group: "sg-2", Rule: stack.Rule{Protocol: "tcp", Port: 2049, Group: stack.KeyHostGroup, Reason: "NFS from the machine"}},
		},
		Held: []stack.HeldRule{{GroupID: "sg-1", Gate: stack.Gate{Direction: "in", Protocol: "tcp", Ports: "1-1024", Peer: "10.0.0.0/8", Reason: "office"}}},
	}
	return f
}

// A network of the user's gets no gateway and no routes, each zone has one mount target, and what is the user's is adopted.
func TestBlueprintOfReuse(t *testing.T) {
	g := blueprint(t, goodConfig(), reusing())
	var got []string
	for _, n := range g.Nodes {
		if strings.HasPrefix(string(n.Key), "identity/") || strings.HasPrefix(string(n.Key), "secret/") {
			continue
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", n.Key, n.Provenance(), n.Adopt)))
	}
	want := []string{
		"network/vpc reused vpc-1", "network/subnet-a reused subnet-1", "network/subnet-b reused subnet-2",
		"access/host reused sg-1", "access/files created", "access/added-1 added", "access/mount-a reused sg-2", "access/added-2 added",
		"storage/files reused fs-1", "storage/mount-a created", "storage/mount-b reused fsmt-2",
		"compute/instance created", "storage/data created",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	n, _ := g.Find(stack.KeyInstance)
	m := n.Spec.(stack.Instance)
	if !m.PublicIP || m.Routes != "" || !cmp.Equal(m.Rules, []stack.Key{"access/added-1", "access/added-2"}) {
		t.Errorf("the machine is %+v", m)
	}
	private := reusing()
	private.Reuse.Subnets[0].Public, private.Reuse.Subnets[1].Public = false, false
	n, _ = blueprint(t, goodConfig(), private).Find(stack.KeyInstance)
	if n.Spec.(stack.Instance).PublicIP {
		t.Error("a machine behind a NAT gateway gets a public address")
	}
	if cost := stack.Estimate(g, reusing()); cost.Of(stack.KeyFiles).Hourly != 0 {
		t.Error("the user's own file system is in the price")
	}
	none := reusing()
	none.Reuse.Subnets = nil
	if _, err := stack.Blueprint(demo, goodConfig(), none); err == nil || !strings.Contains(err.Error(), "no subnet of vpc-1 fits") {
		t.Errorf("a VPC without a subnet: %v", err)
	}
}

// The audit lists what is made, what is added and what the user's groups have, each with its reason.
func TestAudit(t *testing.T) {
	text := func(gates []stack.Gate) (all []string) {
		for _, g := range gates {
			all = append(all, fmt.Sprintf("%s %s %s %s %s (%s, %s)", g.Group, g.Direction, g.Protocol, g.Ports, g.Peer, g.Reason, g.Provenance))
		}
		return all
	}
	f := reusing()
	want := []string{
		"access/host in tcp 1-1024 10.0.0.0/8 (office, reused)",
		"access/files in tcp 2049 access/host (NFS from the machine, created)",
		"access/files out all all 0.0.0.0/0 (egress is open, created)",
		"access/host in tcp 443 203.0.113.7/32 (n8n, added)",
		"access/mount-a in tcp 2049 access/host (NFS from the machine, added)",
	}
	if diff := cmp.Diff(want, text(stack.Audit(blueprint(t, goodConfig(), f), f))); diff != "" {
		t.Errorf("reuse (-want +got):\n%s", diff)
	}
	c := goodConfig()
	c.Access, c.Egress = stack.AccessTunnel, stack.EgressRestricted
	want = []string{
		"access/host out tcp 443 0.0.0.0/0 (AWS, container images, packages, models, created)",
		"access/host out tcp 80 0.0.0.0/0 (package mirrors, created)",
		"access/host out udp 123 0.0.0.0/0 (time, of images that ask a public server, created)",
		"access/files in tcp 2049 access/host (NFS from the machine, created)",
		"access/host out tcp 2049 access/files (NFS to the file system, created)",
	}
	gates := stack.Audit(blueprint(t, c, goodFacts()), goodFacts())
	if diff := cmp.Diff(want, text(gates)); diff != "" {
		t.Errorf("restricted (-want +got):\n%s", diff)
	}
	if open := stack.Exposed(gates); len(open) > 0 {
		t.Errorf("through a tunnel %v are open to the world", open)
	}
	c = goodConfig()
	c.AllowCIDRs, c.Public, c.HTTPS, c.Domain = []string{"0.0.0.0/0", "10.0.0.0/8"}, true, stack.HTTPSACME, "ai.example.com"
	if got := stack.Exposed(stack.Audit(blueprint(t, c, goodFacts()), goodFacts()), stack.ReasonChallenge); !cmp.Equal(got, []string{"443", "11434", "6333", "11235"}) {
		t.Errorf("open to the world: %v", got)
	}
}

// The tag names what is reused, and the records are made from it again.
func TestTheTagOfReuse(t *testing.T) {
	s := stack.State{Identity: demo, Facts: reusing()}
	tag := s.Tags("network/s3")[stack.TagReuses]
	if tag != "vpc-1 subnet-1 subnet-2 fsmt-2 sg-1 fs-1" {
		t.Errorf("tag %q", tag)
	}
	for id, want := range map[string]stack.Key{"vpc-1": stack.KeyVPC, "subnet-2": "network/subnet-b", "sg-1": stack.KeyHostGroup, "fs-1": stack.KeyFiles, "fsmt-2": "storage/mount-b", "x": ""} {
		if got := stack.ReusedKey(tag, id); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	c := stack.Trace{Name: "demo", Tier: "dev", Reuses: tag}.Config("demo", "eu-central-1")
	if c.VPCID != "vpc-1" || c.SubnetID != "" || c.SecurityGroupID != "sg-1" || c.EFSID != "fs-1" {
		t.Errorf("rebuilt as %q %q %q %q", c.VPCID, c.SubnetID, c.SecurityGroupID, c.EFSID)
	}
	if _, ok := (stack.State{Identity: demo, Facts: goodFacts()}).Tags("network/s3")[stack.TagReuses]; ok {
		t.Error("a deployment that reuses nothing bears the tag")
	}
}
