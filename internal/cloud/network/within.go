package network

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// Within lists the internet gateways and route tables of a VPC, whoever made them, but for its main route table, which comes
// and goes with the VPC. A VPC that is gone has none.
func Within(ctx context.Context, client EC2, vpc string) ([]stack.Record, error) {
	gateways := ec2.NewDescribeInternetGatewaysPaginator(client, &ec2.DescribeInternetGatewaysInput{
		Filters: []ec2types.Filter{filter("attachment.vpc-id", vpc)},
	})
	all, err := api.All(ctx, gateways, func(out *ec2.DescribeInternetGatewaysOutput) (found []stack.Record) {
		for _, g := range out.InternetGateways {
			found = append(found, stack.Record{Kind: stack.KindGateway, ID: aws.ToString(g.InternetGatewayId)})
		}
		return found
	})
	if err != nil {
		return nil, err
	}
	tables := ec2.NewDescribeRouteTablesPaginator(client, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{filter("vpc-id", vpc)}})
	more, err := api.All(ctx, tables, func(out *ec2.DescribeRouteTablesOutput) (found []stack.Record) {
		for _, t := range out.RouteTables {
			main := slices.ContainsFunc(t.Associations, func(a ec2types.RouteTableAssociation) bool { return aws.ToBool(a.Main) })
			if !main {
				found = append(found, stack.Record{Kind: stack.KindRouteTable, ID: aws.ToString(t.RouteTableId)})
			}
		}
		return found
	})
	return append(all, more...), err
}
