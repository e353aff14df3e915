package opinion

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func endpoints() []behaviour {
	return []behaviour{
		{
			name: "a VPC with an endpoint stays", source: "EC2 API reference, DeleteVpc", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference wants everything in the VPC gone before; moto looks at subnets and route tables only",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.endpoint(vpc, "s3")
				return u.deleteVPC(vpc)
			},
		},
		{
			name: "a gateway endpoint has a route in its tables for as long as it lives", source: `VPC user guide, "Gateway endpoints"`, aws: "1, 0",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				table := u.table(vpc)
				id := u.endpoint(vpc, "s3", table)
				before := u.routesThrough(table, id)
				u.done(u.ec2.DeleteVpcEndpoints(u.ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{id}}))
				return each(before, u.routesThrough(table, id))
			},
		},
		{
			name: "the state of an endpoint is written small", source: `AWS PrivateLink guide, "Interface endpoint lifecycle"; EC2 API reference, CreateVpcEndpoint, example`,
			aws: "available",
			see: func(u *user) string {
				id := u.endpoint(u.vpc("10.0.0.0/16"), "s3")
				found := must(u.ec2.DescribeVpcEndpoints(u.ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{id}}))(u)
				return string(found.VpcEndpoints[0].State)
			},
		},
		{
			name: "a table has one gateway endpoint for a service", source: "public logs of the message (eksctl-io/eksctl 2510)", aws: "RouteAlreadyExists",
			moto: "accepted",
			why:  "the second would need the same route; moto does not compare",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				table := u.table(vpc)
				u.endpoint(vpc, "s3", table)
				_, err := u.ec2.CreateVpcEndpoint(u.ctx, endpointInput(vpc, "s3", table))
				return code(err)
			},
		},
		{
			name: "an endpoint's service exists", source: errorCodes, aws: "InvalidServiceName",
			moto: "accepted",
			why:  "the list has a code for it; moto keeps any text",
			see: func(u *user) string {
				in := endpointInput(u.vpc("10.0.0.0/16"), "s3")
				in.ServiceName = new("com.example.nowhere")
				_, err := u.ec2.CreateVpcEndpoint(u.ctx, in)
				return code(err)
			},
		},
		{
			name: "an endpoint is made once per token", source: `EC2 developer guide, "Ensuring idempotency"`, aws: "true",
			moto: "false",
			why:  "the page lists CreateVpcEndpoint; moto does not remember tokens",
			see: func(u *user) string {
				in := endpointInput(u.vpc("10.0.0.0/16"), "s3")
				in.ClientToken = new("once")
				first, again := must(u.ec2.CreateVpcEndpoint(u.ctx, in))(u), must(u.ec2.CreateVpcEndpoint(u.ctx, in))(u)
				return fmt.Sprint(*first.VpcEndpoint.VpcEndpointId == *again.VpcEndpoint.VpcEndpointId)
			},
		},
		{
			name: "deleting endpoints succeeds and names those that do not exist", source: "EC2 API reference, DeleteVpcEndpoints; " + errorCodes,
			aws:  "InvalidVpcEndpoint.NotFound",
			moto: "accepted",
			why:  "the reference has a list of what was not deleted, and the list of codes says that it is not empty then; moto's is",
			see: func(u *user) string {
				out := must(u.ec2.DeleteVpcEndpoints(u.ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{"vpce-0123456789abcdef0"}}))(u)
				if len(out.Unsuccessful) != 1 {
					return accepted
				}
				return *out.Unsuccessful[0].Error.Code
			},
		},
		{
			name: "an unknown endpoint cannot be described", source: errorCodes, aws: "InvalidVpcEndpointId.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.DescribeVpcEndpoints(u.ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{"vpce-0123456789abcdef0"}})
				return code(err)
			},
		},
	}
}

func endpointInput(vpc, service string, tables ...string) *ec2.CreateVpcEndpointInput {
	return &ec2.CreateVpcEndpointInput{
		VpcId: &vpc, ServiceName: new("com.amazonaws." + region + "." + service), VpcEndpointType: "Gateway", RouteTableIds: tables,
	}
}

func (u *user) endpoint(vpc, service string, tables ...string) string {
	u.Helper()
	made := must(u.ec2.CreateVpcEndpoint(u.ctx, endpointInput(vpc, service, tables...)))(u)
	u.settle()
	return *made.VpcEndpoint.VpcEndpointId
}

// routesThrough counts the routes to a prefix list through an endpoint.
func (u *user) routesThrough(table, endpoint string) string {
	u.Helper()
	found := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(u)
	n := 0
	for _, r := range found.RouteTables[0].Routes {
		if r.GatewayId != nil && *r.GatewayId == endpoint && r.DestinationPrefixListId != nil && strings.HasPrefix(*r.DestinationPrefixListId, "pl-") {
			n++
		}
	}
	return fmt.Sprint(n)
}
