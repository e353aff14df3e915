package market

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

func rankingText(r Ranking) string {
	var b strings.Builder
	for _, o := range r.Offers {
		fmt.Fprintf(&b, "%2d %-16s %d vCPU %3d GiB %-6s %-9s spot %s of %s, -%d%%: %s\n", o.Rank, o.Type, o.VCPUs, o.MemoryMiB>>10, o.GPU, o.Market,
			price(o.Spot), price(o.OnDemand), o.Saving, o.Why)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func price(m *stack.Money) string {
	if m == nil {
		return "-"
	}
	return m.Format(4)
}

// The table of each preference, in words.
func TestOffersInWords(t *testing.T) {
	for _, tt := range []struct{ name, changes string }{
		{"balanced", ""},
		{"lowest-cost", "preference=lowest-cost"},
		{"performance", "preference=performance"},
		{"highest-availability", "preference=highest-availability"},
		{"on-demand", "market=on-demand architecture=arm64"},
		{"gpu", "workload=gpu models=gpt-oss:20b"},
		{"named", "instance_type=t3.large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := rich()
			f.zones = f.zones[:2]
			f.spot["m8i.large"] = ""
			r, err := f.market().Offers(t.Context(), config(strings.Fields(tt.changes)...), 8)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "offers-"+tt.name, rankingText(r))
		})
	}
}

// What the table says of a type is what AWS says of it, for every choice that leads to another table.
func TestOffersAgreeWithTheListOfTypes(t *testing.T) {
	known, err := readTypes()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, workload := range []string{"cpu", "gpu"} {
		for _, architecture := range []string{x86, arm} {
			for _, preference := range []string{"balanced", "lowest-cost", "performance", "highest-availability"} {
				for _, market := range []string{"spot-first", "spot", "on-demand"} {
					f := rich()
					c := config("workload="+workload, "architecture="+architecture, "preference="+preference, "market="+market)
					r, err := f.market().Offers(t.Context(), c, 40)
					if err != nil || len(r.Offers) == 0 {
						t.Fatalf("%s %s %s %s: %v", workload, architecture, preference, market, err)
					}
					for i, o := range r.Offers {
						rows++
						n := slices.IndexFunc(known, func(m machineType) bool { return m.name == o.Type })
						m := known[n]
						if o.Rank != i+1 || o.VCPUs != m.vcpus || o.MemoryMiB != m.memoryMiB || o.Architecture != architecture || m.architecture != architecture ||
							o.GPUs != m.gpus || o.GPU != m.gpu || o.GPUMemoryMiB != m.gpuMemoryMiB || (workload == "gpu") != (o.GPUs == 1) || o.Why == "" {
							t.Errorf("%+v, but the list says %+v", o, m)
						}
						if *o.OnDemand != m.list.Times(11, 10) || o.Guess || o.Source != listSource || len(o.Zones) != 3 {
							t.Errorf("%s: on demand %s, list %s", o.Type, price(o.OnDemand), m.list.Decimal())
						}
						if market == "on-demand" {
							if o.Spot != nil || o.Saving != 0 || o.Week != nil || len(o.Quotas) != 1 {
								t.Errorf("%s has spot prices although nobody wants them: %+v", o.Type, o)
							}
							continue
						}
						if *o.Spot != m.list.Times(4, 10) || o.Saving < 63 || o.Saving > 64 || len(o.Week.Points) != 14 || o.Quotas[0].Market != stack.Spot {
							t.Errorf("%s: spot %s, saving %d, week %+v", o.Type, price(o.Spot), o.Saving, o.Week)
						}
					}
				}
			}
		}
	}
	if rows < 500 {
		t.Errorf("only %d rows were compared", rows)
	}
}

func TestOffersAreLimitedAndComplete(t *testing.T) {
	f := rich()
	f.scores = map[string]int32{"euw1-az3": 7}
	f.machines = []ec2types.Instance{machine("m7i.2xlarge", "running", true), machine("c7i.large", "running", false), machine("c7i.large", "stopped", false)}
	for _, most := range []int{1, 3, 10, 30} {
		r, err := f.market().Offers(t.Context(), config(), most)
		if err != nil || len(r.Offers) != most {
			t.Errorf("%d offers of %d, %v", len(r.Offers), most, err)
		}
	}
	r, err := f.market().Offers(t.Context(), config(), 1)
	if err != nil {
		t.Fatal(err)
	}
	o := r.Offers[0]
	if o.Zones[0].Score != 7 || o.Zones[1].Score != 0 || *o.Quotas[0].Limit != 64 || *o.Quotas[0].Used != 8 || *o.Quotas[1].Used != 2 || o.Quotas[1].Code != "L-1216C47A" {
		t.Errorf("%+v", o)
	}
	f.refusals["DescribeInstances"] = refusal("UnauthorizedOperation", "no")
	if r, err = f.market().Offers(t.Context(), config(), 1); err != nil || r.Offers[0].Quotas[0].Used != nil || !strings.Contains(strings.Join(r.Warnings, ""), "in use is not known") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := f.market().Offers(t.Context(), config("instance_type=m7g.large"), 1); err == nil {
		t.Error("a type that does not fit is offered")
	}
}

// The week begins with what was in force when it began, and each point is the price in force at its time.
func TestWeek(t *testing.T) {
	at := func(hoursAgo int) time.Time { return today.Add(-time.Duration(hoursAgo) * time.Hour) }
	where := place{"m7i.large", "z"}
	h := history{where: {{at(400), 1}, {at(200), 30}, {at(100), 50}, {at(20), 40}, {at(1), 45}}}
	w := h.week(where, today)
	if want := "[30 30 30 30 30 50 50 50 50 50 50 50 40 45]"; pointsText(w.Points) != want {
		t.Errorf("points %s, want %s", pointsText(w.Points), want)
	}
	if w.Low != 30 || w.High != 50 || w.Zone != "z" {
		t.Errorf("%+v", w)
	}
	if h.week(place{"other", "z"}, today) != nil {
		t.Error("a pool without a price has a week")
	}
}

func pointsText(points []stack.Money) string {
	all := make([]int64, len(points))
	for i, p := range points {
		all[i] = int64(p)
	}
	return fmt.Sprint(all)
}

func TestOffersOfPretendAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := pretend(t)
		r, err := m.Offers(context.Background(), config("workload=gpu", "models=llama3.3:70b"), 5)
		if err != nil || len(r.Warnings) > 0 {
			t.Fatalf("%q, %v", r.Warnings, err)
		}
		for _, o := range r.Offers {
			if o.GPUMemoryMiB < 41<<10 || o.Week == nil || o.Week.Low <= 0 || o.Week.Low >= o.Week.High || o.Zones[0].Score == 0 || *o.Spot < o.Week.Low || *o.Spot > o.Week.High {
				t.Errorf("%+v, week %+v", o, o.Week)
			}
		}
	})
}
