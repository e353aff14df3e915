package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Pool is a supply of machines: one type in one zone on one market. "" and "*" stand for any.
type Pool struct {
	Type   string `json:"type,omitempty"`
	Zone   string `json:"zone,omitempty"`
	Market string `json:"market,omitempty"` // spot or on-demand
}

func (p Pool) covers(other Pool) bool {
	fits := func(pattern, value string) bool { return pattern == "" || like(pattern, value) }
	return fits(p.Type, other.Type) && fits(p.Zone, other.Zone) && fits(p.Market, other.Market)
}

// capacity opens or closes pools. The last entry that covers a pool decides; none means open.
type capacity struct {
	Pool      Pool `json:"pool"`
	Available bool `json:"available"`
}

// SetCapacity opens or closes pools for later launches. Types and zones may hold the wildcards * and ?.
func (a *Account) SetCapacity(pool Pool, available bool) error {
	return a.update(func(s *state) error {
		s.Capacity = slices.DeleteFunc(s.Capacity, func(old capacity) bool { return pool.covers(old.Pool) })
		s.Capacity = append(s.Capacity, capacity{pool, available})
		return nil
	})
}

// Closed lists the pools that were closed, as last known.
func (a *Account) Closed() []Pool {
	var pools []Pool
	_ = a.view(func(s *state) {
		for _, entry := range s.Capacity {
			if !entry.Available {
				pools = append(pools, entry.Pool)
			}
		}
	})
	return pools
}

func (s *state) hasCapacity(pool Pool) bool {
	for _, entry := range slices.Backward(s.Capacity) {
		if entry.Pool.covers(pool) {
			return entry.Available
		}
	}
	return true
}

// spotStep is how often a spot price changes.
const spotStep = 6 * time.Hour

// spotPrice is what a spot instance costs an hour: a quarter to three fifths of the price on demand, different in each zone
// and drifting over the days.
func (t instanceType) spotPrice(region, zone string, at time.Time) float64 {
	level := 0.30 + 0.25*share(t.name, zone)
	drift := 0.10 * (share(t.name, zone, spotChange(t, zone, at).Format(time.RFC3339)) - 0.5)
	return t.onDemand(region) * (level + drift)
}

// spotChange is when the price in force at a moment was set. Each pool changes at its own minute.
func spotChange(t instanceType, zone string, at time.Time) time.Time {
	shift := time.Duration(share("shift", t.name, zone) * float64(spotStep)).Truncate(time.Second)
	return at.UTC().Add(-shift).Truncate(spotStep).Add(shift)
}

func registerMarket(all map[string]operation) {
	on(all, serviceEC2, "DescribeSpotPriceHistory", describeSpotPriceHistory)
	on(all, serviceEC2, "GetSpotPlacementScores", getSpotPlacementScores)
}

// describeSpotPriceHistory lists, newest first, the changes from StartTime to EndTime and for each pool the price that was in
// force at StartTime (EC2 API reference, DescribeSpotPriceHistory).
func describeSpotPriceHistory(c *call, in *ec2.DescribeSpotPriceHistoryInput) (*ec2.DescribeSpotPriceHistoryOutput, error) {
	end := c.now
	if in.EndTime != nil && in.EndTime.Before(end) {
		end = *in.EndTime
	}
	start := c.now.Add(-7 * 24 * time.Hour) // EC2 remembers 90 days; a week is enough to show a trend
	if in.StartTime != nil && in.StartTime.After(start) {
		start = *in.StartTime
	}
	if start.After(end) {
		start = end
	}
	products := in.ProductDescriptions
	if len(products) > 0 && !slices.Contains(products, "Linux/UNIX") && !slices.Contains(products, "Linux/UNIX (Amazon VPC)") {
		return &ec2.DescribeSpotPriceHistoryOutput{}, nil
	}
	var found []ec2types.SpotPrice
	for _, t := range catalogue() {
		if !t.spot || len(in.InstanceTypes) > 0 && !slices.Contains(in.InstanceTypes, ec2types.InstanceType(t.name)) {
			continue
		}
		for _, zone := range t.zones(c.region.Name) {
			if in.AvailabilityZone != nil && *in.AvailabilityZone != zone {
				continue
			}
			ok, err := matches(in.Filters, attributes{
				"instance-type": {t.name}, "availability-zone": {zone}, "product-description": {"Linux/UNIX", "Linux/UNIX (Amazon VPC)"},
			}, nil)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, c.changes(t, zone, start, end)...)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b ec2types.SpotPrice) int { return b.Timestamp.Compare(*a.Timestamp) })
	found, next, err := page(found, in.MaxResults, in.NextToken, 1000)
	if next == nil {
		next = new("") // as EC2 ends this list
	}
	return &ec2.DescribeSpotPriceHistoryOutput{SpotPriceHistory: found, NextToken: next}, err
}

func (c *call) changes(t instanceType, zone string, start, end time.Time) []ec2types.SpotPrice {
	var changes []ec2types.SpotPrice
	for at := spotChange(t, zone, end); ; at = spotChange(t, zone, at.Add(-time.Second)) {
		changes = append(changes, ec2types.SpotPrice{
			AvailabilityZone: new(zone), AvailabilityZoneId: new(zoneID(c.region.Name, zone)),
			InstanceType: ec2types.InstanceType(t.name), ProductDescription: ec2types.RIProductDescriptionLinuxUnix,
			SpotPrice: new(fmt.Sprintf("%.6f", t.spotPrice(c.region.Name, zone, at))), Timestamp: new(at),
		})
		if !at.After(start) {
			return changes
		}
	}
}

// getSpotPlacementScores scores regions, or zones, from 1 to 10. Fewer than three types always score low (EC2 user guide,
// "Spot placement score").
func getSpotPlacementScores(c *call, in *ec2.GetSpotPlacementScoresInput) (*ec2.GetSpotPlacementScoresOutput, error) {
	if len(in.InstanceTypes) == 0 && in.InstanceRequirementsWithMetadata == nil {
		return nil, refuse("MissingParameter", "Specify either InstanceTypes or InstanceRequirementsWithMetadata.")
	}
	if in.MaxResults != nil && (*in.MaxResults < 10 || *in.MaxResults > 1000) {
		return nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value "+
			"between 10 and 1000.", *in.MaxResults)
	}
	regions := in.RegionNames
	if len(regions) == 0 {
		regions = Regions()
	}
	if len(regions) > 10 {
		return nil, refuse("InvalidParameterValue", "At most 10 regions can be named in one request")
	}
	key := strings.Join(in.InstanceTypes, ",")
	score := func(place string) *int32 {
		if len(in.InstanceTypes) < 3 && in.InstanceRequirementsWithMetadata == nil {
			return new(int32(1 + 2*share(key, place)))
		}
		return new(int32(4 + 6*share(key, place)))
	}
	var scores []ec2types.SpotPlacementScore
	for _, region := range regions {
		if !deref(in.SingleAvailabilityZone) {
			scores = append(scores, ec2types.SpotPlacementScore{Region: new(region), Score: score(region)})
			continue
		}
		for _, z := range zonesOf(region) {
			scores = append(scores, ec2types.SpotPlacementScore{
				Region: new(region), AvailabilityZoneId: new(z.ID), Score: score(z.ID),
			})
		}
	}
	slices.SortStableFunc(scores, func(a, b ec2types.SpotPlacementScore) int { return int(*b.Score - *a.Score) })
	return &ec2.GetSpotPlacementScoresOutput{SpotPlacementScores: scores[:min(10, len(scores))]}, nil
}
