package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// The performance of gp3: what every volume has, and how many MiB/s each IOPS allows (EBS user guide, "General Purpose SSD
// volumes").
const (
	baseIOPS       = 3000
	iopsPerMiBps   = 4
	baseThroughput = 125
)

// volumes is the driver of stack.Volume.
type volumes struct{ room }

// describe asks for a volume in whatever state it is, until EC2 no longer knows it.
func (d volumes) describe(ctx context.Context, id string) (ec2types.Volume, error) {
	out, err := d.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		return ec2types.Volume{}, api.Absent(err)
	}
	if len(out.Volumes) == 0 || out.Volumes[0].State == ec2types.VolumeStateDeleted {
		return ec2types.Volume{}, engine.ErrNotFound
	}
	return out.Volumes[0], nil
}

// Read implements engine.Driver.
func (d volumes) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	v, err := d.describe(ctx, t.Record.ID)
	if err == nil && v.State == ec2types.VolumeStateDeleting {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, err
	}
	return foundVolume(v), nil
}

func foundVolume(v ec2types.Volume) engine.Found {
	f := api.Found(aws.ToString(v.VolumeId), api.FromEC2(v.Tags), map[string]string{stack.AttrZone: aws.ToString(v.AvailabilityZone)})
	for name, value := range map[string]*int32{stack.AttrGiB: v.Size, stack.AttrSpeed: v.Throughput} {
		if value != nil {
			f.Attrs[name] = strconv.Itoa(int(*value))
		}
	}
	f.Since = aws.ToTime(v.CreateTime)
	return f
}

// List implements engine.Driver. Volumes that go with their machine, such as its root volume, are part of that.
func (d volumes) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := ec2.NewDescribeVolumesPaginator(d.ec2, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{api.OwnerFilter(stackID)}})
	return api.All(ctx, pages, func(out *ec2.DescribeVolumesOutput) []engine.Found {
		var all []engine.Found
		for _, v := range out.Volumes {
			if v.State == ec2types.VolumeStateDeleting || v.State == ec2types.VolumeStateDeleted {
				continue
			}
			if len(v.Attachments) > 0 && aws.ToBool(v.Attachments[0].DeleteOnTermination) {
				continue
			}
			all = append(all, foundVolume(v))
		}
		return all
	})
}

// Create implements engine.Driver.
func (d volumes) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Volume)
	zone := t.Need(spec.Instance).Attrs[stack.AttrZone]
	if zone == "" {
		return engine.Found{}, fmt.Errorf("the zone of %s is not known, and a volume must be in the zone of its machine", spec.Instance)
	}
	in := &ec2.CreateVolumeInput{
		AvailabilityZone: &zone, Size: new(int32(spec.GiB)), VolumeType: ec2types.VolumeTypeGp3, Encrypted: new(true),
		Throughput:        new(int32(max(spec.Throughput, baseThroughput))),
		Iops:              new(int32(max(spec.Throughput*iopsPerMiBps, baseIOPS))),
		ClientToken:       &t.Record.Token,
		TagSpecifications: api.TagSpecification(ec2types.ResourceTypeVolume, api.Named(t.Tags, spec.Name)),
	}
	if spec.KMSKey != "" {
		in.KmsKeyId = &spec.KMSKey
	}
	out, err := d.ec2.CreateVolume(ctx, in)
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	found := api.Found(aws.ToString(out.VolumeId), t.Tags, map[string]string{stack.AttrZone: zone})
	found.Since = aws.ToTime(out.CreateTime)
	return found, nil
}

// Settle implements engine.Driver. It attaches the volume as soon as both it and the machine are up.
func (d volumes) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Volume)
	machine := t.Need(spec.Instance).ID
	var v ec2types.Volume
	w := d.wait(t, "the volume "+t.Record.ID+" to be attached to "+machine)
	err := w.Until(ctx, func(ctx context.Context) (attached bool, err error) {
		v, err = d.describe(ctx, t.Record.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return false, nil
		case err != nil:
			return false, err
		}
		return d.attach(ctx, v, machine, spec.Device)
	})
	return foundVolume(v), err
}

// attach takes the next step that the state of the volume allows, and reports whether none is left.
func (d volumes) attach(ctx context.Context, v ec2types.Volume, machine, device string) (attached bool, err error) {
	for _, a := range v.Attachments {
		switch {
		case a.State == ec2types.VolumeAttachmentStateDetached:
		case aws.ToString(a.InstanceId) != machine:
			return false, d.released(ctx, aws.ToString(v.VolumeId), aws.ToString(a.InstanceId))
		default:
			return a.State == ec2types.VolumeAttachmentStateAttached, nil
		}
	}
	switch v.State {
	case ec2types.VolumeStateAvailable:
	case ec2types.VolumeStateCreating, ec2types.VolumeStateInUse:
		return false, nil
	default:
		return false, fmt.Errorf("the volume %s is in state %s; with an own KMS key, check that EC2 may use it", aws.ToString(v.VolumeId), v.State)
	}
	_, err = d.ec2.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: v.VolumeId, InstanceId: &machine, Device: &device})
	switch {
	case api.IsBusy(err):
		return false, d.alive(ctx, machine)
	case api.IsNotFound(err) || api.Code(err) == "VolumeInUse": // just made, or the echo of an earlier call of ours
		return false, nil
	}
	return false, err
}

// released returns an error when the machine that holds the volume is not about to let it go. The machine that a new one
// replaces may still be ending.
func (d volumes) released(ctx context.Context, volume, holder string) error {
	state, err := d.state(ctx, holder)
	if err == nil && state != "" && !ended(state) {
		return fmt.Errorf("the volume %s is attached to another machine, %s, which is %s", volume, holder, state)
	}
	return err
}

// alive returns an error when the machine will never take a volume again.
func (d volumes) alive(ctx context.Context, machine string) error {
	state, err := d.state(ctx, machine)
	if err == nil && ended(state) {
		return fmt.Errorf("the machine %s is %s, so the volume cannot be attached", machine, state)
	}
	return err
}

// state is that of a machine, or "" when EC2 does not know it.
func (d volumes) state(ctx context.Context, machine string) (ec2types.InstanceStateName, error) {
	out, err := d.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{machine}})
	if api.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			if i.State != nil {
				return i.State.Name, nil
			}
		}
	}
	return "", nil
}

func ended(s ec2types.InstanceStateName) bool {
	return s == ec2types.InstanceStateNameShuttingDown || s == ec2types.InstanceStateNameTerminated
}

// Delete implements engine.Driver. A volume lets go of a machine that ends by itself; from one that lives it is detached.
func (d volumes) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &t.Record.ID})
		if !api.IsDependency(err) {
			return err
		}
		if detaching := d.detach(ctx, t.Record.ID); detaching != nil {
			return detaching
		}
		return err // which passes
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}

// detach takes the volume from machines that live.
func (d volumes) detach(ctx context.Context, id string) error {
	v, err := d.describe(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, a := range v.Attachments {
		state, err := d.state(ctx, aws.ToString(a.InstanceId))
		if err != nil {
			return err
		}
		if ended(state) || a.State == ec2types.VolumeAttachmentStateDetaching {
			continue
		}
		_, err = d.ec2.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: &id, InstanceId: a.InstanceId})
		if err != nil && !api.IsBusy(err) && !api.IsNotFound(err) {
			return err
		}
	}
	return nil
}
