package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/pricing"
	pricingtypes "github.com/aws/aws-sdk-go-v2/service/pricing/types"
)

func registerPricing(all map[string]operation) {
	on(all, servicePricing, "GetProducts", getProducts)
}

// product is one entry of the price list.
type product struct {
	service    string
	family     string
	attributes map[string]string
	unit       string
	usd        float64
	words      string // of the price
}

// getProducts answers in the shape of the real list: each entry is a JSON document in a string (Price List API reference,
// GetProducts).
func getProducts(c *call, in *pricing.GetProductsInput) (*pricing.GetProductsOutput, error) {
	var found []string
	for _, p := range priceList()[deref(in.ServiceCode)] {
		passes := true
		for _, filter := range in.Filters {
			field, wanted := deref(filter.Field), deref(filter.Value)
			have := p.attributes[field]
			if field == "productFamily" {
				have = p.family
			}
			if field == "ServiceCode" || field == "servicecode" {
				have = p.service
			}
			passes = passes && fits(filter.Type, have, wanted)
		}
		if passes {
			found = append(found, p.document(c))
		}
	}
	if in.MaxResults != nil && *in.MaxResults > 100 {
		return nil, refuse("InvalidParameterException", "MaxResults must be at most 100")
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 100)
	return &pricing.GetProductsOutput{PriceList: found, NextToken: next, FormatVersion: new("aws_v1")}, err
}

// fits applies one filter. Several values come with commas between them (Price List API reference, Filter).
func fits(kind pricingtypes.FilterType, have, wanted string) bool {
	among := func() bool {
		return slices.ContainsFunc(strings.Split(wanted, ","), func(one string) bool { return strings.TrimSpace(one) == have })
	}
	switch kind {
	case pricingtypes.FilterTypeContains:
		return strings.Contains(have, wanted)
	case pricingtypes.FilterTypeAnyOf:
		return among()
	case pricingtypes.FilterTypeNoneOf:
		return !among()
	case pricingtypes.FilterTypeEquals:
		return have == wanted
	default:
		return strings.EqualFold(have, wanted)
	}
}

// priceList holds the entries of each service. It is made at its first use: thousands of them, and every plan asks many times.
var priceList = sync.OnceValue(func() map[string][]product {
	all := map[string][]product{}
	for _, place := range places {
		all["AmazonEC2"] = append(all["AmazonEC2"], computeProducts(place)...)
		all["AmazonEC2"] = append(all["AmazonEC2"], volumeProducts(place)...)
		all["AmazonEFS"] = append(all["AmazonEFS"], fileProducts(place)...)
		all["AmazonVPC"] = append(all["AmazonVPC"], addressProducts(place)...)
		all["AWSBackup"] = append(all["AWSBackup"], backupProducts(place)...)
	}
	return all
})

func (p place) attributes(more map[string]string) map[string]string {
	more["regionCode"], more["location"], more["locationType"] = p.name, p.title, "AWS Region"
	return more
}

// usage is a usage type with the prefix of its region.
func (p place) usage(kind string) string { return strings.ToUpper(p.short) + "-" + kind }

func addressProducts(p place) []product {
	one := func(usage, words string) product {
		return product{
			service: "AmazonVPC", unit: "Hrs", usd: 0.005, words: words,
			attributes: p.attributes(map[string]string{"group": "VPCPublicIPv4Address", "usagetype": p.usage(usage), "servicecode": "AmazonVPC"}),
		}
	}
	return []product{
		one("PublicIPv4:IdleAddress", "per Idle public IPv4 address per hour"),
		one("PublicIPv4:InUseAddress", "per In-use public IPv4 address per hour"),
	}
}

func backupProducts(p place) []product {
	one := func(usage, words string, usd float64) product {
		return product{
			service: "AWSBackup", family: "AWS Backup Storage", unit: "GB-Mo", usd: usd * p.factor, words: words,
			attributes: p.attributes(map[string]string{"usagetype": p.usage(usage), "operation": "Storage", "servicecode": "AWSBackup"}),
		}
	}
	return []product{
		one("ColdStorage-ByteHrs-EFS", "per GB-Mo of cold backup storage for EFS", 0.01),
		one("WarmStorage-ByteHrs-EFS", "per GB-Mo of warm backup storage for EFS", 0.05),
	}
}

func computeProducts(p place) []product {
	var all []product
	for _, t := range catalogue() {
		price := t.onDemand(p.name)
		if price == 0 {
			continue
		}
		all = append(all, product{
			service: "AmazonEC2", family: "Compute Instance", unit: "Hrs", usd: price,
			words: fmt.Sprintf("$%v per On Demand Linux %s Instance Hour", price, t.name),
			attributes: p.attributes(map[string]string{
				"instanceType": t.name, "operatingSystem": "Linux", "preInstalledSw": "NA", "capacitystatus": "Used",
				"tenancy": "Shared", "licenseModel": "No License required", "operation": "RunInstances", "marketoption": "OnDemand",
				"usagetype": "BoxUsage:" + t.name, "vcpu": strconv.Itoa(t.vcpus), "currentGeneration": "Yes",
				"memory": strconv.FormatFloat(float64(t.memory)/1024, 'f', -1, 64) + " GiB", "servicecode": "AmazonEC2",
			}),
		})
	}
	return all
}

func volumeProducts(p place) []product {
	one := func(family, usage, unit, words string, usd float64) product {
		return product{
			service: "AmazonEC2", family: family, unit: unit, usd: usd * p.factor, words: words,
			attributes: p.attributes(map[string]string{
				"volumeApiName": "gp3", "volumeType": "General Purpose", "usagetype": usage, "servicecode": "AmazonEC2",
			}),
		}
	}
	return []product{
		one("Storage", "EBS:VolumeUsage.gp3", "GB-Mo", "per GB-month of General Purpose (gp3) provisioned storage", 0.08),
		one("System Operation", "EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "per IOPS-month provisioned (gp3)", 0.005),
		one("Provisioned Throughput", "EBS:VolumeP-Throughput.gp3", "GiBps-mo", "per provisioned MiBps-month of gp3", 40.96),
	}
}

func fileProducts(p place) []product {
	one := func(family, class, access, usage, unit, words string, usd float64) product {
		return product{
			service: "AmazonEFS", family: family, unit: unit, usd: usd * p.factor, words: words,
			attributes: p.attributes(map[string]string{"storageClass": class, "accessType": access, "usagetype": p.usage(usage), "servicecode": "AmazonEFS"}),
		}
	}
	return []product{
		one("Storage", "Infrequent Access", "", "IATimedStorage-ByteHrs", "GB-Mo", "per GB-Mo for Infrequent Access storage", 0.025),
		one("Storage", "Infrequent Access-ET", "", "IATimedStorage-ET-ByteHrs", "GB-Mo", "per GB-Mo for Infrequent Access storage with elastic throughput", 0.016),
		one("Storage", "One Zone-General Purpose", "", "TimedStorage-Z-ByteHrs", "GB-Mo", "per GB-Mo for One Zone storage", 0.16),
		one("Storage", "General Purpose", "", "TimedStorage-ByteHrs", "GB-Mo", "per GB-Mo for Standard storage", 0.30),
		one("Storage", "Infrequent Access", "Read", "IADataAccess-Bytes", "GB", "per GB read from Infrequent Access storage", 0.01),
		one("Data Transfer", "", "Write", "ETDataAccess-Bytes", "GB", "per GB of elastic throughput writes", 0.06),
		one("Data Transfer", "", "Read", "ETDataAccess-Bytes", "GB", "per GB of elastic throughput reads", 0.03),
	}
}

// document is the entry as JSON. The codes of the term and of the rate are those of hourly prices on demand.
func (p product) document(c *call) string {
	const term, rate = "JRTCKXETXF", "6YS6EN2CT7"
	sku := strings.ToUpper(digest(0, p.service, p.family, p.attributes["regionCode"], p.attributes["usagetype"], p.attributes["accessType"])[:16])
	published := c.now.Truncate(24 * 60 * 60 * 1e9).Format("2006-01-02T15:04:05Z")
	text, err := json.Marshal(map[string]any{
		"product":     map[string]any{"productFamily": p.family, "attributes": p.attributes, "sku": sku},
		"serviceCode": p.service,
		"terms": map[string]any{"OnDemand": map[string]any{sku + "." + term: map[string]any{
			"priceDimensions": map[string]any{sku + "." + term + "." + rate: map[string]any{
				"unit": p.unit, "beginRange": "0", "endRange": "Inf", "description": p.words, "appliesTo": []string{},
				"rateCode": sku + "." + term + "." + rate, "pricePerUnit": map[string]string{"USD": fmt.Sprintf("%.10f", p.usd)},
			}},
			"sku": sku, "offerTermCode": term, "effectiveDate": published, "termAttributes": map[string]string{},
		}}},
		"version": c.now.Format("20060102") + "000000", "publicationDate": published,
	})
	if err != nil {
		panic("sandbox: a price has no JSON form: " + err.Error())
	}
	return string(text)
}
