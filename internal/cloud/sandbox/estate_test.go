package sandbox_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

func TestNetworksOfACompanyAreAddedOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.account.AddNetworks("mars-1"); err == nil {
			w.Error("a region that does not exist was furnished")
		}
		w.ok(nil, w.account.AddNetworks(home))
		once := w.account.Dump()
		time.Sleep(time.Minute)
		w.ok(nil, w.account.AddNetworks(home))
		twice := w.account.Dump()
		if len(bytes.Split(once, []byte("\n"))) != len(bytes.Split(twice, []byte("\n"))) {
			w.Error("the second time something was added")
		}
		// There is still room for a deployment of its own.
		w.ok(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.99.0.0/16")}))
	})
}

func TestNetworkACLsCoverEverySubnetOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		w.ok(nil, w.account.AddNetworks(home))
		subnets := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{}))(w).Subnets
		covered := map[string]int{}
		closed := 0
		for _, acl := range must(w.ec2.DescribeNetworkAcls(w.ctx, &ec2.DescribeNetworkAclsInput{}))(w).NetworkAcls {
			for _, a := range acl.Associations {
				covered[*a.SubnetId]++
			}
			if !*acl.IsDefault {
				closed += len(acl.Associations)
			}
		}
		for _, n := range subnets {
			if covered[*n.SubnetId] != 1 {
				w.Errorf("subnet %s has %d network ACLs", *n.SubnetId, covered[*n.SubnetId])
			}
		}
		if closed != 1 {
			w.Errorf("%d subnets have one of their own", closed)
		}
	})
}

// Routes name their targets in the field of their kind, and those to nowhere are blackholes.
func TestRoutesNameTheirTargets(t *testing.T) {
	inBubble(t, func(w *world) {
		w.ok(nil, w.account.AddNetworks(home))
		nats := must(w.ec2.DescribeNatGateways(w.ctx, &ec2.DescribeNatGatewaysInput{}))(w).NatGateways
		w.refused("NatGatewayNotFound")(w.ec2.DescribeNatGateways(w.ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-1"}}))
		w.refused("InvalidParameterValue")(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{MaxResults: new(int32(101))}))
		peerings := must(w.ec2.DescribeVpcPeeringConnections(w.ctx, &ec2.DescribeVpcPeeringConnectionsInput{}))(w).VpcPeeringConnections
		if len(nats) != 1 || len(peerings) != 1 {
			w.Fatalf("%d NAT gateways, %d peerings", len(nats), len(peerings))
		}
		through := must(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{
			Filters: []ec2types.Filter{{Name: new("route.nat-gateway-id"), Values: []string{*nats[0].NatGatewayId}}},
		}))(w).RouteTables
		if len(through) != 1 || *through[0].Routes[2].VpcPeeringConnectionId != *peerings[0].VpcPeeringConnectionId || through[0].Routes[1].GatewayId != nil {
			w.Errorf("route tables through the NAT gateway: %+v", through)
		}
		gone := must(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{
			Filters: []ec2types.Filter{{Name: new("route.state"), Values: []string{"blackhole"}}},
		}))(w).RouteTables
		if len(gone) != 1 {
			w.Errorf("%d route tables lead nowhere", len(gone))
		}
	})
}

func TestLoadBalancers(t *testing.T) {
	inBubble(t, func(w *world) {
		w.ok(nil, w.account.AddNetworks(home))
		client := elb.NewFromConfig(w.account.Config(home))
		first := must(client.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{PageSize: new(int32(1))}))(w)
		rest := must(client.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{Marker: first.NextMarker}))(w)
		if len(first.LoadBalancers) != 1 || len(rest.LoadBalancers) != 1 || rest.NextMarker != nil {
			w.Fatalf("%d and %d load balancers", len(first.LoadBalancers), len(rest.LoadBalancers))
		}
		tags := must(client.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: []string{*first.LoadBalancers[0].LoadBalancerArn}}))(w)
		if len(tags.TagDescriptions[0].Tags) != 2 {
			w.Errorf("tags %+v", tags.TagDescriptions)
		}
		w.refused("LoadBalancerNotFound")(client.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: []string{"arn"}}))
		w.refused("LoadBalancerNotFound")(client.DescribeLoadBalancers(w.ctx, &elb.DescribeLoadBalancersInput{Names: []string{"none"}}))
	})
}
