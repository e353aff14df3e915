package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

// zones asks for the zones that are open to everyone: name -> ID. Local Zones and Wavelength Zones are left out, since EFS
// has no mount targets there. A few old zones lack EFS, too; no API says which, so making the mount target will tell.
func (m *Market) zones(ctx context.Context, region string) (map[string]string, error) {
	out, err := m.clients.EC2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{
		Filters: []ec2types.Filter{
			{Name: new("zone-type"), Values: []string{"availability-zone"}},
			{Name: new("state"), Values: []string{"available"}},
		},
	})
	if err != nil {
		return nil, err
	}
	zones := map[string]string{}
	for _, z := range out.AvailabilityZones {
		zones[aws.ToString(z.ZoneName)] = aws.ToString(z.ZoneId)
	}
	if len(zones) < 2 {
		return nil, fmt.Errorf("region %s has %d zones that can be used; two are needed: choose another region", region, len(zones))
	}
	return zones, nil
}

// rankZones sorts the zones: first those that sell the most pools of the market that is tried first, then those where spot
// requests are likeliest to succeed, then those where the best type is cheapest.
func (s *survey) rankZones(offers []pool) []string {
	count, price := map[string]int{}, map[string]stack.Money{}
	for zone := range s.zones {
		price[zone] = math.MaxInt64
	}
	for _, p := range offers {
		if p.Market != offers[0].Market {
			break
		}
		count[p.Zone]++
		if p.Type == offers[0].Type {
			price[p.Zone] = p.Hourly
		}
	}
	scores := s.named()
	return slices.SortedFunc(maps.Keys(s.zones), func(a, b string) int {
		return cmp.Or(-cmp.Compare(count[a], count[b]), -cmp.Compare(scores[a], scores[b]),
			cmp.Compare(price[a], price[b]), cmp.Compare(a, b))
	})
}

// named are the placement scores by the name of the zone. EC2 gives them by ID, which, unlike the name, means the same zone
// in every account.
func (s *survey) named() map[string]int {
	if s.scores == nil {
		return nil
	}
	named := map[string]int{}
	for name, id := range s.zones {
		if score, known := s.scores[id]; known {
			named[name] = score
		}
	}
	return named
}

// askScores asks how likely spot requests are to succeed, zone by zone. It is asked only where availability counts most, or
// for a table of offers: EC2 lets an account ask for few configurations a day, and with fewer than three types the answer is
// always low (EC2 user guide, "Spot placement score").
func (s *survey) askScores(ctx context.Context, m *Market, c stack.Config) []string {
	if !s.scored && c.Preference != "highest-availability" || c.Market == stack.MarketOnDemand || len(s.candidates) < 3 {
		return nil
	}
	in := &ec2.GetSpotPlacementScoresInput{
		TargetCapacity: new(int32(1)), SingleAvailabilityZone: new(true), RegionNames: []string{c.Region},
	}
	for _, t := range s.candidates {
		in.InstanceTypes = append(in.InstanceTypes, t.name)
	}
	out, err := m.clients.EC2.GetSpotPlacementScores(ctx, in, func(o *ec2.Options) { o.RetryMaxAttempts = fewAttempts })
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return []string{"spot placement scores are not known (" + because(err) + ")"}
	}
	scores := map[string]int{}
	for _, score := range out.SpotPlacementScores {
		scores[aws.ToString(score.AvailabilityZoneId)] = int(aws.ToInt32(score.Score))
	}
	s.scores = scores
	return nil
}
