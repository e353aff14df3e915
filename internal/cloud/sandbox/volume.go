package sandbox

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type volume struct {
	resource
	Zone       string              `json:"zone"`
	Token      string              `json:"token,omitempty"`
	Type       ec2types.VolumeType `json:"type"`
	Size       int32               `json:"size"` // GiB
	IOPS       int32               `json:"iops,omitempty"`
	Throughput int32               `json:"throughput,omitempty"` // MiB/s
	Encrypted  bool                `json:"encrypted,omitempty"`
	Key        string              `json:"key,omitempty"` // KMS
	Snapshot   string              `json:"snapshot,omitempty"`

	Instance            string    `json:"instance,omitempty"`
	Device              string    `json:"device,omitempty"`
	Attached            time.Time `json:"attached,omitzero"`
	DeleteOnTermination bool      `json:"delete_on_termination,omitempty"`
	Released            time.Time `json:"released,omitzero"` // when the attachment ends
	Modified            time.Time `json:"modified,omitzero"`
	Gone                time.Time `json:"gone,omitzero"` // when a delete is done
}

// How long the states between of a volume take.
const (
	volumeDelay = 2 * time.Second
	detachDelay = 3 * time.Second
)

// attachedTo is the instance that holds the volume at a moment, or nothing.
func (v *volume) attachedTo(now time.Time) string {
	if !v.Released.IsZero() && !now.Before(v.Released) {
		return ""
	}
	return v.Instance
}

func (v *volume) state(now time.Time) ec2types.VolumeState {
	switch {
	case v.attachedTo(now) != "":
		return ec2types.VolumeStateInUse
	case !v.Gone.IsZero():
		return ec2types.VolumeStateDeleting
	case now.Before(v.Born.Add(volumeDelay)):
		return ec2types.VolumeStateCreating
	}
	return ec2types.VolumeStateAvailable
}

func registerVolumes(all map[string]operation) {
	on(all, serviceEC2, "CreateVolume", createVolume)
	on(all, serviceEC2, "DescribeVolumes", describeVolumes)
	on(all, serviceEC2, "AttachVolume", attachVolume)
	on(all, serviceEC2, "DetachVolume", detachVolume)
	on(all, serviceEC2, "DeleteVolume", deleteVolume)
	on(all, serviceEC2, "ModifyVolume", modifyVolume)
}

// apply takes the settings of a block device mapping over.
func (v *volume) apply(e *ec2types.EbsBlockDevice) error {
	if e.VolumeSize != nil {
		v.Size = *e.VolumeSize
	}
	if e.VolumeType != "" {
		v.Type = e.VolumeType
	}
	if e.DeleteOnTermination != nil {
		v.DeleteOnTermination = *e.DeleteOnTermination
	}
	v.Encrypted, v.Key = deref(e.Encrypted), deref(e.KmsKeyId)
	v.IOPS, v.Throughput = deref(e.Iops), deref(e.Throughput)
	return v.check()
}

// check enforces the limits of gp3 (EBS user guide, "General Purpose SSD volumes") and fills its defaults.
func (v *volume) check() error {
	if v.Size < 1 || v.Size > 65536 {
		return refuse("InvalidParameterValue", "Volume of size %dGiB is invalid; it must be between 1 and 65536", v.Size)
	}
	if v.Type != ec2types.VolumeTypeGp3 {
		if v.Throughput != 0 {
			return refuse("InvalidParameterCombination", "The parameter throughput is not supported for %s volumes", v.Type)
		}
		return nil
	}
	if v.IOPS == 0 {
		v.IOPS = 3000
	}
	if v.Throughput == 0 {
		v.Throughput = 125
	}
	switch {
	case v.IOPS < 3000 || v.IOPS > 80000:
		return refuse("InvalidParameterValue", "Volume iops of %d is invalid; it must be between 3000 and 80000", v.IOPS)
	case v.Throughput < 125 || v.Throughput > 2000:
		return refuse("InvalidParameterValue", "Throughput of %d is invalid; it must be between 125 and 2000", v.Throughput)
	case v.Throughput*4 > v.IOPS:
		return refuse("InvalidParameterValue", "Throughput (MiBps) to iops ratio of %d to %d is too high; maximum is 0.25 MiBps "+
			"per iops", v.Throughput, v.IOPS)
	case v.IOPS > max(3000, 500*v.Size):
		return refuse("InvalidParameterValue", "Iops to volume size ratio of %d to %d is too high; maximum is 500", v.IOPS, v.Size)
	}
	return nil
}

func createVolume(c *call, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
	z, err := c.zoneNamed(in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, refuse("InvalidZone.NotFound", "The zone '%s' does not exist.", deref(in.AvailabilityZone))
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeVolume)
	if err != nil {
		return nil, err
	}
	v := &volume{
		Zone: z.Name, Token: deref(in.ClientToken), Type: in.VolumeType, Size: deref(in.Size), IOPS: deref(in.Iops),
		Throughput: deref(in.Throughput), Encrypted: deref(in.Encrypted), Key: deref(in.KmsKeyId), Snapshot: deref(in.SnapshotId),
	}
	if v.Type == "" {
		v.Type = ec2types.VolumeTypeGp2
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	for _, other := range c.region.Volumes {
		if v.Token != "" && other.Token == v.Token && other.Gone.IsZero() && c.now.Sub(other.Born) < tokenMemory {
			if other.Zone != v.Zone || other.Size != v.Size || other.Type != v.Type {
				return nil, mismatch(v.Token)
			}
			return c.madeVolume(other), nil
		}
	}
	v.resource = c.birth(c.newID("vol"), tags)
	c.region.Volumes[v.ID] = v
	return c.madeVolume(v), nil
}

func (c *call) madeVolume(v *volume) *ec2.CreateVolumeOutput {
	shown := c.showVolume(v)
	return &ec2.CreateVolumeOutput{
		VolumeId: shown.VolumeId, AvailabilityZone: shown.AvailabilityZone, State: shown.State, Size: shown.Size,
		VolumeType: shown.VolumeType, Iops: shown.Iops, Throughput: shown.Throughput, Encrypted: shown.Encrypted,
		KmsKeyId: shown.KmsKeyId, CreateTime: shown.CreateTime, Tags: shown.Tags, SnapshotId: shown.SnapshotId,
	}
}

func (c *call) showVolume(v *volume) ec2types.Volume {
	shown := ec2types.Volume{
		VolumeId: new(v.ID), AvailabilityZone: new(v.Zone), State: v.state(c.now), Size: new(v.Size), VolumeType: v.Type,
		Encrypted: new(v.Encrypted), CreateTime: new(v.Born), Tags: ec2Tags(v.Tags), SnapshotId: new(v.Snapshot),
		MultiAttachEnabled: new(false), AvailabilityZoneId: new(zoneID(c.region.Name, v.Zone)),
	}
	if v.IOPS > 0 {
		shown.Iops = new(v.IOPS)
	}
	if v.Throughput > 0 {
		shown.Throughput = new(v.Throughput)
	}
	if v.Encrypted {
		shown.KmsKeyId = new(c.arn("kms", "key/"+digest(c.state.Seed, c.region.Name, "aws/ebs")[:12]))
		if v.Key != "" {
			shown.KmsKeyId = new(v.Key)
		}
	}
	if holder := v.attachedTo(c.now); holder != "" {
		shown.Attachments = []ec2types.VolumeAttachment{{
			VolumeId: new(v.ID), InstanceId: new(holder), Device: new(v.Device), AttachTime: new(v.Attached),
			DeleteOnTermination: new(v.DeleteOnTermination), State: c.attachmentState(v),
		}}
	}
	return shown
}

func (c *call) attachmentState(v *volume) ec2types.VolumeAttachmentState {
	switch {
	case v.attachedTo(c.now) == "":
		return ec2types.VolumeAttachmentStateDetached
	case !v.Released.IsZero():
		return ec2types.VolumeAttachmentStateDetaching
	case c.now.Before(v.Attached.Add(volumeDelay)):
		return ec2types.VolumeAttachmentStateAttaching
	}
	return ec2types.VolumeAttachmentStateAttached
}

func describeVolumes(c *call, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
	found, next, err := describe(c, volumeKind, c.region.Volumes, query{in.VolumeIds, in.Filters, in.MaxResults, in.NextToken},
		func(v *volume) attributes {
			return attributes{
				"volume-id": {v.ID}, "status": {string(v.state(c.now))}, "availability-zone": {v.Zone}, "volume-type": {string(v.Type)},
				"size": {strconv.Itoa(int(v.Size))}, "encrypted": yesNo(v.Encrypted), "snapshot-id": {v.Snapshot},
				"attachment.instance-id": {v.attachedTo(c.now)}, "attachment.device": {v.Device},
				"attachment.status": {string(c.attachmentState(v))}, "attachment.delete-on-termination": yesNo(v.DeleteOnTermination),
			}
		}, c.showVolume)
	return &ec2.DescribeVolumesOutput{Volumes: found, NextToken: next}, err
}

func attachVolume(c *call, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
	v, err := find(c, volumeKind, c.region.Volumes, in.VolumeId)
	if err != nil {
		return nil, err
	}
	i, err := find(c, instanceKind, c.region.Instances, in.InstanceId)
	if err != nil {
		return nil, err
	}
	state := i.state(c.now)
	switch {
	case v.attachedTo(c.now) != "":
		return nil, refuse("VolumeInUse", "%s is already attached to an instance", v.ID)
	case v.state(c.now) != ec2types.VolumeStateAvailable:
		return nil, refuse("IncorrectState", "%s is not 'available'.", v.ID)
	case state != ec2types.InstanceStateNameRunning && state != ec2types.InstanceStateNameStopped:
		return nil, refuse("IncorrectState", "Instance '%s' is not 'running'.", i.ID)
	case v.Zone != i.Zone:
		return nil, refuse("InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'",
			v.ID, i.ID)
	}
	for _, other := range c.region.Volumes {
		if other.Instance != "" && other.attachedTo(c.now) == i.ID && other.Device == deref(in.Device) {
			return nil, refuse("InvalidParameterValue", "Invalid value '%s' for unixDevice. Attachment point %s is already in use",
				other.Device, other.Device)
		}
	}
	v.Instance, v.Device, v.Attached, v.Released, v.DeleteOnTermination = i.ID, deref(in.Device), c.now, time.Time{}, false
	return &ec2.AttachVolumeOutput{
		VolumeId: new(v.ID), InstanceId: new(i.ID), Device: new(v.Device), AttachTime: new(c.now), State: c.attachmentState(v),
		DeleteOnTermination: new(false),
	}, nil
}

func detachVolume(c *call, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
	v, err := own(volumeKind, c.region.Volumes, in.VolumeId)
	if err != nil {
		return nil, err
	}
	holder := v.attachedTo(c.now)
	if holder == "" {
		return nil, refuse("IncorrectState", "Volume '%s' is in the '%s' state.", v.ID, v.state(c.now))
	}
	if in.InstanceId != nil && *in.InstanceId != holder {
		return nil, refuse("InvalidAttachment.NotFound", "The volume '%s' is not attached to instance '%s'", v.ID, *in.InstanceId)
	}
	if i := c.region.Instances[holder]; i != nil && i.RootDevice == v.Device && i.running(c.now) {
		return nil, refuse("OperationNotPermitted", "Unable to detach root volume '%s' from instance '%s'", v.ID, holder)
	}
	if v.Released.IsZero() {
		v.Released = c.now.Add(detachDelay)
	}
	return &ec2.DetachVolumeOutput{
		VolumeId: new(v.ID), InstanceId: new(holder), Device: new(v.Device), State: ec2types.VolumeAttachmentStateDetaching,
	}, nil
}

func deleteVolume(c *call, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
	v, err := own(volumeKind, c.region.Volumes, in.VolumeId)
	if err != nil {
		return nil, err
	}
	if holder := v.attachedTo(c.now); holder != "" {
		return nil, refuse("VolumeInUse", "Volume %s is currently attached to %s", v.ID, holder)
	}
	v.Gone = c.now.Add(volumeDelay)
	return &ec2.DeleteVolumeOutput{}, nil
}

// modifyVolume grows a volume or changes its speed, at most once in six hours (EBS user guide, "Requirements for modifying
// volumes").
func modifyVolume(c *call, in *ec2.ModifyVolumeInput) (*ec2.ModifyVolumeOutput, error) {
	v, err := find(c, volumeKind, c.region.Volumes, in.VolumeId)
	if err != nil {
		return nil, err
	}
	after := *v
	if in.Size != nil {
		after.Size = *in.Size
	}
	if in.VolumeType != "" {
		after.Type = in.VolumeType
	}
	if in.Iops != nil {
		after.IOPS = *in.Iops
	}
	if in.Throughput != nil {
		after.Throughput = *in.Throughput
	}
	if after.Size < v.Size {
		return nil, refuse("InvalidParameterValue", "New size cannot be smaller than existing size")
	}
	if err := after.check(); err != nil {
		return nil, err
	}
	if !v.Modified.IsZero() && c.now.Before(v.Modified.Add(6*time.Hour)) {
		return nil, refuse("VolumeModificationRateExceeded", "You've reached the maximum modification rate per volume limit. "+
			"Wait at least 6 hours between modifications per EBS volume.")
	}
	modification := &ec2types.VolumeModification{
		VolumeId: new(v.ID), ModificationState: ec2types.VolumeModificationStateModifying, StartTime: new(c.now),
		OriginalSize: new(v.Size), TargetSize: new(after.Size), OriginalVolumeType: v.Type, TargetVolumeType: after.Type,
		OriginalIops: new(v.IOPS), TargetIops: new(after.IOPS), OriginalThroughput: new(v.Throughput),
		TargetThroughput: new(after.Throughput), Progress: new(int64(0)),
	}
	after.Modified = c.now
	*v = after
	return &ec2.ModifyVolumeOutput{VolumeModification: modification}, nil
}
