package sandbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// fileSystem makes a file system and waits until it is available.
func (w *world) fileSystem(token string) string {
	w.Helper()
	id := *must(w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{CreationToken: &token}))(w).FileSystemId
	time.Sleep(8 * time.Second)
	return id
}

func (w *world) mount(fs, subnet string, groups ...string) (*efs.CreateMountTargetOutput, error) {
	return w.efs.CreateMountTarget(w.ctx, &efs.CreateMountTargetInput{FileSystemId: &fs, SubnetId: &subnet, SecurityGroups: groups})
}

func TestACreationTokenNamesItsFileSystem(t *testing.T) {
	inBubble(t, func(w *world) {
		first := must(w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{CreationToken: new("one")}))(w)
		if first.LifeCycleState != efstypes.LifeCycleStateCreating {
			w.Errorf("state %s", first.LifeCycleState)
		}
		_, err := w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{CreationToken: new("one")})
		exists, ok := errors.AsType[*efstypes.FileSystemAlreadyExists](err)
		if !ok || *exists.FileSystemId != *first.FileSystemId {
			w.Fatalf("got %v", err)
		}
		time.Sleep(8 * time.Second)
		found := must(w.efs.DescribeFileSystems(w.ctx, &efs.DescribeFileSystemsInput{CreationToken: new("one")}))(w).FileSystems
		if len(found) != 1 || found[0].LifeCycleState != efstypes.LifeCycleStateAvailable {
			w.Errorf("found %+v", found)
		}
	})
}

func TestMountTargetRefusals(t *testing.T) {
	cases := []struct {
		name, code string
		call       func(w *world, n network, fs string) (any, error)
	}{
		{"file system not yet available", "IncorrectFileSystemLifeCycleState", func(w *world, n network, _ string) (any, error) {
			fs := must(w.efs.CreateFileSystem(w.ctx, &efs.CreateFileSystemInput{CreationToken: new("late")}))(w).FileSystemId
			for {
				out, err := w.mount(*fs, n.subnetA)
				if codeOf(err) != "FileSystemNotFound" {
					return out, err
				}
			}
		}},
		{"second in a zone", "MountTargetConflict", func(w *world, n network, fs string) (any, error) {
			w.ok(w.mount(fs, n.subnetA))
			second := w.subnet(n.vpc, "10.0.7.0/24", home+"a")
			w.settle()
			return w.mount(fs, second)
		}},
		{"second VPC", "MountTargetConflict", func(w *world, n network, fs string) (any, error) {
			w.ok(w.mount(fs, n.subnetA))
			vpc := w.vpc("10.6.0.0/16")
			w.settle()
			other := w.subnet(vpc, "10.6.0.0/24", home+"b")
			w.settle()
			return w.mount(fs, other)
		}},
		{"unknown subnet", "SubnetNotFound", func(w *world, _ network, fs string) (any, error) { return w.mount(fs, "subnet-0123456789abcdef0") }},
		{"unknown group", "SecurityGroupNotFound", func(w *world, n network, fs string) (any, error) {
			return w.mount(fs, n.subnetA, "sg-0123456789abcdef0")
		}},
		{"six groups", "SecurityGroupLimitExceeded", func(w *world, n network, fs string) (any, error) {
			return w.mount(fs, n.subnetA, n.group, n.group, n.group, n.group, n.group, n.group)
		}},
		{"no address left", "NoFreeAddressesInSubnet", func(w *world, n network, fs string) (any, error) {
			n.subnetA = w.subnet(n.vpc, "10.0.2.0/28", home+"a")
			w.settle()
			in := w.launch(n)
			in.InstanceType, in.MinCount, in.MaxCount = "t3.nano", new(int32(11)), new(int32(11))
			w.ok(w.ec2.RunInstances(w.ctx, in))
			return w.mount(fs, n.subnetA)
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				n, fs := w.network(), w.fileSystem("one")
				w.refused(test.code)(test.call(w, n, fs))
			})
		})
	}
}

func TestLifeOfAMountTarget(t *testing.T) {
	inBubble(t, func(w *world) {
		n, fs := w.network(), w.fileSystem("one")
		target := must(w.mount(fs, n.subnetA, n.group))(w)
		w.settle()
		state := func() efstypes.LifeCycleState {
			return must(w.efs.DescribeMountTargets(w.ctx, &efs.DescribeMountTargetsInput{FileSystemId: &fs}))(w).MountTargets[0].LifeCycleState
		}
		if s := state(); s != efstypes.LifeCycleStateCreating {
			w.Errorf("state %s", s)
		}
		time.Sleep(70 * time.Second)
		if s := state(); s != efstypes.LifeCycleStateAvailable {
			w.Errorf("state %s", s)
		}
		e := must(w.ec2.DescribeNetworkInterfaces(w.ctx, &ec2.DescribeNetworkInterfacesInput{
			Filters: []ec2types.Filter{{Name: new("vpc-id"), Values: []string{n.vpc}}},
		}))(w).NetworkInterfaces
		if len(e) != 1 || !*e[0].RequesterManaged || !strings.Contains(*e[0].Description, *target.MountTargetId) {
			w.Errorf("interfaces %+v", e)
		}
		groups := must(w.efs.DescribeMountTargetSecurityGroups(w.ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: target.MountTargetId}))(w)
		if len(groups.SecurityGroups) != 1 || groups.SecurityGroups[0] != n.group {
			w.Errorf("groups %v", groups.SecurityGroups)
		}
		remove := func() (any, error) {
			return w.efs.DeleteFileSystem(w.ctx, &efs.DeleteFileSystemInput{FileSystemId: &fs})
		}
		w.refused("FileSystemInUse")(remove())
		w.ok(w.efs.DeleteMountTarget(w.ctx, &efs.DeleteMountTargetInput{MountTargetId: target.MountTargetId}))
		w.refused("FileSystemInUse")(remove())
		time.Sleep(21 * time.Second)
		w.ok(remove())
		w.refused("DependencyViolation")(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetA})) // its interface lingers
		time.Sleep(10 * time.Second)
		w.ok(w.ec2.DeleteSubnet(w.ctx, &ec2.DeleteSubnetInput{SubnetId: &n.subnetA}))
		w.refused("FileSystemNotFound")(w.efs.DescribeFileSystems(w.ctx, &efs.DescribeFileSystemsInput{FileSystemId: &fs}))
	})
}

func TestFileSystemSettings(t *testing.T) {
	inBubble(t, func(w *world) {
		fs := w.fileSystem("one")
		w.refused("PolicyNotFound")(w.efs.DescribeFileSystemPolicy(w.ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: &fs}))
		policy := func(text string) (any, error) {
			return w.efs.PutFileSystemPolicy(w.ctx, &efs.PutFileSystemPolicyInput{FileSystemId: &fs, Policy: &text})
		}
		byRole := `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/host"},"Action":"elasticfilesystem:ClientMount"}]}`
		w.refused("InvalidPolicyException")(policy(`{"Statement":`))
		w.refused("InvalidPolicyException")(policy(byRole))
		trust := `{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`
		w.ok(w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("host"), AssumeRolePolicyDocument: &trust}))
		w.refused("InvalidPolicyException")(policy(byRole)) // not spread yet
		time.Sleep(11 * time.Second)
		w.ok(policy(byRole))
		got := must(w.efs.DescribeFileSystemPolicy(w.ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: &fs}))(w)
		if *got.Policy != byRole {
			w.Errorf("policy %s", *got.Policy)
		}
		w.ok(w.efs.PutBackupPolicy(w.ctx, &efs.PutBackupPolicyInput{
			FileSystemId: &fs, BackupPolicy: &efstypes.BackupPolicy{Status: efstypes.StatusEnabled},
		}))
		backup := must(w.efs.DescribeBackupPolicy(w.ctx, &efs.DescribeBackupPolicyInput{FileSystemId: &fs}))(w)
		if backup.BackupPolicy.Status != efstypes.StatusEnabled {
			w.Errorf("backup %s", backup.BackupPolicy.Status)
		}
		w.refused("BadRequest")(w.efs.PutLifecycleConfiguration(w.ctx, &efs.PutLifecycleConfigurationInput{
			FileSystemId: &fs, LifecyclePolicies: []efstypes.LifecyclePolicy{{
				TransitionToIA:                  efstypes.TransitionToIARulesAfter30Days,
				TransitionToPrimaryStorageClass: efstypes.TransitionToPrimaryStorageClassRulesAfter1Access,
			}},
		}))
		w.ok(w.efs.PutLifecycleConfiguration(w.ctx, &efs.PutLifecycleConfigurationInput{
			FileSystemId: &fs, LifecyclePolicies: []efstypes.LifecyclePolicy{{TransitionToIA: efstypes.TransitionToIARulesAfter30Days}},
		}))
		lifecycle := must(w.efs.DescribeLifecycleConfiguration(w.ctx, &efs.DescribeLifecycleConfigurationInput{FileSystemId: &fs}))(w)
		if len(lifecycle.LifecyclePolicies) != 1 {
			w.Errorf("lifecycle %+v", lifecycle.LifecyclePolicies)
		}
	})
}
