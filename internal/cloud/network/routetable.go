package network

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// anywhere is the destination of a default route.
const anywhere = "0.0.0.0/0"

// routeTables is the driver of stack.RouteTable.
type routeTables struct {
	room
	reads[ec2types.RouteTable]
}

func (r room) routeTables() reads[ec2types.RouteTable] {
	return reads[ec2types.RouteTable]{found: foundRouteTable, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.RouteTable, error) {
		pages := ec2.NewDescribeRouteTablesPaginator(r.ec2, &ec2.DescribeRouteTablesInput{RouteTableIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return out.RouteTables })
	}}
}

func foundRouteTable(t ec2types.RouteTable) engine.Found {
	return api.Found(aws.ToString(t.RouteTableId), api.FromEC2(t.Tags), nil)
}

// Create implements engine.Driver.
func (d routeTables) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.RouteTable)
	var out *ec2.CreateRouteTableOutput
	err := d.known(ctx, t, func(ctx context.Context) (err error) {
		out, err = d.ec2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{
			VpcId: new(t.Need(spec.VPC).ID), ClientToken: &t.Record.Token,
			TagSpecifications: api.TagSpecification(ec2types.ResourceTypeRouteTable, api.Named(t.Tags, spec.Name)),
		})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundRouteTable(*out.RouteTable), nil
}

// Settle implements engine.Driver. It sets the default route and makes the subnets use the table.
func (d routeTables) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.RouteTable)
	errs := make([]error, len(spec.Subnets)+1)
	var wg sync.WaitGroup
	for i, key := range spec.Subnets {
		wg.Go(func() { errs[i] = d.associate(ctx, t, t.Need(key).ID) })
	}
	wg.Go(func() { errs[len(spec.Subnets)] = d.route(ctx, t, t.Need(spec.Gateway).ID) })
	wg.Wait()
	return engine.Found{ID: t.Record.ID}, errors.Join(errs...)
}

// route sends everything that has no closer route through the gateway.
func (d routeTables) route(ctx context.Context, t engine.Target, gateway string) error {
	err := d.known(ctx, t, func(ctx context.Context) error {
		_, err := d.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{
			RouteTableId: &t.Record.ID, DestinationCidrBlock: new(anywhere), GatewayId: &gateway,
		})
		return err
	})
	if api.Code(err) == "RouteAlreadyExists" {
		return nil
	}
	return err
}

// associate makes a subnet use the table, and waits until it does. A refusal may be the echo of an earlier call of ours:
// then the subnet is asked what it uses.
func (d routeTables) associate(ctx context.Context, t engine.Target, subnet string) error {
	var out *ec2.AssociateRouteTableOutput
	err := d.known(ctx, t, func(ctx context.Context) (err error) {
		out, err = d.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: &t.Record.ID, SubnetId: &subnet})
		return err
	})
	if err != nil && api.Code(err) != "Resource.AlreadyAssociated" {
		return err
	}
	if err == nil && out.AssociationState != nil && out.AssociationState.State == ec2types.RouteTableAssociationStateCodeAssociated {
		return nil
	}
	return d.available(ctx, t, "the routes of "+subnet+" in", func(ctx context.Context) (bool, error) {
		return d.associated(ctx, t.Record.ID, subnet)
	})
}

// associated reports whether the subnet uses the table. That it uses another one is an error.
func (d routeTables) associated(ctx context.Context, table, subnet string) (bool, error) {
	out, err := d.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []ec2types.Filter{filter("association.subnet-id", subnet)},
	})
	if err != nil {
		return false, api.Absent(err)
	}
	for _, used := range out.RouteTables {
		if id := aws.ToString(used.RouteTableId); id != table {
			return false, fmt.Errorf("subnet %s uses route table %s already, not %s", subnet, id, table)
		}
		for _, a := range used.Associations {
			if aws.ToString(a.SubnetId) != subnet || a.AssociationState == nil {
				continue
			}
			if a.AssociationState.State == ec2types.RouteTableAssociationStateCodeFailed {
				return false, fmt.Errorf("subnet %s cannot use route table %s: %s", subnet, table, aws.ToString(a.AssociationState.StatusMessage))
			}
			return a.AssociationState.State == ec2types.RouteTableAssociationStateCodeAssociated, nil
		}
	}
	return false, nil
}

// Delete implements engine.Driver. Its associations go first (EC2 API reference, DeleteRouteTable).
func (d routeTables) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		table, err := d.describe(ctx, t.Record.ID)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		for _, a := range table.Associations {
			_, err := d.ec2.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: a.RouteTableAssociationId})
			if err != nil && !api.IsNotFound(err) {
				return err
			}
		}
		_, err = d.ec2.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: &t.Record.ID})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
