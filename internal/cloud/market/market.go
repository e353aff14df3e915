package market

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// zonesUsed is how many zones a deployment spreads over.
const zonesUsed = 2

// Market answers for one account and region: those of its clients, which Config.Region must name, too. It may be used from
// several goroutines.
type Market struct {
	clients Clients
	clock   engine.Clock
	address AddressFinder
	types   func() ([]machineType, error) // read once, when first needed
}

// New returns the market that the clients speak to.
func New(clients Clients, clock engine.Clock, address AddressFinder) *Market {
	return &Market{clients: clients, clock: clock, address: address, types: sync.OnceValues(readTypes)}
}

// Facts finds out everything that a plan needs, at once: the longest chain is two calls. What the configuration asks for in
// vain is a *stack.FieldError, as far as possible before any call. When it is not known who calls, that is the only error.
func (m *Market) Facts(ctx context.Context, c stack.Config) (stack.Facts, error) {
	if err := m.Check(c); err != nil {
		return stack.Facts{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	optional, cancelOptional := context.WithTimeout(ctx, patience)
	defer cancelOptional()
	f := stack.Facts{Region: c.Region}
	var identityErr, quotaErr error
	var market Survey
	var net network
	var vpcLimit int
	var ofImage, ofNetwork []string
	err := together(
		func() error {
			if identityErr = m.identity(ctx, &f); identityErr != nil {
				cancel()
			}
			return nil
		},
		func() (err error) { f.Image, ofImage, err = m.Image(ctx, c); return err },
		func() (err error) { market, err = m.Survey(ctx, c); return err },
		func() (err error) { f.CallerCIDR, err = m.callerCIDR(ctx, c); return err },
		func() error { net, ofNetwork = m.askNetwork(optional); return nil },
		func() error { vpcLimit, quotaErr = m.quota(optional, "vpc", vpcQuota); return nil },
	)
	if identityErr != nil {
		return stack.Facts{}, identityErr
	}
	if err != nil {
		return stack.Facts{}, err
	}
	cidr, ofCIDR, err := net.vpcCIDR(c)
	if err != nil {
		return stack.Facts{}, err
	}
	if f.Prices, err = componentPrices(); err != nil {
		return stack.Facts{}, err
	}
	f.VPCCIDR = cidr
	f.Zones, f.Offers = market.within(c)
	f.FoundAt = m.clock.Now().UTC()
	for _, warnings := range [][]string{ofImage, strangeOwner(c, f), market.Warnings, ofNetwork, ofCIDR, net.room(vpcLimit, quotaErr == nil)} {
		f.Warnings = append(f.Warnings, warnings...)
	}
	return f, nil
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

// identity asks who calls. The partition is the second part of the ARN.
func (m *Market) identity(ctx context.Context, f *stack.Facts) error {
	out, err := m.clients.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	parts := strings.Split(aws.ToString(out.Arn), ":")
	if len(parts) < 6 || aws.ToString(out.Account) == "" {
		return fmt.Errorf("cannot read the caller's ARN %q", aws.ToString(out.Arn))
	}
	f.Account, f.Partition = *out.Account, parts[1]
	return nil
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

// within limits a survey to the zones that a deployment uses and to the prices that the user accepts. Where no offer is
// cheap enough all are kept, so that it can be said by how much the limit is exceeded.
func (s Survey) within(c stack.Config) ([]string, []stack.Offer) {
	zones := s.Zones[:min(zonesUsed, len(s.Zones))]
	var all, accepted []stack.Offer
	for _, o := range s.Offers {
		if !slices.Contains(zones, o.Zone) {
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
	return zones, accepted
}
