package market

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// guarded is an estate with a group that lets the caller in by a prefix list only, and a file system behind another group.
func guarded() *fake {
	f := ready()
	f.estate = estate("vpc-1", 9)
	everything := discovery.Rule{Protocol: "-1", From: -1, To: -1, Block: netip.MustParsePrefix("0.0.0.0/0")}
	f.estate.Groups = []discovery.SecurityGroup{
		{
			Resource: discovery.Resource{ID: "sg-0123456789abcdef0"}, VPC: "vpc-1", Egress: []discovery.Rule{everything},
			Ingress: []discovery.Rule{{Protocol: "tcp", From: 1, To: 65535, List: "pl-1", Reason: "office"}},
		},
		{Resource: discovery.Resource{ID: "sg-files"}, VPC: "vpc-1", Ingress: []discovery.Rule{{Protocol: "tcp", From: 2049, To: 2049, List: "pl-2"}}},
		{Resource: discovery.Resource{ID: "sg-other"}, VPC: "vpc-1", Ingress: []discovery.Rule{{Protocol: "tcp", From: 443, To: 443, List: "pl-3"}}},
	}
	f.estate.FileSystems = []discovery.FileSystem{{
		Resource: discovery.Resource{ID: "fs-0123456789abcdef0"}, State: "available", Encrypted: true,
		Targets: []discovery.MountTarget{{ID: "fsmt-1", Subnet: "subnet-0123456789abcdef0", VPC: "vpc-1", Zone: "eu-west-1a", Address: "10.1.0.9", State: "available", Groups: []string{"sg-files"}}},
	}}
	f.lists = []discovery.PrefixList{
		{ID: "pl-1", Blocks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")}},
		{ID: "pl-2", Blocks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}},
	}
	return f
}

const reused = "security_group_id=sg-0123456789abcdef0 efs_id=fs-0123456789abcdef0 subnet_id=subnet-0123456789abcdef0"

// Groups that let people and machines in by prefix lists only are fit, only the lists of those that are reused are asked for, and
// what an audit shows are the blocks behind them.
func TestPrefixListsCountAsTheirBlocks(t *testing.T) {
	f := guarded()
	facts, err := f.market().Facts(t.Context(), config(strings.Fields(reused)...))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.calls, "AskLists sg-files sg-0123456789abcdef0") {
		t.Errorf("calls %q", f.calls)
	}
	var held []string
	for _, one := range facts.Reuse.Held {
		if one.Gate.Direction == stack.DirectionIn {
			held = append(held, one.Gate.Peer+" "+one.Gate.Reason)
		}
	}
	if want := []string{"198.51.100.0/24 office, of pl-1", "203.0.113.0/24 office, of pl-1"}; !slices.Equal(held, want) {
		t.Errorf("held %q", held)
	}
}

func TestPrefixListsThatAreNotKnownLetNobodyIn(t *testing.T) {
	f := guarded()
	f.lists = []discovery.PrefixList{{ID: "pl-1", Unknown: "not allowed"}, {ID: "pl-2", Unknown: "gone"}}
	_, err := f.market().Facts(t.Context(), config(strings.Fields(reused)...))
	for _, want := range []string{
		"does not let in tcp 443, 11434, 6333, 11235 from 203.0.113.7/32 (whether pl-1 does is not known: not allowed)",
		"sg-files has no rule for tcp 2049 from sg-0123456789abcdef0 (whether pl-2 does is not known: gone)",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
