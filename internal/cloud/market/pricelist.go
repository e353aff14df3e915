package market

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/pricing"
	pricingtypes "github.com/aws/aws-sdk-go-v2/service/pricing/types"

	"geusemaker/internal/stack"
)

// listSource is what prices of the price list call their source.
const listSource = "AWS Price List"

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

// filter is one condition on an attribute of a product.
type filter struct {
	field, value string
	kind         pricingtypes.FilterType
}

func is(field, value string) filter { return filter{field, value, pricingtypes.FilterTypeTermMatch} }

func contains(field, value string) filter {
	return filter{field, value, pricingtypes.FilterTypeContains}
}

// anyOf takes many values in one question, in one text with commas (Billing and Cost Management API reference, "Filter").
func anyOf(field string, values []string) filter {
	return filter{field, strings.Join(values, ","), pricingtypes.FilterTypeAnyOf}
}

// product is an entry of the price list that is sold on demand.
type product struct {
	attributes map[string]string
	unit       string
	price      stack.Money // of one unit, in the first tier that is not free
}

// usage is the usage type without the prefix that names the region: EUC1-EBS:VolumeUsage.gp3, EU-TimedStorage-ByteHrs.
func (p product) usage() string {
	return regionPrefix().ReplaceAllString(p.attributes["usagetype"], "")
}

var regionPrefix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z]+[0-9]*-`) })

// products asks the price list for what a service sells in a region. It is asked once, without repetition: the answer is
// nice to have.
func (m *Market) products(ctx context.Context, region, service string, filters ...filter) ([]product, error) {
	in := &pricing.GetProductsInput{ServiceCode: &service, FormatVersion: new("aws_v1")}
	for _, f := range append(filters, is("regionCode", region)) {
		in.Filters = append(in.Filters, pricingtypes.Filter{Type: f.kind, Field: &f.field, Value: &f.value})
	}
	var found []product
	pages := pricing.NewGetProductsPaginator(m.clients.Pricing, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, func(o *pricing.Options) {
			o.Region, o.RetryMaxAttempts = PricingRegion(region), 1
		})
		if err != nil {
			return nil, err
		}
		for _, text := range page.PriceList {
			if p, ok := readProduct(text); ok {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// readProduct reads a product of the price list, which comes as text in JSON (Price List API reference, "GetProducts"). It
// reports false for what has no price in dollars.
func readProduct(text string) (product, bool) {
	var raw struct {
		Product struct {
			Attributes map[string]string `json:"attributes"`
		} `json:"product"`
		Terms struct {
			OnDemand map[string]struct {
				PriceDimensions map[string]struct {
					Unit         string            `json:"unit"`
					PricePerUnit map[string]string `json:"pricePerUnit"`
				} `json:"priceDimensions"`
			}
		} `json:"terms"`
	}
	if json.Unmarshal([]byte(text), &raw) != nil {
		return product{}, false
	}
	p := product{attributes: raw.Product.Attributes}
	for _, term := range raw.Terms.OnDemand {
		for _, dimension := range term.PriceDimensions {
			// Tiers get cheaper with use: the dearest is the first.
			amount, err := stack.ParseMoney(dimension.PricePerUnit["USD"])
			if err == nil && amount > p.price {
				p.price, p.unit = amount, dimension.Unit
			}
		}
	}
	return p, p.price > 0
}

// mostInFilter bounds the value of a filter, which may have 1,024 characters.
const mostInFilter = 60

// machinePrices asks for the hourly Linux prices of types: sixty with one call.
func (m *Market) machinePrices(ctx context.Context, region string, names []string) (map[string]stack.Money, error) {
	found := map[string]stack.Money{}
	for some := range slices.Chunk(names, mostInFilter) {
		sold, err := m.products(ctx, region, "AmazonEC2", anyOf("instanceType", some), is("operatingSystem", "Linux"),
			is("preInstalledSw", "NA"), is("capacitystatus", "Used"), is("tenancy", "Shared"))
		if err != nil {
			return found, err
		}
		for _, p := range sold {
			// Of products that the filters cannot tell apart the dearest counts: a price shown is never too low.
			if strings.HasPrefix(p.unit, "Hr") && strings.HasPrefix(p.usage(), "BoxUsage") {
				name := p.attributes["instanceType"]
				found[name] = max(found[name], p.price)
			}
		}
	}
	return found, nil
}

// listing is where the price of something stands in the price list.
type listing struct {
	key    string // of Facts.Prices
	usage  string // the usage type without its region
	access string // Read or Write; "" where it does not matter
	per    measure
}

// question is a call that finds the prices of several things.
type question struct {
	service  string
	filters  []filter
	listings []listing
}

// measure is what a price is for one of.
type measure int

const (
	perGB measure = iota
	perMiBps
	perHour
)

// parts is how many of a measure a unit of the list is, or 0 where it is no unit of that measure. Some regions list throughput
// by the GiB, others by the MiB.
func (m measure) parts(unit string) int64 {
	switch {
	case m == perGB && (unit == "GB-Mo" || unit == "GB-month" || unit == "GB"),
		m == perMiBps && (unit == "MiBps-Mo" || unit == "MiBps-mo"),
		m == perHour && (unit == "Hrs" || unit == "Hours"):
		return 1
	case m == perMiBps && unit == "GiBps-mo":
		return 1024
	default:
		return 0
	}
}

// questions are those for what is not a machine. Usage types: AWS's public price list; EFS user guide, "Understanding your
// AWS billing and usage reports for Amazon EFS"; EBS pricing page; AWS Backup pricing page; VPC pricing page.
func questions() []question {
	return []question{
		{"AmazonEC2", []filter{is("volumeApiName", "gp3")}, []listing{
			{stack.PriceGP3Storage, "EBS:VolumeUsage.gp3", "", perGB},
			{stack.PriceGP3Throughput, "EBS:VolumeP-Throughput.gp3", "", perMiBps},
		}},
		{"AmazonEFS", nil, []listing{
			{stack.PriceEFSStorage, "TimedStorage-ByteHrs", "", perGB},
			{stack.PriceEFSRead, "ETDataAccess-Bytes", "Read", perGB},
			{stack.PriceEFSWrite, "ETDataAccess-Bytes", "Write", perGB},
		}},
		{"AWSBackup", []filter{contains("usagetype", "WarmStorage-ByteHrs-EFS")}, []listing{
			{stack.PriceEFSBackup, "WarmStorage-ByteHrs-EFS", "", perGB},
		}},
		{"AmazonVPC", []filter{contains("usagetype", "PublicIPv4:InUseAddress")}, []listing{
			{stack.PricePublicIPv4, "PublicIPv4:InUseAddress", "", perHour},
		}},
	}
}

// ask finds the prices of the listings.
func (q question) ask(ctx context.Context, m *Market, region string) (map[string]stack.Money, error) {
	sold, err := m.products(ctx, region, q.service, q.filters...)
	if err != nil {
		return nil, err
	}
	found := map[string]stack.Money{}
	for _, l := range q.listings {
		for _, p := range sold {
			parts := l.per.parts(p.unit)
			if parts > 0 && p.usage() == l.usage && (l.access == "" || strings.EqualFold(p.attributes["accessType"], l.access)) {
				found[l.key] = max(found[l.key], p.price.Times(1, parts))
			}
		}
	}
	return found, nil
}

// listPatience is how long the price list is waited for.
const listPatience = 4 * time.Second
