package opinion

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const errorCodes = `EC2 API reference, "Error codes"`

func networks() []behaviour {
	return []behaviour{
		{
			name: "a VPC larger than /16 or smaller than /28 is refused", source: "EC2 API reference, CreateVpc",
			aws: "InvalidVpc.Range, InvalidVpc.Range",
			see: func(u *user) string { return each(u.vpcCode("10.0.0.0/15"), u.vpcCode("10.0.0.0/29")) },
		},
		{
			name: "host bits of a VPC's block are cleared", source: "EC2 API reference, CreateVpc",
			aws:  "100.68.0.0/18",
			moto: "100.68.0.18/18",
			why:  "the reference says that the block is brought into its canonical form",
			see: func(u *user) string {
				return *must(u.ec2.CreateVpc(u.ctx, &ec2.CreateVpcInput{CidrBlock: new("100.68.0.18/18")}))(u).Vpc.CidrBlock
			},
		},
		{
			name: "a region has five VPCs, one of which is there from the start", source: `VPC user guide, "Amazon VPC quotas"`, aws: "accepted, VpcLimitExceeded",
			moto: "accepted, accepted",
			why:  "the quota is a default of every account; moto has no quotas",
			see: func(u *user) string {
				for n := range 3 {
					u.vpc(fmt.Sprintf("10.%d.0.0/16", n))
				}
				return each(u.vpcCode("10.3.0.0/16"), u.vpcCode("10.4.0.0/16"))
			},
		},
		{
			name: "the same CreateVpc twice makes two VPCs", source: `EC2 developer guide, "Ensuring idempotency": CreateVpc is not among the calls with a token`,
			aws: "false",
			see: func(u *user) string {
				first, again := u.vpc("10.0.0.0/16"), u.vpc("10.0.0.0/16")
				return fmt.Sprint(first == again)
			},
		},
		{
			name: "a new VPC resolves names but gives machines none", source: `VPC user guide, "DNS attributes for your VPC"`,
			aws: "true, false",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				support := must(u.ec2.DescribeVpcAttribute(u.ctx, &ec2.DescribeVpcAttributeInput{VpcId: &id, Attribute: "enableDnsSupport"}))(u)
				names := must(u.ec2.DescribeVpcAttribute(u.ctx, &ec2.DescribeVpcAttributeInput{VpcId: &id, Attribute: "enableDnsHostnames"}))(u)
				return each(fmt.Sprint(*support.EnableDnsSupport.Value), fmt.Sprint(*names.EnableDnsHostnames.Value))
			},
		},
		{
			name: "one request changes one DNS attribute", source: "EC2 API reference, ModifyVpcAttribute", aws: "refused",
			moto: "accepted",
			why:  "the reference says to use separate requests for the two attributes",
			see: func(u *user) string {
				on := &ec2types.AttributeBooleanValue{Value: new(true)}
				_, err := u.ec2.ModifyVpcAttribute(u.ctx, &ec2.ModifyVpcAttributeInput{
					VpcId: new(u.vpc("10.0.0.0/16")), EnableDnsSupport: on, EnableDnsHostnames: on,
				})
				return refused(err)
			},
		},
		{
			name: "names for machines need the resolution of names", source: "EC2 API reference, ModifyVpcAttribute", aws: "refused",
			moto: "accepted",
			why:  "the reference says that host names can be enabled only with DNS support",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				u.done(u.ec2.ModifyVpcAttribute(u.ctx, &ec2.ModifyVpcAttributeInput{
					VpcId: &id, EnableDnsSupport: &ec2types.AttributeBooleanValue{Value: new(false)},
				}))
				_, err := u.ec2.ModifyVpcAttribute(u.ctx, &ec2.ModifyVpcAttributeInput{
					VpcId: &id, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: new(true)},
				})
				return refused(err)
			},
		},
		{
			name: "a subnet that overlaps another is refused", source: errorCodes, aws: "InvalidSubnet.Conflict",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.subnet(vpc, "10.0.0.0/20", region+"a")
				return u.subnetCode(vpc, "10.0.8.0/24", region+"b")
			},
		},
		{
			name: "a subnet outside its VPC, or smaller than /28, is refused", source: errorCodes, aws: "InvalidSubnet.Range, InvalidSubnet.Range",
			moto: "InvalidSubnet.Range, accepted",
			why:  "the code's description names /28 as the smallest; moto checks the VPC only",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				return each(u.subnetCode(vpc, "10.1.0.0/24", region+"a"), u.subnetCode(vpc, "10.0.0.0/29", region+"a"))
			},
		},
		{
			name: "a subnet in a zone of another region is refused", source: "EC2 API reference, CreateSubnet", aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "a subnet lies in a zone of its own region; moto keeps any text",
			see:  func(u *user) string { return u.subnetCode(u.vpc("10.0.0.0/16"), "10.0.0.0/24", "eu-west-1a") },
		},
		{
			name: "five addresses of a subnet are AWS's own", source: `VPC user guide, "Subnet CIDR blocks"`, aws: "11",
			see: func(u *user) string {
				id := u.subnet(u.vpc("10.0.0.0/16"), "10.0.0.0/28", region+"a")
				found := must(u.ec2.DescribeSubnets(u.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{id}}))(u)
				return fmt.Sprint(*found.Subnets[0].AvailableIpAddressCount)
			},
		},
		{
			name: "the subnets of a VPC of one's own give no public addresses", source: `VPC user guide, "Modify the IP addressing attributes of your subnet"`,
			aws: "false, false",
			see: func(u *user) string {
				id := u.subnet(u.vpc("10.0.0.0/16"), "10.0.0.0/24", region+"f")
				found := must(u.ec2.DescribeSubnets(u.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{id}}))(u).Subnets[0]
				return each(fmt.Sprint(*found.MapPublicIpOnLaunch), fmt.Sprint(*found.DefaultForAz))
			},
		},
		{
			name: "a subnet with a machine in it stays", source: "EC2 API reference, DeleteSubnet", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference wants all machines terminated before; moto does not look",
			see: func(u *user) string {
				n := u.network()
				u.run(u.launch(n))
				_, err := u.ec2.DeleteSubnet(u.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnet})
				return code(err)
			},
		},
		{
			name: "a VPC with a subnet in it stays", source: "EC2 API reference, DeleteVpc", aws: "DependencyViolation",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.subnet(vpc, "10.0.0.0/24", region+"a")
				return u.deleteVPC(vpc)
			},
		},
		{
			name: "a VPC with an internet gateway stays", source: "EC2 API reference, DeleteVpc", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference wants all gateways detached before; moto looks at subnets and route tables only",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.gateway(vpc)
				return u.deleteVPC(vpc)
			},
		},
		{
			name: "a VPC with a security group of the user's stays", source: "EC2 API reference, DeleteVpc", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference wants all groups but the default one deleted before",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.group(vpc, "host")
				return u.deleteVPC(vpc)
			},
		},
		{
			name: "a VPC with a route table of the user's stays", source: "EC2 API reference, DeleteVpc", aws: "DependencyViolation",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.table(vpc)
				return u.deleteVPC(vpc)
			},
		},
		{
			name: "a VPC takes its main route table and its default group along", source: "EC2 API reference, DeleteVpc", aws: "accepted, 0, 0",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				deleted := u.deleteVPC(vpc)
				of := []ec2types.Filter{filter("vpc-id", vpc)}
				tables := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{Filters: of}))(u).RouteTables
				groups := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{Filters: of}))(u).SecurityGroups
				return each(deleted, fmt.Sprint(len(tables)), fmt.Sprint(len(groups)))
			},
		},
		{
			name: "what does not exist cannot be deleted", source: errorCodes,
			aws: "InvalidVpcID.NotFound, InvalidSubnetID.NotFound, InvalidInternetGatewayID.NotFound, InvalidRouteTableID.NotFound, " +
				"InvalidGroup.NotFound, InvalidVolume.NotFound, InvalidInstanceID.NotFound",
			see: func(u *user) string {
				_, subnet := u.ec2.DeleteSubnet(u.ctx, &ec2.DeleteSubnetInput{SubnetId: new("subnet-0123456789abcdef0")})
				_, gateway := u.ec2.DeleteInternetGateway(u.ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: new("igw-0123456789abcdef0")})
				_, table := u.ec2.DeleteRouteTable(u.ctx, &ec2.DeleteRouteTableInput{RouteTableId: new("rtb-0123456789abcdef0")})
				_, group := u.ec2.DeleteSecurityGroup(u.ctx, &ec2.DeleteSecurityGroupInput{GroupId: new("sg-0123456789abcdef0")})
				_, volume := u.ec2.DeleteVolume(u.ctx, &ec2.DeleteVolumeInput{VolumeId: new("vol-0123456789abcdef0")})
				return each(u.deleteVPC("vpc-0123456789abcdef0"), code(subnet), code(gateway), code(table), code(group), code(volume),
					code(u.terminate("i-0123456789abcdef0")))
			},
		},
		{
			name: "an ID of the wrong form has a code of its own", source: errorCodes,
			aws: "InvalidVpcID.Malformed, InvalidSubnetID.Malformed, InvalidInternetGatewayId.Malformed, InvalidRouteTableId.Malformed, " +
				"InvalidGroupId.Malformed, InvalidInstanceID.Malformed",
			moto: "InvalidVpcID.NotFound, InvalidSubnetID.NotFound, InvalidInternetGatewayID.NotFound, InvalidRouteTableID.NotFound, InvalidGroup.NotFound, InvalidInstanceID.NotFound",
			why:  "the list has a Malformed code for every kind; moto looks the text up like any other",
			see: func(u *user) string {
				wrong := []string{"wrong"}
				_, vpc := u.ec2.DescribeVpcs(u.ctx, &ec2.DescribeVpcsInput{VpcIds: wrong})
				_, subnet := u.ec2.DescribeSubnets(u.ctx, &ec2.DescribeSubnetsInput{SubnetIds: wrong})
				_, gateway := u.ec2.DescribeInternetGateways(u.ctx, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: wrong})
				_, table := u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: wrong})
				_, group := u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: wrong})
				_, instance := u.ec2.DescribeInstances(u.ctx, &ec2.DescribeInstancesInput{InstanceIds: wrong})
				return each(code(vpc), code(subnet), code(gateway), code(table), code(group), code(instance))
			},
		},
		{
			name: "an ID of the wrong form of a volume or an interface has a code of its own", source: errorCodes,
			aws:  "InvalidVolumeID.Malformed, InvalidNetworkInterfaceId.Malformed",
			moto: "InvalidVolume.NotFound, InvalidNetworkInterfaceID.NotFound",
			why:  "the list has a Malformed code for every kind",
			see: func(u *user) string {
				_, volume := u.ec2.DescribeVolumes(u.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{"wrong"}})
				_, network := u.ec2.DescribeNetworkInterfaces(u.ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"wrong"}})
				return each(code(volume), code(network))
			},
		},
	}
}

func (u *user) vpcCode(cidr string) string {
	_, err := u.ec2.CreateVpc(u.ctx, &ec2.CreateVpcInput{CidrBlock: &cidr})
	return code(err)
}

func (u *user) subnetCode(vpc, cidr, zone string) string {
	_, err := u.ec2.CreateSubnet(u.ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: &zone})
	return code(err)
}

func (u *user) deleteVPC(id string) string {
	_, err := u.ec2.DeleteVpc(u.ctx, &ec2.DeleteVpcInput{VpcId: &id})
	u.settle()
	return code(err)
}
