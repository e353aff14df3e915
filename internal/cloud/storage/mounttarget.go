package storage

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// mountTargets is the driver of stack.MountTarget. Mount targets carry no tags: whose they are is known from their file
// system, or where that is the user's, from their security group; and which, from their subnet.
type mountTargets struct{ room }

// describe asks for a mount target in whatever state it is, until EFS no longer knows it.
func (d mountTargets) describe(ctx context.Context, id string) (efstypes.MountTargetDescription, error) {
	out, err := d.efs.DescribeMountTargets(ctx, &efs.DescribeMountTargetsInput{MountTargetId: &id})
	if err != nil {
		return efstypes.MountTargetDescription{}, api.Absent(err)
	}
	if len(out.MountTargets) == 0 || out.MountTargets[0].LifeCycleState == efstypes.LifeCycleStateDeleted {
		return efstypes.MountTargetDescription{}, engine.ErrNotFound
	}
	return out.MountTargets[0], nil
}

// Read implements engine.Driver.
func (d mountTargets) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	m, err := d.describe(ctx, t.Record.ID)
	if err == nil && dying(m.LifeCycleState) {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, err
	}
	return foundMountTarget(m), nil
}

func foundMountTarget(m efstypes.MountTargetDescription) engine.Found {
	return engine.Found{ID: aws.ToString(m.MountTargetId), Attrs: map[string]string{
		stack.AttrAddress: aws.ToString(m.IpAddress),
		stack.AttrSubnet:  aws.ToString(m.SubnetId),
		stack.AttrZone:    aws.ToString(m.AvailabilityZoneName),
	}}
}

// Create implements engine.Driver. It takes no token; EFS allows one mount target in a zone, so a repetition is a conflict.
func (d mountTargets) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.MountTarget)
	var out *efs.CreateMountTargetOutput
	err := api.KnownOr(ctx, d.clock, t, api.IsBusy, func(ctx context.Context) (err error) {
		out, err = d.efs.CreateMountTarget(ctx, &efs.CreateMountTargetInput{
			FileSystemId: new(t.Need(spec.FileSystem).ID), SubnetId: new(t.Need(spec.Subnet).ID),
			SecurityGroups: []string{t.Need(spec.Group).ID},
		})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundMountTarget(efstypes.MountTargetDescription{
		MountTargetId: out.MountTargetId, IpAddress: out.IpAddress, SubnetId: out.SubnetId, AvailabilityZoneName: out.AvailabilityZoneName,
	}), nil
}

// Settle implements engine.Driver. It takes one to two minutes, seldom more than ten
// (hashicorp/terraform-provider-aws#15278).
func (d mountTargets) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	var m efstypes.MountTargetDescription
	name := "the mount target " + t.Record.ID
	w := d.wait(t, name+" to become available")
	w.Budget *= 2
	err := w.Until(ctx, func(ctx context.Context) (done bool, err error) {
		m, err = d.describe(ctx, t.Record.ID)
		return usable(name, m.LifeCycleState, err)
	})
	return foundMountTarget(m), err
}

// Delete implements engine.Driver. The network interface of a mount target may outlive it by seconds, which the deletes of
// its subnet and group allow for.
func (d mountTargets) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.efs.DeleteMountTarget(ctx, &efs.DeleteMountTargetInput{MountTargetId: &t.Record.ID})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
