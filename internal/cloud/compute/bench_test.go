package compute_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/stack"
)

const (
	publicA = stack.Key("network/public-a")
	publicB = stack.Key("network/public-b")
	zoneA   = "us-east-1a"
	zoneB   = "us-east-1b"
)

// recorder remembers the launches that are asked for.
type recorder struct {
	*ec2.Client
	mu       sync.Mutex
	launches []*ec2.RunInstancesInput
}

func (r *recorder) RunInstances(ctx context.Context, in *ec2.RunInstancesInput, options ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error) {
	r.mu.Lock()
	r.launches = append(r.launches, in)
	r.mu.Unlock()
	return r.Client.RunInstances(ctx, in, options...)
}

// pools are the pools that were asked, in order, without repetitions of the same.
func (r *recorder) pools() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, in := range r.launches {
		market := "on-demand"
		if in.InstanceMarketOptions != nil {
			market = string(in.InstanceMarketOptions.MarketType)
		}
		if p := fmt.Sprintf("%s %s %s", in.InstanceType, *in.NetworkInterfaces[0].SubnetId, market); len(all) == 0 || all[len(all)-1] != p {
			all = append(all, p)
		}
	}
	return all
}

// render is user data that the pretend account takes for ours.
func render(m stack.Machine) ([]byte, error) {
	return fmt.Appendf(nil, "#cloud-config\n# geusemaker %s %d %s %s\n", m.StackID, m.MemoryMiB, m.FileSystemID, m.Version), nil
}

// bench is an account with all that a machine needs.
type bench struct {
	*apitest.Bench
	*recorder
	spec stack.Instance
}

func use(b *apitest.Bench) {
	b.Use(compute.Drivers(ec2.NewFromConfig(b.Config), b.Account.Clock(), render))
}

// inBubble runs a test where waiting costs nothing, in an account with a network and a profile that EC2 knows.
func inBubble(t *testing.T, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{Bench: apitest.New(t, 1)}
		b.recorder = &recorder{Client: ec2.NewFromConfig(b.Config)}
		b.Use(compute.Drivers(b.recorder, b.Account.Clock(), render))
		prepare(b.Bench)
		b.spec = machine(b.Bench)
		test(b)
	})
}

// prepare makes what a machine needs.
func prepare(b *apitest.Bench) {
	b.Helper()
	network(b)
	profile(b)
	time.Sleep(time.Minute) // everybody knows everything
	b.Calls()
}

// must is for calls that prepare a test.
func must[T any](out T, err error) T {
	if err != nil {
		panic(err)
	}
	return out
}

// network makes a VPC with two public subnets and a group.
func network(b *apitest.Bench) {
	b.Helper()
	c, ctx := ec2.NewFromConfig(b.Config), b.Context()
	vpc := must(c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: new("10.20.0.0/16")})).Vpc.VpcId
	gateway := must(c.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})).InternetGateway.InternetGatewayId
	time.Sleep(10 * time.Second)
	must(c.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{VpcId: vpc, InternetGatewayId: gateway}))
	table := must(c.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})).RouteTable.RouteTableId
	group := must(c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{VpcId: vpc, GroupName: new("host"), Description: new("host")})).GroupId
	time.Sleep(10 * time.Second)
	must(c.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway}))
	for i, zone := range []string{zoneA, zoneB} {
		subnet := must(c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: new(fmt.Sprintf("10.20.%d.0/28", i)), AvailabilityZone: new(zone)})).Subnet.SubnetId
		time.Sleep(10 * time.Second)
		must(c.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: table, SubnetId: subnet}))
		b.Put(stack.Record{Key: []stack.Key{publicA, publicB}[i], Kind: stack.KindSubnet, ID: *subnet, Attrs: map[string]string{stack.AttrZone: zone}})
	}
	b.Put(stack.Record{Key: stack.KeyVPC, Kind: stack.KindVPC, ID: *vpc})
	b.Put(stack.Record{Key: stack.KeyHostGroup, Kind: stack.KindSecurityGroup, ID: *group})
	b.Put(stack.Record{Key: stack.KeyFiles, Kind: stack.KindFileSystem, ID: "fs-0123456789abcdef0"})
}

// profile makes an instance profile whose role may be managed.
func profile(b *apitest.Bench) {
	b.Helper()
	c, ctx, name := iam.NewFromConfig(b.Config), b.Context(), new("host")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	must(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: &trust}))
	must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name}))
	time.Sleep(10 * time.Second)
	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: new("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")}))
	must(c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: name}))
	b.Put(stack.Record{Key: stack.KeyProfile, Kind: stack.KindProfile, ID: *name})
}

// machine is the spec of a machine with offers of two types in two zones on two markets, spot first.
func machine(b *apitest.Bench) stack.Instance {
	b.Helper()
	c := ssm.NewFromConfig(b.Config)
	image := must(c.GetParameter(b.Context(), &ssm.GetParameterInput{
		Name: new("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"),
	}))
	s := stack.Instance{
		Name: "geusemaker-demo", Image: stack.Image{ID: *image.Parameter.Value, RootDevice: "/dev/sda1"},
		RootGiB: 40, Throughput: 250, PublicIP: true, Machine: stack.Machine{StackID: b.Identity.ID},
		VPC: stack.KeyVPC, Subnets: []stack.Key{publicA, publicB}, Groups: []stack.Key{stack.KeyHostGroup},
		Profile: stack.KeyProfile, FileSystem: stack.KeyFiles, Data: stack.KeyData,
	}
	for _, market := range []string{"spot", "on-demand"} {
		for _, name := range []string{"m7i.large", "m6i.large"} {
			for _, zone := range []string{zoneA, zoneB} {
				s.Offers = append(s.Offers, stack.Offer{Type: name, Zone: zone, Market: market, VCPUs: 2, MemoryMiB: 8192, Hourly: 1})
			}
		}
	}
	return s
}

// living are the machines that the account holds, whoever made them.
func (b *bench) living() []ec2types.Instance {
	b.Helper()
	time.Sleep(10 * time.Second)
	out := must(b.DescribeInstances(b.Context(), &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: new("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}}},
	}))
	var all []ec2types.Instance
	for _, r := range out.Reservations {
		all = append(all, r.Instances...)
	}
	return all
}

// launch lets the driver create the machine once.
func (b *bench) launch() (string, error) {
	b.Helper()
	b.Intend(stack.KeyInstance, stack.KindInstance)
	found, err := b.Drivers[stack.KindInstance].Create(b.Context(), b.Target(stack.KeyInstance, b.spec))
	if err == nil {
		b.Learn(stack.KeyInstance, found)
	}
	return fmt.Sprintf("%s %s %s", found.Attrs[stack.AttrType], found.Attrs[stack.AttrZone], found.Attrs[stack.AttrMarket]), err
}

func tagsOf(i ec2types.Instance) map[string]string { return api.FromEC2(i.Tags) }

// ignoreDocument passes over the marker without content that every type of the SDK carries.
var ignoreDocument = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())
