package market

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

func offersText(s Survey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "zones %s\n", strings.Join(zonesOf(s.Offers), " "))
	for _, o := range s.Offers {
		fmt.Fprintf(&b, "%-9s %-16s %s %s of %s\n", o.Market, o.Type, o.Zone, o.Hourly.Format(4), o.OnDemand.Format(4))
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// The whole ranking of every preference, for the two zones where prices differ.
func TestRanking(t *testing.T) {
	for _, tt := range []struct{ name, changes string }{
		{"balanced", ""},
		{"lowest-cost", "preference=lowest-cost"},
		{"performance", "preference=performance"},
		{"highest-availability", "preference=highest-availability"},
		{"arm64-on-demand", "architecture=arm64 market=on-demand"},
		{"gpu-spot", "workload=gpu market=spot"},
		{"explicit", "instance_type=c7i.xlarge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := rich()
			f.zones = f.zones[:2]
			f.spot["m6a.large eu-west-1a"], f.spot["m6a.large eu-west-1b"] = "0.0500", "0.0300"
			f.spot["m8i.large eu-west-1b"] = "" // not sold on the spot market there
			f.scores = map[string]int32{"euw1-az3": 3, "euw1-az2": 9}
			s, err := f.market().Survey(t.Context(), config(strings.Fields(tt.changes)...))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "ranking-"+tt.name, offersText(s))
		})
	}
}

func TestMarketDecidesWhichPoolsAreOffered(t *testing.T) {
	for market, want := range map[string]string{"spot-first": "spot on-demand", "spot": "spot", "on-demand": "on-demand"} {
		f := rich()
		s, err := f.market().Survey(t.Context(), config("market="+market))
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, o := range s.Offers {
			if len(order) == 0 || order[len(order)-1] != o.Market {
				order = append(order, o.Market)
			}
		}
		if got := strings.Join(order, " "); got != want {
			t.Errorf("%s offers %s", market, got)
		}
	}
}

func TestUnaskedTypesSuitTheStack(t *testing.T) {
	known, err := readTypes()
	if err != nil {
		t.Fatal(err)
	}
	for _, workload := range []string{"cpu", "gpu"} {
		for _, architecture := range []string{x86, arm} {
			c := config("workload="+workload, "architecture="+architecture)
			var suitable int
			for _, m := range known {
				if !m.suits(c) {
					continue
				}
				suitable++
				if m.architecture != architecture || (m.gpu != "") != (workload == "gpu") || m.memoryMiB < enoughMiB || m.list == 0 || m.class() == "p" {
					t.Errorf("%s %s: %+v", workload, architecture, m)
				}
			}
			if suitable < 3 {
				t.Errorf("%s on %s has %d types", workload, architecture, suitable)
			}
		}
	}
}

func TestNamesOfTypesAreRead(t *testing.T) {
	for name, want := range map[string]string{"m7i-flex.large": "m 7 m7i-flex", "gr6.4xlarge": "gr 6 gr6", "t4g.large": "t 4 t4g", "p5en.48xlarge": "p 5 p5en", "u-6tb1.metal": "u 0 u-6tb1", "c": "c 0 c"} {
		m := machineType{name: name}
		if got := fmt.Sprint(m.class(), " ", m.generation(), " ", m.family()); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestOffersAreLimited(t *testing.T) {
	s, err := rich().market().Survey(t.Context(), config())
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]map[string]bool{}
	for _, o := range s.Offers {
		if types[o.Market] == nil {
			types[o.Market] = map[string]bool{}
		}
		types[o.Market][o.Type] = true
	}
	if len(types[stack.Spot]) != mostTypes || len(types[onDemandMarket]) != mostTypes || len(s.Offers) != 2*mostTypes*3 {
		t.Errorf("%d offers of %v", len(s.Offers), types)
	}
}
