package market

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

var today = time.Date(2026, time.October, 10, 12, 0, 0, 0, time.UTC)

type frozen struct{ engine.Wall }

func (frozen) Now() time.Time { return today }

// fake answers for all services from plain data, and refuses the operations that refusals name.
type fake struct {
	account  string
	arn      string
	zones    []string
	missing  []string          // "type zone" pairs that are not sold
	spot     map[string]string // price by type, or by "type zone"
	listed   map[string]string // on-demand price by type
	images   []ec2types.Image
	params   map[string]string
	vpcs     []ec2types.Vpc
	peerings []ec2types.VpcPeeringConnection
	types    []ec2types.InstanceTypeInfo
	quotas   map[string]float64
	defaults map[string]float64
	scores   map[string]int32
	refusals map[string]error // by operation
	latency  time.Duration    // of every call

	mu    sync.Mutex
	calls []string
}

// rich is an account in which everything can be had.
func rich() *fake {
	f := &fake{
		account: "111122223333", arn: "arn:aws:iam::111122223333:user/ana",
		zones: []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"},
		spot:  map[string]string{}, listed: map[string]string{}, params: map[string]string{}, refusals: map[string]error{},
		quotas: map[string]float64{"L-1216C47A": 64, "L-34B43A08": 64, "L-DB2E81BA": 16, "L-3819A6DF": 16, vpcQuota: 5},
	}
	known, err := readTypes()
	if err != nil {
		panic(err)
	}
	for _, t := range known {
		f.listed[t.name] = t.list.Times(11, 10).Decimal() // 10 % above us-east-1
		f.spot[t.name] = t.list.Times(4, 10).Decimal()
	}
	return f
}

func (f *fake) market() *Market {
	return New(Clients{f, f, f, f, f}, frozen{}, func(context.Context) (string, error) { return "203.0.113.7/32", nil })
}

func (f *fake) called(operation string) error {
	time.Sleep(f.latency) // in a bubble of testing/synctest only
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, operation)
	return f.refusals[operation]
}

func refusal(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// config is a configuration of defaults with changes, as "key=value".
func config(changes ...string) stack.Config {
	c := stack.NewConfig()
	c.Name, c.Region = "demo", "eu-west-1"
	for _, change := range changes {
		key, value, _ := strings.Cut(change, "=")
		if err := c.Set(key, value, stack.Source{Kind: "flag"}); err != nil {
			panic(err)
		}
	}
	return c
}

func (f *fake) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: &f.account, Arn: &f.arn}, f.called("GetCallerIdentity")
}

func (f *fake) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	if err := f.called("GetParameter"); err != nil {
		return nil, err
	}
	value, ok := f.params[*in.Name]
	if !ok {
		return nil, &ssmtypes.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Name: in.Name, Value: &value}}, nil
}

func (f *fake) DescribeImages(_ context.Context, in *ec2.DescribeImagesInput, _ ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	if err := f.called("DescribeImages"); err != nil {
		return nil, err
	}
	out := &ec2.DescribeImagesOutput{}
	for _, image := range f.images {
		if len(in.ImageIds) > 0 && !slices.Contains(in.ImageIds, *image.ImageId) ||
			len(in.Owners) > 0 && !slices.Contains(in.Owners, *image.OwnerId) && !slices.Contains(in.Owners, "amazon") {
			continue
		}
		matches := true
		for _, filter := range in.Filters {
			switch *filter.Name {
			case "name":
				matches = matches && slices.ContainsFunc(filter.Values, func(pattern string) bool { return wild(pattern, *image.Name) })
			case "architecture":
				matches = matches && slices.Contains(filter.Values, string(image.Architecture))
			}
		}
		if matches {
			out.Images = append(out.Images, image)
		}
	}
	return out, nil
}

// wild matches a filter of EC2: * is any text, ? any character.
func wild(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return wild(pattern[1:], text) || text != "" && wild(pattern, text[1:])
	default:
		return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && wild(pattern[1:], text[1:])
	}
}

func (f *fake) DescribeAvailabilityZones(context.Context, *ec2.DescribeAvailabilityZonesInput, ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error) {
	out := &ec2.DescribeAvailabilityZonesOutput{}
	for i, z := range f.zones {
		out.AvailabilityZones = append(out.AvailabilityZones, ec2types.AvailabilityZone{ZoneName: new(z), ZoneId: new(fmt.Sprintf("euw1-az%d", 3-i))})
	}
	return out, f.called("DescribeAvailabilityZones")
}

func (f *fake) DescribeInstanceTypes(context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error) {
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: f.types}, f.called("DescribeInstanceTypes")
}

func (f *fake) DescribeInstanceTypeOfferings(_ context.Context, in *ec2.DescribeInstanceTypeOfferingsInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstanceTypeOfferingsOutput, error) {
	out := &ec2.DescribeInstanceTypeOfferingsOutput{}
	for _, name := range in.Filters[0].Values {
		for _, zone := range f.zones {
			if !slices.Contains(f.missing, name+" "+zone) && !slices.Contains(f.missing, name) {
				out.InstanceTypeOfferings = append(out.InstanceTypeOfferings, ec2types.InstanceTypeOffering{InstanceType: ec2types.InstanceType(name), Location: new(zone)})
			}
		}
	}
	return out, f.called("DescribeInstanceTypeOfferings")
}

func (f *fake) DescribeSpotPriceHistory(_ context.Context, in *ec2.DescribeSpotPriceHistoryInput, _ ...func(*ec2.Options)) (*ec2.DescribeSpotPriceHistoryOutput, error) {
	out := &ec2.DescribeSpotPriceHistoryOutput{}
	row := func(t ec2types.InstanceType, zone, price string, age time.Duration) {
		out.SpotPriceHistory = append(out.SpotPriceHistory, ec2types.SpotPrice{InstanceType: t, AvailabilityZone: new(zone), SpotPrice: new(price), Timestamp: new(today.Add(-age))})
	}
	for _, t := range in.InstanceTypes {
		for _, zone := range f.zones {
			price, ok := f.spot[string(t)+" "+zone]
			if !ok {
				price, ok = f.spot[string(t)]
			}
			if ok && price != "" {
				row(t, zone, price, time.Hour)
				row(t, zone, "999", 48*time.Hour) // what it was before
			}
		}
	}
	return out, f.called("DescribeSpotPriceHistory")
}

func (f *fake) GetSpotPlacementScores(context.Context, *ec2.GetSpotPlacementScoresInput, ...func(*ec2.Options)) (*ec2.GetSpotPlacementScoresOutput, error) {
	out := &ec2.GetSpotPlacementScoresOutput{}
	for id, score := range f.scores {
		out.SpotPlacementScores = append(out.SpotPlacementScores, ec2types.SpotPlacementScore{AvailabilityZoneId: new(id), Score: new(score)})
	}
	return out, f.called("GetSpotPlacementScores")
}

func (f *fake) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	return &ec2.DescribeVpcsOutput{Vpcs: f.vpcs}, f.called("DescribeVpcs")
}

func (f *fake) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: f.peerings}, f.called("DescribeVpcPeeringConnections")
}

func (f *fake) GetProducts(_ context.Context, in *pricing.GetProductsInput, options ...func(*pricing.Options)) (*pricing.GetProductsOutput, error) {
	var o pricing.Options
	for _, option := range options {
		option(&o)
	}
	if err := f.called("GetProducts in " + o.Region); err != nil {
		return nil, err
	}
	if err := f.refusals["GetProducts"]; err != nil {
		return nil, err
	}
	price, ok := f.listed[*in.Filters[0].Value]
	if !ok {
		return &pricing.GetProductsOutput{}, nil
	}
	return &pricing.GetProductsOutput{PriceList: []string{fmt.Sprintf(
		`{"terms":{"OnDemand":{"A.B":{"priceDimensions":{"A.B.C":{"unit":"Hrs","pricePerUnit":{"USD":"%s0"}}}}}}}`, price)}}, nil
}

func (f *fake) GetServiceQuota(_ context.Context, in *servicequotas.GetServiceQuotaInput, _ ...func(*servicequotas.Options)) (*servicequotas.GetServiceQuotaOutput, error) {
	return &servicequotas.GetServiceQuotaOutput{Quota: quotaValue(f.quotas, *in.QuotaCode)}, notIn(f.quotas, *in.QuotaCode, f.called("GetServiceQuota"))
}

func (f *fake) GetAWSDefaultServiceQuota(_ context.Context, in *servicequotas.GetAWSDefaultServiceQuotaInput, _ ...func(*servicequotas.Options)) (*servicequotas.GetAWSDefaultServiceQuotaOutput, error) {
	return &servicequotas.GetAWSDefaultServiceQuotaOutput{Quota: quotaValue(f.defaults, *in.QuotaCode)}, notIn(f.defaults, *in.QuotaCode, f.called("GetAWSDefaultServiceQuota"))
}

func quotaValue(values map[string]float64, code string) *quotatypes.ServiceQuota {
	return &quotatypes.ServiceQuota{Value: new(values[code])}
}

func notIn(values map[string]float64, code string, err error) error {
	if _, ok := values[code]; !ok && err == nil {
		return &quotatypes.NoSuchResourceException{}
	}
	return err
}
