package market

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	pricingtypes "github.com/aws/aws-sdk-go-v2/service/pricing/types"

	"geusemaker/internal/stack"
)

// PricingRegion is a region near the given one that has the Price List API (Price List API reference, "Service endpoints").
func PricingRegion(region string) string {
	switch area, _, _ := strings.Cut(region, "-"); area {
	case "cn":
		return "cn-northwest-1"
	case "eu", "af", "me", "il":
		return "eu-central-1"
	case "ap":
		return "ap-south-1"
	default:
		return "us-east-1"
	}
}

// onDemand asks for the on-demand price of each type. A type without one, or for which the call failed, is missing from the
// result.
func (m *Market) onDemand(ctx context.Context, region string, types []machineType) (map[string]stack.Price, error) {
	prices := make([]stack.Price, len(types))
	var questions []func() error
	for i, t := range types {
		questions = append(questions, func() error {
			var err error
			prices[i], err = m.listPrice(ctx, region, t.name)
			return err
		})
	}
	err := together(questions...)
	found := map[string]stack.Price{}
	for i, t := range types {
		if prices[i].Amount > 0 {
			found[t.name] = prices[i]
		}
	}
	return found, err
}

// listPrice is the hourly Linux price of a type in the region, zero when the list has none.
func (m *Market) listPrice(ctx context.Context, region, name string) (stack.Price, error) {
	in := &pricing.GetProductsInput{ServiceCode: new("AmazonEC2"), FormatVersion: new("aws_v1")}
	for _, f := range [][2]string{
		{"instanceType", name},
		{"regionCode", region},
		{"operatingSystem", "Linux"},
		{"preInstalledSw", "NA"},
		{"capacitystatus", "Used"},
		{"tenancy", "Shared"},
	} {
		in.Filters = append(in.Filters, pricingtypes.Filter{Type: pricingtypes.FilterTypeTermMatch, Field: &f[0], Value: &f[1]})
	}
	out, err := m.clients.Pricing.GetProducts(ctx, in, func(o *pricing.Options) {
		o.Region, o.RetryMaxAttempts = PricingRegion(region), fewAttempts
	})
	if err != nil {
		return stack.Price{}, err
	}
	for _, text := range out.PriceList {
		if amount := hourlyOf(text); amount > 0 {
			return stack.Price{Amount: amount, Unit: "hour", Source: "AWS Price List", AsOf: m.clock.Now().UTC()}, nil
		}
	}
	return stack.Price{}, nil
}

// hourlyOf reads the on-demand price in dollars from a product of the price list, which comes as text in JSON (Price List
// API reference, "GetProducts").
func hourlyOf(product string) stack.Money {
	var p struct {
		Terms struct {
			OnDemand map[string]struct {
				PriceDimensions map[string]struct {
					Unit         string            `json:"unit"`
					PricePerUnit map[string]string `json:"pricePerUnit"`
				} `json:"priceDimensions"`
			}
		} `json:"terms"`
	}
	if json.Unmarshal([]byte(product), &p) != nil {
		return 0
	}
	for _, term := range p.Terms.OnDemand {
		for _, dimension := range term.PriceDimensions {
			amount, err := stack.ParseMoney(dimension.PricePerUnit["USD"])
			if err == nil && amount > 0 && strings.HasPrefix(dimension.Unit, "Hr") {
				return amount
			}
		}
	}
	return 0
}

// place is a type in a zone.
type place struct{ machine, zone string }

// spotPrices asks what the types cost on the spot market now. What is missing from the result is not sold there. With now
// as the start, the history holds the prices in force (EC2 API reference, "DescribeSpotPriceHistory").
func (m *Market) spotPrices(ctx context.Context, types []machineType) (map[place]stack.Price, error) {
	now := m.clock.Now().UTC()
	in := &ec2.DescribeSpotPriceHistoryInput{
		StartTime:           &now,
		ProductDescriptions: []string{"Linux/UNIX", "Linux/UNIX (Amazon VPC)"},
	}
	for _, t := range types {
		in.InstanceTypes = append(in.InstanceTypes, ec2types.InstanceType(t.name))
	}
	found, since := map[place]stack.Price{}, map[place]time.Time{}
	pages := ec2.NewDescribeSpotPriceHistoryPaginator(m.clients.EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range page.SpotPriceHistory {
			amount, err := stack.ParseMoney(aws.ToString(row.SpotPrice))
			at := place{string(row.InstanceType), aws.ToString(row.AvailabilityZone)}
			if err != nil || amount <= 0 || aws.ToTime(row.Timestamp).Before(since[at]) {
				continue
			}
			since[at] = aws.ToTime(row.Timestamp)
			found[at] = stack.Price{Amount: amount, Unit: "hour", Source: "EC2 spot price", AsOf: now}
		}
	}
	return found, nil
}

// priceTable is what is known of the prices of machines.
type priceTable struct {
	onDemand map[string]stack.Price
	spot     map[place]stack.Price
	// spotUnknown says that the spot market could not be asked: the on-demand price, which a spot price never exceeds unless
	// the user sets a higher limit, stands in (EC2 user guide, "Spot Instance pricing history").
	spotUnknown bool
}

// offer prices a pool. It reports false where the type is not sold on that market.
func (p priceTable) offer(t machineType, zone, market string) (stack.Offer, bool) {
	list, known := p.onDemand[t.name]
	if !known {
		list = stack.Price{Amount: t.list, Source: "price list of " + listedIn, AsOf: listedAt, Guess: true}
	}
	o := stack.Offer{
		Type: t.name, Zone: zone, Market: market, Hourly: list.Amount, OnDemand: list.Amount,
		VCPUs: t.vcpus, MemoryMiB: t.memoryMiB, Source: list.Source, AsOf: list.AsOf, Guess: list.Guess,
	}
	if market != stack.Spot {
		return o, true
	}
	if p.spotUnknown {
		o.Source, o.Guess = o.Source+", on-demand", true
		return o, t.spot
	}
	price, sold := p.spot[place{t.name, zone}]
	o.Hourly, o.Source, o.AsOf, o.Guess = price.Amount, price.Source, price.AsOf, false
	return o, sold && t.spot
}

// componentPrices are the prices of what is not a machine: the embedded ones, of us-east-1.
func componentPrices() (map[string]stack.Price, error) {
	all, err := readPrices()
	if err != nil {
		return nil, err
	}
	used := []string{
		stack.PriceGP3Storage, stack.PriceGP3Throughput, stack.PriceEFSStorage, stack.PriceEFSRead,
		stack.PriceEFSWrite, stack.PriceEFSBackup, stack.PricePublicIPv4, stack.PriceTransferOut,
	}
	for _, key := range used {
		if _, ok := all[key]; !ok {
			return nil, fmt.Errorf("list of prices: %s is missing", key)
		}
	}
	maps.DeleteFunc(all, func(key string, _ stack.Price) bool { return !slices.Contains(used, key) })
	return all, nil
}
