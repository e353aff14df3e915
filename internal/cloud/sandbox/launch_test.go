package sandbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/sandbox"
)

func TestLaunchRefusals(t *testing.T) {
	cases := []struct {
		name, code, says string
		change           func(w *world, n network, in *ec2.RunInstancesInput)
	}{
		{"unknown image", "InvalidAMIID.NotFound", "", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.ImageId = new("ami-0123456789abcdef0")
		}},
		{"malformed image", "InvalidAMIID.Malformed", "", func(_ *world, _ network, in *ec2.RunInstancesInput) { in.ImageId = new("ubuntu") }},
		{"unknown type", "InvalidParameterValue", "InstanceType", func(_ *world, _ network, in *ec2.RunInstancesInput) { in.InstanceType = "t9.huge" }},
		{"other architecture", "InvalidParameterValue", "arm64", func(_ *world, _ network, in *ec2.RunInstancesInput) { in.InstanceType = "t4g.medium" }},
		{"unknown subnet", "InvalidSubnetID.NotFound", "", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.NetworkInterfaces[0].SubnetId = new("subnet-0123456789abcdef0")
		}},
		{"unknown group", "InvalidGroup.NotFound", "", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.NetworkInterfaces[0].Groups = []string{"sg-0123456789abcdef0"}
		}},
		{"group of another VPC", "InvalidParameter", "belong to different networks", func(w *world, _ network, in *ec2.RunInstancesInput) {
			vpc := w.vpc("10.5.0.0/16")
			w.settle()
			in.NetworkInterfaces[0].Groups = []string{w.group(vpc, "other")}
			w.settle()
		}},
		{"six groups", "SecurityGroupsPerInterfaceLimitExceeded", "", func(_ *world, n network, in *ec2.RunInstancesInput) {
			in.NetworkInterfaces[0].Groups = []string{n.group, n.group, n.group, n.group, n.group, n.group}
		}},
		{"unknown key pair", "InvalidKeyPair.NotFound", "", func(_ *world, _ network, in *ec2.RunInstancesInput) { in.KeyName = new("mine") }},
		{"unknown profile", "InvalidParameterValue", "Invalid IAM Instance Profile name", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new("mine")}
		}},
		{"16,385 bytes of user data", "InvalidParameterValue", "limited to 16384 bytes", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.UserData = encode(strings.Repeat("x", 16385))
		}},
		{"user data that was not encoded", "InvalidParameterValue", "BASE64", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.UserData = new("#!/bin/sh")
		}},
		{"root volume below the snapshot", "InvalidBlockDeviceMapping", "expect size >= 8GB", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = []ec2types.BlockDeviceMapping{{
				DeviceName: new("/dev/sda1"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(int32(4))},
			}}
		}},
		{"maximum price below the market", "SpotMaxPriceTooLow", "", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.InstanceMarketOptions = spotAt("0.002")
		}},
		{"maximum price of nothing", "InvalidParameterValue", "", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.InstanceMarketOptions = spotAt("0.001")
		}},
		{"subnet given twice", "InvalidParameterCombination", "", func(_ *world, n network, in *ec2.RunInstancesInput) { in.SubnetId = &n.subnetA }},
		{"tags for a spot request on demand", "InvalidParameterValue", "spot-instances-request", func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSpotInstancesRequest}}
		}},
		{"no quota on demand", "VcpuLimitExceeded", "vCPU limit of 1", func(w *world, _ network, _ *ec2.RunInstancesInput) {
			w.ok(nil, w.account.SetQuota("L-1216C47A", 1))
		}},
		{"no quota for spot", "MaxSpotInstanceCountExceeded", "", func(w *world, _ network, in *ec2.RunInstancesInput) {
			w.ok(nil, w.account.SetQuota("L-34B43A08", 1))
			in.InstanceMarketOptions = spotAt("")
		}},
		{"no capacity", "InsufficientInstanceCapacity", "t3.medium", func(w *world, _ network, _ *ec2.RunInstancesInput) {
			w.ok(nil, w.account.SetCapacity(sandbox.Pool{Type: "t3.*", Market: "on-demand"}, false))
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				n := w.network()
				in := w.launch(n)
				w.settle()
				test.change(w, n, in)
				_, err := w.ec2.RunInstances(w.ctx, in)
				if codeOf(err) != test.code || !strings.Contains(err.Error(), test.says) {
					w.Errorf("got %v, want %s ...%s", err, test.code, test.says)
				}
				if made := w.account.Inventory()["instance"]; len(made) != 0 {
					w.Errorf("a refused launch made %v", made)
				}
			})
		})
	}
}

func spotAt(price string) *ec2types.InstanceMarketOptionsRequest {
	options := &ec2types.SpotMarketOptions{}
	if price != "" {
		options.MaxPrice = &price
	}
	return &ec2types.InstanceMarketOptionsRequest{MarketType: ec2types.MarketTypeSpot, SpotOptions: options}
}

func TestCapacityIsByPoolAndAServerError(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		in := w.launch(n)
		w.ok(nil, w.account.SetCapacity(sandbox.Pool{}, false))
		w.ok(nil, w.account.SetCapacity(sandbox.Pool{Zone: home + "b", Market: "spot"}, true))
		start := time.Now()
		_, err := w.ec2.RunInstances(w.ctx, in)
		response, ok := errors.AsType[*awshttp.ResponseError](err)
		if !ok || response.HTTPStatusCode() != 500 {
			w.Errorf("got %v", err)
		}
		if took := time.Since(start); took < 3*1300*time.Millisecond {
			w.Errorf("the retryer did not repeat: it took %v", took)
		}
		start = time.Now()
		_, err = w.ec2.RunInstances(w.ctx, in, func(o *ec2.Options) { o.Retryer = aws.NopRetryer{} })
		if took := time.Since(start); codeOf(err) != "InsufficientInstanceCapacity" || took > 2*time.Second {
			w.Errorf("without retries: %v after %v", err, took)
		}
		in.NetworkInterfaces[0].SubnetId, in.InstanceMarketOptions = &n.subnetB, spotAt("")
		w.run(in)
		w.ok(nil, w.account.SetCapacity(sandbox.Pool{}, true))
		w.run(w.launch(n))
	})
}

func TestATypeIsNotSoldEverywhere(t *testing.T) {
	inBubble(t, func(w *world) {
		offered := map[string]bool{}
		for _, o := range must(w.ec2.DescribeInstanceTypeOfferings(w.ctx, &ec2.DescribeInstanceTypeOfferingsInput{
			LocationType: ec2types.LocationTypeAvailabilityZone,
			Filters:      []ec2types.Filter{{Name: new("instance-type"), Values: []string{"g5.xlarge"}}},
		}))(w).InstanceTypeOfferings {
			offered[*o.Location] = true
		}
		if len(offered) == 0 || len(offered) == 6 {
			w.Fatalf("g5.xlarge is sold in %d of 6 zones", len(offered))
		}
		for _, zone := range []string{"a", "b", "c", "d", "e", "f"} {
			in := &ec2.RunInstancesInput{
				ImageId: new(w.parameter(ubuntu)), InstanceType: "g5.xlarge", MinCount: new(int32(1)), MaxCount: new(int32(1)),
				Placement: &ec2types.Placement{AvailabilityZone: new(home + zone)}, DryRun: new(true),
			}
			_, err := w.ec2.RunInstances(w.ctx, in)
			want := "Unsupported"
			if offered[home+zone] {
				want = "DryRunOperation"
			}
			if codeOf(err) != want {
				w.Errorf("zone %s: %v, want %s", zone, err, want)
			}
		}
	})
}

func TestClientTokens(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		in.ClientToken = new("token-1")
		first := w.run(in)
		if again := w.run(in); again != first {
			w.Errorf("the same token launched %s after %s", again, first)
		}
		other := w.launch(n)
		other.ClientToken, other.InstanceType = new("token-1"), "t3.small"
		w.refused("IdempotentParameterMismatch")(w.ec2.RunInstances(w.ctx, other))

		elsewhere := w.launch(n)
		elsewhere.ClientToken, elsewhere.NetworkInterfaces[0].SubnetId = new("token-1"), &n.subnetB
		if second := w.run(elsewhere); second == first {
			w.Error("a token is zonal: another zone launches a second instance")
		}
		w.settle()
		found := must(w.ec2.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{
			Filters: []ec2types.Filter{{Name: new("client-token"), Values: []string{"token-1"}}},
		}))(w)
		if len(found.Reservations) != 2 {
			w.Errorf("%d reservations with the token", len(found.Reservations))
		}
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{first}}))
		w.refused("IdempotentInstanceTerminated")(w.ec2.RunInstances(w.ctx, in))
		time.Sleep(2 * time.Hour)
		if third := w.run(in); third == first {
			w.Error("a token is forgotten with its instance")
		}
	})
}

func TestALostLaunchReplyIsAdopted(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.ok(nil, w.account.AddFault(sandbox.Fault{
			Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectLoseReply, Count: 1,
		}))
		w.settle()
		w.run(w.launch(n)) // the SDK fills in a token, so its retry finds the instance
		if made := w.account.Inventory()["instance"]; len(made) != 1 {
			w.Errorf("instances %v", made)
		}
	})
}

func TestALateProfile(t *testing.T) {
	inBubble(t, func(w *world) {
		trust := `{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`
		in := w.launch(w.network())
		in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new("host")}
		w.ok(w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("host"), AssumeRolePolicyDocument: &trust}))
		w.ok(w.iam.CreateInstanceProfile(w.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: new("host")}))
		w.settle()
		w.ok(w.iam.AddRoleToInstanceProfile(w.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: new("host"), RoleName: new("host")}))
		var texts []string
		for {
			_, err := w.ec2.RunInstances(w.ctx, in)
			if err == nil {
				break
			}
			for _, text := range []string{"Invalid IAM Instance Profile name", "has no associated IAM Roles"} {
				if strings.Contains(err.Error(), text) && (len(texts) == 0 || texts[len(texts)-1] != text) {
					texts = append(texts, text)
				}
			}
		}
		if diff := cmp.Diff([]string{"Invalid IAM Instance Profile name", "has no associated IAM Roles"}, texts); diff != "" {
			w.Error(diff)
		}
	})
}

func TestAddressesRunOut(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		n.subnetA = w.subnet(n.vpc, "10.0.2.0/28", home+"a")
		w.settle()
		in := w.launch(n)
		in.InstanceType = "t3.nano"
		in.MinCount, in.MaxCount = new(int32(11)), new(int32(11)) // 16 addresses less the 5 that AWS keeps
		w.ok(w.ec2.RunInstances(w.ctx, in))
		free := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{n.subnetA}}))(w).Subnets[0]
		if *free.AvailableIpAddressCount != 0 {
			w.Errorf("%d addresses left", *free.AvailableIpAddressCount)
		}
		in = w.launch(n)
		in.InstanceType = "t3.nano"
		w.refused("InsufficientFreeAddressesInSubnet")(w.ec2.RunInstances(w.ctx, in))
	})
}

func TestLifeOfAnInstance(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		before := w.account.Inventory()
		in := w.launch(n)
		in.BlockDeviceMappings = []ec2types.BlockDeviceMapping{
			{DeviceName: new("/dev/sda1"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(int32(30))}},
			{DeviceName: new("/dev/sdf"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(int32(20))}},
		}
		out := must(w.ec2.RunInstances(w.ctx, in))(w).Instances[0]
		id := *out.InstanceId
		if out.State.Name != ec2types.InstanceStateNamePending || out.PublicIpAddress != nil || len(out.BlockDeviceMappings) != 0 {
			w.Errorf("fresh instance %s with address %v and disks %v", out.State.Name, out.PublicIpAddress, out.BlockDeviceMappings)
		}
		w.settle()
		seen := w.instance(id)
		if seen.State.Name != ec2types.InstanceStateNameRunning || seen.PublicIpAddress == nil || len(seen.BlockDeviceMappings) != 2 {
			w.Errorf("later %s with address %v and disks %v", seen.State.Name, seen.PublicIpAddress, seen.BlockDeviceMappings)
		}
		w.refused("DependencyViolation")(w.ec2.DetachInternetGateway(w.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		if state := w.instance(id).State.Name; state != ec2types.InstanceStateNameShuttingDown {
			w.Errorf("state %s", state)
		}
		time.Sleep(26 * time.Second)
		if state := w.instance(id).State.Name; state != ec2types.InstanceStateNameTerminated {
			w.Errorf("state %s", state)
		}
		w.ok(w.ec2.DetachInternetGateway(w.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		w.refused("DependencyViolation")(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &n.group})) // the interface lingers
		time.Sleep(10 * time.Second)
		volumes := must(w.ec2.DescribeVolumes(w.ctx, &ec2.DescribeVolumesInput{}))(w).Volumes
		if len(volumes) != 1 || *volumes[0].Size != 20 || volumes[0].State != ec2types.VolumeStateAvailable {
			w.Errorf("left: %+v; the root goes, the extra volume stays", volumes)
		}
		w.ok(w.ec2.DeleteVolume(w.ctx, &ec2.DeleteVolumeInput{VolumeId: volumes[0].VolumeId}))
		w.ok(w.ec2.AttachInternetGateway(w.ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &n.gateway, VpcId: &n.vpc}))
		time.Sleep(5 * time.Second)
		if diff := cmp.Diff(before, w.account.Inventory()); diff != "" {
			w.Errorf("left behind:\n%s", diff)
		}
		time.Sleep(time.Hour)
		w.refused("InvalidInstanceID.NotFound")(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
	})
}

func TestStopAndStart(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		id := w.run(w.launch(n))
		w.settle()
		address := *w.instance(id).PublicIpAddress
		w.refused("IncorrectInstanceState")(w.ec2.ModifyInstanceAttribute(w.ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, InstanceType: &ec2types.AttributeValue{Value: new("t3.large")},
		}))
		w.ok(w.ec2.StopInstances(w.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}))
		w.refused("IncorrectInstanceState")(w.ec2.StartInstances(w.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}))
		time.Sleep(21 * time.Second)
		if seen := w.instance(id); seen.State.Name != ec2types.InstanceStateNameStopped || seen.PublicIpAddress != nil {
			w.Errorf("%s with address %v", seen.State.Name, seen.PublicIpAddress)
		}
		w.ok(w.ec2.ModifyInstanceAttribute(w.ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, InstanceType: &ec2types.AttributeValue{Value: new("t3.large")},
		}))
		w.ok(w.ec2.StartInstances(w.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}))
		w.settle()
		if seen := w.instance(id); seen.State.Name != ec2types.InstanceStateNameRunning || *seen.PublicIpAddress == address {
			w.Errorf("%s with address %s, was %s", seen.State.Name, *seen.PublicIpAddress, address)
		}
		in := w.launch(n)
		in.InstanceMarketOptions = spotAt("")
		spot := w.run(in)
		w.settle()
		w.refused("UnsupportedOperation")(w.ec2.StopInstances(w.ctx, &ec2.StopInstancesInput{InstanceIds: []string{spot}}))
	})
}

func TestProtectionAndBatches(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		in.DisableApiTermination = new(true)
		id := w.run(in)
		w.refused("OperationNotPermitted")(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		w.settle()
		w.ok(w.ec2.ModifyInstanceAttribute(w.ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, DisableApiTermination: &ec2types.AttributeBooleanValue{Value: new(false)},
		}))
		w.refused("InvalidInstanceID.NotFound")(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{
			InstanceIds: []string{id, "i-0123456789abcdef0"},
		}))
		if state := w.instance(id).State.Name; state != ec2types.InstanceStateNameRunning {
			w.Errorf("one bad id fails all, but the instance is %s", state)
		}
	})
}

func TestStatusChecks(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		id := w.run(in)
		status := func(all bool) []ec2types.InstanceStatus {
			return must(w.ec2.DescribeInstanceStatus(w.ctx, &ec2.DescribeInstanceStatusInput{IncludeAllInstances: &all}))(w).InstanceStatuses
		}
		time.Sleep(3500 * time.Millisecond)
		if len(status(false)) != 0 {
			w.Error("a pending instance is listed")
		}
		time.Sleep(10 * time.Second)
		if s := status(false); len(s) != 1 || s[0].InstanceStatus.Status != ec2types.SummaryStatusInitializing {
			w.Errorf("%s: %+v", id, s)
		}
		time.Sleep(150 * time.Second)
		if s := status(true); s[0].SystemStatus.Status != ec2types.SummaryStatusOk {
			w.Errorf("%+v", s)
		}
	})
}

func TestSpotRequests(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		in := w.launch(n)
		in.InstanceMarketOptions = spotAt("")
		in.TagSpecifications = []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSpotInstancesRequest, Tags: []ec2types.Tag{{Key: new("stack"), Value: new("one")}},
		}}
		id := w.run(in)
		w.settle()
		seen := w.instance(id)
		if seen.InstanceLifecycle != ec2types.InstanceLifecycleTypeSpot {
			w.Errorf("lifecycle %q", seen.InstanceLifecycle)
		}
		find := func() ec2types.SpotInstanceRequest {
			return must(w.ec2.DescribeSpotInstanceRequests(w.ctx, &ec2.DescribeSpotInstanceRequestsInput{
				Filters: []ec2types.Filter{{Name: new("tag:stack"), Values: []string{"one"}}},
			}))(w).SpotInstanceRequests[0]
		}
		if r := find(); *r.InstanceId != id || r.State != ec2types.SpotInstanceStateActive {
			w.Errorf("request %+v", r)
		}
		w.ok(w.ec2.CancelSpotInstanceRequests(w.ctx, &ec2.CancelSpotInstanceRequestsInput{
			SpotInstanceRequestIds: []string{*seen.SpotInstanceRequestId},
		}))
		if state := w.instance(id).State.Name; state != ec2types.InstanceStateNameRunning {
			w.Errorf("a cancel ended the instance: %s", state)
		}
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		if r := find(); r.State != ec2types.SpotInstanceStateCancelled {
			w.Errorf("request %s", r.State)
		}
	})
}

func TestQuotasCountSpotAndOnDemandApart(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		w.ok(nil, w.account.SetQuota("L-1216C47A", 4))
		w.run(w.launch(n))
		w.run(w.launch(n))
		w.refused("VcpuLimitExceeded")(w.ec2.RunInstances(w.ctx, w.launch(n)))
		spot := w.launch(n)
		spot.InstanceMarketOptions = spotAt("")
		w.run(spot)
	})
}

func TestVolumes(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.settle()
		instance := w.run(w.launch(n))
		in := &ec2.CreateVolumeInput{
			AvailabilityZone: new(home + "a"), Size: new(int32(40)), VolumeType: ec2types.VolumeTypeGp3, Encrypted: new(true),
			ClientToken: new("data"),
		}
		data := *must(w.ec2.CreateVolume(w.ctx, in))(w).VolumeId
		if again := *must(w.ec2.CreateVolume(w.ctx, in))(w).VolumeId; again != data {
			w.Error("the token made a second volume")
		}
		far := *must(w.ec2.CreateVolume(w.ctx, &ec2.CreateVolumeInput{AvailabilityZone: new(home + "b"), Size: new(int32(1))}))(w).VolumeId
		attach := func(volume string) (any, error) {
			return w.ec2.AttachVolume(w.ctx, &ec2.AttachVolumeInput{VolumeId: &volume, InstanceId: &instance, Device: new("/dev/sdf")})
		}
		w.settle()
		w.refused("InvalidVolume.ZoneMismatch")(attach(far))
		w.ok(attach(data))
		w.refused("VolumeInUse")(attach(data))
		w.refused("VolumeInUse")(w.ec2.DeleteVolume(w.ctx, &ec2.DeleteVolumeInput{VolumeId: &data}))
		w.refused("InvalidParameterValue")(w.ec2.ModifyVolume(w.ctx, &ec2.ModifyVolumeInput{VolumeId: &data, Size: new(int32(20))}))
		w.ok(w.ec2.ModifyVolume(w.ctx, &ec2.ModifyVolumeInput{VolumeId: &data, Size: new(int32(60))}))
		w.refused("VolumeModificationRateExceeded")(w.ec2.ModifyVolume(w.ctx, &ec2.ModifyVolumeInput{VolumeId: &data, Size: new(int32(80))}))
		w.ok(w.ec2.DetachVolume(w.ctx, &ec2.DetachVolumeInput{VolumeId: &data}))
		time.Sleep(4 * time.Second)
		w.refused("IncorrectState")(w.ec2.DetachVolume(w.ctx, &ec2.DetachVolumeInput{VolumeId: &data}))
		seen := must(w.ec2.DescribeVolumes(w.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{data}}))(w).Volumes[0]
		if seen.State != ec2types.VolumeStateAvailable || *seen.Size != 60 || *seen.Throughput != 125 || *seen.Iops != 3000 {
			w.Errorf("volume %+v", seen)
		}
		w.ok(w.ec2.DeleteVolume(w.ctx, &ec2.DeleteVolumeInput{VolumeId: &data}))
		time.Sleep(3 * time.Second)
		w.refused("InvalidVolume.NotFound")(w.ec2.DeleteVolume(w.ctx, &ec2.DeleteVolumeInput{VolumeId: &data}))
		w.refused("InvalidParameterValue")(w.ec2.CreateVolume(w.ctx, &ec2.CreateVolumeInput{
			AvailabilityZone: new(home + "a"), Size: new(int32(40)), VolumeType: ec2types.VolumeTypeGp3, Throughput: new(int32(1000)),
		}))
	})
}
