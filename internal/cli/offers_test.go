package cli

import (
	"testing"
	"time"

	"geusemaker/internal/cloud/market"
)

// TestSourcesAreToldOnce holds that the footer of offers names each source once, in whatever order they alternate.
func TestSourcesAreToldOnce(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	var offers []market.Ranked
	for _, d := range []int{3, 4, 3, 4, 4} {
		o := market.Ranked{}
		o.Source, o.AsOf = "AWS price list", day(d)
		offers = append(offers, o)
	}
	if got := sources(offers); got != "AWS price list, 2026-11-03; AWS price list, 2026-11-04" {
		t.Error(got)
	}
}
