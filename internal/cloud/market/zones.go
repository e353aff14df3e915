package market

import (
	"context"
	"errors"
	"fmt"

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
	if len(zones) == 0 {
		return nil, fmt.Errorf("region %s has no zone that can be used: choose another region", region)
	}
	return zones, nil
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

// chances are the placement scores for pools of a market: EC2 has them for spot alone.
func (s *survey) chances(market string) map[string]int {
	if market != stack.Spot {
		return nil
	}
	return s.named()
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
