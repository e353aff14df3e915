package sandbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

func TestNewIDsAreUnknownForAWhile(t *testing.T) {
	inBubble(t, func(w *world) {
		late, flapped := 0, 0
		for n := range 4 {
			id := w.vpc(fmt.Sprintf("10.%d.0.0/16", n))
			known := false
			for range 60 {
				_, err := w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{id}})
				switch {
				case err == nil:
					known = true
				case codeOf(err) != "InvalidVpcID.NotFound":
					w.Fatal(err)
				case known:
					flapped++
				default:
					late++
				}
			}
			if !known {
				w.Errorf("%s was never known", id)
			}
		}
		if late == 0 || flapped == 0 {
			w.Errorf("%d reads were too early, %d flapped: both should happen", late, flapped)
		}
	})
}

func TestADependentCallDoesNotKnowANewID(t *testing.T) {
	inBubble(t, func(w *world) {
		early := 0
		for n := range 4 {
			vpc := w.vpc(fmt.Sprintf("10.%d.0.0/16", n))
			_, err := w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: new(fmt.Sprintf("10.%d.0.0/24", n))})
			if codeOf(err) == "InvalidVpcID.NotFound" {
				early++
			}
		}
		if early == 0 {
			w.Error("every new VPC was known at once")
		}
	})
}

func TestARegionStartsWithADefaultVPC(t *testing.T) {
	inBubble(t, func(w *world) {
		vpcs := must(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{
			Filters: []ec2types.Filter{{Name: new("is-default"), Values: []string{"true"}}},
		}))(w).Vpcs
		if len(vpcs) != 1 || *vpcs[0].CidrBlock != "172.31.0.0/16" || vpcs[0].State != ec2types.VpcStateAvailable {
			w.Fatalf("default VPCs: %+v", vpcs)
		}
		of := []ec2types.Filter{{Name: new("vpc-id"), Values: []string{*vpcs[0].VpcId}}}
		subnets := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{Filters: of}))(w).Subnets
		zones := must(w.ec2.DescribeAvailabilityZones(w.ctx, &ec2.DescribeAvailabilityZonesInput{}))(w).AvailabilityZones
		if len(subnets) != len(zones) || !*subnets[0].MapPublicIpOnLaunch || *subnets[0].AvailableIpAddressCount != 4091 {
			w.Errorf("%d subnets in %d zones, first %+v", len(subnets), len(zones), subnets[0])
		}
		tables := must(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{Filters: of}))(w).RouteTables
		if len(tables) != 1 || !*tables[0].Associations[0].Main || len(tables[0].Routes) != 2 {
			w.Errorf("route tables %+v", tables)
		}
		groups := must(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: of}))(w).SecurityGroups
		if len(groups) != 1 || *groups[0].GroupName != "default" {
			w.Errorf("groups %+v", groups)
		}
		attached := []ec2types.Filter{{Name: new("attachment.vpc-id"), Values: []string{*vpcs[0].VpcId}}}
		gateways := must(w.ec2.DescribeInternetGateways(w.ctx, &ec2.DescribeInternetGatewaysInput{Filters: attached}))(w).InternetGateways
		if len(gateways) != 1 || gateways[0].Attachments[0].State != "available" {
			w.Errorf("gateways %+v", gateways)
		}
	})
}

func TestNetworkRefusals(t *testing.T) {
	cases := []struct {
		name, code string
		call       func(w *world, n network) (any, error)
	}{
		{"VPC block too large", "InvalidVpc.Range", func(w *world, _ network) (any, error) {
			return w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/8")})
		}},
		{"subnet block outside the VPC", "InvalidSubnet.Range", func(w *world, n network) (any, error) {
			return w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{VpcId: &n.vpc, CidrBlock: new("10.1.0.0/24")})
		}},
		{"subnet block taken", "InvalidSubnet.Conflict", func(w *world, n network) (any, error) {
			return w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{VpcId: &n.vpc, CidrBlock: new("10.0.0.128/25")})
		}},
		{"zone of another region", "InvalidParameterValue", func(w *world, n network) (any, error) {
			return w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{
				VpcId: &n.vpc, CidrBlock: new("10.0.9.0/24"), AvailabilityZone: new("eu-west-1a"),
			})
		}},
		{"id of another kind", "InvalidVpcID.Malformed", func(w *world, n network) (any, error) {
			return w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{n.subnetA}})
		}},
		{"unknown filter", "InvalidParameterValue", func(w *world, _ network) (any, error) {
			return w.ec2.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{
				Filters: []ec2types.Filter{{Name: new("colour"), Values: []string{"red"}}},
			})
		}},
		{"gateway attached twice", "Resource.AlreadyAssociated", func(w *world, n network) (any, error) {
			return w.ec2.AttachInternetGateway(w.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc})
		}},
		{"second gateway for a VPC", "InvalidParameterValue", func(w *world, n network) (any, error) {
			g := must(w.ec2.CreateInternetGateway(w.ctx, &ec2.CreateInternetGatewayInput{}))(w).InternetGateway
			w.settle()
			return w.ec2.AttachInternetGateway(w.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: g.InternetGatewayId, VpcId: &n.vpc})
		}},
		{"route twice", "RouteAlreadyExists", func(w *world, n network) (any, error) {
			return w.ec2.CreateRoute(w.ctx, &ec2.CreateRouteInput{
				RouteTableId: &n.table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: &n.gateway,
			})
		}},
		{"route to a gateway that is not attached", "InvalidParameterValue", func(w *world, n network) (any, error) {
			g := must(w.ec2.CreateInternetGateway(w.ctx, &ec2.CreateInternetGatewayInput{}))(w).InternetGateway
			w.settle()
			return w.ec2.CreateRoute(w.ctx, &ec2.CreateRouteInput{
				RouteTableId: &n.table, DestinationCidrBlock: new("192.0.2.0/24"), GatewayId: g.InternetGatewayId,
			})
		}},
		{"subnet with two route tables", "Resource.AlreadyAssociated", func(w *world, n network) (any, error) {
			table := must(w.ec2.CreateRouteTable(w.ctx, &ec2.CreateRouteTableInput{VpcId: &n.vpc}))(w).RouteTable
			w.settle()
			return w.ec2.AssociateRouteTable(w.ctx, &ec2.AssociateRouteTableInput{RouteTableId: table.RouteTableId, SubnetId: &n.subnetA})
		}},
		{"DNS hostnames without DNS support", "InvalidParameterValue", func(w *world, n network) (any, error) {
			w.ok(w.ec2.ModifyVpcAttribute(w.ctx, &ec2.ModifyVpcAttributeInput{
				VpcId: &n.vpc, EnableDnsSupport: &ec2types.AttributeBooleanValue{Value: new(false)},
			}))
			return w.ec2.ModifyVpcAttribute(w.ctx, &ec2.ModifyVpcAttributeInput{
				VpcId: &n.vpc, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: new(true)},
			})
		}},
		{"two attributes in one request", "InvalidParameterCombination", func(w *world, n network) (any, error) {
			yes := &ec2types.AttributeBooleanValue{Value: new(true)}
			return w.ec2.ModifyVpcAttribute(w.ctx, &ec2.ModifyVpcAttributeInput{VpcId: &n.vpc, EnableDnsHostnames: yes, EnableDnsSupport: yes})
		}},
		{"sixth VPC", "VpcLimitExceeded", func(w *world, _ network) (any, error) {
			for i := range 3 { // the default one and that of the network are there
				w.vpc(fmt.Sprintf("10.%d.0.0/16", i+10))
			}
			return w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.99.0.0/16")})
		}},
		{"tag for another kind", "InvalidParameterValue", func(w *world, _ network) (any, error) {
			return w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.9.0.0/16"), TagSpecifications: []ec2types.TagSpecification{
				{ResourceType: ec2types.ResourceTypeSubnet},
			}})
		}},
		{"reserved tag key", "InvalidTagKey.Malformed", func(w *world, n network) (any, error) {
			return w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{
				Resources: []string{n.vpc}, Tags: []ec2types.Tag{{Key: new("aws:x"), Value: new("1")}},
			})
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) { w.refused(test.code)(test.call(w, w.network())) })
		})
	}
}

func TestStatesTakeTime(t *testing.T) {
	inBubble(t, func(w *world) {
		vpc := must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.7.99.1/16")}))(w).Vpc
		if vpc.State != ec2types.VpcStatePending || *vpc.CidrBlock != "10.7.0.0/16" {
			w.Errorf("new VPC %s %s, want pending and its host bits cleared", vpc.State, *vpc.CidrBlock)
		}
		w.settle()
		seen := must(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{*vpc.VpcId}}))(w).Vpcs[0]
		if seen.State != ec2types.VpcStateAvailable {
			w.Errorf("state %s", seen.State)
		}
		support := must(w.ec2.DescribeVpcAttribute(w.ctx, &ec2.DescribeVpcAttributeInput{
			VpcId: vpc.VpcId, Attribute: ec2types.VpcAttributeNameEnableDnsSupport,
		}))(w)
		hostnames := must(w.ec2.DescribeVpcAttribute(w.ctx, &ec2.DescribeVpcAttributeInput{
			VpcId: vpc.VpcId, Attribute: ec2types.VpcAttributeNameEnableDnsHostnames,
		}))(w)
		if !*support.EnableDnsSupport.Value || *hostnames.EnableDnsHostnames.Value {
			w.Error("a new VPC has DNS support and no DNS hostnames")
		}
	})
}

func TestTheNetworkComesDownInOrder(t *testing.T) {
	inBubble(t, func(w *world) {
		before := w.account.Dump()
		n := w.network()
		w.refused("DependencyViolation")(w.ec2.DeleteVpc(w.ctx, &ec2.DeleteVpcInput{VpcId: &n.vpc}))
		w.refused("DependencyViolation")(w.ec2.DeleteInternetGateway(w.ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &n.gateway}))
		w.refused("DependencyViolation")(w.ec2.DeleteRouteTable(w.ctx, &ec2.DeleteRouteTableInput{RouteTableId: &n.table}))

		w.ok(w.ec2.DisassociateRouteTable(w.ctx, &ec2.DisassociateRouteTableInput{AssociationId: &n.association}))
		w.refused("InvalidAssociationID.NotFound")(
			w.ec2.DisassociateRouteTable(w.ctx, &ec2.DisassociateRouteTableInput{AssociationId: &n.association}))
		w.ok(w.ec2.DeleteRoute(w.ctx, &ec2.DeleteRouteInput{RouteTableId: &n.table, DestinationCidrBlock: new("0.0.0.0/0")}))
		w.ok(w.ec2.DeleteRouteTable(w.ctx, &ec2.DeleteRouteTableInput{RouteTableId: &n.table}))
		w.ok(w.ec2.DetachInternetGateway(w.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		w.refused("Gateway.NotAttached")(
			w.ec2.DetachInternetGateway(w.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		w.ok(w.ec2.DeleteInternetGateway(w.ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &n.gateway}))
		w.ok(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetA}))
		w.ok(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetB}))
		w.ok(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &n.group}))
		w.ok(w.ec2.DeleteVpc(w.ctx, &ec2.DeleteVpcInput{VpcId: &n.vpc}))
		w.refused("InvalidVpcID.NotFound")(w.ec2.DeleteVpc(w.ctx, &ec2.DeleteVpcInput{VpcId: &n.vpc}))
		if diff := cmp.Diff(string(before), string(w.account.Dump())); diff != "" {
			w.Errorf("the account is not as before:\n%s", diff)
		}
	})
}

func TestARouteToAGoneGatewayIsABlackHole(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.ok(w.ec2.DetachInternetGateway(w.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		routes := must(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{n.table}}))(w).RouteTables[0].Routes
		if routes[1].State != ec2types.RouteStateBlackhole {
			w.Errorf("state %s", routes[1].State)
		}
	})
}

func TestRouteTablesKeepTheirClientToken(t *testing.T) {
	inBubble(t, func(w *world) {
		n, other := w.network(), w.vpc("10.9.0.0/16")
		w.settle()
		in := &ec2.CreateRouteTableInput{VpcId: &n.vpc, ClientToken: new("once")}
		first := must(w.ec2.CreateRouteTable(w.ctx, in))(w).RouteTable
		again := must(w.ec2.CreateRouteTable(w.ctx, in))(w).RouteTable
		if *first.RouteTableId != *again.RouteTableId {
			w.Error("a repeated token made a second table")
		}
		in.VpcId = &other
		w.refused("IdempotentParameterMismatch")(w.ec2.CreateRouteTable(w.ctx, in))
	})
}

func TestTagsFindResources(t *testing.T) {
	inBubble(t, func(w *world) {
		vpc := must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeVpc, Tags: []ec2types.Tag{{Key: new("stack"), Value: new("one")}},
		}}}))(w).Vpc
		w.settle()
		w.ok(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{
			Resources: []string{*vpc.VpcId}, Tags: []ec2types.Tag{{Key: new("Name"), Value: new("demo")}},
		}))
		found := must(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{
			Filters: []ec2types.Filter{{Name: new("tag:stack"), Values: []string{"on?"}}, {Name: new("tag-key"), Values: []string{"Name"}}},
		}))(w).Vpcs
		if len(found) != 1 || len(found[0].Tags) != 2 {
			w.Fatalf("found %+v", found)
		}
		tags := must(w.ec2.DescribeTags(w.ctx, &ec2.DescribeTagsInput{
			Filters: []ec2types.Filter{{Name: new("resource-id"), Values: []string{*vpc.VpcId}}},
		}))(w).Tags
		if len(tags) != 2 || tags[0].ResourceType != ec2types.ResourceTypeVpc {
			w.Errorf("tags %+v", tags)
		}
		w.ok(w.ec2.DeleteTags(w.ctx, &ec2.DeleteTagsInput{Resources: []string{*vpc.VpcId}, Tags: []ec2types.Tag{{Key: new("stack")}}}))
		w.refused("InvalidVpcID.NotFound")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{
			Resources: []string{"vpc-0123"}, Tags: []ec2types.Tag{{Key: new("a"), Value: new("b")}},
		}))
	})
}

func TestSecurityGroupRules(t *testing.T) {
	open443 := func(cidr string) []ec2types.IpPermission {
		return []ec2types.IpPermission{{
			IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)), IpRanges: []ec2types.IpRange{{CidrIp: new(cidr)}},
		}}
	}
	cases := []struct {
		name, code string
		call       func(w *world, n network) (any, error)
	}{
		{"name with another spelling is a duplicate", "InvalidGroup.Duplicate", func(w *world, n network) (any, error) {
			return w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{VpcId: &n.vpc, GroupName: new("HOST "), Description: new("x")})
		}},
		{"name like an id", "InvalidParameterValue", func(w *world, n network) (any, error) {
			return w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{VpcId: &n.vpc, GroupName: new("sg-mine"), Description: new("x")})
		}},
		{"reserved name", "InvalidGroup.Reserved", func(w *world, n network) (any, error) {
			return w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{VpcId: &n.vpc, GroupName: new("default"), Description: new("x")})
		}},
		{"apostrophe in a description", "InvalidParameterValue", func(w *world, n network) (any, error) {
			return w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{
				VpcId: &n.vpc, GroupName: new("x"), Description: new("the host's"),
			})
		}},
		{"the same rule again, host bits aside", "InvalidPermission.Duplicate", func(w *world, n network) (any, error) {
			w.ok(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: open443("192.0.2.0/24"),
			}))
			return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: append(open443("198.51.100.0/24"), open443("192.0.2.77/24")...),
			})
		}},
		{"revoke of what is not there", "InvalidPermission.NotFound", func(w *world, n network) (any, error) {
			return w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: open443("192.0.2.0/24"),
			})
		}},
		{"no such block", "InvalidParameterValue", func(w *world, n network) (any, error) {
			return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: open443("192.0.2.0/40"),
			})
		}},
		{"TCP without ports", "InvalidParameterValue", func(w *world, n network) (any, error) {
			return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpProtocol: new("tcp"), CidrIp: new("0.0.0.0/0"),
			})
		}},
		{"61 rules", "RulesPerSecurityGroupLimitExceeded", func(w *world, n network) (any, error) {
			var many []ec2types.IpPermission
			for i := range 61 {
				many = append(many, open443(fmt.Sprintf("192.0.2.%d/32", i))...)
			}
			return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &n.group, IpPermissions: many})
		}},
		{"a group of another VPC", "InvalidGroup.NotFound", func(w *world, n network) (any, error) {
			vpc := w.vpc("10.8.0.0/16")
			w.settle()
			other := w.group(vpc, "other")
			w.settle()
			return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: new("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &other}},
				}},
			})
		}},
		{"delete of a group that another one names", "DependencyViolation", func(w *world, n network) (any, error) {
			files := w.group(n.vpc, "files")
			w.settle()
			w.ok(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &files, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: new("tcp"), FromPort: new(int32(2049)), ToPort: new(int32(2049)),
					UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &n.group}},
				}},
			}))
			return w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &n.group})
		}},
		{"delete of the default group", "CannotDelete", func(w *world, n network) (any, error) {
			groups := must(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
				{Name: new("vpc-id"), Values: []string{n.vpc}}, {Name: new("group-name"), Values: []string{"default"}},
			}}))(w).SecurityGroups
			return w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: groups[0].GroupId})
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				n := w.network()
				w.settle()
				w.refused(test.code)(test.call(w, n))
			})
		})
	}
	t.Run("a new group lets everything out and nothing in", func(t *testing.T) {
		inBubble(t, func(w *world) {
			n := w.network()
			g := must(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{n.group}}))(w).SecurityGroups[0]
			if len(g.IpPermissions) != 0 || len(g.IpPermissionsEgress) != 1 || *g.IpPermissionsEgress[0].IpRanges[0].CidrIp != "0.0.0.0/0" {
				w.Errorf("group %+v", g)
			}
		})
	})
	t.Run("a refused batch adds nothing", func(t *testing.T) {
		inBubble(t, func(w *world) {
			n := w.network()
			w.settle()
			w.refused("InvalidPermission.Duplicate")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: append(open443("192.0.2.0/24"), open443("192.0.2.0/24")...),
			}))
			rules := must(w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{
				Filters: []ec2types.Filter{{Name: new("group-id"), Values: []string{n.group}}},
			}))(w).SecurityGroupRules
			if len(rules) != 1 || !*rules[0].IsEgress {
				w.Errorf("rules %+v", rules)
			}
		})
	})
	t.Run("a rule goes by its id", func(t *testing.T) {
		inBubble(t, func(w *world) {
			n := w.network()
			w.settle()
			made := must(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &n.group, IpPermissions: open443("192.0.2.0/24"),
			}))(w).SecurityGroupRules
			w.ok(w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{
				GroupId: &n.group, SecurityGroupRuleIds: []string{*made[0].SecurityGroupRuleId},
			}))
			g := must(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{n.group}}))(w).SecurityGroups[0]
			if len(g.IpPermissions) != 0 {
				w.Errorf("still there: %+v", g.IpPermissions)
			}
		})
	})
}

func TestEndpointsHoldTheVPC(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		e := must(w.ec2.CreateVpcEndpoint(w.ctx, &ec2.CreateVpcEndpointInput{
			VpcId: &n.vpc, ServiceName: new("com.amazonaws.us-east-1.ssm"), VpcEndpointType: ec2types.VpcEndpointTypeInterface,
			SubnetIds: []string{n.subnetB}, SecurityGroupIds: []string{n.group},
		}))(w).VpcEndpoint
		w.refused("DependencyViolation")(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetB}))
		w.refused("InvalidParameterValue")(w.ec2.DeleteNetworkInterface(w.ctx, &ec2.DeleteNetworkInterfaceInput{
			NetworkInterfaceId: &e.NetworkInterfaceIds[0],
		}))
		w.ok(w.ec2.DeleteVpcEndpoints(w.ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*e.VpcEndpointId}}))
		time.Sleep(12 * time.Second)
		w.ok(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetB}))
	})
}
