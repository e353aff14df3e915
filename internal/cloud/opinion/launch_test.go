package opinion

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const userData = `EC2 user guide, "Run commands when you launch an EC2 instance with user data input"`

func launches() []behaviour {
	return []behaviour{
		{
			name: "a launch with the same token gives the same machine", source: `EC2 developer guide, "Ensuring idempotency"`, aws: "true",
			moto: "false",
			why:  "the page promises it; moto keeps the token and launches again",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.ClientToken = new("once")
				first, again := u.run(in), u.run(in)
				return fmt.Sprint(first == again)
			},
		},
		{
			name: "a token is of one request", source: errorCodes, aws: "IdempotentParameterMismatch",
			moto: "accepted",
			why:  "the list says so; moto does not compare",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.ClientToken = new("once")
				u.run(in)
				in.InstanceType = "t3.large"
				_, err := u.ec2.RunInstances(u.ctx, in)
				return code(err)
			},
		},
		{
			name: "a token ends with its machine", source: errorCodes, aws: "IdempotentInstanceTerminated",
			moto: "accepted",
			why:  "the list says so; moto does not look",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.ClientToken = new("once")
				u.done(nil, u.terminate(u.run(in)))
				_, err := u.ec2.RunInstances(u.ctx, in)
				return code(err)
			},
		},
		{
			name: "user data has 16 KB at most", source: userData, aws: "accepted, refused",
			moto: "accepted, accepted",
			why:  "the page says so, before encoding",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.UserData = new(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 16384))))
				_, first := u.ec2.RunInstances(u.ctx, in)
				in.UserData = new(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 16385))))
				_, second := u.ec2.RunInstances(u.ctx, in)
				return each(code(first), refused(second))
			},
		},
		{
			name: "user data is in base64", source: "EC2 API reference, RunInstances", aws: "refused",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.UserData = new("#!/bin/sh!")
				_, err := u.ec2.RunInstances(u.ctx, in)
				return refused(err)
			},
		},
		{
			name: "whoever may describe a machine reads its user data", source: userData, aws: "#cloud-config",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.UserData = new(base64.StdEncoding.EncodeToString([]byte("#cloud-config")))
				out := must(u.ec2.DescribeInstanceAttribute(u.ctx, &ec2.DescribeInstanceAttributeInput{InstanceId: new(u.run(in)), Attribute: "userData"}))(u)
				text, err := base64.StdEncoding.DecodeString(*out.UserData.Value)
				if err != nil {
					return err.Error()
				}
				return string(text)
			},
		},
		{
			name: "group and subnet of a machine are of one VPC", source: errorCodes, aws: "InvalidParameter",
			moto: "accepted",
			why:  "the list gives this very case as its example",
			see: func(u *user) string {
				other := u.group(u.vpc("10.9.0.0/16"), "other")
				return u.launched(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{other} })
			},
		},
		{
			name: "a machine has five groups at most", source: `VPC user guide, "Amazon VPC quotas"`, aws: "SecurityGroupsPerInterfaceLimitExceeded",
			moto: "accepted",
			why:  "the quota is a default of every account; moto has no quotas",
			see: func(u *user) string {
				n := u.network()
				in := u.launch(n)
				for i := range 5 {
					in.SecurityGroupIds = append(in.SecurityGroupIds, u.group(n.vpc, fmt.Sprintf("more-%d", i)))
				}
				_, err := u.ec2.RunInstances(u.ctx, in)
				return code(err)
			},
		},
		{
			name: "the key pair of a launch exists", source: errorCodes, aws: "InvalidKeyPair.NotFound",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.KeyName = new("nobody's") })
			},
		},
		{
			name: "the subnet of a launch exists", source: errorCodes, aws: "InvalidSubnetID.NotFound",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.SubnetId = new("subnet-0123456789abcdef0") })
			},
		},
		{
			name: "the group of a launch exists", source: errorCodes, aws: "InvalidGroup.NotFound",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{"sg-0123456789abcdef0"} })
			},
		},
		{
			name: "the image of a launch exists", source: errorCodes, aws: "InvalidAMIID.NotFound",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.ImageId = new("ami-0123456789abcdef0") })
			},
		},
		{
			name: "the instance type of a launch exists", source: `EC2 API reference, RunInstances; public logs quote "Invalid value '...' for InstanceType"`, aws: "InvalidParameterValue",
			moto: "InvalidInstanceType.NotFound",
			why:  "moto answers with a code that is not in the list",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.InstanceType = "t3.enormous" })
			},
		},
		{
			name: "image and instance type are of one architecture", source: "EC2 API reference, RunInstances", aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "an image starts on its own architecture only; moto does not compare",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) { in.InstanceType = "t4g.medium" })
			},
		},
		{
			name: "the instance profile of a launch exists", source: "EC2 API reference, RunInstances", aws: "InvalidParameterValue",
			moto: "NoSuchEntity",
			why:  "it is EC2 that answers, and NoSuchEntity is a code of IAM",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) {
					in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new("nobody's")}
				})
			},
		},
		{
			name: "the instance profile of a launch holds a role", source: `IAM user guide, "Use instance profiles"`, aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "without a role there is nothing to hand to the machine; moto does not look",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) {
					in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new(u.profile("empty"))}
				})
			},
		},
		{
			name: "a subnet stands at the interface or at the launch, not at both", source: "EC2 API reference, RunInstances", aws: "InvalidParameterCombination",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) {
					in.NetworkInterfaces = []ec2types.InstanceNetworkInterfaceSpecification{{DeviceIndex: new(int32(0)), SubnetId: in.SubnetId}}
				})
			},
		},
		{
			name: "a dry run makes nothing and says that it could", source: errorCodes, aws: "DryRunOperation",
			see: func(u *user) string { return u.launched(func(in *ec2.RunInstancesInput) { in.DryRun = new(true) }) },
		},
		{
			name: "a root volume is not smaller than its image", source: "EC2 API reference, EbsBlockDevice: the size must be equal to or larger than the snapshot's",
			aws:  "InvalidBlockDeviceMapping",
			moto: "accepted",
			why:  "the reference says so; moto does not compare",
			see: func(u *user) string {
				return u.launched(func(in *ec2.RunInstancesInput) {
					image := must(u.ec2.DescribeImages(u.ctx, &ec2.DescribeImagesInput{ImageIds: []string{*in.ImageId}}))(u).Images[0]
					in.BlockDeviceMappings = []ec2types.BlockDeviceMapping{{
						DeviceName: image.RootDeviceName, Ebs: &ec2types.EbsBlockDevice{VolumeSize: new(int32(1))},
					}}
				})
			},
		},
		{
			name: "a machine in a full subnet is refused", source: errorCodes, aws: "accepted, InsufficientFreeAddressesInSubnet",
			moto: "accepted, HTTP 500",
			why:  "the list has a code for it; moto breaks",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				in := u.launch(network{vpc, u.subnet(vpc, "10.0.0.0/28", region+"a"), u.group(vpc, "host")})
				in.InstanceType, in.MinCount, in.MaxCount = "t3.micro", new(int32(11)), new(int32(11))
				_, first := u.ec2.RunInstances(u.ctx, in)
				u.settle()
				in.ClientToken, in.MinCount, in.MaxCount = nil, new(int32(1)), new(int32(1)) // the SDK has written a token of its own into it
				_, second := u.ec2.RunInstances(u.ctx, in)
				return each(code(first), code(second))
			},
		},
	}
}
