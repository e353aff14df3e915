package opinion

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func routes() []behaviour {
	return []behaviour{
		{
			name: "an internet gateway is attached to one VPC at most", source: errorCodes, aws: "Resource.AlreadyAssociated",
			see: func(u *user) string {
				gateway := u.gateway(u.vpc("10.0.0.0/16"))
				return u.attach(gateway, u.vpc("10.1.0.0/16"))
			},
		},
		{
			name: "a VPC has one internet gateway at most", source: `VPC user guide, "Amazon VPC quotas": only one internet gateway can be attached to a VPC at a time`,
			aws:  "InvalidParameterValue",
			moto: "accepted",
			why:  "the page says that there is one at a time; moto looks at the gateway only",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.gateway(vpc)
				return u.attach(u.gateway(""), vpc)
			},
		},
		{
			name: "a gateway that is not attached cannot be detached", source: errorCodes, aws: "Gateway.NotAttached",
			see: func(u *user) string { return u.detach(u.gateway(""), u.vpc("10.0.0.0/16")) },
		},
		{
			name: "a gateway stays attached while a machine has a public address", source: "EC2 API reference, DetachInternetGateway",
			aws:  "DependencyViolation",
			moto: "accepted",
			why:  "the reference says that the VPC must have no machine with a public address",
			see: func(u *user) string {
				n := u.network()
				gateway := u.gateway(n.vpc)
				in := u.launch(n)
				in.SubnetId, in.SecurityGroupIds = nil, nil
				in.NetworkInterfaces = []ec2types.InstanceNetworkInterfaceSpecification{{
					DeviceIndex: new(int32(0)), SubnetId: &n.subnet, Groups: []string{n.group}, AssociatePublicIpAddress: new(true),
				}}
				u.run(in)
				return u.detach(gateway, n.vpc)
			},
		},
		{
			name: "an attached gateway cannot be deleted", source: "EC2 API reference, DeleteInternetGateway", aws: "DependencyViolation",
			see: func(u *user) string {
				_, err := u.ec2.DeleteInternetGateway(u.ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: new(u.gateway(u.vpc("10.0.0.0/16")))})
				return code(err)
			},
		},
		{
			name: "a second route to the same block is refused", source: errorCodes, aws: "accepted, RouteAlreadyExists",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				gateway, table := u.gateway(vpc), u.table(vpc)
				return each(u.route(table, "0.0.0.0/0", gateway), u.route(table, "0.0.0.0/0", gateway))
			},
		},
		{
			name: "a route leads to a gateway of its own VPC only", source: "EC2 API reference, CreateRoute: the gateway must be attached to the VPC",
			aws:  "refused",
			moto: "accepted",
			why:  "the reference says that the gateway must be attached to the VPC",
			see: func(u *user) string {
				_, err := u.ec2.CreateRoute(u.ctx, &ec2.CreateRouteInput{
					RouteTableId: new(u.table(u.vpc("10.0.0.0/16"))), DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: new(u.gateway("")),
				})
				return refused(err)
			},
		},
		{
			name: "a route to an unknown gateway is refused", source: errorCodes, aws: "InvalidGatewayID.NotFound",
			moto: "InvalidInternetGatewayID.NotFound",
			why:  "for the target of a route the list has InvalidGatewayID; the longer name is that of the gateway's own calls",
			see: func(u *user) string {
				return u.route(u.table(u.vpc("10.0.0.0/16")), "0.0.0.0/0", "igw-0123456789abcdef0")
			},
		},
		{
			name: "host bits of a route's block are cleared", source: "EC2 API reference, CreateRoute", aws: "accepted, 203.0.113.0/24",
			moto: "accepted, 203.0.113.7/24",
			why:  "the reference says that the block is brought into its canonical form",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				gateway, table := u.gateway(vpc), u.table(vpc)
				made := u.route(table, "203.0.113.7/24", gateway)
				found := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(u)
				for _, r := range found.RouteTables[0].Routes {
					if *r.GatewayId == gateway {
						return each(made, *r.DestinationCidrBlock)
					}
				}
				return each(made, "none")
			},
		},
		{
			name: "the local route stays", source: `VPC user guide, "Route table concepts": you cannot delete the local route`, aws: "refused",
			moto: "accepted",
			why:  "the page says that it cannot be deleted",
			see: func(u *user) string {
				_, err := u.ec2.DeleteRoute(u.ctx, &ec2.DeleteRouteInput{
					RouteTableId: new(u.table(u.vpc("10.0.0.0/16"))), DestinationCidrBlock: new("10.0.0.0/16"),
				})
				return refused(err)
			},
		},
		{
			name: "a route that does not exist cannot be deleted", source: errorCodes, aws: "InvalidRoute.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.DeleteRoute(u.ctx, &ec2.DeleteRouteInput{
					RouteTableId: new(u.table(u.vpc("10.0.0.0/16"))), DestinationCidrBlock: new("0.0.0.0/0"),
				})
				return code(err)
			},
		},
		{
			name: "a route whose gateway is detached leads into a black hole", source: "EC2 API reference, Route", aws: "active, blackhole",
			moto: "active, active",
			why:  "the reference has this state for a target that is not available",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				gateway, table := u.gateway(vpc), u.table(vpc)
				u.route(table, "0.0.0.0/0", gateway)
				before := u.defaultRoute(table)
				u.detach(gateway, vpc)
				return each(before, u.defaultRoute(table))
			},
		},
		{
			name: "a subnet has one route table", source: "EC2 API reference, AssociateRouteTable: a subnet can be associated with one table at a time", aws: "Resource.AlreadyAssociated",
			moto: "accepted",
			why:  "moto answers with the association that is there and leaves the subnet where it was, so that a caller believes to have moved it",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				subnet := u.subnet(vpc, "10.0.0.0/24", region+"a")
				u.done(u.ec2.AssociateRouteTable(u.ctx, &ec2.AssociateRouteTableInput{RouteTableId: new(u.table(vpc)), SubnetId: &subnet}))
				_, err := u.ec2.AssociateRouteTable(u.ctx, &ec2.AssociateRouteTableInput{RouteTableId: new(u.table(vpc)), SubnetId: &subnet})
				return code(err)
			},
		},
		{
			name: "a route table that a subnet uses stays", source: "EC2 API reference, DeleteRouteTable", aws: "DependencyViolation",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				table := u.table(vpc)
				u.done(u.ec2.AssociateRouteTable(u.ctx, &ec2.AssociateRouteTableInput{
					RouteTableId: &table, SubnetId: new(u.subnet(vpc, "10.0.0.0/24", region+"a")),
				}))
				_, err := u.ec2.DeleteRouteTable(u.ctx, &ec2.DeleteRouteTableInput{RouteTableId: &table})
				return code(err)
			},
		},
		{
			name: "the main route table stays", source: "EC2 API reference, DeleteRouteTable", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference says that it cannot be deleted",
			see: func(u *user) string {
				found := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{
					Filters: []ec2types.Filter{filter("vpc-id", u.vpc("10.0.0.0/16")), filter("association.main", "true")},
				}))(u)
				_, err := u.ec2.DeleteRouteTable(u.ctx, &ec2.DeleteRouteTableInput{RouteTableId: found.RouteTables[0].RouteTableId})
				return code(err)
			},
		},
		{
			name: "an unknown association cannot be ended", source: errorCodes, aws: "InvalidAssociationID.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.DisassociateRouteTable(u.ctx, &ec2.DisassociateRouteTableInput{AssociationId: new("rtbassoc-0123456789abcdef0")})
				return code(err)
			},
		},
		{
			name: "a route table is made once per token", source: `EC2 developer guide, "Ensuring idempotency"`, aws: "true",
			moto: "false",
			why:  "the page lists CreateRouteTable; moto does not remember tokens",
			see: func(u *user) string {
				in := &ec2.CreateRouteTableInput{VpcId: new(u.vpc("10.0.0.0/16")), ClientToken: new("once")}
				first := must(u.ec2.CreateRouteTable(u.ctx, in))(u).RouteTable
				return fmt.Sprint(*first.RouteTableId == *must(u.ec2.CreateRouteTable(u.ctx, in))(u).RouteTable.RouteTableId)
			},
		},
	}
}

func (u *user) attach(gateway, vpc string) string {
	_, err := u.ec2.AttachInternetGateway(u.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &gateway, VpcId: &vpc})
	return code(err)
}

func (u *user) detach(gateway, vpc string) string {
	_, err := u.ec2.DetachInternetGateway(u.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &gateway, VpcId: &vpc})
	return code(err)
}

func (u *user) route(table, cidr, gateway string) string {
	_, err := u.ec2.CreateRoute(u.ctx, &ec2.CreateRouteInput{RouteTableId: &table, DestinationCidrBlock: &cidr, GatewayId: &gateway})
	return code(err)
}

// defaultRoute is the state of the route to everywhere.
func (u *user) defaultRoute(table string) string {
	u.Helper()
	found := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(u)
	for _, r := range found.RouteTables[0].Routes {
		if *r.DestinationCidrBlock == "0.0.0.0/0" {
			return string(r.State)
		}
	}
	return "none"
}
