package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// subnets is the driver of stack.Subnet.
type subnets struct {
	room
	reads[ec2types.Subnet]
}

func (r room) subnets() reads[ec2types.Subnet] {
	return reads[ec2types.Subnet]{found: foundSubnet, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.Subnet, error) {
		pages := ec2.NewDescribeSubnetsPaginator(r.ec2, &ec2.DescribeSubnetsInput{SubnetIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return out.Subnets })
	}}
}

func foundSubnet(n ec2types.Subnet) engine.Found {
	return api.Found(aws.ToString(n.SubnetId), api.FromEC2(n.Tags), map[string]string{stack.AttrZone: aws.ToString(n.AvailabilityZone)})
}

// Create implements engine.Driver. The zone is always named, since AWS does not spread subnets by itself (EC2 API reference,
// CreateSubnet).
func (d subnets) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Subnet)
	var out *ec2.CreateSubnetOutput
	err := d.known(ctx, t, func(ctx context.Context) (err error) {
		out, err = d.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: new(t.Need(spec.VPC).ID), CidrBlock: &spec.CIDR, AvailabilityZone: &spec.Zone,
			TagSpecifications: api.TagSpecification(ec2types.ResourceTypeSubnet, api.Named(t.Tags, spec.Name)),
		})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundSubnet(*out.Subnet), nil
}

// Settle implements engine.Driver.
func (d subnets) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Subnet)
	var n ec2types.Subnet
	err := d.available(ctx, t, "the subnet", func(ctx context.Context) (done bool, err error) {
		n, err = d.describe(ctx, t.Record.ID)
		return n.State == ec2types.SubnetStateAvailable, err
	})
	if err != nil || aws.ToBool(n.MapPublicIpOnLaunch) == spec.Public {
		return foundSubnet(n), err
	}
	err = d.known(ctx, t, func(ctx context.Context) error {
		_, err := d.ec2.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{
			SubnetId: &t.Record.ID, MapPublicIpOnLaunch: &ec2types.AttributeBooleanValue{Value: &spec.Public},
		})
		return err
	})
	return foundSubnet(n), err
}

// Delete implements engine.Driver.
func (d subnets) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.ec2.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &t.Record.ID})
		return err
	})
	if err != nil {
		return d.blocked(ctx, err, filter("subnet-id", t.Record.ID))
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
