package storage_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/cloud/storage"
	"geusemaker/internal/stack"
)

const (
	keyPrivateA = stack.Key("network/private-a")
	keyMountA   = stack.Key("storage/mount-a")
)

var (
	files  = stack.FileSystem{Name: "geusemaker-demo-files", Backup: true}
	mountA = stack.MountTarget{FileSystem: stack.KeyFiles, Subnet: keyPrivateA, Group: stack.KeyFilesGroup}
	data   = stack.Volume{Name: "geusemaker-demo-data", GiB: 20, Throughput: 250, Device: "/dev/sdf", Instance: stack.KeyInstance}
)

func machines(b *apitest.Bench) *ec2.Client { return ec2.NewFromConfig(b.Config) }
func fileAPI(b *apitest.Bench) *efs.Client  { return efs.NewFromConfig(b.Config) }

func use(b *apitest.Bench) { b.Use(storage.Drivers(fileAPI(b), machines(b), b.Account.Clock())) }

// inBubble runs a test with a new bench, where waiting costs nothing.
func inBubble(t *testing.T, test func(b *apitest.Bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := apitest.New(t, 1)
		use(b)
		test(b)
	})
}

// settled waits until reads know all that is new.
func settled() { time.Sleep(10 * time.Second) }

// makeNetwork makes a VPC with a subnet and a group, tagged as the network's drivers do.
func makeNetwork(b *apitest.Bench) {
	b.Helper()
	c := machines(b)
	v, err := c.CreateVpc(b.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.20.0.0/16")})
	if err != nil {
		b.Fatal(err)
	}
	settled()
	n, err := c.CreateSubnet(b.Context(), &ec2.CreateSubnetInput{
		VpcId: v.Vpc.VpcId, CidrBlock: new("10.20.128.0/19"), AvailabilityZone: new("us-east-1a"),
		TagSpecifications: api.TagSpecification(ec2types.ResourceTypeSubnet, b.Target(keyPrivateA, nil).Tags),
	})
	if err != nil {
		b.Fatal(err)
	}
	g, err := c.CreateSecurityGroup(b.Context(), &ec2.CreateSecurityGroupInput{
		VpcId: v.Vpc.VpcId, GroupName: new("files"), Description: new("files"),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Put(stack.Record{Key: keyPrivateA, Kind: stack.KindSubnet, ID: *n.Subnet.SubnetId})
	b.Put(stack.Record{Key: stack.KeyFilesGroup, Kind: stack.KindSecurityGroup, ID: *g.GroupId})
}

func makeMountable(b *apitest.Bench) {
	b.Helper()
	makeNetwork(b)
	b.Make(stack.KeyFiles, files)
}

// makeMachine makes a network and launches a machine, whose root volume carries the deployment's tags, and does not wait
// for it.
func makeMachine(b *apitest.Bench) {
	b.Helper()
	makeNetwork(b)
	settled()
	launch(b)
}

// launch launches a machine and records it as the deployment's.
func launch(b *apitest.Bench) {
	b.Helper()
	image, err := ssm.NewFromConfig(b.Config).GetParameter(b.Context(), &ssm.GetParameterInput{
		Name: new("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"),
	})
	if err != nil {
		b.Fatal(err)
	}
	tags := b.Target(stack.KeyInstance, nil).Tags
	out, err := machines(b).RunInstances(b.Context(), &ec2.RunInstancesInput{
		ImageId: image.Parameter.Value, InstanceType: "t3.medium", MinCount: new(int32(1)), MaxCount: new(int32(1)),
		SubnetId: new(b.Record(keyPrivateA).ID),
		TagSpecifications: []ec2types.TagSpecification{
			{ResourceType: ec2types.ResourceTypeInstance, Tags: api.EC2Tags(tags)},
			{ResourceType: ec2types.ResourceTypeVolume, Tags: api.EC2Tags(tags)},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Put(stack.Record{
		Key: stack.KeyInstance, Kind: stack.KindInstance, ID: *out.Instances[0].InstanceId,
		Attrs: map[string]string{stack.AttrZone: "us-east-1a"},
	})
}

func makeRunning(b *apitest.Bench) {
	b.Helper()
	makeMachine(b)
	time.Sleep(time.Minute)
}

func TestConformance(t *testing.T) {
	apitest.Conform(t, use, []apitest.Case{
		{Key: stack.KeyFiles, Spec: files},
		{Key: keyMountA, Spec: mountA, Prepare: makeMountable},
		{Key: stack.KeyData, Spec: data, Prepare: makeRunning},
	})
}

func TestDeletingSurvivesLostReplies(t *testing.T) {
	for _, operation := range []string{"EC2.DetachVolume", "EC2.DeleteVolume", "EFS.DeleteMountTarget", "EFS.DeleteFileSystem"} {
		t.Run(operation, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				makeRunning(b)
				b.Make(stack.KeyFiles, files)
				b.Make(keyMountA, mountA)
				b.Make(stack.KeyData, data)
				service, name, _ := strings.Cut(operation, ".")
				b.Fault(sandbox.Fault{Service: service, Operation: name, Effect: sandbox.EffectLoseReply, Count: 1})
				for _, key := range []stack.Key{stack.KeyData, keyMountA, stack.KeyFiles} {
					b.Delete(key)
				}
				left := b.Account.Inventory()
				if len(left["volume"]) != 1 || len(left["mount-target"])+len(left["file-system"]) != 0 { // the machine's root volume
					t.Errorf("left: %v", left)
				}
			})
		})
	}
}
