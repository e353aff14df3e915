package interview

import (
	"slices"
	"strings"
	"testing"

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

// Questions whose answers stay in one market ask for no other.
func TestNothingElseIsAskedForPrices(t *testing.T) {
	for _, q := range queries() {
		if others := q.Compared(baseWith(t)); len(others) > 0 && q.ID != "workload" && q.ID != "architecture" {
			t.Errorf("%s asks %d markets more", q.ID, len(others))
		}
	}
}
