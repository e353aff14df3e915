package network

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// endpoints is the driver of stack.GatewayEndpoint.
type endpoints struct {
	room
	reads[ec2types.VpcEndpoint]
}

// An endpoint that is deleted may be shown for a while as deleted.
func (r room) endpoints() reads[ec2types.VpcEndpoint] {
	return reads[ec2types.VpcEndpoint]{found: foundEndpoint, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.VpcEndpoint, error) {
		pages := ec2.NewDescribeVpcEndpointsPaginator(r.ec2, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeVpcEndpointsOutput) (living []ec2types.VpcEndpoint) {
			for _, e := range out.VpcEndpoints {
				if !strings.EqualFold(string(e.State), "deleted") {
					living = append(living, e)
				}
			}
			return living
		})
	}}
}

func foundEndpoint(e ec2types.VpcEndpoint) engine.Found {
	f := api.Found(aws.ToString(e.VpcEndpointId), api.FromEC2(e.Tags), nil)
	f.Since = aws.ToTime(e.CreationTimestamp)
	return f
}

// Create implements engine.Driver. The endpoint adds its route to the table by itself.
func (d endpoints) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.GatewayEndpoint)
	var out *ec2.CreateVpcEndpointOutput
	err := d.known(ctx, t, func(ctx context.Context) (err error) {
		out, err = d.ec2.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
			VpcId: new(t.Need(spec.VPC).ID), ServiceName: &spec.Service, VpcEndpointType: ec2types.VpcEndpointTypeGateway,
			RouteTableIds: []string{t.Need(spec.Routes).ID}, ClientToken: &t.Record.Token,
			TagSpecifications: api.TagSpecification(ec2types.ResourceTypeVpcEndpoint, api.Named(t.Tags, spec.Name)),
		})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundEndpoint(*out.VpcEndpoint), nil
}

// Settle implements engine.Driver. The SDK writes the states with capitals, but EC2 sends them small (AWS PrivateLink guide,
// "Interface endpoint lifecycle").
func (d endpoints) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	var e ec2types.VpcEndpoint
	err := d.available(ctx, t, "the endpoint", func(ctx context.Context) (done bool, err error) {
		e, err = d.describe(ctx, t.Record.ID)
		switch state := strings.ToLower(string(e.State)); state {
		case "failed", "rejected", "expired", "deleting":
			return false, fmt.Errorf("the endpoint %s is in state %s", t.Record.ID, state)
		default:
			return state == "available", err
		}
	})
	return foundEndpoint(e), err
}

// Delete implements engine.Driver. The call succeeds even when it deletes nothing, and lists why (EC2 API reference,
// DeleteVpcEndpoints).
func (d endpoints) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		out, err := d.ec2.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{t.Record.ID}})
		if err != nil {
			return err
		}
		for _, u := range out.Unsuccessful {
			if u.Error != nil {
				return &smithy.GenericAPIError{Code: aws.ToString(u.Error.Code), Message: aws.ToString(u.Error.Message)}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
