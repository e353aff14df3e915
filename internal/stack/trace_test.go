package stack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// traceOf is a deployment as its tags show it: everything that its blueprint makes, but for what is left out.
func traceOf(t *testing.T, missing ...stack.Key) stack.Trace {
	t.Helper()
	g, err := stack.Blueprint(demo, goodConfig(), goodFacts())
	if err != nil {
		t.Fatal(err)
	}
	trace := stack.Trace{ID: demo.ID, Name: demo.Name, Tier: demo.Tier}
	for i, n := range g.Nodes {
		if slices.Contains(missing, n.Key) {
			continue
		}
		r := stack.Record{Key: n.Key, Kind: n.Spec.Kind(), ID: fmt.Sprintf("id-%d", i), Attrs: map[string]string{}, CreatedAt: day.Add(time.Duration(i) * time.Second)}
		switch s := n.Spec.(type) {
		case stack.VPC:
			r.Attrs[stack.AttrCIDR] = s.CIDR
		case stack.Subnet:
			r.Attrs[stack.AttrZone] = s.Zone
		case stack.Instance:
			o := s.Offers[0]
			r.Attrs = map[string]string{stack.AttrType: o.Type, stack.AttrZone: o.Zone, stack.AttrMarket: o.Market, stack.AttrState: "running", stack.AttrArch: "x86_64", stack.AttrKeyPair: "laptop"}
		case stack.Volume:
			r.Attrs = map[string]string{stack.AttrZone: "eu-central-1b", stack.AttrGiB: "120", stack.AttrSpeed: "300"}
		}
		trace.Add(r)
	}
	return trace
}

func rebuild(trace stack.Trace) stack.State {
	c := trace.Config(demo.Name, demo.Region)
	f := trace.Facts(demo.Account, demo.Region)
	f.Prices = goodFacts().Prices
	return stack.Rebuild(demo, trace, c, f, day.Add(time.Hour))
}

func TestARecordIsRebuiltFromTags(t *testing.T) {
	s := rebuild(traceOf(t))
	if got := s.Phase(false); got != stack.PhaseRunning {
		t.Errorf("the status is %s", got)
	}
	for key, want := range map[string]string{"tier": "dev", "instance_type": goodFacts().Offers[0].Type, "data_gib": "120", "data_throughput": "300", "key_pair": "laptop", "name": demo.Name, "region": demo.Region} {
		if got := s.Config.Text(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(goodFacts().Zones)), s.Facts.Zones); diff != "" || s.Facts.VPCCIDR != goodFacts().VPCCIDR {
		t.Errorf("zones (-want +got):\n%s, range %s", diff, s.Facts.VPCCIDR)
	}
	if !s.CreatedAt.Equal(day) || !s.Facts.FoundAt.IsZero() {
		t.Errorf("created %v, facts of %v", s.CreatedAt, s.Facts.FoundAt)
	}
	g, err := stack.Blueprint(demo, goodConfig(), goodFacts())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes { // what a removal must respect
		for _, ref := range n.Spec.Refs() {
			from, to := n.Key, ref.Key
			if ref.Outlives {
				from, to = to, from
			}
			if !slices.Contains(s.Records[from].Needs, to) {
				t.Errorf("%s does not need %s", from, to)
			}
		}
	}
}

func TestWhatIsNotWholeCountsAsInterrupted(t *testing.T) {
	for _, missing := range []stack.Key{stack.KeyGateway, stack.KeyInstance, stack.KeySecret} {
		if got := rebuild(traceOf(t, missing)).Phase(false); got != stack.PhaseInterrupted {
			t.Errorf("without %s: %s", missing, got)
		}
	}
}

func TestDataAloneCountsAsKept(t *testing.T) {
	all := traceOf(t)
	kept := stack.Trace{ID: all.ID, Name: all.Name, Tier: all.Tier}
	for _, key := range []stack.Key{stack.KeyFiles, stack.KeyData, stack.KeySecret} {
		kept.Add(all.Records[key])
	}
	s := rebuild(kept)
	if s.Phase(false) != stack.PhaseStopped || !s.DataKept() || !kept.DataOnly() || all.DataOnly() {
		t.Errorf("the status is %s", s.Phase(false))
	}
	if s.Records[stack.KeyData].Status != stack.StatusReady {
		t.Errorf("the volume is %s", s.Records[stack.KeyData].Status)
	}
	if zones := s.Zones(); len(zones) != 1 || zones[0] != "eu-central-1b" {
		t.Errorf("the volume lies in %v", zones)
	}
	for _, part := range s.Cost(day.Add(time.Hour)).Components {
		if part.Key != stack.KeyFiles && part.Key != stack.KeyData {
			t.Errorf("it costs %s of %s", part.Name, part.Key)
		}
	}
}

func TestZonesAreThoseOfSubnetsAndTheDataVolume(t *testing.T) {
	s := stack.State{Records: map[stack.Key]stack.Record{
		"network/public-b": {Key: "network/public-b", Kind: stack.KindSubnet, Attrs: map[string]string{stack.AttrZone: "b"}},
		"network/subnet-a": {Key: "network/subnet-a", Kind: stack.KindSubnet, Attrs: map[string]string{stack.AttrZone: "c"}},
		stack.KeyData:      {Key: stack.KeyData, Kind: stack.KindVolume, Attrs: map[string]string{stack.AttrZone: "d"}},
		stack.KeyInstance:  {Key: stack.KeyInstance, Kind: stack.KindInstance, Attrs: map[string]string{stack.AttrZone: "e"}},
	}}
	if got := strings.Join(s.Zones(), " "); got != "b c d" {
		t.Errorf("zones %s", got)
	}
}

// Tags can be written by anybody.
func TestATraceSurvivesStrangeTags(t *testing.T) {
	trace := stack.Trace{ID: "x", Name: "../..", Tier: "galactic"}
	trace.Add(stack.Record{Key: "network/vpc", Kind: stack.KindVPC, ID: "vpc-1"})
	trace.Add(stack.Record{Key: "network/vpc", Kind: stack.KindVPC, ID: "vpc-2"})
	trace.Add(stack.Record{Kind: stack.KindMountTarget, ID: "fsmt-1"})
	trace.Add(stack.Record{Key: stack.KeyInstance, Kind: stack.KindInstance, ID: "i-1", Attrs: map[string]string{stack.AttrArch: "vax"}})
	trace.Add(stack.Record{Key: stack.KeyData, Kind: stack.KindVolume, ID: "vol-1", Attrs: map[string]string{stack.AttrGiB: "-4"}})
	var keys []string
	for _, r := range trace.Sorted() {
		keys = append(keys, string(r.Key))
	}
	if got := strings.Join(keys, " "); got != "#fsmt-1 compute/instance network/vpc network/vpc#vpc-2 storage/data" {
		t.Errorf("keys: %s", got)
	}
	s := rebuild(trace)
	if s.Config.Tier != stack.TierDev || s.Config.Architecture != "x86_64" || s.Config.DataGiB != 40 {
		t.Errorf("tier %s, architecture %s, %d GiB", s.Config.Tier, s.Config.Architecture, s.Config.DataGiB)
	}
	if s.Cost(day).Monthly < 0 {
		t.Error("it costs less than nothing")
	}
}

func TestPartsOfAMachineGoWithIt(t *testing.T) {
	trace := traceOf(t)
	n := len(trace.Records)
	root := stack.Record{Key: "compute/instance/root", Kind: stack.KindVolume, ID: "vol-root"}
	trace.Add(root)
	if trace.DropParts(); len(trace.Records) != n {
		t.Errorf("%d records, want %d", len(trace.Records), n)
	}
	left := stack.Trace{}
	left.Add(root)
	if left.DropParts(); len(left.Records) != 1 {
		t.Error("a root volume that was left counts for nothing")
	}
}

func TestOnlyPartsOfNoRegion(t *testing.T) {
	var trace stack.Trace
	if trace.Global() || trace.DataOnly() {
		t.Error("nothing counts as something")
	}
	trace.Add(stack.Record{Key: stack.KeyRole, Kind: stack.KindRole, ID: "r"})
	if !trace.Global() {
		t.Error("a role belongs to no region")
	}
	trace.Add(stack.Record{Key: stack.KeySecret, Kind: stack.KindParameter, ID: "p"})
	if trace.Global() {
		t.Error("a parameter belongs to a region")
	}
}

func TestCostOfWhatNoBlueprintDescribes(t *testing.T) {
	f := goodFacts()
	o := f.Offers[0]
	machine := stack.Record{Key: "m", Kind: stack.KindInstance, ID: "i-1", Owned: true, Attrs: map[string]string{
		stack.AttrType: o.Type, stack.AttrZone: o.Zone, stack.AttrMarket: o.Market, stack.AttrPublicIP: "198.51.100.4", stack.AttrState: "running", stack.AttrGiB: "75",
	}}
	gp3, ip, efs := f.Prices[stack.PriceGP3Storage].Amount, f.Prices[stack.PricePublicIPv4].Amount, f.Prices[stack.PriceEFSStorage].Amount
	stopped := machine
	stopped.Attrs = map[string]string{stack.AttrType: o.Type, stack.AttrZone: o.Zone, stack.AttrMarket: o.Market, stack.AttrState: "stopped", stack.AttrGiB: "75"}
	adopted := machine
	adopted.Owned = false
	for _, tt := range []struct {
		name   string
		record stack.Record
		want   stack.Money
	}{
		{"running", machine, o.Hourly.Monthly() + ip.Monthly() + gp3.Times(75, 1)},
		{"stopped", stopped, gp3.Times(75, 1)},
		{"the user's", adopted, 0},
		{"volume", stack.Record{Key: "v", Kind: stack.KindVolume, ID: "vol-1", Owned: true, Attrs: map[string]string{stack.AttrGiB: "40", stack.AttrSpeed: "125"}}, gp3.Times(40, 1)},
		{"file system of 2.1 GB", stack.Record{Key: "f", Kind: stack.KindFileSystem, ID: "fs-1", Owned: true, Attrs: map[string]string{stack.AttrBytes: "2100000000"}}, efs.Times(3, 1)},
		{"VPC", stack.Record{Key: "n", Kind: stack.KindVPC, ID: "vpc-1", Owned: true}, 0},
		{"never made", stack.Record{Key: "v", Kind: stack.KindVolume, Owned: true, Attrs: map[string]string{stack.AttrGiB: "40"}}, 0},
	} {
		if got := stack.CostOf([]stack.Record{tt.record}, f).Monthly; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
