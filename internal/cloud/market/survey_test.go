package market

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// A survey goes on without each of the answers that are nice to have, and says so in words.
func TestOptionalAnswersDegradeIntoWarnings(t *testing.T) {
	for operation, want := range map[string]string{
		"DescribeSpotPriceHistory": "spot prices are not known",
		"GetProducts":              "us-east-1 of 2026-07-20",
		"GetServiceQuota":          "vCPU quotas are not known",
		"GetSpotPlacementScores":   "placement scores are not known",
	} {
		for _, err := range []error{refusal("UnauthorizedOperation", "no"), context.DeadlineExceeded, refusal("InternalError", "broken")} {
			f := rich()
			f.refusals[operation] = err
			s, failure := f.market().Survey(t.Context(), config("preference=highest-availability"))
			if failure != nil {
				t.Fatalf("%s: %v", operation, failure)
			}
			if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], want) {
				t.Errorf("%s: %v: %q", operation, err, s.Warnings)
			}
		}
	}
}

func TestAnswerThatNeverComesIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := rich()
		s, err := silent{f}.market().Survey(t.Context(), config())
		if err != nil || !strings.Contains(strings.Join(s.Warnings, ""), "no answer in time") {
			t.Errorf("got %q, %v", s.Warnings, err)
		}
	})
}

func TestNecessaryAnswersAreNeeded(t *testing.T) {
	for _, operation := range []string{"DescribeAvailabilityZones", "DescribeInstanceTypeOfferings"} {
		f := rich()
		f.refusals[operation] = refusal("UnauthorizedOperation", "no")
		if _, err := f.market().Survey(t.Context(), config()); api.Classify(err) != api.KindPermission {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

func TestPricesSayWhereTheyComeFrom(t *testing.T) {
	offer := func(f *fake, changes ...string) stack.Offer {
		t.Helper()
		s, err := f.market().Survey(t.Context(), config(append(changes, "instance_type=m7i.large")...))
		if err != nil {
			t.Fatal(err)
		}
		return s.Offers[0]
	}
	if o := offer(rich(), "market=on-demand"); o.Guess || o.Source != "AWS Price List" || o.Hourly.Decimal() != "0.11088" || o.AsOf != today {
		t.Errorf("listed: %+v", o)
	}
	if o := offer(rich()); o.Guess || o.Source != "EC2 spot price" || o.Hourly.Decimal() != "0.04032" || o.OnDemand.Decimal() != "0.11088" || o.AsOf != today {
		t.Errorf("spot: %+v", o)
	}
	f := rich()
	f.refusals["GetProducts"] = refusal("AccessDeniedException", "no")
	if o := offer(f, "market=on-demand"); !o.Guess || o.Source != "price list of us-east-1" || o.Hourly.Decimal() != "0.1008" || o.AsOf != listedAt {
		t.Errorf("embedded: %+v", o)
	}
	f = rich()
	f.refusals["DescribeSpotPriceHistory"] = refusal("UnauthorizedOperation", "no")
	if o := offer(f); !o.Guess || o.Market != stack.Spot || o.Hourly != o.OnDemand {
		t.Errorf("spot unknown: %+v", o)
	}
}

func TestPriceListIsAskedWhereItIs(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "us-east-1", "ca-central-1": "us-east-1", "sa-east-1": "us-east-1", "us-gov-west-1": "us-east-1",
		"eu-west-1": "eu-central-1", "il-central-1": "eu-central-1", "ap-northeast-1": "ap-south-1", "cn-north-1": "cn-northwest-1",
	} {
		if got := PricingRegion(region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
	f := rich()
	if _, err := f.market().Survey(t.Context(), config("instance_type=m7i.large")); err != nil || !slices.Contains(f.calls, "GetProducts in eu-central-1") {
		t.Errorf("calls %v, %v", f.calls, err)
	}
}

// A type that only one zone sells can be used all the same, and nothing is made in the others.
func TestTypeOfOneZone(t *testing.T) {
	f := rich()
	f.missing = []string{"m7i.large eu-west-1a", "m7i.large eu-west-1b"}
	s, err := f.market().Survey(t.Context(), config("instance_type=m7i.large"))
	if err != nil {
		t.Fatal(err)
	}
	zones, offers := s.within(config(), stack.Reuse{}, nil)
	if len(zones) != 1 || zones[0] != "eu-west-1c" || len(offers) != 2 || offers[0].Zone != "eu-west-1c" {
		t.Errorf("zones %v, offers %+v", zones, offers)
	}
}

func TestNothingSoldIsExplained(t *testing.T) {
	f := rich()
	f.missing = []string{"m7i.large"}
	f.spot["c7i.large"] = ""
	for changes, want := range map[string]string{
		"instance_type=m7i.large":                "not sold in eu-west-1",
		"instance_type=c7i.large market=spot":    "no spot price",
		"instance_type=m9z.large":                "no instance type",
		"instance_type=m7i.lrge":                 "did you mean m7i.large",
		"instance_type=m7g.large":                "set architecture to arm64",
		"instance_type=t3.small":                 "2048 MiB",
		"instance_type=m7i.large workload=gpu":   "has no GPU",
		"instance_type=g4ad.xlarge workload=gpu": "does not drive",
	} {
		_, err := f.market().Survey(t.Context(), config(strings.Fields(changes)...))
		field, ok := errors.AsType[*stack.FieldError](err)
		if !ok || field.Key != "instance_type" || !strings.Contains(err.Error(), want) || field.Fix == "" {
			t.Errorf("%s: %v", changes, err)
		}
	}
}

func TestMisfitsAreRefusedBeforeAnyCall(t *testing.T) {
	for _, changes := range []string{"instance_type=m7g.large", "instance_type=t3.small", "instance_type=p3.2xlarge workload=gpu", "instance_type=m7i.large workload=gpu"} {
		f := rich()
		_, err := f.market().Facts(t.Context(), config(strings.Fields(changes)...))
		if _, ok := errors.AsType[*stack.FieldError](err); !ok || len(f.calls) > 0 {
			t.Errorf("%s: after %v: %v", changes, f.calls, err)
		}
	}
	if err := rich().market().Check(config("instance_type=x9new.large")); err != nil {
		t.Errorf("a type that only AWS knows is refused unasked: %v", err)
	}
}

func TestTypeThatTheListLacksIsDescribed(t *testing.T) {
	f := rich()
	f.types = []ec2types.InstanceTypeInfo{{
		InstanceType: "m9i.large", VCpuInfo: &ec2types.VCpuInfo{DefaultVCpus: new(int32(2))},
		MemoryInfo:            &ec2types.MemoryInfo{SizeInMiB: new(int64(6144))},
		ProcessorInfo:         &ec2types.ProcessorInfo{SupportedArchitectures: []ec2types.ArchitectureType{"i386", "x86_64"}},
		SupportedUsageClasses: []ec2types.UsageClassType{"on-demand", "spot"},
	}}
	f.spot["m9i.large"] = "0.05"
	s, err := f.market().Survey(t.Context(), config("instance_type=m9i.large"))
	if err != nil || s.Offers[0].Type != "m9i.large" || s.Offers[0].VCPUs != 2 || s.Offers[0].MemoryMiB != 6144 || s.Offers[0].Hourly.Decimal() != "0.05" {
		t.Fatalf("got %+v, %v", s.Offers, err)
	}
	warnings := strings.Join(s.Warnings, "\n")
	if !strings.Contains(warnings, "6 GiB of memory") || !strings.Contains(warnings, "no price is known of m9i.large") {
		t.Errorf("warnings %s", warnings)
	}
}

func TestModelsNeedMemory(t *testing.T) {
	s, err := rich().market().Survey(t.Context(), config("models=llama3.2:3b"))
	if err != nil || slices.ContainsFunc(s.Offers, func(o stack.Offer) bool { return o.MemoryMiB < 16<<10 }) {
		t.Errorf("%v, %v", s.Offers, err)
	}
}

func TestQuotas(t *testing.T) {
	const onDemand, spot = "L-1216C47A", "L-34B43A08"
	for _, tt := range []struct {
		name, changes string
		quotas        map[string]float64
		defaults      map[string]float64
		want          string // markets offered
		warning       string
		err           api.Kind
	}{
		{"enough", "", map[string]float64{onDemand: 5, spot: 5}, nil, "spot on-demand", "", ""},
		{"no spot", "", map[string]float64{onDemand: 5, spot: 0}, nil, "on-demand", "spot quota of standard", ""},
		{"no spot at all", "market=spot", map[string]float64{spot: 1}, nil, "", "", api.KindQuota},
		{"too small", "instance_type=m7i.2xlarge", map[string]float64{onDemand: 5, spot: 5}, nil, "", "", api.KindQuota},
		{"default holds", "", map[string]float64{onDemand: 5}, map[string]float64{spot: 0}, "on-demand", "spot quota of standard", ""},
		{"unknown", "", map[string]float64{}, map[string]float64{}, "spot on-demand", "not known", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := rich()
			f.quotas, f.defaults = tt.quotas, tt.defaults
			s, err := f.market().Survey(t.Context(), config(strings.Fields(tt.changes)...))
			if api.Classify(err) != tt.err {
				t.Fatal(err)
			}
			if err != nil {
				if message, hints := api.Explain(err); !strings.Contains(message, "quota") || len(hints) == 0 {
					t.Errorf("explained as %q, %q", message, hints)
				}
				return
			}
			var markets []string
			for _, o := range s.Offers {
				if !slices.Contains(markets, o.Market) {
					markets = append(markets, o.Market)
				}
			}
			if got := strings.Join(markets, " "); got != tt.want || !strings.Contains(strings.Join(s.Warnings, "\n"), tt.warning) || (tt.warning == "") != (len(s.Warnings) == 0) {
				t.Errorf("markets %s, warnings %q", got, s.Warnings)
			}
		})
	}
}

func TestPlacementScoresAreNamedByZone(t *testing.T) {
	f := rich()
	f.scores = map[string]int32{"euw1-az3": 2, "euw1-az2": 9, "euw1-az1": 5, "usw2-az1": 7}
	s, err := f.market().Survey(t.Context(), config("preference=highest-availability"))
	if err != nil || s.Scores["eu-west-1a"] != 2 || s.Scores["eu-west-1b"] != 9 || len(s.Scores) != 3 {
		t.Errorf("scores %v, %v", s.Scores, err)
	}
	if got := strings.Join(zonesOf(s.Offers), " "); got != "eu-west-1b eu-west-1c eu-west-1a" {
		t.Errorf("zones %s", got)
	}
	if _, err := f.market().Survey(t.Context(), config()); err != nil || slices.Index(f.calls, "GetSpotPlacementScores") != lastIndex(f.calls, "GetSpotPlacementScores") {
		t.Errorf("scores are asked where they do not matter: %v, %v", f.calls, err)
	}
}

func lastIndex(all []string, s string) int {
	last := -1
	for i, one := range all {
		if one == s {
			last = i
		}
	}
	return last
}

func TestBuckets(t *testing.T) {
	for name, want := range map[string]string{
		"m7i.large": "L-1216C47A L-34B43A08", "t4g.large": "L-1216C47A L-34B43A08", "g5.xlarge": "L-DB2E81BA L-3819A6DF",
		"gr6.4xlarge": "L-DB2E81BA L-3819A6DF", "p4d.24xlarge": "L-417A185B L-7212CCBC", "p5.48xlarge": "L-417A185B L-C4BD4855", "inf2.xlarge": "",
	} {
		b, known := bucketOf(machineType{name: name})
		if got := strings.TrimSpace(b.onDemand + " " + b.spot); got != want || known != (want != "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A price that one call did not get is the only one that is guessed.
func TestOneMissingPriceSpoilsNoOther(t *testing.T) {
	f := rich()
	delete(f.listed, "m6a.large")
	s, err := f.market().Survey(t.Context(), config("market=on-demand"))
	if err != nil || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "no prices of m6a.large in eu-west-1") {
		t.Fatalf("%q, %v", s.Warnings, err)
	}
	for _, o := range s.Offers {
		if o.Guess != (o.Type == "m6a.large") {
			t.Errorf("%+v", o)
		}
	}
}
