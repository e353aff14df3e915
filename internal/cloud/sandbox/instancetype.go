package sandbox

import (
	_ "embed"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// The figures are those of DescribeInstanceTypes and of the public price list for Linux in us-east-1, read 2026-07-20.
//
//go:embed instance-types.csv
var instanceTypesCSV string

// instanceType is a row of the catalogue.
type instanceType struct {
	name   string
	vcpus  int
	memory int64 // MiB
	arch   string
	gpus   int
	gpu    string
	vram   int64 // MiB of each GPU
	spot   bool
	hourly float64 // USD, us-east-1, on demand; 0: not on the price list, sold by reservation only
}

// catalogue lists the instance types in order of their names. It is read at its first use.
var catalogue = sync.OnceValue(func() []instanceType {
	rows, err := csv.NewReader(strings.NewReader(instanceTypesCSV)).ReadAll()
	if err != nil {
		panic("sandbox: the embedded catalogue of instance types is damaged: " + err.Error())
	}
	var all []instanceType
	for _, row := range rows[1:] {
		number := func(column int) float64 { n, _ := strconv.ParseFloat(row[column], 64); return n } // empty is 0
		all = append(all, instanceType{
			name: row[0], vcpus: int(number(1)), memory: int64(number(2)), arch: row[3], gpus: int(number(4)), gpu: row[5],
			vram: int64(number(6)), spot: strings.Contains(row[7], "spot") && row[8] != "", hourly: number(8),
		})
	}
	slices.SortFunc(all, func(a, b instanceType) int { return strings.Compare(a.name, b.name) })
	return all
})

func typeNamed(name string) (instanceType, bool) {
	all := catalogue()
	i, found := slices.BinarySearchFunc(all, name, func(t instanceType, name string) int { return strings.Compare(t.name, name) })
	if !found {
		return instanceType{}, false
	}
	return all[i], true
}

func (t instanceType) family() string {
	family, _, _ := strings.Cut(t.name, ".")
	return family
}

// bucket is the group of families that shares one vCPU quota (EC2 user guide, "On-Demand Instance quotas").
func (t instanceType) bucket() string {
	switch {
	case strings.HasPrefix(t.name, "g"):
		return "G and VT"
	case strings.HasPrefix(t.name, "p"):
		return "P"
	}
	return "Standard (A, C, D, H, I, M, R, T, Z)"
}

// zones lists the zones of a region that sell the type. The burstable families are sold in all, large accelerators in one.
func (t instanceType) zones(region string) []string {
	all := zonesOf(region)
	portion := 0.85
	switch {
	case strings.HasPrefix(t.name, "t"):
		portion = 1
	case strings.HasPrefix(t.name, "p"):
		portion = 0.2
	case t.gpus > 0:
		portion = 0.67
	}
	slices.SortFunc(all, func(a, b zone) int {
		if share(t.family(), a.Name) < share(t.family(), b.Name) {
			return -1
		}
		return 1
	})
	var names []string
	for _, z := range all[:max(1, int(math.Round(portion*float64(len(all)))))] {
		names = append(names, z.Name)
	}
	slices.Sort(names)
	return names
}

// onDemand is the price of the type in a region, in USD an hour.
func (t instanceType) onDemand(region string) float64 {
	return math.Round(t.hourly*placeOf(region).factor*1e6) / 1e6
}

func registerInstanceTypes(all map[string]operation) {
	on(all, serviceEC2, "DescribeInstanceTypes", describeInstanceTypes)
	on(all, serviceEC2, "DescribeInstanceTypeOfferings", describeInstanceTypeOfferings)
}

func describeInstanceTypes(_ *call, in *ec2.DescribeInstanceTypesInput) (*ec2.DescribeInstanceTypesOutput, error) {
	if len(in.InstanceTypes) > 0 && in.MaxResults != nil {
		return nil, refuse("InvalidParameterCombination", "The parameter instanceTypes cannot be used with the parameter "+
			"maxResults")
	}
	if len(in.InstanceTypes) > 100 {
		return nil, refuse("InvalidParameterValue", "At most 100 instance types can be named in one request")
	}
	if in.MaxResults != nil && (*in.MaxResults < 5 || *in.MaxResults > 100) {
		return nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value "+
			"between 5 and 100.", *in.MaxResults)
	}
	for _, name := range in.InstanceTypes {
		if _, ok := typeNamed(string(name)); !ok {
			return nil, refuse("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
	}
	var found []ec2types.InstanceTypeInfo
	for _, t := range catalogue() {
		if len(in.InstanceTypes) > 0 && !slices.Contains(in.InstanceTypes, ec2types.InstanceType(t.name)) {
			continue
		}
		ok, err := matches(in.Filters, t.attributes(), nil)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, t.show())
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 100)
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: found, NextToken: next}, err
}

func (t instanceType) usage() []string {
	if t.spot {
		return []string{"on-demand", "spot"}
	}
	return []string{"on-demand"}
}

func (t instanceType) attributes() attributes {
	burstable := strings.HasPrefix(t.name, "t")
	return attributes{
		"instance-type": {t.name}, "processor-info.supported-architecture": {t.arch}, "supported-usage-class": t.usage(),
		"current-generation": {"true"}, "free-tier-eligible": yesNo(t.name == "t3.micro" || t.name == "t3.small"),
		"vcpu-info.default-vcpus": {strconv.Itoa(t.vcpus)}, "memory-info.size-in-mib": {strconv.FormatInt(t.memory, 10)},
		"bare-metal": {"false"}, "burstable-performance-supported": yesNo(burstable), "hypervisor": {"nitro"},
		"supported-root-device-type": {"ebs"}, "supported-virtualization-type": {"hvm"}, "ebs-info.encryption-support": {"supported"},
	}
}

func (t instanceType) show() ec2types.InstanceTypeInfo {
	shown := ec2types.InstanceTypeInfo{
		InstanceType: ec2types.InstanceType(t.name), CurrentGeneration: new(true), BareMetal: new(false),
		FreeTierEligible: new(t.name == "t3.micro" || t.name == "t3.small"), Hypervisor: ec2types.InstanceTypeHypervisorNitro,
		VCpuInfo:   &ec2types.VCpuInfo{DefaultVCpus: new(int32(t.vcpus))},
		MemoryInfo: &ec2types.MemoryInfo{SizeInMiB: new(t.memory)},
		ProcessorInfo: &ec2types.ProcessorInfo{
			SupportedArchitectures: []ec2types.ArchitectureType{ec2types.ArchitectureType(t.arch)},
		},
		BurstablePerformanceSupported: new(strings.HasPrefix(t.name, "t")),
		SupportedRootDeviceTypes:      []ec2types.RootDeviceType{ec2types.RootDeviceTypeEbs},
		SupportedVirtualizationTypes:  []ec2types.VirtualizationType{ec2types.VirtualizationTypeHvm},
	}
	for _, usage := range t.usage() {
		shown.SupportedUsageClasses = append(shown.SupportedUsageClasses, ec2types.UsageClassType(usage))
	}
	if t.gpus > 0 || t.gpu != "" { // a fractional GPU counts as 0
		shown.GpuInfo = &ec2types.GpuInfo{
			TotalGpuMemoryInMiB: new(int32(int64(t.gpus) * t.vram)),
			Gpus: []ec2types.GpuDeviceInfo{{
				Count: new(int32(t.gpus)), Name: new(t.gpu), Manufacturer: new("NVIDIA"),
				MemoryInfo: &ec2types.GpuDeviceMemoryInfo{SizeInMiB: new(int32(t.vram))},
			}},
		}
	}
	return shown
}

func describeInstanceTypeOfferings(c *call, in *ec2.DescribeInstanceTypeOfferingsInput) (*ec2.DescribeInstanceTypeOfferingsOutput, error) {
	if in.MaxResults != nil && (*in.MaxResults < 5 || *in.MaxResults > 1000) {
		return nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value "+
			"between 5 and 1000.", *in.MaxResults)
	}
	kind := in.LocationType
	if kind == "" {
		kind = ec2types.LocationTypeRegion
	}
	var found []ec2types.InstanceTypeOffering
	for _, t := range catalogue() {
		for _, location := range t.locations(c.region.Name, kind) {
			ok, err := matches(in.Filters, attributes{"instance-type": {t.name}, "location": {location}}, nil)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, ec2types.InstanceTypeOffering{
					InstanceType: ec2types.InstanceType(t.name), Location: new(location), LocationType: kind,
				})
			}
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 1000)
	return &ec2.DescribeInstanceTypeOfferingsOutput{InstanceTypeOfferings: found, NextToken: next}, err
}

func (t instanceType) locations(region string, kind ec2types.LocationType) []string {
	if kind == ec2types.LocationTypeRegion {
		return []string{region}
	}
	names := t.zones(region)
	if kind == ec2types.LocationTypeAvailabilityZoneId {
		for i, name := range names {
			names[i] = zoneID(region, name)
		}
	}
	return names
}
