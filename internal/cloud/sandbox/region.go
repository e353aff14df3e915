package sandbox

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// region is what one region holds.
type region struct {
	Name string `json:"name"`

	VPCs        map[string]*vpc           `json:"vpcs,omitempty"`
	Subnets     map[string]*subnet        `json:"subnets,omitempty"`
	Gateways    map[string]*gateway       `json:"gateways,omitempty"`
	RouteTables map[string]*routeTable    `json:"route_tables,omitempty"`
	Groups      map[string]*securityGroup `json:"groups,omitempty"`
	Interfaces  map[string]*netInterface  `json:"interfaces,omitempty"`
	Endpoints   map[string]*endpoint      `json:"endpoints,omitempty"`
	KeyPairs    map[string]*keyPair       `json:"key_pairs,omitempty"`
	NetworkACLs map[string]*networkACL    `json:"network_acls,omitempty"` // but for the default ones
	NATGateways map[string]*natGateway    `json:"nat_gateways,omitempty"`
	Peerings    map[string]*peering       `json:"peerings,omitempty"`
	Balancers   map[string]*balancer      `json:"balancers,omitempty"`
	PrefixLists map[string]*prefixList    `json:"prefix_lists,omitempty"` // but for AWS's own

	Instances    map[string]*instance    `json:"instances,omitempty"`
	SpotRequests map[string]*spotRequest `json:"spot_requests,omitempty"`
	Volumes      map[string]*volume      `json:"volumes,omitempty"`

	FileSystems  map[string]*fileSystem  `json:"file_systems,omitempty"`
	MountTargets map[string]*mountTarget `json:"mount_targets,omitempty"`

	Parameters map[string]*parameter `json:"parameters,omitempty"`
	Commands   map[string]*command   `json:"commands,omitempty"`
	Sessions   map[string]*session   `json:"sessions,omitempty"`
}

// fill gives every kind that has none its map.
func (r *region) fill() {
	made(&r.VPCs)
	made(&r.Subnets)
	made(&r.Gateways)
	made(&r.RouteTables)
	made(&r.Groups)
	made(&r.Interfaces)
	made(&r.Endpoints)
	made(&r.KeyPairs)
	made(&r.NetworkACLs)
	made(&r.NATGateways)
	made(&r.Peerings)
	made(&r.Balancers)
	made(&r.PrefixLists)
	made(&r.Instances)
	made(&r.SpotRequests)
	made(&r.Volumes)
	made(&r.FileSystems)
	made(&r.MountTargets)
	made(&r.Parameters)
	made(&r.Commands)
	made(&r.Sessions)
}

func made[T any](m *map[string]T) {
	if *m == nil {
		*m = map[string]T{}
	}
}

// collection is one kind of EC2 resource that carries tags.
type collection struct {
	kind  kind
	name  ec2types.ResourceType
	items map[string]*resource
}

func (r *region) collections() []collection {
	return []collection{
		{vpcKind, ec2types.ResourceTypeVpc, bases(r.VPCs)},
		{subnetKind, ec2types.ResourceTypeSubnet, bases(r.Subnets)},
		{gatewayKind, ec2types.ResourceTypeInternetGateway, bases(r.Gateways)},
		{routeTableKind, ec2types.ResourceTypeRouteTable, bases(r.RouteTables)},
		{groupKind, ec2types.ResourceTypeSecurityGroup, bases(r.Groups)},
		{ruleKind, ec2types.ResourceTypeSecurityGroupRule, bases(r.rules())},
		{interfaceKind, ec2types.ResourceTypeNetworkInterface, bases(r.Interfaces)},
		{endpointKind, ec2types.ResourceTypeVpcEndpoint, bases(r.Endpoints)},
		{instanceKind, ec2types.ResourceTypeInstance, bases(r.Instances)},
		{spotKind, ec2types.ResourceTypeSpotInstancesRequest, bases(r.SpotRequests)},
		{volumeKind, ec2types.ResourceTypeVolume, bases(r.Volumes)},
		{keyPairKind, ec2types.ResourceTypeKeyPair, bases(r.KeyPairs)},
		{networkACLKind, ec2types.ResourceTypeNetworkAcl, bases(r.NetworkACLs)},
		{natGatewayKind, ec2types.ResourceTypeNatgateway, bases(r.NATGateways)},
		{peeringKind, ec2types.ResourceTypeVpcPeeringConnection, bases(r.Peerings)},
		{prefixListKind, ec2types.ResourceTypePrefixList, bases(r.PrefixLists)},
	}
}

func bases[T item](all map[string]T) map[string]*resource {
	plain := make(map[string]*resource, len(all))
	for _, one := range all {
		plain[one.base().ID] = one.base()
	}
	return plain
}

// zone is an availability zone. Names are aliases of the account; ids are the same for everyone.
type zone struct{ Name, ID string }

// place is what is fixed about a region.
type place struct {
	name    string
	short   string // begins the zone ids
	letters string // of its zones
	title   string // as the price list says it
	factor  float64
}

var places = []place{
	{"ap-northeast-1", "apne1", "acd", "Asia Pacific (Tokyo)", 1.29},
	{"ap-south-1", "aps1", "abc", "Asia Pacific (Mumbai)", 1.05},
	{"ap-southeast-2", "apse2", "abc", "Asia Pacific (Sydney)", 1.25},
	{"ca-central-1", "cac1", "abd", "Canada (Central)", 1.11},
	{"eu-central-1", "euc1", "abc", "EU (Frankfurt)", 1.15},
	{"eu-west-1", "euw1", "abc", "EU (Ireland)", 1.11},
	{"us-east-1", "use1", "abcdef", "US East (N. Virginia)", 1},
	{"us-east-2", "use2", "abc", "US East (Ohio)", 1},
	{"us-west-2", "usw2", "abcd", "US West (Oregon)", 1},
}

func placeOf(region string) place {
	for _, p := range places {
		if p.name == region {
			return p
		}
	}
	return place{name: region}
}

// Regions lists the regions that the pretend account has enabled, in order.
func Regions() []string {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.name
	}
	return names
}

// zonesOf lists the zones of a region. The aliases are turned by one against the ids, as in a real account.
func zonesOf(region string) []zone {
	p := placeOf(region)
	zones := make([]zone, len(p.letters))
	for i, letter := range p.letters {
		zones[i] = zone{region + string(letter), fmt.Sprintf("%s-az%d", p.short, (i+1)%len(p.letters)+1)}
	}
	return zones
}

// zoneNamed finds a zone of the call's region by name or by id.
func (c *call) zoneNamed(name, id *string) (zone, error) {
	for _, z := range zonesOf(c.region.Name) {
		if name != nil && z.Name == *name || name == nil && id != nil && z.ID == *id {
			return z, nil
		}
	}
	var names []string
	for _, z := range zonesOf(c.region.Name) {
		names = append(names, z.Name)
	}
	return zone{}, refuse("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. "+
		"Subnets can currently only be created in the following availability zones: %s.",
		deref(name)+deref(id), strings.Join(names, ", "))
}

func zoneID(region, name string) string {
	for _, z := range zonesOf(region) {
		if z.Name == name {
			return z.ID
		}
	}
	return ""
}

// newRegion makes a region as AWS hands it over: with a default VPC that has a public subnet in every zone (VPC user guide,
// "Default VPCs").
func newRegion(seed uint64, name string, now time.Time) *region {
	r := &region{Name: name}
	r.fill()
	old := now.Add(-400 * 24 * time.Hour)
	birth := func(prefix, what string) resource {
		return resource{ID: prefix + "-0" + digest(seed, name, what)[:16], Born: old, Seen: old}
	}
	v := &vpc{
		resource: birth("vpc", "default"), CIDR: "172.31.0.0/16", Default: true, DNSSupport: true, DNSHostnames: true,
	}
	g := &gateway{resource: birth("igw", "default"), VPC: v.ID, Attached: old}
	t := &routeTable{resource: birth("rtb", "default"), VPC: v.ID}
	t.Routes = []route{{CIDR: v.CIDR, Gateway: "local"}, {CIDR: "0.0.0.0/0", Gateway: g.ID}}
	t.Associations = []association{{ID: birth("rtbassoc", "default").ID, Main: true, Made: old}}
	s := &securityGroup{
		resource: birth("sg", "default"), VPC: v.ID, Name: "default", Description: "default VPC security group",
	}
	s.Rules = []*rule{
		{resource: birth("sgr", "self"), Protocol: "-1", From: -1, To: -1, Group: s.ID},
		{resource: birth("sgr", "out"), Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"},
	}
	r.VPCs[v.ID], r.Gateways[g.ID], r.RouteTables[t.ID], r.Groups[s.ID] = v, g, t, s
	for i, z := range zonesOf(name) {
		n := &subnet{
			resource: birth("subnet", z.Name), VPC: v.ID, Zone: z.Name, Default: true, MapPublic: true,
			CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(16 * i), 0}), 20).String(),
		}
		r.Subnets[n.ID] = n
	}
	return r
}

// digest returns hexadecimal digits that depend on nothing but its arguments.
func digest(seed uint64, parts ...string) string {
	h := fnv.New128a()
	fmt.Fprint(h, seed)
	for _, part := range parts {
		fmt.Fprintf(h, "/%s", part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// share returns a number from 0 to 1 that depends on nothing but its arguments.
func share(parts ...string) float64 {
	h := fnv.New64a()
	for _, part := range parts {
		fmt.Fprintf(h, "/%s", part)
	}
	x := h.Sum64()
	x ^= x >> 33 // FNV leaves the high bits of short texts alike; mix them (Austin Appleby's MurmurHash3 finaliser)
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

func describeAvailabilityZones(c *call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	out := &ec2.DescribeAvailabilityZonesOutput{}
	for _, name := range in.ZoneNames {
		if zoneID(c.region.Name, name) == "" {
			return nil, refuse("InvalidParameterValue", "Invalid availability zone: [%s]", name)
		}
	}
	for _, z := range zonesOf(c.region.Name) {
		if len(in.ZoneNames) > 0 && !slices.Contains(in.ZoneNames, z.Name) ||
			len(in.ZoneIds) > 0 && !slices.Contains(in.ZoneIds, z.ID) {
			continue
		}
		ok, err := matches(in.Filters, attributes{
			"zone-name": {z.Name}, "zone-id": {z.ID}, "region-name": {c.region.Name}, "state": {"available"},
			"zone-type": {"availability-zone"}, "opt-in-status": {"opt-in-not-required"}, "group-name": {c.region.Name + "-zg-1"},
		}, nil)
		if err != nil {
			return nil, err
		}
		if ok {
			out.AvailabilityZones = append(out.AvailabilityZones, ec2types.AvailabilityZone{
				ZoneName: new(z.Name), ZoneId: new(z.ID), RegionName: new(c.region.Name), ZoneType: new("availability-zone"),
				GroupName: new(c.region.Name + "-zg-1"), NetworkBorderGroup: new(c.region.Name),
				State:       ec2types.AvailabilityZoneStateAvailable,
				OptInStatus: ec2types.AvailabilityZoneOptInStatusOptInNotRequired,
			})
		}
	}
	return out, nil
}

func describeRegions(_ *call, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	out := &ec2.DescribeRegionsOutput{}
	for _, name := range in.RegionNames {
		if !slices.Contains(Regions(), name) {
			return nil, refuse("InvalidParameterValue", "Invalid region: [%s]", name)
		}
	}
	for _, name := range Regions() {
		endpoint := "ec2." + name + ".amazonaws.com"
		ok, err := matches(in.Filters, attributes{
			"region-name": {name}, "endpoint": {endpoint}, "opt-in-status": {"opt-in-not-required"},
		}, nil)
		if err != nil {
			return nil, err
		}
		if ok && (len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, name)) {
			out.Regions = append(out.Regions, ec2types.Region{
				RegionName: new(name), Endpoint: new(endpoint), OptInStatus: new("opt-in-not-required"),
			})
		}
	}
	return out, nil
}
