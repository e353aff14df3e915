package market

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

var today = time.Date(2026, time.October, 10, 12, 0, 0, 0, time.UTC)

type frozen struct{ engine.Wall }

func (frozen) Now() time.Time { return today }

// moved is a clock that stands at another time.
type moved struct{ time.Time }

func (m moved) Now() time.Time                                 { return m.Time }
func (moved) Sleep(ctx context.Context, d time.Duration) error { return engine.Wall{}.Sleep(ctx, d) }

func address(context.Context) (string, error) { return "203.0.113.7/32", nil }

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
	machines []ec2types.Instance
	keys     []string
	routes   []ec2types.RouteTable
	estate   *discovery.Region // what could be reused
	lists    []discovery.PrefixList
	regions  []ec2types.Region
	products []string         // of the price list, beside those of listed
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
	return f.marketWith(Options{})
}

// clients are the fake in every place.
func (f *fake) clients() Clients {
	return Clients{EC2: f, EFS: f, SSM: f, STS: f, Pricing: f, Quotas: f}
}

// marketWith fills in what the options leave open.
func (f *fake) marketWith(o Options) *Market {
	o.Clock, o.Discovery = frozen{}, f
	if o.Address == nil {
		o.Address = address
	}
	return New(f.clients(), o)
}

func (f *fake) called(operation string) error {
	time.Sleep(f.latency) // in a bubble of testing/synctest only
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, operation)
	name, _, _ := strings.Cut(operation, " ")
	return f.refusals[name]
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
			len(in.ImageIds) == 0 && !aws.ToBool(in.IncludeDeprecated) && deprecated(image) ||
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

func deprecated(image ec2types.Image) bool {
	at, ok := parseTime(image.DeprecationTime)
	return ok && at.Before(today)
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
	out := &pricing.GetProductsOutput{PriceList: f.products}
	for _, filter := range in.Filters {
		if *filter.Field != "instanceType" {
			continue
		}
		for name := range strings.SplitSeq(*filter.Value, ",") {
			if price, ok := f.listed[name]; ok && *in.ServiceCode == "AmazonEC2" {
				out.PriceList = append(out.PriceList, entry(map[string]string{"instanceType": name, "usagetype": "EU-BoxUsage:" + name}, "Hrs", price+"0"))
			}
		}
	}
	return out, nil
}

// entry is an entry of the price list as the API writes it, without what nobody reads.
func entry(attributes map[string]string, unit, usd string) string {
	text, err := json.Marshal(map[string]any{
		"product": map[string]any{"productFamily": "any", "attributes": attributes, "sku": "ABCD"},
		"terms": map[string]any{"OnDemand": map[string]any{"ABCD.JRTCKXETXF": map[string]any{"priceDimensions": map[string]any{
			"ABCD.JRTCKXETXF.6YS6EN2CT7": map[string]any{"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": map[string]string{"USD": usd}},
		}}}},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (f *fake) DescribeRegions(_ context.Context, in *ec2.DescribeRegionsInput, options ...func(*ec2.Options)) (*ec2.DescribeRegionsOutput, error) {
	var o ec2.Options
	for _, option := range options {
		option(&o)
	}
	out := &ec2.DescribeRegionsOutput{}
	for _, r := range f.regions {
		if slices.Contains(in.RegionNames, *r.RegionName) {
			out.Regions = append(out.Regions, r)
		}
	}
	return out, f.called("DescribeRegions in " + o.Region)
}

func (f *fake) DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{Reservations: []ec2types.Reservation{{Instances: f.machines}}}, f.called("DescribeInstances")
}

func (f *fake) DescribeKeyPairs(context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options)) (*ec2.DescribeKeyPairsOutput, error) {
	out := &ec2.DescribeKeyPairsOutput{}
	for _, name := range f.keys {
		out.KeyPairs = append(out.KeyPairs, ec2types.KeyPairInfo{KeyName: &name})
	}
	return out, f.called("DescribeKeyPairs")
}

func (f *fake) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return &ec2.DescribeRouteTablesOutput{RouteTables: f.routes}, f.called("DescribeRouteTables")
}

// Read implements Discoverer.
func (f *fake) Read(context.Context, ...discovery.Kind) (*discovery.Region, error) {
	if f.estate == nil {
		return &discovery.Region{Name: "eu-west-1"}, f.called("Read")
	}
	return f.estate, f.called("Read")
}

// AskDNS implements Discoverer.
func (f *fake) AskDNS(context.Context, *discovery.Region, ...string) error { return f.called("AskDNS") }

// AskLists implements Discoverer.
func (f *fake) AskLists(_ context.Context, r *discovery.Region, groups ...string) error {
	r.Lists = f.lists
	return f.called("AskLists " + strings.Join(groups, " "))
}

// ReadLists implements Discoverer.
func (f *fake) ReadLists(_ context.Context, ids ...string) ([]discovery.PrefixList, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(f.lists), func(l discovery.PrefixList) bool { return !slices.Contains(ids, l.ID) }), f.called("ReadLists")
}

func (f *fake) DescribeFileSystems(context.Context, *efs.DescribeFileSystemsInput, ...func(*efs.Options)) (*efs.DescribeFileSystemsOutput, error) {
	return &efs.DescribeFileSystemsOutput{}, f.called("DescribeFileSystems")
}

// dry answers a dry run, and panics at a wet one.
func (f *fake) dry(operation string, asked *bool) error {
	if asked == nil || !*asked {
		panic(operation + " was called in earnest")
	}
	if err := f.called(operation); err != nil {
		return err
	}
	return refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

func (f *fake) CreateVpc(_ context.Context, in *ec2.CreateVpcInput, _ ...func(*ec2.Options)) (*ec2.CreateVpcOutput, error) {
	return nil, f.dry("CreateVpc", in.DryRun)
}

func (f *fake) CreateInternetGateway(_ context.Context, in *ec2.CreateInternetGatewayInput, _ ...func(*ec2.Options)) (*ec2.CreateInternetGatewayOutput, error) {
	return nil, f.dry("CreateInternetGateway", in.DryRun)
}

func (f *fake) CreateSecurityGroup(_ context.Context, in *ec2.CreateSecurityGroupInput, _ ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	return nil, f.dry(strings.TrimSpace("CreateSecurityGroup "+aws.ToString(in.VpcId)), in.DryRun)
}

func (f *fake) RunInstances(_ context.Context, in *ec2.RunInstancesInput, _ ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error) {
	where := strings.Join(append([]string{aws.ToString(in.SubnetId)}, in.SecurityGroupIds...), " ")
	return nil, f.dry(strings.TrimSpace("RunInstances "+*in.ImageId+" "+string(in.InstanceType)+" "+where), in.DryRun)
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
