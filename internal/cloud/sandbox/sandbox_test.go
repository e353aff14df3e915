package sandbox_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/sandbox"
)

const home = "us-east-1"

// world is an account with real SDK clients, inside a synctest bubble.
type world struct {
	*testing.T
	ctx     context.Context
	account *sandbox.Account
	ec2     *ec2.Client
	efs     *efs.Client
	iam     *iam.Client
	ssm     *ssm.Client
	sts     *sts.Client
	pricing *pricing.Client
	quotas  *servicequotas.Client
}

func open(t *testing.T, o sandbox.Options) *world {
	t.Helper()
	o.Speed = cmp.Or(o.Speed, 1)
	account, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	config := account.Config(home)
	return &world{
		T: t, ctx: t.Context(), account: account, ec2: ec2.NewFromConfig(config), efs: efs.NewFromConfig(config),
		iam: iam.NewFromConfig(config), ssm: ssm.NewFromConfig(config), sts: sts.NewFromConfig(config),
		pricing: pricing.NewFromConfig(config), quotas: servicequotas.NewFromConfig(config),
	}
}

// inBubble runs a test on a new account, where waiting costs nothing.
func inBubble(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(open(t, sandbox.Options{})) })
}

// must returns the value of a call that has to succeed.
func must[T any](value T, err error) func(w *world) T {
	return func(w *world) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return value
	}
}

// ok fails the test on an error.
func (w *world) ok(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused fails the test unless the error has this code.
func (w *world) refused(code string) func(any, error) {
	return func(_ any, err error) {
		w.Helper()
		if got := codeOf(err); got != code {
			w.Fatalf("error code %q, want %q (%v)", got, code, err)
		}
	}
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// settle waits until every new id is known everywhere.
func (w *world) settle() { time.Sleep(6 * time.Second) }

// network is a small public network, ready for use.
type network struct{ vpc, subnetA, subnetB, gateway, table, association, group string }

func (w *world) vpc(cidr string) string {
	w.Helper()
	return *must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: &cidr}))(w).Vpc.VpcId
}

func (w *world) subnet(vpc, cidr, zone string) string {
	w.Helper()
	return *must(w.ec2.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: &zone}))(w).Subnet.SubnetId
}

func (w *world) group(vpc, name string) string {
	w.Helper()
	return *must(w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: &name, Description: new("test"),
	}))(w).GroupId
}

func (w *world) network() network {
	w.Helper()
	n := network{vpc: w.vpc("10.0.0.0/16")}
	w.settle()
	n.subnetA, n.subnetB = w.subnet(n.vpc, "10.0.0.0/24", home+"a"), w.subnet(n.vpc, "10.0.1.0/24", home+"b")
	n.group = w.group(n.vpc, "host")
	n.gateway = *must(w.ec2.CreateInternetGateway(w.ctx, &ec2.CreateInternetGatewayInput{}))(w).InternetGateway.InternetGatewayId
	n.table = *must(w.ec2.CreateRouteTable(w.ctx, &ec2.CreateRouteTableInput{VpcId: &n.vpc}))(w).RouteTable.RouteTableId
	w.settle()
	w.ok(w.ec2.AttachInternetGateway(w.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
	w.ok(w.ec2.CreateRoute(w.ctx, &ec2.CreateRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: &n.gateway,
	}))
	n.association = *must(w.ec2.AssociateRouteTable(w.ctx, &ec2.AssociateRouteTableInput{
		RouteTableId: &n.table, SubnetId: &n.subnetA,
	}))(w).AssociationId
	return n
}

func (w *world) parameter(name string) string {
	w.Helper()
	return *must(w.ssm.GetParameter(w.ctx, &ssm.GetParameterInput{Name: &name}))(w).Parameter.Value
}

const ubuntu = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"

// launch is a request for one small machine in a subnet.
func (w *world) launch(n network) *ec2.RunInstancesInput {
	w.Helper()
	return &ec2.RunInstancesInput{
		ImageId: new(w.parameter(ubuntu)), InstanceType: "t3.medium", MinCount: new(int32(1)), MaxCount: new(int32(1)),
		NetworkInterfaces: []ec2types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: new(int32(0)), SubnetId: &n.subnetA, Groups: []string{n.group}, AssociatePublicIpAddress: new(true),
		}},
	}
}

func (w *world) run(in *ec2.RunInstancesInput) string {
	w.Helper()
	return *must(w.ec2.RunInstances(w.ctx, in))(w).Instances[0].InstanceId
}

// instance describes one instance.
func (w *world) instance(id string) ec2types.Instance {
	w.Helper()
	return must(w.ec2.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))(w).Reservations[0].Instances[0]
}

// profile makes a role for Systems Manager with its instance profile, and waits until EC2 knows it.
func (w *world) profile(name string) {
	w.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	w.ok(w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
	w.ok(w.iam.CreateInstanceProfile(w.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name}))
	w.settle()
	w.ok(w.iam.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{
		RoleName: &name, PolicyArn: new("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
	}))
	w.ok(w.iam.AddRoleToInstanceProfile(w.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}))
	time.Sleep(12 * time.Second)
}

func encode(text string) *string { return new(base64.StdEncoding.EncodeToString([]byte(text))) }

func names(pointers []string) []string { slices.Sort(pointers); return pointers }
