package opinion

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func fileSystems() []behaviour {
	const create, mount = "EFS API reference, CreateFileSystem", "EFS API reference, CreateMountTarget"
	return []behaviour{
		{
			name: "a creation token that is in use is refused, and tells of the file system", source: create, aws: "FileSystemAlreadyExists, true",
			moto: "FileSystemAlreadyExists, false",
			why:  "the model has the ID as a required member of the error, by which a repeated create finds its file system; moto leaves it out",
			see: func(u *user) string {
				id := u.fileSystem("once")
				_, err := u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{CreationToken: new("once")})
				exists, ok := errors.AsType[*efstypes.FileSystemAlreadyExists](err)
				return each(code(err), fmt.Sprint(ok && exists.FileSystemId != nil && *exists.FileSystemId == id))
			},
		},
		{
			name: "elastic throughput and the mode maxIO exclude each other", source: create, aws: "BadRequest",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				_, err := u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{
					CreationToken: new("once"), PerformanceMode: "maxIO", ThroughputMode: "elastic",
				})
				return code(err)
			},
		},
		{
			name: "provisioned throughput needs a figure", source: create, aws: "BadRequest",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				_, err := u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{CreationToken: new("once"), ThroughputMode: "provisioned"})
				return code(err)
			},
		},
		{
			name: "a creation token has 64 characters at most", source: create, aws: "refused",
			moto: "accepted",
			why:  "the model says so",
			see: func(u *user) string {
				_, err := u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{CreationToken: new(strings.Repeat("x", 65))})
				return refused(err)
			},
		},
		{
			name: "mount targets are asked for by file system or by ID", source: "EFS API reference, DescribeMountTargets", aws: "BadRequest, FileSystemNotFound, MountTargetNotFound",
			see: func(u *user) string {
				_, neither := u.efs.DescribeMountTargets(u.ctx, &efs.DescribeMountTargetsInput{})
				_, fs := u.efs.DescribeMountTargets(u.ctx, &efs.DescribeMountTargetsInput{FileSystemId: new("fs-0123456789abcdef0")})
				_, target := u.efs.DescribeMountTargets(u.ctx, &efs.DescribeMountTargetsInput{MountTargetId: new("fsmt-0123456789abcdef0")})
				return each(code(neither), code(fs), code(target))
			},
		},
		{
			name: "a file system's name is its tag", source: "EFS API reference, FileSystemDescription", aws: "shared",
			see: func(u *user) string {
				made := must(u.efs.CreateFileSystem(u.ctx, &efs.CreateFileSystemInput{
					CreationToken: new("once"), Tags: []efstypes.Tag{{Key: new("Name"), Value: new("shared")}},
				}))(u)
				u.settle()
				found := must(u.efs.DescribeFileSystems(u.ctx, &efs.DescribeFileSystemsInput{FileSystemId: made.FileSystemId}))(u)
				return *found.FileSystems[0].Name
			},
		},
		{
			name: "a file system has one mount target in a zone", source: mount, aws: "MountTargetConflict",
			see: func(u *user) string {
				n, fs := u.network(), u.fileSystem("once")
				u.mountTarget(fs, n.subnet)
				return u.mountCode(fs, u.subnet(n.vpc, "10.0.1.0/24", region+"a"))
			},
		},
		{
			name: "the mount targets of a file system are in one VPC", source: mount, aws: "MountTargetConflict",
			see: func(u *user) string {
				fs := u.fileSystem("once")
				u.mountTarget(fs, u.network().subnet)
				return u.mountCode(fs, u.subnet(u.vpc("10.1.0.0/16"), "10.1.0.0/24", region+"b"))
			},
		},
		{
			name: "a mount target without groups has the default group of its VPC", source: mount, aws: "default",
			moto: "0 groups",
			why:  "the reference says so; moto gives it none",
			see: func(u *user) string {
				target := u.mountTarget(u.fileSystem("once"), u.network().subnet)
				groups := must(u.efs.DescribeMountTargetSecurityGroups(u.ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: &target}))(u).SecurityGroups
				if len(groups) != 1 {
					return fmt.Sprintf("%d groups", len(groups))
				}
				found := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: groups}))(u)
				return *found.SecurityGroups[0].GroupName
			},
		},
		{
			name: "a mount target has five groups at most", source: mount, aws: "SecurityGroupLimitExceeded",
			see: func(u *user) string {
				n := u.network()
				groups := []string{n.group}
				for i := range 5 {
					groups = append(groups, u.group(n.vpc, fmt.Sprintf("more-%d", i)))
				}
				return u.mountCode(u.fileSystem("once"), n.subnet, groups...)
			},
		},
		{
			name: "the group of a mount target exists", source: mount, aws: "SecurityGroupNotFound 400",
			moto: "SecurityGroupNotFound 404",
			why:  "the model has 400 for this error",
			see: func(u *user) string {
				n, fs := u.network(), u.fileSystem("once")
				_, err := u.efs.CreateMountTarget(u.ctx, &efs.CreateMountTargetInput{
					FileSystemId: &fs, SubnetId: &n.subnet, SecurityGroups: []string{"sg-0123456789abcdef0"},
				})
				return withStatus(err)
			},
		},
		{
			name: "the group of a mount target is of its VPC", source: mount, aws: "SecurityGroupNotFound",
			moto: "accepted",
			why:  "the reference says that groups must be for the subnet's VPC",
			see: func(u *user) string {
				return u.mountCode(u.fileSystem("once"), u.network().subnet, u.group(u.vpc("10.9.0.0/16"), "other"))
			},
		},
		{
			name: "the subnet of a mount target exists", source: mount, aws: "SubnetNotFound 400",
			moto: "SubnetNotFound 404",
			why:  "the model has 400 for this error",
			see: func(u *user) string {
				_, err := u.efs.CreateMountTarget(u.ctx, &efs.CreateMountTargetInput{
					FileSystemId: new(u.fileSystem("once")), SubnetId: new("subnet-0123456789abcdef0"),
				})
				return withStatus(err)
			},
		},
		{
			name: "a mount target's interface is EFS's", source: mount, aws: "true",
			moto: "false",
			why:  "the reference gives the description and says that EFS is the requester",
			see: func(u *user) string {
				n, fs := u.network(), u.fileSystem("once")
				target := u.mountTarget(fs, n.subnet)
				found := must(u.ec2.DescribeNetworkInterfaces(u.ctx, &ec2.DescribeNetworkInterfacesInput{
					Filters: []ec2types.Filter{filter("subnet-id", n.subnet)},
				}))(u).NetworkInterfaces
				return fmt.Sprint(len(found) == 1 && *found[0].RequesterManaged && *found[0].Description == "Mount target "+target+" for file system "+fs)
			},
		},
		{
			name: "a subnet with a mount target stays", source: "EC2 API reference, DeleteSubnet", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the mount target has an interface in the subnet; moto does not look",
			see: func(u *user) string {
				n := u.network()
				u.mountTarget(u.fileSystem("once"), n.subnet)
				_, err := u.ec2.DeleteSubnet(u.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnet})
				return code(err)
			},
		},
		{
			name: "a file system with a mount target stays", source: "EFS API reference, DeleteFileSystem", aws: "FileSystemInUse",
			see: func(u *user) string {
				fs := u.fileSystem("once")
				u.mountTarget(fs, u.network().subnet)
				_, err := u.efs.DeleteFileSystem(u.ctx, &efs.DeleteFileSystemInput{FileSystemId: &fs})
				return code(err)
			},
		},
		{
			name: "what does not exist cannot be deleted from EFS", source: "EFS API reference, DeleteFileSystem, DeleteMountTarget",
			aws: "FileSystemNotFound, MountTargetNotFound",
			see: func(u *user) string {
				_, fs := u.efs.DeleteFileSystem(u.ctx, &efs.DeleteFileSystemInput{FileSystemId: new("fs-0123456789abcdef0")})
				_, target := u.efs.DeleteMountTarget(u.ctx, &efs.DeleteMountTargetInput{MountTargetId: new("fsmt-0123456789abcdef0")})
				return each(code(fs), code(target))
			},
		},
		{
			name: "a file system has no policy of its own at first", source: "EFS API reference, DescribeFileSystemPolicy", aws: "PolicyNotFound",
			see: func(u *user) string {
				_, err := u.efs.DescribeFileSystemPolicy(u.ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: new(u.fileSystem("once"))})
				return code(err)
			},
		},
		{
			name: "the policy of a file system is a policy", source: "EFS API reference, PutFileSystemPolicy", aws: "InvalidPolicyException",
			moto: "accepted",
			why:  "the reference has an error for it; moto does not read the text",
			see: func(u *user) string {
				_, err := u.efs.PutFileSystemPolicy(u.ctx, &efs.PutFileSystemPolicyInput{FileSystemId: new(u.fileSystem("once")), Policy: new("no policy")})
				return code(err)
			},
		},
		{
			name: "the policy of an unknown file system cannot be put", source: "EFS API reference, PutFileSystemPolicy", aws: "FileSystemNotFound",
			moto: "HTTP 500",
			why:  "the reference has an error for it; moto breaks",
			see: func(u *user) string {
				_, err := u.efs.PutFileSystemPolicy(u.ctx, &efs.PutFileSystemPolicyInput{FileSystemId: new("fs-0123456789abcdef0"), Policy: new(policy)})
				return code(err)
			},
		},
		{
			name: "a file system is asked for by ID or by token", source: "EFS API reference, DescribeFileSystems", aws: "BadRequest",
			see: func(u *user) string {
				_, err := u.efs.DescribeFileSystems(u.ctx, &efs.DescribeFileSystemsInput{FileSystemId: new(u.fileSystem("once")), CreationToken: new("once")})
				return code(err)
			},
		},
		{
			name: "a rule of the life cycle has one transition", source: "EFS API reference, PutLifecycleConfiguration", aws: "BadRequest",
			moto: "accepted",
			why:  "the reference says that each rule holds a single transition",
			see: func(u *user) string {
				_, err := u.efs.PutLifecycleConfiguration(u.ctx, &efs.PutLifecycleConfigurationInput{
					FileSystemId:      new(u.fileSystem("once")),
					LifecyclePolicies: []efstypes.LifecyclePolicy{{TransitionToIA: "AFTER_30_DAYS", TransitionToPrimaryStorageClass: "AFTER_1_ACCESS"}},
				})
				return code(err)
			},
		},
	}
}

func (u *user) mountCode(fileSystem, subnet string, groups ...string) string {
	_, err := u.efs.CreateMountTarget(u.ctx, &efs.CreateMountTargetInput{FileSystemId: &fileSystem, SubnetId: &subnet, SecurityGroups: groups})
	return code(err)
}

// withStatus is an error code with the status of HTTP that came with it.
func withStatus(err error) string {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return fmt.Sprintf("%s %d", code(err), response.HTTPStatusCode())
	}
	return code(err)
}
