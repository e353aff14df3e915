package market

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

// mostTypes bounds how many types the offers hold: enough to fail over to, few enough to read.
const mostTypes = 10

// onDemandMarket is the market without interruptions, as Offer.Market names it.
const onDemandMarket = "on-demand"

// Survey is the market for machines in all zones of a region.
type Survey struct {
	// Offers are the pools, best first.
	Offers []stack.Offer
	// Scores are how likely a spot request is to succeed by zone, 1 to 10; nil where EC2 was not asked or did not say.
	Scores   map[string]int
	Warnings []string
}

// scope is how widely the market is looked at.
type scope struct {
	asked  int           // how many types are asked about
	kept   int           // of how many the offers are, on each market
	before time.Duration // how far back spot prices are asked for
	scored bool          // whether placement scores are asked for whatever the preference
}

// forPlan is as wide as a launch may have to go: beyond, offers get much worse.
var forPlan = scope{asked: mostAsked, kept: mostTypes}

// survey is what was found out about the candidates.
type survey struct {
	scope
	candidates []machineType
	zones      map[string]string          // name -> ID, of all zones that a machine and a file system can be in
	sold       map[string]map[string]bool // type -> zone
	prices     priceTable
	history    history
	scores     map[string]int // by the ID of the zone
	limits     limits
	used       usage // nil: not asked
	warnings   []string
}

// Survey finds the pools of capacity that suit the configuration, priced and ranked by its preference and market. Prices,
// quotas and scores that cannot be had turn into warnings. Types that the account's quotas rule out are left out; when that
// leaves nothing, the error is a *QuotaError.
func (m *Market) Survey(ctx context.Context, c stack.Config) (Survey, error) {
	prices := m.open(c.Region)
	s, err := m.survey(ctx, c, forPlan, prices)
	if err != nil {
		return Survey{}, err
	}
	prices.close()
	return s.result(c)
}

// survey asks about the candidates.
func (m *Market) survey(ctx context.Context, c stack.Config, wide scope, prices *book) (*survey, error) {
	s := &survey{scope: wide, prices: priceTable{book: prices}}
	var err error
	if s.candidates, s.warnings, err = m.candidates(ctx, c, wide.asked); err != nil {
		return nil, err
	}
	var warnings [3][]string
	optional, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = together(
		func() (err error) { s.zones, err = m.zones(ctx, c.Region); return err },
		func() (err error) { s.sold, err = m.offerings(ctx, s.candidates); return err },
		func() error { warnings[0] = s.askSpot(optional, m, c); return nil },
		func() error { prices.machines(optional, s.candidates); return nil },
		func() error { warnings[1] = s.askQuotas(optional, m, c); return nil },
		func() error { warnings[2] = s.askScores(optional, m, c); return nil },
	)
	if err != nil {
		return nil, err
	}
	s.warnings = append(s.warnings, slices.Concat(warnings[0], prices.warnings(s.candidates), warnings[1], warnings[2])...)
	return s, nil
}

// result puts the answers together.
func (s *survey) result(c stack.Config) (Survey, error) {
	offers, err := s.offers(c)
	if err != nil {
		return Survey{}, err
	}
	out := Survey{}
	out.Scores = s.named()
	for _, p := range offers {
		out.Offers = append(out.Offers, p.Offer)
	}
	if offers[0].of.burstable() {
		s.warnings = append(s.warnings, offers[0].Type+" is burstable: computing above its baseline is billed extra")
	}
	out.Warnings = s.warnings
	return out, nil
}

// offers are the pools that can be had, best first.
func (s *survey) offers(c stack.Config) ([]pool, error) {
	var quotaErr error
	var offers []pool
	for _, market := range markets(c) {
		pools, err := s.pools(market)
		if err != nil {
			quotaErr = err
			s.warnings = append(s.warnings, err.Error())
		}
		rank(pools, c.Preference, s.chances(market))
		offers = append(offers, firstTypes(pools, s.kept)...)
	}
	switch {
	case len(offers) > 0:
		return offers, nil
	case quotaErr != nil:
		return nil, quotaErr
	default:
		return nil, s.nothing(c)
	}
}

// markets are the markets to buy on, in order.
func markets(c stack.Config) []string {
	switch c.Market {
	case stack.MarketSpot:
		return []string{stack.Spot}
	case stack.MarketOnDemand:
		return []string{onDemandMarket}
	default:
		return []string{stack.Spot, onDemandMarket}
	}
}

// pools are the pools of one market that exist and that the quotas allow. The error says that a quota rules out at least
// the first candidate.
func (s *survey) pools(market string) ([]pool, error) {
	var all []pool
	var quotaErr error
	for _, t := range s.candidates {
		if err := s.limits.check(t, market, s.used); err != nil {
			if quotaErr == nil {
				quotaErr = err
			}
			continue
		}
		for zone := range s.zones {
			if !s.sold[t.name][zone] {
				continue
			}
			if o, sold := s.prices.offer(t, zone, market); sold {
				all = append(all, pool{o, t})
			}
		}
	}
	return all, quotaErr
}

// firstTypes keeps the pools of the best types only, as many as are named.
func firstTypes(pools []pool, most int) []pool {
	var kept []string
	return slices.DeleteFunc(pools, func(p pool) bool {
		if !slices.Contains(kept, p.Type) && len(kept) < most {
			kept = append(kept, p.Type)
		}
		return !slices.Contains(kept, p.Type)
	})
}

// nothing explains why there is no offer.
func (s *survey) nothing(c stack.Config) error {
	if c.InstanceType != stack.Auto {
		e := &stack.FieldError{
			Key: "instance_type", Source: c.SourceOf("instance_type"), Fix: "choose another type or region",
			Problem: fmt.Sprintf("%s is not sold in %s", c.InstanceType, c.Region),
		}
		if len(s.sold[c.InstanceType]) > 0 && c.Market == stack.MarketSpot {
			e.Problem, e.Fix = fmt.Sprintf("%s has no spot price in %s now", c.InstanceType, c.Region), "set market to spot-first or on-demand"
		}
		return e
	}
	var names []string
	for _, t := range s.candidates {
		names = append(names, t.name)
	}
	return &stack.FieldError{
		Key: "region", Source: c.SourceOf("region"), Fix: "choose another region, architecture or market",
		Problem: fmt.Sprintf("%s sells none of %s on market %s", c.Region, strings.Join(names, ", "), c.Market),
	}
}

// offerings asks in which zones the types are sold.
func (m *Market) offerings(ctx context.Context, types []machineType) (map[string]map[string]bool, error) {
	in := &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: ec2types.LocationTypeAvailabilityZone,
		Filters:      []ec2types.Filter{{Name: new("instance-type")}},
	}
	sold := map[string]map[string]bool{}
	for _, t := range types {
		in.Filters[0].Values = append(in.Filters[0].Values, t.name)
		sold[t.name] = map[string]bool{}
	}
	pages := ec2.NewDescribeInstanceTypeOfferingsPaginator(m.clients.EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.InstanceTypeOfferings {
			if zones, asked := sold[string(o.InstanceType)]; asked {
				zones[aws.ToString(o.Location)] = true
			}
		}
	}
	return sold, nil
}

// askSpot asks for spot prices where the market wants them.
func (s *survey) askSpot(ctx context.Context, m *Market, c stack.Config) []string {
	if c.Market == stack.MarketOnDemand {
		return nil
	}
	now := m.clock.Now().UTC()
	var err error
	if s.history, err = m.spotPrices(ctx, s.candidates, now.Add(-s.before)); err != nil {
		s.prices.spotUnknown = true
		return []string{"spot prices are not known (" + because(err) + "); the on-demand price, which they do not exceed, is shown instead"}
	}
	s.prices.spot = s.history.now(now)
	return nil
}
