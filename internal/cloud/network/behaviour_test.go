package network_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// inBubble runs a test with a new bench, where waiting costs nothing.
func inBubble(t *testing.T, test func(b *apitest.Bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newBench(t, 1)) })
}

// settled waits until reads know all that is new.
func settled() { time.Sleep(10 * time.Second) }

func TestALostReplyMakesNothingTwice(t *testing.T) {
	tests := []struct {
		operation string
		key       stack.Key
		spec      stack.Spec
		prepare   func(*apitest.Bench)
		inventory string
	}{
		{"CreateVpc", stack.KeyVPC, vpc, func(*apitest.Bench) {}, "vpc"},
		{"CreateInternetGateway", stack.KeyGateway, gateway, makeVPC, "internet-gateway"},
		{"CreateSubnet", keyPublicA, publicA, makeVPC, "subnet"},
		{"CreateSecurityGroup", stack.KeyHostGroup, host, makeVPC, "security-group"},
	}
	for _, test := range tests {
		t.Run(test.operation, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				test.prepare(b)
				settled()
				b.Fault(sandbox.Fault{Service: "EC2", Operation: test.operation, Effect: sandbox.EffectLoseReply, Count: 1})
				b.Intend(test.key, test.spec.Kind())
				_, err := b.Drivers[test.spec.Kind()].Create(b.Context(), b.Target(test.key, test.spec))
				if _, unsure := errors.AsType[engine.Unsure](err); !unsure {
					t.Fatalf("error is %v, want one that leaves the outcome open", err)
				}
				if made := b.Account.Inventory()[test.inventory]; len(made) != 1 {
					t.Errorf("there are %d: %q", len(made), made)
				}
				if _, ok := b.Listed(test.spec.Kind(), b.Identity.ID, test.key); !ok {
					t.Error("what was made is not found by its tags")
				}
			})
		})
	}
}

func TestARouteTableIsMadeOnceThoughItsReplyIsLost(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRoutable(b)
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "CreateRouteTable", Effect: sandbox.EffectLoseReply, Count: 2})
		b.Make(stack.KeyRoutes, routes)
		if made := b.Account.Inventory()["route-table"]; len(made) != 1 {
			t.Errorf("there are %d: %q", len(made), made)
		}
	})
}

func TestSettlingSurvivesLostReplies(t *testing.T) {
	for _, operation := range []string{"ModifyVpcAttribute", "AttachInternetGateway", "ModifySubnetAttribute", "CreateRoute", "AssociateRouteTable", "AuthorizeSecurityGroupIngress"} {
		t.Run(operation, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				b.Fault(sandbox.Fault{Service: "EC2", Operation: operation, Effect: sandbox.EffectLoseReply, Count: 1})
				b.Make(stack.KeyVPC, vpc)
				b.Make(stack.KeyGateway, gateway)
				b.Make(keyPublicA, publicA)
				b.Make(keyPublicB, publicB)
				b.Make(stack.KeyRoutes, routes)
				b.Make(stack.KeyHostGroup, host)
				settled()
				checkNetwork(b)
			})
		})
	}
}

// checkNetwork asks EC2 whether the network is as its specs say.
func checkNetwork(b *apitest.Bench) {
	b.Helper()
	c := client(b)
	for _, name := range []ec2types.VpcAttributeName{ec2types.VpcAttributeNameEnableDnsSupport, ec2types.VpcAttributeNameEnableDnsHostnames} {
		out, err := c.DescribeVpcAttribute(b.Context(), &ec2.DescribeVpcAttributeInput{VpcId: new(b.Record(stack.KeyVPC).ID), Attribute: name})
		if err != nil {
			b.Fatal(err)
		}
		if a := cmpOr(out.EnableDnsSupport, out.EnableDnsHostnames); a == nil || !aws.ToBool(a.Value) {
			b.Errorf("%s is off", name)
		}
	}
	subnets, err := c.DescribeSubnets(b.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{b.Record(keyPublicA).ID}})
	if err != nil {
		b.Fatal(err)
	}
	n := subnets.Subnets[0]
	if !aws.ToBool(n.MapPublicIpOnLaunch) || aws.ToString(n.AvailabilityZone) != publicA.Zone || aws.ToString(n.CidrBlock) != publicA.CIDR {
		b.Errorf("subnet is %+v", n)
	}
	if got := api.FromEC2(n.Tags)["Name"]; got != publicA.Name {
		b.Errorf("the subnet's name is %q", got)
	}
	tables, err := c.DescribeRouteTables(b.Context(), &ec2.DescribeRouteTablesInput{RouteTableIds: []string{b.Record(stack.KeyRoutes).ID}})
	if err != nil {
		b.Fatal(err)
	}
	if !slices.ContainsFunc(tables.RouteTables[0].Routes, func(r ec2types.Route) bool {
		return aws.ToString(r.DestinationCidrBlock) == "0.0.0.0/0" && aws.ToString(r.GatewayId) == b.Record(stack.KeyGateway).ID && r.State == ec2types.RouteStateActive
	}) || len(tables.RouteTables[0].Associations) != 2 {
		b.Errorf("route table is %+v", tables.RouteTables[0])
	}
	if d := cmp.Diff([]string{"tcp 443 2001:db8::/32 n8n", "tcp 443 203.0.113.0/24 n8n", "tcp 6333 203.0.113.0/24 qdrant -the owner-s-"}, rules(b, stack.KeyHostGroup)); d != "" {
		b.Errorf("rules:\n%s", d)
	}
}

func cmpOr[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// rules are the ingress rules of a group, in words.
func rules(b *apitest.Bench, key stack.Key) []string {
	b.Helper()
	out, err := client(b).DescribeSecurityGroupRules(b.Context(), &ec2.DescribeSecurityGroupRulesInput{
		Filters: []ec2types.Filter{{Name: new("group-id"), Values: []string{b.Record(key).ID}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	for _, r := range out.SecurityGroupRules {
		if aws.ToBool(r.IsEgress) {
			continue
		}
		peer := aws.ToString(cmpOr(r.CidrIpv4, r.CidrIpv6))
		if r.ReferencedGroupInfo != nil {
			peer = aws.ToString(r.ReferencedGroupInfo.GroupId)
		}
		all = append(all, fmt.Sprintf("%s %d %s %s", aws.ToString(r.IpProtocol), aws.ToInt32(r.FromPort), peer, aws.ToString(r.Description)))
	}
	slices.Sort(all)
	return all
}

func TestDeletingSurvivesLostReplies(t *testing.T) {
	for _, operation := range []string{
		"DetachInternetGateway", "DeleteInternetGateway", "DisassociateRouteTable", "DeleteRouteTable",
		"RevokeSecurityGroupIngress", "DeleteSecurityGroup", "DeleteSubnet", "DeleteVpc",
	} {
		t.Run(operation, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				makeRoutable(b)
				b.Make(stack.KeyRoutes, routes)
				b.Make(stack.KeyHostGroup, host)
				b.Make(stack.KeyFilesGroup, files)
				settled()
				b.Fault(sandbox.Fault{Service: "EC2", Operation: operation, Effect: sandbox.EffectLoseReply, Count: 1})
				for _, key := range []stack.Key{stack.KeyHostGroup, stack.KeyFilesGroup, stack.KeyRoutes, stack.KeyGateway, keyPublicA, keyPublicB, stack.KeyVPC} {
					b.Delete(key)
				}
				if left := b.Account.Inventory(); len(left) != 0 {
					t.Errorf("left: %v", left)
				}
			})
		})
	}
}

func TestAGatewayOfAnotherNetworkIsNotTaken(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		b.Create(stack.KeyGateway, gateway)
		other, err := client(b).CreateVpc(b.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.99.0.0/16")})
		if err != nil {
			t.Fatal(err)
		}
		settled()
		_, err = client(b).AttachInternetGateway(b.Context(), &ec2.AttachInternetGatewayInput{
			InternetGatewayId: new(b.Record(stack.KeyGateway).ID), VpcId: other.Vpc.VpcId,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Drivers[stack.KindGateway].Settle(b.Context(), b.Target(stack.KeyGateway, gateway))
		if err == nil || !strings.Contains(err.Error(), "is attached to "+*other.Vpc.VpcId) {
			t.Errorf("got %v", err)
		}
	})
}

func TestASubnetOfAnotherRouteTableIsNotTaken(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRoutable(b)
		other, err := client(b).CreateRouteTable(b.Context(), &ec2.CreateRouteTableInput{VpcId: new(b.Record(stack.KeyVPC).ID)})
		if err != nil {
			t.Fatal(err)
		}
		settled()
		_, err = client(b).AssociateRouteTable(b.Context(), &ec2.AssociateRouteTableInput{
			RouteTableId: other.RouteTable.RouteTableId, SubnetId: new(b.Record(keyPublicB).ID),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Create(stack.KeyRoutes, routes)
		_, err = b.Drivers[stack.KindRouteTable].Settle(b.Context(), b.Target(stack.KeyRoutes, routes))
		if err == nil || !strings.Contains(err.Error(), "uses route table "+*other.RouteTable.RouteTableId+" already") {
			t.Errorf("got %v", err)
		}
	})
}

func TestRulesAreAddedInOneCallAndForeignOnesStay(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		b.Make(stack.KeyHostGroup, host)
		if n := count(b.Calls(), "AuthorizeSecurityGroupIngress"); n != 1 {
			t.Errorf("authorized %d times", n)
		}
		settled()
		_, err := client(b).AuthorizeSecurityGroupIngress(b.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: new(b.Record(stack.KeyHostGroup).ID), IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), CidrIp: new("192.0.2.1/32"),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Calls()
		more := host
		more.Rules = append(slices.Clone(host.Rules), stack.Rule{Protocol: "tcp", Port: 11434, CIDR: "203.0.113.0/24", Reason: "ollama"})
		b.Settle(stack.KeyHostGroup, more)
		settled()
		want := []string{"tcp 11434 203.0.113.0/24 ollama", "tcp 22 192.0.2.1/32 ", "tcp 443 2001:db8::/32 n8n", "tcp 443 203.0.113.0/24 n8n", "tcp 6333 203.0.113.0/24 qdrant -the owner-s-"}
		if d := cmp.Diff(want, rules(b, stack.KeyHostGroup)); d != "" {
			t.Error(d)
		}
		b.Calls()
		b.Settle(stack.KeyHostGroup, more)
		if calls := b.Calls(); count(calls, "AuthorizeSecurityGroupIngress") != 0 {
			t.Errorf("nothing is missing, yet %v", calls)
		}
	})
}

func count(all []string, one string) int {
	return len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s != one }))
}

func TestAGroupIsFreedFromItsReferences(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeHostGroup(b)
		b.Make(stack.KeyFilesGroup, files)
		settled()
		b.Delete(stack.KeyHostGroup)
		if got := rules(b, stack.KeyFilesGroup); len(got) != 0 {
			t.Errorf("rules left: %q", got)
		}
	})
}

func TestAForeignReferenceToAGroupStaysAndIsNamed(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeHostGroup(b)
		id := b.Record(stack.KeyHostGroup).ID
		foreign, err := client(b).CreateSecurityGroup(b.Context(), &ec2.CreateSecurityGroupInput{
			VpcId: new(b.Record(stack.KeyVPC).ID), GroupName: new("theirs"), Description: new("theirs"),
		})
		if err != nil {
			t.Fatal(err)
		}
		settled()
		_, err = client(b).AuthorizeSecurityGroupIngress(b.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId:       foreign.GroupId,
			IpPermissions: []ec2types.IpPermission{{IpProtocol: new("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &id}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = b.Drivers[stack.KindSecurityGroup].Delete(b.Context(), b.Target(stack.KeyHostGroup, nil))
		if !api.IsDependency(err) || time.Since(start) < 15*time.Minute {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if err == nil || !strings.Contains(err.Error(), "security group "+*foreign.GroupId+" (theirs)") {
			t.Errorf("does not name the group: %v", err)
		}
	})
}

// mount makes a mount target in a subnet, and so a network interface that holds it.
func mount(b *apitest.Bench, subnet stack.Key) (client *efs.Client, id string) {
	b.Helper()
	client = efs.NewFromConfig(b.Config)
	fs, err := client.CreateFileSystem(b.Context(), &efs.CreateFileSystemInput{CreationToken: new("t")})
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(20 * time.Second)
	m, err := client.CreateMountTarget(b.Context(), &efs.CreateMountTargetInput{FileSystemId: fs.FileSystemId, SubnetId: new(b.Record(subnet).ID)})
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(2 * time.Minute)
	return client, *m.MountTargetId
}

func TestDeletingASubnetWaitsForItsInterfaces(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRoutable(b)
		files, target := mount(b, keyPublicA)
		if _, err := files.DeleteMountTarget(b.Context(), &efs.DeleteMountTargetInput{MountTargetId: &target}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		b.Delete(keyPublicA)
		if took := time.Since(start); took < 20*time.Second || took > time.Minute {
			t.Errorf("took %s", took)
		}
		if want := "waiting for what still uses " + b.Record(keyPublicA).ID + " to go"; !slices.Contains(b.Told(), want) {
			t.Errorf("told %q", b.Told())
		}
	})
}

func TestWhatStandsInTheWayOfADeleteIsNamed(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRoutable(b)
		_, target := mount(b, keyPublicA)
		for key, blocker := range map[stack.Key]string{
			keyPublicA:   "Mount target " + target,
			stack.KeyVPC: "Mount target " + target,
		} {
			err := b.Drivers[b.Record(key).Kind].Delete(b.Context(), b.Target(key, nil))
			message, _ := api.Explain(err)
			if !strings.Contains(message, "gave up waiting for what still uses "+b.Record(key).ID) ||
				!strings.Contains(message, "still there: network interface eni-") || !strings.Contains(message, blocker) || !strings.Contains(message, "amazon-e") {
				t.Errorf("%s: %s", key, message)
			}
		}
	})
}

func TestWhatIsTooNewToBeKnownIsDeletedAllTheSame(t *testing.T) {
	unknown := sandbox.Fault{Service: "EC2", Operation: "DeleteVpc", Effect: sandbox.EffectError, Code: "InvalidVpcID.NotFound", HTTPStatus: 400, Count: 2}
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		b.Fault(unknown)
		b.Delete(stack.KeyVPC)
		if left := b.Account.Inventory()["vpc"]; len(left) != 0 {
			t.Errorf("left: %q", left)
		}
	})
}

func TestADeleteThatIsBrokenOffIsNoSuccess(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "DeleteVpc", Effect: sandbox.EffectError, Code: "InvalidVpcID.NotFound", HTTPStatus: 400})
		ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
		defer cancel()
		if err := b.Drivers[stack.KindVPC].Delete(ctx, b.Target(stack.KeyVPC, nil)); err == nil {
			t.Error("the VPC is there, yet its delete succeeded")
		}
	})
}

func TestADeploymentThatIsToldToStopDoesNotWaitForWhatANewResourceNeeds(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "CreateSubnet", Effect: sandbox.EffectError, Code: "InvalidVpcID.NotFound", HTTPStatus: 400})
		b.Intend(keyPublicA, stack.KindSubnet)
		target := b.Target(keyPublicA, publicA)
		start := time.Now()
		target.Stopping = func() bool { return time.Since(start) > 3*time.Second }
		_, err := b.Drivers[stack.KindSubnet].Create(b.Context(), target)
		if !errors.Is(err, engine.ErrInterrupted) || time.Since(start) > 10*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestAFullAccountIsToldAtOnce(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "CreateVpc", Effect: sandbox.EffectError, Code: "VpcLimitExceeded", HTTPStatus: 400})
		b.Intend(stack.KeyVPC, stack.KindVPC)
		_, err := b.Drivers[stack.KindVPC].Create(b.Context(), b.Target(stack.KeyVPC, vpc))
		if _, unsure := errors.AsType[engine.Unsure](err); unsure || api.Classify(err) != api.KindQuota {
			t.Errorf("got %v", err)
		}
	})
}

func TestAFreshNetworkTakesFewCalls(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeVPC(b)
		settled()
		b.Settle(stack.KeyVPC, vpc)
		b.Create(stack.KeyGateway, gateway)
		settled()
		b.Settle(stack.KeyGateway, gateway)
		b.Create(keyPublicA, publicA)
		settled()
		b.Settle(keyPublicA, publicA)
		one := routes
		one.Subnets = []stack.Key{keyPublicA}
		b.Create(stack.KeyRoutes, one)
		settled()
		b.Settle(stack.KeyRoutes, one)
		b.Create(stack.KeyHostGroup, host)
		settled()
		b.Settle(stack.KeyHostGroup, host)
		calls := b.Calls()
		slices.Sort(calls) // route and association are made at once
		calls = slices.Compact(calls)
		want := []string{
			"AssociateRouteTable", "AttachInternetGateway", "AuthorizeSecurityGroupIngress",
			"CreateInternetGateway", "CreateRoute", "CreateRouteTable", "CreateSecurityGroup", "CreateSubnet", "CreateVpc",
			"DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs",
			"ModifySubnetAttribute", "ModifyVpcAttribute",
		}
		if d := cmp.Diff(want, calls); d != "" {
			t.Error(d)
		}
	})
}
