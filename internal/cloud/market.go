package cloud

import (
	"context"
	"net/url"
	"os"
	"strings"

	"geusemaker/internal/cloud/market"
	"geusemaker/internal/stack"
)

// Preflight finds the facts and checks at the same time whether the deployment could be made; see market.Preflight.
func (a *Account) Preflight(ctx context.Context, c stack.Config, skip, zones []string) (stack.Facts, []market.Check, error) {
	return a.market().Preflight(ctx, c, skip, zones)
}

// Check refuses what can be refused without a call; see market.Check.
func (a *Account) Check(c stack.Config) error { return a.market().Check(c) }

// Offers ranks the machine types that fit the configuration; see market.Offers.
func (a *Account) Offers(ctx context.Context, c stack.Config, most int) (market.Ranking, error) {
	return a.market().Offers(ctx, c, most)
}

// Image finds the image that the configuration stands for now, with warnings in words.
func (a *Account) Image(ctx context.Context, c stack.Config) (stack.Image, []string, error) {
	return a.market().Resolve(ctx, c)
}

// mocked reports whether something else than AWS answers for it: a custom endpoint outside of its domains.
func (a *Account) mocked() bool {
	if a.options.Sandbox != nil {
		return false
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"} {
		if u, err := url.Parse(os.Getenv(name)); err == nil && u.Host != "" {
			return !ofAWS(u.Hostname())
		}
	}
	return false
}

// priceCache is where prices are kept, unless they are those of a mock.
func (a *Account) priceCache() market.PriceCache {
	if a.mocked() {
		return nil
	}
	return a.options.Prices
}

// ofAWS reports whether a host is one of AWS: its interface endpoints in a VPC have such names, too (AWS PrivateLink guide,
// "Access AWS services using an interface VPC endpoint").
func ofAWS(host string) bool {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}
