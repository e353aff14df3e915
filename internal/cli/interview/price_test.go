package interview

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// selling are the facts of a market with one machine.
func selling(typ string, hourly stack.Money) stack.Facts {
	return stack.Facts{
		Account: "123456789012", Region: "us-east-1", Zones: []string{"us-east-1a", "us-east-1b"}, VPCCIDR: "10.20.0.0/16", CallerCIDR: "203.0.113.7/32",
		Image:  stack.Image{ID: "ami-0123456789abcdef0", OSType: "ubuntu-24.04", Architecture: "x86_64", RootDevice: "/dev/sda1", RootGiB: 8},
		Offers: []stack.Offer{{Type: typ, Zone: "us-east-1a", Market: stack.Spot, Hourly: hourly, OnDemand: 3 * hourly, VCPUs: 2, MemoryMiB: 8192}},
	}
}

// What a GPU or another processor would cost stands beside the answer before it is given, where it is known.
func TestAnswersThatLeadToOtherMarketsHaveTheirPrice(t *testing.T) {
	c := baseWith(t, "name", "team")
	for _, one := range []struct{ id, other string }{{"workload", stack.WorkloadGPU}, {"architecture", "arm64"}} {
		at := slices.IndexFunc(queries(), func(q Query) bool { return q.ID == one.id })
		q := queries()[at]
		compared := q.Compared(c)
		if len(compared) != 1 || compared[0].Text(one.id) != one.other {
			t.Fatalf("%s is compared with %d others", one.id, len(compared))
		}
		k := Knowledge{Markets: map[string]stack.Facts{MarketOf(c): selling("m7i.large", stack.Dollar/10)}}
		beside := func() []string {
			var notes []string
			for _, o := range q.options(c, k) {
				_, note, _ := strings.Cut(o.About, "~")
				notes = append(notes, note)
			}
			return notes
		}
		if got := beside(); got[0] != "$73 a month" || got[1] != "" {
			t.Errorf("%s: %q", one.id, got)
		}
		k.Markets[MarketOf(compared[0])] = selling("g6.xlarge", stack.Dollar)
		if got := beside(); got[0] != "$73 a month" || got[1] != "$730 a month" {
			t.Errorf("%s: %q", one.id, got)
		}
		if line := PriceLine(c, k); !strings.Contains(line, "m7i.large") {
			t.Errorf("the price of what is chosen is %s", line)
		}
	}
}

// What of the user's is used and not billed to the deployment is not in the price.
func TestThePriceFollowsWhatIsReused(t *testing.T) {
	facts := selling("m7i.large", stack.Dollar/10)
	facts.Offers = append(facts.Offers, stack.Offer{Type: "m7i.large", Zone: "us-east-1b", Market: stack.Spot, Hourly: stack.Dollar / 5, OnDemand: stack.Dollar})
	facts.Prices = map[string]stack.Price{stack.PriceEFSStorage: {Amount: stack.Dollar}, stack.PricePublicIPv4: {Amount: stack.Dollar}}
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	open := discovery.ACL{ID: "acl-1", Entries: []discovery.Entry{
		{Number: 100, Allow: true, Protocol: "-1", To: 65535, Block: everywhere}, {Number: 100, Egress: true, Allow: true, Protocol: "-1", To: 65535, Block: everywhere},
	}}
	subnet := func(id, zone, via string) discovery.Subnet {
		return discovery.Subnet{
			Resource: discovery.Resource{ID: id}, VPC: "vpc-0", Zone: zone, CIDR: netip.MustParsePrefix("10.1.0.0/20"), State: "available", Free: 9,
			Out: discovery.Out{Via: via, ID: "way-out"}, ACL: open,
		}
	}
	region := &discovery.Region{
		VPCs:    []discovery.VPC{{Resource: discovery.Resource{ID: "vpc-0"}, State: "available", Gateway: "igw-0"}},
		Subnets: []discovery.Subnet{subnet("subnet-a", "us-east-1a", discovery.OutGateway), subnet("subnet-b", "us-east-1b", discovery.OutNAT)},
		FileSystems: []discovery.FileSystem{
			{Resource: discovery.Resource{ID: "fs-0"}},
			{Resource: discovery.Resource{ID: "fs-1", Tags: map[string]string{stack.TagStack: "0123", stack.TagName: "demo"}}},
		},
	}
	const cheap, dear, files, address = 73, 146, 10, 730 // a month
	for name, c := range map[string]struct {
		set  []string
		want int
	}{
		"all new":                        {want: cheap + files + address},
		"a public subnet":                {set: []string{"vpc_id", "vpc-0", "subnet_id", "subnet-a"}, want: cheap + files + address},
		"a private subnet":               {set: []string{"vpc_id", "vpc-0", "subnet_id", "subnet-b", "access", "tunnel"}, want: dear + files},
		"a VPC":                          {set: []string{"vpc_id", "vpc-0"}, want: cheap + files + address},
		"a VPC through a tunnel":         {set: []string{"vpc_id", "vpc-0", "access", "tunnel"}, want: cheap + files},
		"a file system":                  {set: []string{"efs_id", "fs-0"}, want: cheap + address},
		"a file system that was kept":    {set: []string{"efs_id", "fs-1"}, want: cheap + files + address},
		"a file system and a VPC":        {set: []string{"vpc_id", "vpc-0", "efs_id", "fs-0", "access", "tunnel"}, want: cheap},
		"a subnet that is not there yet": {set: []string{"subnet_id", "subnet-z"}, want: cheap + files + address},
	} {
		t.Run(name, func(t *testing.T) {
			config := baseWith(t, c.set...)
			line := PriceLine(config, Knowledge{Markets: map[string]stack.Facts{MarketOf(config): facts}, Region: region})
			if want := fmt.Sprintf("So far: ~$%d.00 a month", c.want); !strings.HasPrefix(line, want) {
				t.Errorf("%s, want %s", line, want)
			}
		})
	}
}

// Questions whose answers stay in one market ask for no other.
func TestNothingElseIsAskedForPrices(t *testing.T) {
	for _, q := range queries() {
		if others := q.Compared(baseWith(t)); len(others) > 0 && q.ID != "workload" && q.ID != "architecture" {
			t.Errorf("%s asks %d markets more", q.ID, len(others))
		}
	}
}
