package network

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// gateways is the driver of stack.InternetGateway.
type gateways struct {
	room
	reads[ec2types.InternetGateway]
}

func (r room) gateways() reads[ec2types.InternetGateway] {
	return reads[ec2types.InternetGateway]{found: foundGateway, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.InternetGateway, error) {
		pages := ec2.NewDescribeInternetGatewaysPaginator(r.ec2, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeInternetGatewaysOutput) []ec2types.InternetGateway { return out.InternetGateways })
	}}
}

func foundGateway(g ec2types.InternetGateway) engine.Found {
	return api.Found(aws.ToString(g.InternetGatewayId), api.FromEC2(g.Tags), nil)
}

// Create implements engine.Driver.
func (d gateways) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.InternetGateway)
	out, err := d.ec2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{
		TagSpecifications: api.TagSpecification(ec2types.ResourceTypeInternetGateway, api.Named(t.Tags, spec.Name)),
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundGateway(*out.InternetGateway), nil
}

// Settle implements engine.Driver. It attaches the gateway. A second attachment is refused, which may be the echo of an
// earlier call of ours: then the gateway is asked where it is.
func (d gateways) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.InternetGateway)
	vpc := t.Need(spec.VPC).ID
	err := d.known(ctx, t, func(ctx context.Context) error {
		_, err := d.ec2.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &t.Record.ID, VpcId: &vpc})
		return err
	})
	if api.Code(err) != "Resource.AlreadyAssociated" {
		return engine.Found{ID: t.Record.ID}, err
	}
	var g ec2types.InternetGateway
	refused := err
	err = d.available(ctx, t, "the internet gateway", func(ctx context.Context) (done bool, err error) {
		g, err = d.describe(ctx, t.Record.ID)
		return len(g.Attachments) > 0, err
	})
	if err != nil {
		return engine.Found{}, err
	}
	if !slices.ContainsFunc(g.Attachments, func(a ec2types.InternetGatewayAttachment) bool { return aws.ToString(a.VpcId) == vpc }) {
		return engine.Found{}, fmt.Errorf("internet gateway %s is attached to %s instead of %s: %w",
			t.Record.ID, aws.ToString(g.Attachments[0].VpcId), vpc, refused)
	}
	return foundGateway(g), nil
}

// Delete implements engine.Driver. It detaches the gateway, which AWS refuses while a machine in the VPC has a public
// address (EC2 API reference, DetachInternetGateway), and deletes it.
func (d gateways) Delete(ctx context.Context, t engine.Target) error {
	var vpc string
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		g, err := d.describe(ctx, t.Record.ID)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		for _, a := range g.Attachments {
			vpc = aws.ToString(a.VpcId)
			_, err := d.ec2.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &t.Record.ID, VpcId: a.VpcId})
			if err != nil && api.Code(err) != "Gateway.NotAttached" && !api.IsNotFound(err) {
				return err
			}
		}
		_, err = d.ec2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &t.Record.ID})
		return err
	})
	if err != nil {
		return d.blocked(ctx, err, filter("vpc-id", vpc))
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
