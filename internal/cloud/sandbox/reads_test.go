package sandbox_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

func TestKeyPairs(t *testing.T) {
	inBubble(t, func(w *world) {
		in := &ec2.ImportKeyPairInput{KeyName: new("mine"), PublicKeyMaterial: []byte("ssh-ed25519 AAAA me")}
		w.refused("InvalidKey.Format")(w.ec2.ImportKeyPair(w.ctx, &ec2.ImportKeyPairInput{KeyName: new("x"), PublicKeyMaterial: []byte("x")}))
		w.ok(w.ec2.ImportKeyPair(w.ctx, in))
		w.refused("InvalidKeyPair.Duplicate")(w.ec2.ImportKeyPair(w.ctx, in))
		w.refused("InvalidKeyPair.Duplicate")(w.ec2.CreateKeyPair(w.ctx, &ec2.CreateKeyPairInput{KeyName: new("mine")}))
		w.settle()
		found := must(w.ec2.DescribeKeyPairs(w.ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{"mine"}}))(w).KeyPairs
		if len(found) != 1 {
			w.Errorf("found %+v", found)
		}
		w.ok(w.ec2.DeleteKeyPair(w.ctx, &ec2.DeleteKeyPairInput{KeyName: new("mine")}))
		w.ok(w.ec2.DeleteKeyPair(w.ctx, &ec2.DeleteKeyPairInput{KeyName: new("mine")}))
		w.refused("InvalidKeyPair.NotFound")(w.ec2.DescribeKeyPairs(w.ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{"mine"}}))
	})
}

func TestWhatTheSandboxNeverHas(t *testing.T) {
	inBubble(t, func(w *world) {
		addresses := must(w.ec2.DescribeAddresses(w.ctx, &ec2.DescribeAddressesInput{}))(w).Addresses
		if len(addresses) != 0 {
			w.Errorf("%v", addresses)
		}
		w.refused("NatGatewayNotFound")(w.ec2.DescribeNatGateways(w.ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-1"}}))
	})
}

func TestRegionsAndZones(t *testing.T) {
	inBubble(t, func(w *world) {
		regions := must(w.ec2.DescribeRegions(w.ctx, &ec2.DescribeRegionsInput{}))(w).Regions
		if len(regions) < 6 {
			w.Errorf("%d regions", len(regions))
		}
		ids := map[string]bool{}
		for _, zone := range must(w.ec2.DescribeAvailabilityZones(w.ctx, &ec2.DescribeAvailabilityZonesInput{}))(w).AvailabilityZones {
			ids[*zone.ZoneId] = true
			if *zone.ZoneName == home+"a" && *zone.ZoneId == "use1-az1" {
				w.Error("zone names are aliases: the first letter need not be the first id")
			}
		}
		if len(ids) != 6 {
			w.Errorf("zone ids %v", ids)
		}
		w.refused("InvalidParameterValue")(w.ec2.DescribeAvailabilityZones(w.ctx, &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{"x"}}))
	})
}

func TestInstanceTypes(t *testing.T) {
	inBubble(t, func(w *world) {
		gpu := must(w.ec2.DescribeInstanceTypes(w.ctx, &ec2.DescribeInstanceTypesInput{
			InstanceTypes: []ec2types.InstanceType{"g5.xlarge"},
		}))(w).InstanceTypes[0]
		if *gpu.GpuInfo.Gpus[0].Count != 1 || *gpu.VCpuInfo.DefaultVCpus != 4 || *gpu.MemoryInfo.SizeInMiB != 16384 {
			w.Errorf("g5.xlarge: %+v", gpu)
		}
		w.refused("InvalidInstanceType")(w.ec2.DescribeInstanceTypes(w.ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"t9.huge"}}))
		w.refused("InvalidParameterCombination")(w.ec2.DescribeInstanceTypes(w.ctx, &ec2.DescribeInstanceTypesInput{
			InstanceTypes: []ec2types.InstanceType{"t3.nano"}, MaxResults: new(int32(5)),
		}))
		w.refused("InvalidParameterValue")(w.ec2.DescribeInstanceTypes(w.ctx, &ec2.DescribeInstanceTypesInput{MaxResults: new(int32(101))}))
	})
}

func TestPages(t *testing.T) {
	inBubble(t, func(w *world) {
		w.refused("InvalidParameterValue")(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{MaxResults: new(int32(4))}))
		first := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{MaxResults: new(int32(5))}))(w)
		rest := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{MaxResults: new(int32(5)), NextToken: first.NextToken}))(w)
		if len(first.Subnets) != 5 || len(rest.Subnets) != 1 || rest.NextToken != nil || *first.Subnets[4].SubnetId == *rest.Subnets[0].SubnetId {
			w.Errorf("%d then %d subnets", len(first.Subnets), len(rest.Subnets))
		}
		w.refused("InvalidNextToken")(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{NextToken: new("!")}))
	})
}

func TestRolePolicies(t *testing.T) {
	inBubble(t, func(w *world) {
		w.profile("host")
		document := `{"Statement":[{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}]}`
		w.ok(w.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: new("host"), PolicyName: new("read"), PolicyDocument: &document}))
		inline := must(w.iam.ListRolePolicies(w.ctx, &iam.ListRolePoliciesInput{RoleName: new("host")}))(w).PolicyNames
		attached := must(w.iam.ListAttachedRolePolicies(w.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: new("host")}))(w).AttachedPolicies
		if diff := cmp.Diff([]string{"read"}, inline); diff != "" || len(attached) != 1 || *attached[0].PolicyName != "AmazonSSMManagedInstanceCore" {
			w.Errorf("inline %v, attached %+v", inline, attached)
		}
		w.ok(w.iam.GetRolePolicy(w.ctx, &iam.GetRolePolicyInput{RoleName: new("host"), PolicyName: new("read")}))
		w.refused("NoSuchEntity")(w.iam.GetRolePolicy(w.ctx, &iam.GetRolePolicyInput{RoleName: new("host"), PolicyName: new("write")}))
		profiles := must(w.iam.ListInstanceProfiles(w.ctx, &iam.ListInstanceProfilesInput{}))(w).InstanceProfiles
		tags := must(w.iam.ListInstanceProfileTags(w.ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: new("host")}))(w).Tags
		one := must(w.iam.GetInstanceProfile(w.ctx, &iam.GetInstanceProfileInput{InstanceProfileName: new("host")}))(w).InstanceProfile
		if len(profiles) != 1 || len(tags) != 0 || *one.Roles[0].RoleName != "host" {
			w.Errorf("profiles %+v, tags %v, one %+v", profiles, tags, one)
		}
	})
}

func TestTagsOfOtherServices(t *testing.T) {
	inBubble(t, func(w *world) {
		fs := must(w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{
			CreationToken: new("one"), Tags: []efstypes.Tag{{Key: new("Name"), Value: new("files")}},
		}))(w)
		w.settle()
		w.ok(w.efs.TagResource(w.ctx, &efs.TagResourceInput{ResourceId: fs.FileSystemId, Tags: []efstypes.Tag{{Key: new("a"), Value: new("b")}}}))
		tags := must(w.efs.ListTagsForResource(w.ctx, &efs.ListTagsForResourceInput{ResourceId: fs.FileSystemArn}))(w).Tags
		if len(tags) != 2 || *fs.Name != "files" {
			w.Errorf("tags %+v, name %s", tags, *fs.Name)
		}
		w.ok(w.ssm.PutParameter(w.ctx, &ssm.PutParameterInput{Name: new("/a"), Value: new("x"), Type: ssmtypes.ParameterTypeString}))
		w.ok(w.ssm.AddTagsToResource(w.ctx, &ssm.AddTagsToResourceInput{
			ResourceId: new("/a"), ResourceType: ssmtypes.ResourceTypeForTaggingParameter, Tags: []ssmtypes.Tag{{Key: new("a"), Value: new("b")}},
		}))
		w.refused("InvalidResourceId")(w.ssm.ListTagsForResource(w.ctx, &ssm.ListTagsForResourceInput{
			ResourceId: new("/b"), ResourceType: ssmtypes.ResourceTypeForTaggingParameter,
		}))
		found := must(w.ssm.GetParameters(w.ctx, &ssm.GetParametersInput{Names: []string{"/a", "/b"}}))(w)
		if len(found.Parameters) != 1 || len(found.InvalidParameters) != 1 {
			w.Errorf("found %+v", found)
		}
	})
}

func TestInstanceAttributes(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		in.UserData, in.DisableApiTermination = encode("hello"), new(true)
		id := w.run(in)
		w.settle()
		read := func(name ec2types.InstanceAttributeName) *ec2.DescribeInstanceAttributeOutput {
			return must(w.ec2.DescribeInstanceAttribute(w.ctx, &ec2.DescribeInstanceAttributeInput{InstanceId: &id, Attribute: name}))(w)
		}
		if data := read(ec2types.InstanceAttributeNameUserData).UserData.Value; *data != *in.UserData {
			w.Errorf("user data %s", *data)
		}
		if !*read(ec2types.InstanceAttributeNameDisableApiTermination).DisableApiTermination.Value {
			w.Error("not protected")
		}
		if name := *read(ec2types.InstanceAttributeNameRootDeviceName).RootDeviceName.Value; name != "/dev/sda1" {
			w.Errorf("root device %s", name)
		}
	})
}

func TestTagsOfOneResourceAreItsOwn(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		in.MinCount, in.MaxCount = new(int32(2)), new(int32(2))
		in.TagSpecifications = []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: new("stack"), Value: new("one")}},
		}}
		made := must(w.ec2.RunInstances(w.ctx, in))(w).Instances
		w.settle()
		w.ok(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{
			Resources: []string{*made[0].InstanceId}, Tags: []ec2types.Tag{{Key: new("stack"), Value: new("two")}},
		}))
		if tags := w.instance(*made[1].InstanceId).Tags; *tags[0].Value != "one" {
			w.Errorf("the other instance has %s", *tags[0].Value)
		}
	})
}

func TestQuotasAreListed(t *testing.T) {
	inBubble(t, func(w *world) {
		list := must(w.quotas.ListServiceQuotas(w.ctx, &servicequotas.ListServiceQuotasInput{ServiceCode: new("vpc")}))(w).Quotas
		if len(list) != 5 {
			w.Errorf("%d quotas of VPC", len(list))
		}
	})
}

func TestARecordFadesAnHourAfterTermination(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		id := w.run(w.launch(n))
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		time.Sleep(50 * time.Minute)
		if seen := w.instance(id); seen.SubnetId != nil || len(seen.BlockDeviceMappings) != 0 {
			w.Errorf("a terminated instance still shows %v", seen.SubnetId)
		}
		time.Sleep(15 * time.Minute)
		w.refused("InvalidInstanceID.NotFound")(w.ec2.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))
	})
}
