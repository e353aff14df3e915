package sandbox

import (
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// balancer is a load balancer. Nobody makes one through the sandbox: it is there or not.
type balancer struct {
	resource
	Name    string   `json:"name"`
	Type    string   `json:"type"`   // application, network, gateway
	Scheme  string   `json:"scheme"` // internet-facing or internal
	VPC     string   `json:"vpc"`
	Subnets []string `json:"subnets"`
	Groups  []string `json:"groups,omitempty"`
}

func registerBalancers(all map[string]operation) {
	on(all, serviceELB, "DescribeLoadBalancers", describeLoadBalancers)
	on(all, serviceELB, "DescribeTags", describeBalancerTags)
}

func (c *call) balancerARN(b *balancer) string {
	return c.arn("elasticloadbalancing", "loadbalancer/"+map[string]string{"application": "app", "network": "net", "gateway": "gwy"}[b.Type]+"/"+b.Name+"/"+b.ID)
}

func (c *call) showBalancer(b *balancer) elbtypes.LoadBalancer {
	shown := elbtypes.LoadBalancer{
		LoadBalancerArn: new(c.balancerARN(b)), LoadBalancerName: new(b.Name), Type: elbtypes.LoadBalancerTypeEnum(b.Type),
		Scheme: elbtypes.LoadBalancerSchemeEnum(b.Scheme), VpcId: new(b.VPC), SecurityGroups: slices.Clone(b.Groups),
		DNSName: new(b.Name + "-" + b.ID[:10] + ".elb." + c.region.Name + ".amazonaws.com"), CreatedTime: new(b.Born),
		State: &elbtypes.LoadBalancerState{Code: elbtypes.LoadBalancerStateEnumActive},
	}
	for _, id := range b.Subnets {
		if n := c.region.Subnets[id]; n != nil {
			shown.AvailabilityZones = append(shown.AvailabilityZones, elbtypes.AvailabilityZone{ZoneName: new(n.Zone), SubnetId: new(id)})
		}
	}
	return shown
}

// describeLoadBalancers gives pages of at most 400 (Elastic Load Balancing API reference, DescribeLoadBalancers).
func describeLoadBalancers(c *call, in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	var found []elbtypes.LoadBalancer
	for _, b := range inOrder(c.region.Balancers) {
		if (len(in.Names) == 0 || slices.Contains(in.Names, b.Name)) &&
			(len(in.LoadBalancerArns) == 0 || slices.Contains(in.LoadBalancerArns, c.balancerARN(b))) {
			found = append(found, c.showBalancer(b))
		}
	}
	if len(found) < max(len(in.Names), len(in.LoadBalancerArns)) {
		return nil, refuse("LoadBalancerNotFound", "One or more load balancers not found")
	}
	found, next, err := page(found, in.PageSize, in.Marker, 400)
	return &elb.DescribeLoadBalancersOutput{LoadBalancers: found, NextMarker: next}, err
}

func describeBalancerTags(c *call, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	out := &elb.DescribeTagsOutput{}
	if len(in.ResourceArns) > 20 {
		return nil, refuse("ValidationError", "1 validation error detected: 'resourceArns' failed to satisfy constraint: Member must have length less than or equal to 20")
	}
	for _, arn := range in.ResourceArns {
		i := slices.IndexFunc(inOrder(c.region.Balancers), func(b *balancer) bool { return c.balancerARN(b) == arn })
		if i < 0 {
			return nil, refuse("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
		}
		one := elbtypes.TagDescription{ResourceArn: new(arn)}
		tags := inOrder(c.region.Balancers)[i].Tags
		for _, key := range keys(tags) {
			one.Tags = append(one.Tags, elbtypes.Tag{Key: new(key), Value: new(tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, one)
	}
	return out, nil
}
