package market

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Market answers for one account and region: those of its clients, which Config.Region must name, too. It may be used from
// several goroutines.
type Market struct {
	clients Clients
	clock   engine.Clock
	address AddressFinder
	cache   PriceCache
	mock    bool
	reader  Discoverer
	types   func() ([]machineType, error) // read once, when first needed
}

// Options are what a market needs beside its clients.
type Options struct {
	Clock   engine.Clock
	Address AddressFinder
	Prices  PriceCache // nil: prices are not kept
	// Discovery is asked when something of the user's own is to be reused, or a route leads to a prefix list.
	Discovery Discoverer
	// Mock says that something else than AWS answers. Dry runs are not tried then: mocks have been seen to take them for wet
	// ones (getmoto/moto, CreateVpc).
	Mock bool
}

// New returns the market that the clients speak to.
func New(clients Clients, o Options) *Market {
	return &Market{clients: clients, clock: o.Clock, address: o.Address, cache: o.Prices, mock: o.Mock, reader: o.Discovery, types: sync.OnceValues(readTypes)}
}

// Facts finds out everything that a plan needs, at once: the longest chain is two calls. What the configuration asks for in
// vain is a *stack.FieldError, as far as possible before any call. When it is not known who calls, that is the only error.
// The zones that are named are among those of the facts: something lies there already.
func (m *Market) Facts(ctx context.Context, c stack.Config, zones ...string) (stack.Facts, error) {
	if err := m.Check(c); err != nil {
		return stack.Facts{}, err
	}
	q := m.inquire(c)
	q.ask(ctx, nil)
	f, err := q.facts(zones...)
	if err == nil {
		err = q.reuse.unfit()
	}
	return f, err
}

// Check refuses what can be refused without a call: images that do not exist and machine types that do not fit.
func (m *Market) Check(c stack.Config) error {
	if c.AMIID == "" {
		if _, err := lineOf(c); err != nil {
			return err
		}
	}
	return m.checkType(c)
}

// partitionOf is the partition of a region (AWS General Reference, "ARNs").
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// strangeOwner warns of an image of the user's that somebody else published.
func strangeOwner(c stack.Config, f stack.Facts) []string {
	switch f.Image.Owner {
	case f.Account, ownerAmazonLinux, ownerDeepLearning, ownerCanonical:
		return nil
	}
	if c.AMIID == "" {
		return nil
	}
	return []string{fmt.Sprintf("image %s belongs to account %s, which is neither yours nor AWS nor Canonical: use it only if you trust them", f.Image.ID, f.Image.Owner)}
}

// within limits a survey to the prices that the user accepts, and to the zones of the subnets that are reused, if any. Where no offer is cheap
// enough all are kept, so that it can be said by how much the limit is exceeded. The zones are those of the offers, best first;
// the given ones come before them.
func (s Survey) within(c stack.Config, reuse stack.Reuse, given []string) ([]string, []stack.Offer) {
	var all, accepted []stack.Offer
	for _, o := range s.Offers {
		if !reuse.Own() && !slices.Contains(reuse.Zones(), o.Zone) {
			continue
		}
		all = append(all, o)
		if c.MaxHourly == 0 || o.Hourly <= c.MaxHourly {
			accepted = append(accepted, o)
		}
	}
	if len(accepted) == 0 {
		accepted = all
	}
	zones := slices.Clone(given)
	for _, zone := range zonesOf(accepted) {
		if !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	return zones, accepted
}

// zonesOf are the zones of offers, in their order.
func zonesOf(offers []stack.Offer) []string {
	var zones []string
	for _, o := range offers {
		if !slices.Contains(zones, o.Zone) {
			zones = append(zones, o.Zone)
		}
	}
	return zones
}
