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

// vpcs is the driver of stack.VPC. Its main route table, default network ACL and default security group come and go with it.
type vpcs struct {
	room
	reads[ec2types.Vpc]
}

func (r room) vpcs() reads[ec2types.Vpc] {
	return reads[ec2types.Vpc]{found: foundVPC, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.Vpc, error) {
		pages := ec2.NewDescribeVpcsPaginator(r.ec2, &ec2.DescribeVpcsInput{VpcIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeVpcsOutput) []ec2types.Vpc { return out.Vpcs })
	}}
}

func foundVPC(v ec2types.Vpc) engine.Found {
	return api.Found(aws.ToString(v.VpcId), api.FromEC2(v.Tags), map[string]string{stack.AttrCIDR: aws.ToString(v.CidrBlock)})
}

// Create implements engine.Driver.
func (d vpcs) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.VPC)
	out, err := d.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{
		CidrBlock:         &spec.CIDR,
		TagSpecifications: api.TagSpecification(ec2types.ResourceTypeVpc, api.Named(t.Tags, spec.Name)),
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundVPC(*out.Vpc), nil
}

// Settle implements engine.Driver. One request changes one attribute, and host names need support (EC2 API reference,
// ModifyVpcAttribute).
func (d vpcs) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	var v ec2types.Vpc
	err := d.available(ctx, t, "the VPC", func(ctx context.Context) (done bool, err error) {
		v, err = d.describe(ctx, t.Record.ID)
		return v.State == ec2types.VpcStateAvailable, err
	})
	if err != nil {
		return engine.Found{}, err
	}
	on := &ec2types.AttributeBooleanValue{Value: new(true)}
	for _, change := range []*ec2.ModifyVpcAttributeInput{
		{VpcId: &t.Record.ID, EnableDnsSupport: on},
		{VpcId: &t.Record.ID, EnableDnsHostnames: on},
	} {
		err := d.known(ctx, t, func(ctx context.Context) error {
			_, err := d.ec2.ModifyVpcAttribute(ctx, change)
			return err
		})
		if err != nil {
			return engine.Found{}, err
		}
	}
	return foundVPC(v), nil
}

// Delete implements engine.Driver.
func (d vpcs) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &t.Record.ID})
		return err
	})
	if err != nil {
		return d.blocked(ctx, err, filter("vpc-id", t.Record.ID))
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
