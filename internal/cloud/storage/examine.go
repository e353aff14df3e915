package storage

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Examine implements engine.Examiner.
func (d fileSystems) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	fs, err := d.describe(ctx, t.Record.ID)
	if err == nil && dying(fs.LifeCycleState) {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, nil, err
	}
	traits := stack.Traits{
		stack.AttrSpeed: {string(fs.ThroughputMode)},
		stack.TraitTags: stack.TagTrait(api.FromEFS(fs.Tags), t.Tags),
	}
	backups, backupErr := d.efs.DescribeBackupPolicy(ctx, &efs.DescribeBackupPolicyInput{FileSystemId: &t.Record.ID})
	if backupErr = absentPolicy(backupErr); backupErr == nil {
		on := backups != nil && backups.BackupPolicy != nil &&
			(backups.BackupPolicy.Status == efstypes.StatusEnabled || backups.BackupPolicy.Status == efstypes.StatusEnabling)
		traits[stack.TraitBackups] = []string{stack.OnOff(on)}
	}
	policy, policyErr := d.efs.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: &t.Record.ID})
	if policyErr = absentPolicy(policyErr); policyErr == nil {
		made, err := policyAgainstPlainText(aws.ToString(fs.FileSystemArn))
		same := err == nil && policy != nil && api.SameDocument(aws.ToString(policy.Policy), made)
		traits[stack.TraitPolicy] = []string{stack.Same(same)}
	}
	return foundFileSystem(fs), traits, errors.Join(backupErr, policyErr)
}

// absentPolicy takes the answer that there is no policy for what it is.
func absentPolicy(err error) error {
	if _, none := errors.AsType[*efstypes.PolicyNotFound](err); none {
		return nil
	}
	return err
}

// Examine implements engine.Examiner.
func (d mountTargets) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	found, err := d.Read(ctx, t)
	if err != nil {
		return engine.Found{}, nil, err
	}
	traits := stack.Traits{stack.AttrSubnet: {found.Attrs[stack.AttrSubnet]}}
	out, err := d.efs.DescribeMountTargetSecurityGroups(ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: &t.Record.ID})
	if err == nil {
		traits[stack.TraitGroups] = out.SecurityGroups
	}
	return found, traits, err
}

// Examine implements engine.Examiner.
func (d volumes) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	v, err := d.describe(ctx, t.Record.ID)
	if err == nil && v.State == ec2types.VolumeStateDeleting {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, nil, err
	}
	traits := stack.Traits{
		stack.AttrGiB:        {strconv.Itoa(int(aws.ToInt32(v.Size)))},
		stack.AttrSpeed:      {strconv.Itoa(int(aws.ToInt32(v.Throughput)))},
		stack.TraitAttached:  {},
		stack.TraitEphemeral: {stack.Off},
		stack.TraitTags:      stack.TagTrait(api.FromEC2(v.Tags), t.Tags),
	}
	for _, a := range v.Attachments {
		if a.State == ec2types.VolumeAttachmentStateDetached {
			continue
		}
		traits[stack.TraitAttached] = append(traits[stack.TraitAttached], aws.ToString(a.InstanceId))
		if aws.ToBool(a.DeleteOnTermination) {
			traits[stack.TraitEphemeral] = []string{stack.On}
		}
	}
	return foundVolume(v), traits, nil
}
