package market

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/stack"
)

// pretend is the market of a pretend account in Ireland.
func pretend(t *testing.T) (*Market, *sandbox.Account) {
	t.Helper()
	account, err := sandbox.Open(sandbox.Options{Speed: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return marketOf(account), account
}

func marketOf(account *sandbox.Account) *Market { return marketIn(account, "eu-west-1") }

func marketIn(account *sandbox.Account, region string) *Market {
	cfg := account.Config(region)
	api.Guard(&cfg)
	return New(Clients{
		EFS: efs.NewFromConfig(cfg),
		EC2: ec2.NewFromConfig(cfg), SSM: ssm.NewFromConfig(cfg), STS: sts.NewFromConfig(cfg),
		Pricing: pricing.NewFromConfig(cfg), Quotas: servicequotas.NewFromConfig(cfg),
	}, Options{Clock: account.Clock(), Address: CheckIP(&http.Client{Transport: account.Transport()})})
}

func TestFactsOfPretendAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, account := pretend(t)
		start := time.Now()
		facts, err := m.Facts(t.Context(), config())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if len(facts.Warnings) > 0 || facts.CallerCIDR != sandbox.CallerAddress+"/32" || len(facts.Zones) < 3 || len(facts.Offers) < 4 {
			t.Errorf("facts %+v", facts)
		}
		for _, o := range facts.Offers {
			if o.Guess || o.Hourly <= 0 || o.Market == stack.Spot && o.Hourly >= o.OnDemand {
				t.Errorf("offer %+v", o)
			}
		}
		if err := account.SetQuota("L-34B43A08", 0); err != nil {
			t.Fatal(err)
		}
		facts, err = m.Facts(t.Context(), config())
		if err != nil || facts.Offers[0].Market != onDemandMarket || !strings.Contains(strings.Join(facts.Warnings, ""), "L-34B43A08") {
			t.Errorf("with no spot quota: %+v, %v", facts.Offers[0], err)
		}
	})
}

// What offers ranks first is what a deploy tries first, whatever is preferred, wherever.
func TestADeployTakesTheFirstOffer(t *testing.T) {
	for _, region := range []string{"us-east-1", "us-west-2", "eu-central-1"} {
		for _, preference := range []string{"balanced", "lowest-cost", "performance", "highest-availability"} {
			synctest.Test(t, func(t *testing.T) {
				account, err := sandbox.Open(sandbox.Options{Speed: 1})
				if err != nil {
					t.Fatal(err)
				}
				m, c := marketIn(account, region), config("region="+region, "preference="+preference)
				facts, err := m.Facts(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				ranking, err := m.Offers(t.Context(), c, mostTypes)
				if err != nil {
					t.Fatal(err)
				}
				least := ranking.Offers[0].Zones[0]
				for _, z := range ranking.Offers[0].Zones {
					if z.Spot != nil && (least.Spot == nil || *z.Spot < *least.Spot) {
						least = z
					}
				}
				first := facts.Offers[0]
				if first.Type != ranking.Offers[0].Type || preference == "lowest-cost" && first.Zone != least.Zone {
					t.Errorf("%s, %s: offers has %s in %s, a deploy %s in %s", region, preference, ranking.Offers[0].Type, least.Zone, first.Type, first.Zone)
				}
			})
		}
	}
}

// Everything that the table calls available, and most of what has ended, is served by a real-looking account.
func TestCombinationsOfPretendAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := pretend(t)
		for _, c := range Combinations() {
			if c.State != Available {
				continue
			}
			image, warnings, err := m.Image(t.Context(), config("os_type="+c.OSType, "architecture="+c.Architecture, "ami_type="+c.AMIType))
			if err != nil || image.RootGiB < c.MinRootGiB || image.RootDevice != c.RootDevice || !strings.HasPrefix(image.Source, "/aws/service/") || len(warnings) > 0 {
				t.Errorf("%+v: %+v, %q, %v", c, image, warnings, err)
			}
		}
	})
}

func TestLostCallsAreWarningsOrErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, account := pretend(t)
		for _, operation := range []string{"DescribeSpotPriceHistory", "GetProducts", "GetServiceQuota", "DescribeVpcs"} {
			if err := account.AddFault(sandbox.Fault{Service: "*", Operation: operation, Effect: sandbox.EffectLoseRequest}); err != nil {
				t.Fatal(err)
			}
		}
		facts, err := m.Facts(t.Context(), config())
		if err != nil || len(facts.Warnings) < 4 {
			t.Errorf("got %q, %v", facts.Warnings, err)
		}
		if err := account.AddFault(sandbox.Fault{Service: "EC2", Operation: "DescribeInstanceTypeOfferings", Effect: sandbox.EffectError, Code: "UnauthorizedOperation"}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Facts(t.Context(), config()); api.Classify(err) != api.KindPermission {
			t.Errorf("got %v", err)
		}
	})
}
