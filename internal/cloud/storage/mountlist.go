package storage

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// List implements engine.Driver.
func (d mountTargets) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	systems, err := fileSystems(d).List(ctx, stackID)
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, fs := range systems {
		targets, err := d.of(ctx, fs.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range targets {
			all = append(all, belonging(m, fs))
		}
	}
	elsewhere, err := d.elsewhere(ctx, stackID)
	if err != nil {
		return nil, err
	}
	all = append(all, elsewhere...)
	return all, d.nameByZone(ctx, all)
}

// of lists the mount targets of a file system. One that is gone has none.
func (d mountTargets) of(ctx context.Context, fileSystem string) ([]efstypes.MountTargetDescription, error) {
	pages := efs.NewDescribeMountTargetsPaginator(d.efs, &efs.DescribeMountTargetsInput{FileSystemId: &fileSystem})
	targets, err := api.All(ctx, pages, func(out *efs.DescribeMountTargetsOutput) []efstypes.MountTargetDescription { return out.MountTargets })
	if api.IsNotFound(err) {
		return nil, nil
	}
	return slices.DeleteFunc(targets, func(m efstypes.MountTargetDescription) bool { return dying(m.LifeCycleState) }), err
}

// belonging is a mount target with the deployment of what tells whose it is.
func belonging(m efstypes.MountTargetDescription, owner engine.Found) engine.Found {
	found := foundMountTarget(m)
	found.Stack, found.Name, found.Tier, found.Reuses = owner.Stack, owner.Name, owner.Tier, owner.Reuses
	return found
}

// elsewhere lists our mount targets of file systems that are not ours: those that our own security group guards. The group's
// tag names the file system.
func (d mountTargets) elsewhere(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := ec2.NewDescribeSecurityGroupsPaginator(d.ec2, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
		api.OwnerFilter(stackID), {Name: new("tag:" + stack.TagKey), Values: []string{string(stack.KeyFilesGroup)}},
	}})
	groups, err := api.All(ctx, pages, func(out *ec2.DescribeSecurityGroupsOutput) []ec2types.SecurityGroup { return out.SecurityGroups })
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, g := range groups {
		owner := api.Found(aws.ToString(g.GroupId), api.FromEC2(g.Tags), nil)
		for fileSystem := range strings.FieldsSeq(owner.Reuses) {
			if stack.ReusedKey(owner.Reuses, fileSystem) != stack.KeyFiles {
				continue
			}
			guarded, err := d.guarded(ctx, fileSystem, owner)
			if err != nil {
				return nil, err
			}
			all = append(all, guarded...)
		}
	}
	return all, nil
}

// guarded lists the mount targets of a file system that a security group guards.
func (d mountTargets) guarded(ctx context.Context, fileSystem string, group engine.Found) ([]engine.Found, error) {
	targets, err := d.of(ctx, fileSystem)
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, m := range targets {
		out, err := d.efs.DescribeMountTargetSecurityGroups(ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: m.MountTargetId})
		if err != nil && !api.IsNotFound(err) {
			return nil, err
		}
		if err == nil && slices.Contains(out.SecurityGroups, group.ID) {
			all = append(all, belonging(m, group))
		}
	}
	return all, nil
}

// nameByZone gives mount targets the keys that belong to their subnets: that in network/private-a is storage/mount-a.
func (d mountTargets) nameByZone(ctx context.Context, targets []engine.Found) error {
	var ids []string
	for _, m := range targets {
		ids = append(ids, m.Attrs[stack.AttrSubnet])
	}
	if len(ids) == 0 {
		return nil
	}
	// By filter, since an ID that is gone would make EC2 refuse the whole call.
	pages := ec2.NewDescribeSubnetsPaginator(d.ec2, &ec2.DescribeSubnetsInput{
		Filters: []ec2types.Filter{{Name: new("subnet-id"), Values: ids}},
	})
	subnets, err := api.All(ctx, pages, func(out *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return out.Subnets })
	if err != nil {
		return err
	}
	for i, m := range targets {
		subnet := stack.ReusedKey(m.Reuses, m.Attrs[stack.AttrSubnet])
		for _, n := range subnets {
			if owner, _, key := api.Owner(api.FromEC2(n.Tags)); owner == m.Stack && aws.ToString(n.SubnetId) == m.Attrs[stack.AttrSubnet] {
				subnet = key
			}
		}
		targets[i].Key = stack.MountKey(subnet)
	}
	return nil
}
