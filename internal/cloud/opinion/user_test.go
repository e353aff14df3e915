package opinion

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"geusemaker/internal/cloud/sandbox"
)

const region = "us-east-1"

// user is somebody with an account of their own, and the means to try something.
type user struct {
	*testing.T
	ctx    context.Context
	ec2    *ec2.Client
	efs    *efs.Client
	iam    *iam.Client
	ssm    *ssm.Client
	settle func() // waits until everything made so far is known everywhere and usable
}

func newUser(t *testing.T, config aws.Config, settle func()) *user {
	return &user{
		T: t, ctx: t.Context(), settle: settle, ec2: ec2.NewFromConfig(config), efs: efs.NewFromConfig(config),
		iam: iam.NewFromConfig(config), ssm: ssm.NewFromConfig(config),
	}
}

// sandboxUser has a new pretend account, in whose bubble waiting costs nothing.
func sandboxUser(t *testing.T) *user {
	account, err := sandbox.Open(sandbox.Options{Speed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	return newUser(t, account.Config(region), func() { time.Sleep(90 * time.Second) }) // the longest are mount targets
}

// motoUser has a new account of a moto server, which keeps accounts apart by a header and makes everything at once.
func motoUser(t *testing.T, url string) *user {
	number := fmt.Sprintf("9%011d", rand.Int64N(1e11))
	return newUser(t, aws.Config{
		Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		APIOptions: []func(*middleware.Stack) error{
			smithyhttp.AddHeaderValue("x-moto-account-id", number), smithyhttp.AddHeaderValue("Connection", "close"),
		},
	}, func() {})
}

// must returns the value of a call without which there is nothing to see.
func must[T any](value T, err error) func(*user) T {
	return func(u *user) T {
		u.Helper()
		if err != nil {
			u.Fatal(err)
		}
		return value
	}
}

// done waits after a call that has to succeed.
func (u *user) done(_ any, err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
	u.settle()
}

func (u *user) vpc(cidr string) string {
	u.Helper()
	made := must(u.ec2.CreateVpc(u.ctx, &ec2.CreateVpcInput{CidrBlock: &cidr}))(u)
	u.settle()
	return *made.Vpc.VpcId
}

func (u *user) subnet(vpc, cidr, zone string) string {
	u.Helper()
	made := must(u.ec2.CreateSubnet(u.ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: &zone}))(u)
	u.settle()
	return *made.Subnet.SubnetId
}

func (u *user) group(vpc, name string) string {
	u.Helper()
	made := must(u.ec2.CreateSecurityGroup(u.ctx, &ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: new("judged")}))(u)
	u.settle()
	return *made.GroupId
}

// gateway makes an internet gateway and attaches it, unless to nothing.
func (u *user) gateway(vpc string) string {
	u.Helper()
	id := *must(u.ec2.CreateInternetGateway(u.ctx, &ec2.CreateInternetGatewayInput{}))(u).InternetGateway.InternetGatewayId
	u.settle()
	if vpc != "" {
		u.done(u.ec2.AttachInternetGateway(u.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc}))
	}
	return id
}

func (u *user) table(vpc string) string {
	u.Helper()
	made := must(u.ec2.CreateRouteTable(u.ctx, &ec2.CreateRouteTableInput{VpcId: &vpc}))(u)
	u.settle()
	return *made.RouteTable.RouteTableId
}

// network is what a machine needs.
type network struct{ vpc, subnet, group string }

func (u *user) network() network {
	u.Helper()
	vpc := u.vpc("10.0.0.0/16")
	return network{vpc, u.subnet(vpc, "10.0.0.0/24", region+"a"), u.group(vpc, "host")}
}

// image is one for x86_64 that the account knows.
func (u *user) image() string {
	u.Helper()
	return *must(u.ec2.DescribeImages(u.ctx, &ec2.DescribeImagesInput{
		Owners: []string{"amazon"}, Filters: []ec2types.Filter{filter("name", "al2023-ami-2023.*-kernel-6.18-x86_64")},
	}))(u).Images[0].ImageId
}

// launch is a request for one small machine.
func (u *user) launch(n network) *ec2.RunInstancesInput {
	u.Helper()
	return &ec2.RunInstancesInput{
		ImageId: new(u.image()), InstanceType: "t3.medium", MinCount: new(int32(1)), MaxCount: new(int32(1)),
		SubnetId: &n.subnet, SecurityGroupIds: []string{n.group},
	}
}

func (u *user) run(in *ec2.RunInstancesInput) string {
	u.Helper()
	made := must(u.ec2.RunInstances(u.ctx, in))(u)
	u.settle()
	return *made.Instances[0].InstanceId
}

// launched is the code with which a launch is answered.
func (u *user) launched(change func(*ec2.RunInstancesInput)) string {
	u.Helper()
	in := u.launch(u.network())
	change(in)
	_, err := u.ec2.RunInstances(u.ctx, in)
	return code(err)
}

func (u *user) terminate(id string) error {
	_, err := u.ec2.TerminateInstances(u.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	u.settle()
	return err
}

func (u *user) volume(zone string) string {
	u.Helper()
	made := must(u.ec2.CreateVolume(u.ctx, &ec2.CreateVolumeInput{AvailabilityZone: &zone, Size: new(int32(8)), VolumeType: "gp3"}))(u)
	u.settle()
	return *made.VolumeId
}

func (u *user) fileSystem(token string) string {
	u.Helper()
	made := must(u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{CreationToken: &token}))(u)
	u.settle()
	return *made.FileSystemId
}

func (u *user) mountTarget(fileSystem, subnet string, groups ...string) string {
	u.Helper()
	made := must(u.efs.CreateMountTarget(u.ctx, &efs.CreateMountTargetInput{
		FileSystemId: &fileSystem, SubnetId: &subnet, SecurityGroups: groups,
	}))(u)
	u.settle()
	return *made.MountTargetId
}

const (
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}]}`
	core   = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
)

func (u *user) role(name string) string {
	u.Helper()
	u.done(u.iam.CreateRole(u.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(trust)}))
	return name
}

// profile makes an instance profile with these roles, of which IAM allows one.
func (u *user) profile(name string, roles ...string) string {
	u.Helper()
	u.done(u.iam.CreateInstanceProfile(u.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name}))
	for _, role := range roles {
		u.done(u.iam.AddRoleToInstanceProfile(u.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &role}))
	}
	return name
}

func (u *user) parameter(name, value string) {
	u.Helper()
	u.done(u.ssm.PutParameter(u.ctx, &ssm.PutParameterInput{Name: &name, Value: &value, Type: "String"}))
}

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

func tagsOf(kind ec2types.ResourceType, pairs ...string) []ec2types.TagSpecification {
	return []ec2types.TagSpecification{{ResourceType: kind, Tags: pairsOf(pairs...)}}
}

func pairsOf(pairs ...string) []ec2types.Tag {
	var list []ec2types.Tag
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, ec2types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return list
}
