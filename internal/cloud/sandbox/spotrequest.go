package sandbox

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type spotRequest struct {
	resource
	Instance string                     `json:"instance"`
	Type     ec2types.SpotInstanceType  `json:"type"`
	Class    string                     `json:"class"` // instance type
	Zone     string                     `json:"zone"`
	Price    string                     `json:"price"` // the most to be paid an hour, USD
	State    ec2types.SpotInstanceState `json:"state"`
	Status   string                     `json:"status"`
}

func registerSpotRequests(all map[string]operation) {
	on(all, serviceEC2, "DescribeSpotInstanceRequests", describeSpotInstanceRequests)
	on(all, serviceEC2, "CancelSpotInstanceRequests", cancelSpotInstanceRequests)
}

// fulfil records the request behind a spot launch and returns its id. Without a price limit, the price on demand is the limit.
func (c *call) fulfil(l *launch, i *instance) string {
	r := &spotRequest{
		resource: c.birth("sir-"+c.hex(8), l.tags[ec2types.ResourceTypeSpotInstancesRequest]), Instance: i.ID, Class: i.Type,
		Zone: i.Zone, Type: ec2types.SpotInstanceTypeOneTime, State: ec2types.SpotInstanceStateActive, Status: "fulfilled",
		Price: fmt.Sprintf("%.6f", l.kind.onDemand(c.region.Name)),
	}
	if i.Persistent {
		r.Type = ec2types.SpotInstanceTypePersistent
	}
	if l.spot.MaxPrice != nil {
		r.Price = *l.spot.MaxPrice
	}
	c.region.SpotRequests[r.ID] = r
	return r.ID
}

func describeSpotInstanceRequests(c *call, in *ec2.DescribeSpotInstanceRequestsInput) (*ec2.DescribeSpotInstanceRequestsOutput, error) {
	found, next, err := describe(c, spotKind, c.region.SpotRequests,
		query{in.SpotInstanceRequestIds, in.Filters, in.MaxResults, in.NextToken},
		func(r *spotRequest) attributes {
			return attributes{
				"spot-instance-request-id": {r.ID}, "instance-id": {r.Instance}, "state": {string(r.State)}, "status-code": {r.Status},
				"type": {string(r.Type)}, "launched-availability-zone": {r.Zone}, "launch.instance-type": {r.Class},
			}
		},
		func(r *spotRequest) ec2types.SpotInstanceRequest {
			return ec2types.SpotInstanceRequest{
				SpotInstanceRequestId: new(r.ID), InstanceId: new(r.Instance), State: r.State, Type: r.Type,
				SpotPrice: new(r.Price), CreateTime: new(r.Born), LaunchedAvailabilityZone: new(r.Zone), Tags: ec2Tags(r.Tags),
				Status:              &ec2types.SpotInstanceStatus{Code: new(r.Status), Message: new("Your request is " + r.Status + ".")},
				LaunchSpecification: &ec2types.LaunchSpecification{InstanceType: ec2types.InstanceType(r.Class)},
				ProductDescription:  ec2types.RIProductDescriptionLinuxUnix,
			}
		})
	return &ec2.DescribeSpotInstanceRequestsOutput{SpotInstanceRequests: found, NextToken: next}, err
}

// cancelSpotInstanceRequests does not end the instances (EC2 API reference, CancelSpotInstanceRequests).
func cancelSpotInstanceRequests(c *call, in *ec2.CancelSpotInstanceRequestsInput) (*ec2.CancelSpotInstanceRequestsOutput, error) {
	out := &ec2.CancelSpotInstanceRequestsOutput{}
	var requests []*spotRequest
	for _, id := range in.SpotInstanceRequestIds {
		r, err := own(spotKind, c.region.SpotRequests, &id)
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	for _, r := range requests {
		if r.State == ec2types.SpotInstanceStateActive {
			r.State, r.Status = ec2types.SpotInstanceStateCancelled, "request-canceled-and-instance-running"
		}
		out.CancelledSpotInstanceRequests = append(out.CancelledSpotInstanceRequests, ec2types.CancelledSpotInstanceRequest{
			SpotInstanceRequestId: new(r.ID), State: ec2types.CancelSpotInstanceRequestState(r.State),
		})
	}
	return out, nil
}
