package market

import (
	"errors"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

func TestAppraise(t *testing.T) {
	machines := []stack.Offer{
		{Type: "m7i.large", Zone: "eu-west-1a", Market: "on-demand"},
		{Type: "m7i.large", Zone: "eu-west-1a", Market: stack.Spot},
		{Type: "m7i.large", Zone: "eu-west-1z", Market: stack.Spot}, // not sold there any more
		{Type: "x9z.huge", Zone: "eu-west-1a", Market: stack.Spot},  // nobody knows it
	}
	offers, prices, err := rich().market().Appraise(t.Context(), "eu-west-1", machines)
	if err != nil || len(offers) != len(machines) {
		t.Fatalf("%v, %v", offers, err)
	}
	if o := offers[0]; o.Hourly == 0 || o.Guess {
		t.Errorf("on demand: %v", o)
	}
	if o := offers[1]; o.Hourly == 0 || o.Hourly >= o.OnDemand || o.Guess {
		t.Errorf("spot: %v", o)
	}
	if o := offers[2]; o.Hourly != offers[0].Hourly || !o.Guess || o.Market != stack.Spot || o.Zone != "eu-west-1z" {
		t.Errorf("spot that is not sold: %v", o)
	}
	if o := offers[3]; o.Type != "x9z.huge" || !o.Guess {
		t.Errorf("unknown type: %v", o)
	}
	if prices[stack.PriceGP3Storage].Amount == 0 || prices[stack.PricePublicIPv4].Amount == 0 {
		t.Errorf("prices: %v", prices)
	}
}

func TestAnAppraisalNeedsNoPermission(t *testing.T) {
	f := rich()
	denied := errors.New("AccessDenied")
	f.refusals = map[string]error{"GetProducts": denied, "DescribeSpotPriceHistory": denied}
	offers, _, err := f.market().Appraise(t.Context(), "eu-west-1", []stack.Offer{{Type: "m7i.large", Zone: "eu-west-1a", Market: stack.Spot}})
	if err != nil || len(offers) != 1 || offers[0].Hourly == 0 || !offers[0].Guess {
		t.Errorf("%v, %v", offers, err)
	}
}

// A volume cannot leave its zone: its zone stays among those of the deployment, however good others are.
func TestWhatLiesInAZoneKeepsIt(t *testing.T) {
	s := Survey{Offers: []stack.Offer{{Zone: "a"}, {Zone: "b"}, {Zone: "c"}}}
	for _, tt := range []struct{ given, zones, offers string }{{"", "a b c", "a b c"}, {"c", "c a b", "a b c"}, {"b a", "b a c", "a b c"}, {"z", "z a b c", "a b c"}} {
		zones, offers := s.within(config(), stack.Reuse{}, strings.Fields(tt.given))
		var in []string
		for _, o := range offers {
			in = append(in, o.Zone)
		}
		if got := strings.Join(zones, " "); got != tt.zones || strings.Join(in, " ") != tt.offers {
			t.Errorf("with %q: zones %s, offers in %s; want %s, %s", tt.given, got, in, tt.zones, tt.offers)
		}
	}
}
