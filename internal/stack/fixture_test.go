package stack_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; run with -update when that is meant (-want +got):\n%s", path, diff)
	}
}

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var demo = stack.Identity{ID: "0123456789abcdef", Name: "demo", Account: "123456789012", Region: "eu-central-1", Tier: stack.TierDev}

// goodConfig passes Validate.
func goodConfig() stack.Config {
	c := stack.NewConfig()
	c.Name, c.Region = demo.Name, demo.Region
	return c
}

// goodFacts are round figures: every sum in the goldens can be checked by hand.
func goodFacts() stack.Facts {
	price := func(amount stack.Money, unit string) stack.Price {
		return stack.Price{Amount: amount, Unit: unit, Source: "price list", AsOf: day}
	}
	const cent = stack.Dollar / 100
	return stack.Facts{
		Account: demo.Account, Partition: "aws", Region: demo.Region, FoundAt: day,
		Zones: []string{"eu-central-1b", "eu-central-1a", "eu-central-1c"}, VPCCIDR: "10.20.0.0/16", CallerCIDR: "203.0.113.7/32",
		Image: stack.Image{
			ID: "ami-0123456789abcdef0", Name: "ubuntu-24.04-20260220", OSType: "ubuntu-24.04", Architecture: "x86_64",
			AMIType: "standard", CreatedAt: day, Source: "parameter", RootDevice: "/dev/sda1", RootGiB: 8, LoginUser: "ubuntu",
		},
		Offers: []stack.Offer{
			{Type: "m7i.large", Zone: "eu-central-1b", Market: stack.Spot, Hourly: 4 * cent, OnDemand: 12 * cent, VCPUs: 2, MemoryMiB: 8192, Source: "spot history", AsOf: day},
			{Type: "m7i.large", Zone: "eu-central-1a", Market: stack.MarketOnDemand, Hourly: 12 * cent, OnDemand: 12 * cent, VCPUs: 2, MemoryMiB: 8192, Source: "price list", AsOf: day},
		},
		Prices: map[string]stack.Price{
			stack.PriceGP3Storage:    price(10*cent, "GB-month"),
			stack.PriceGP3Throughput: price(5*cent, "MiB/s-month"),
			stack.PriceEFSStorage:    price(36*cent, "GB-month"),
			stack.PriceEFSRead:       price(3*cent, "GB"),
			stack.PriceEFSWrite:      price(6*cent, "GB"),
			stack.PriceEFSBackup:     price(5*cent, "GB-month"),
			stack.PricePublicIPv4:    price(cent/2, "hour"),
			stack.PriceTransferOut:   price(9*cent, "GB after the first 100 GB a month"),
		},
	}
}

// blueprint is the graph of a configuration, which must have one.
func blueprint(t *testing.T, c stack.Config, f stack.Facts) stack.Graph {
	t.Helper()
	g, err := stack.Blueprint(demo, c, f)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
