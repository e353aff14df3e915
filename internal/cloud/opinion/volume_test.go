package opinion

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func volumes() []behaviour {
	return []behaviour{
		{
			name: "a volume and its machine are in one zone", source: errorCodes, aws: "InvalidVolume.ZoneMismatch",
			moto: "accepted",
			why:  "the list says so; moto does not compare",
			see:  func(u *user) string { return u.attachVolume(u.volume(region+"b"), u.run(u.launch(u.network()))) },
		},
		{
			name: "an attached volume cannot be attached again", source: errorCodes, aws: "accepted, VolumeInUse",
			moto: "accepted, accepted",
			why:  "the list says so; moto moves it",
			see: func(u *user) string {
				volume, n := u.volume(region+"a"), u.network()
				return each(u.attachVolume(volume, u.run(u.launch(n))), u.attachVolume(volume, u.run(u.launch(n))))
			},
		},
		{
			name: "two volumes do not share a device", source: errorCodes, aws: "accepted, InvalidParameterValue",
			moto: "accepted, accepted",
			why:  "the list has this case; moto does not look",
			see: func(u *user) string {
				machine := u.run(u.launch(u.network()))
				return each(u.attachVolume(u.volume(region+"a"), machine), u.attachVolume(u.volume(region+"a"), machine))
			},
		},
		{
			name: "an attached volume cannot be deleted", source: errorCodes, aws: "VolumeInUse",
			see: func(u *user) string {
				volume := u.volume(region + "a")
				u.attachVolume(volume, u.run(u.launch(u.network())))
				return u.deleteVolume(volume)
			},
		},
		{
			name: "a volume that is attached to nothing cannot be detached", source: errorCodes, aws: "IncorrectState",
			moto: "HTTP 500",
			why:  "the list has a code for it; moto breaks",
			see: func(u *user) string {
				_, err := u.ec2.DetachVolume(u.ctx, &ec2.DetachVolumeInput{VolumeId: new(u.volume(region + "a"))})
				return code(err)
			},
		},
		{
			name: "a volume cannot be detached from a machine that has it not", source: errorCodes, aws: "InvalidAttachment.NotFound",
			see: func(u *user) string {
				n := u.network()
				volume := u.volume(region + "a")
				u.attachVolume(volume, u.run(u.launch(n)))
				_, err := u.ec2.DetachVolume(u.ctx, &ec2.DetachVolumeInput{VolumeId: &volume, InstanceId: new(u.run(u.launch(n)))})
				return code(err)
			},
		},
		{
			name: "a volume in an unknown zone is refused", source: errorCodes, aws: "InvalidZone.NotFound",
			moto: "accepted",
			why:  "the list has a code for it; moto keeps any text",
			see: func(u *user) string {
				_, err := u.ec2.CreateVolume(u.ctx, &ec2.CreateVolumeInput{AvailabilityZone: new("eu-west-1a"), Size: new(int32(8)), VolumeType: "gp3"})
				return code(err)
			},
		},
		{
			name: "a gp3 volume has 3,000 IOPS and 125 MiB/s at least", source: `EBS user guide, "General Purpose SSD volumes"`, aws: "3000 125",
			moto: "3000 none",
			why:  "the page gives both; moto fills in the first only",
			see: func(u *user) string {
				found := must(u.ec2.DescribeVolumes(u.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{u.volume(region + "a")}}))(u).Volumes[0]
				return fmt.Sprint(value(found.Iops), " ", value(found.Throughput))
			},
		},
		{
			name: "the throughput of a gp3 volume is bounded by its IOPS", source: `EBS user guide, "General Purpose SSD volumes"`, aws: "refused",
			moto: "accepted",
			why:  "the page gives the ratio; moto does not count",
			see: func(u *user) string {
				_, err := u.ec2.CreateVolume(u.ctx, &ec2.CreateVolumeInput{
					AvailabilityZone: new(region + "a"), Size: new(int32(100)), VolumeType: "gp3", Throughput: new(int32(1000)),
				})
				return refused(err)
			},
		},
		{
			name: "a volume is made once per token", source: `EC2 developer guide, "Ensuring idempotency"`, aws: "true",
			moto: "false",
			why:  "the page lists CreateVolume; moto does not remember tokens",
			see: func(u *user) string {
				in := &ec2.CreateVolumeInput{AvailabilityZone: new(region + "a"), Size: new(int32(8)), VolumeType: "gp3", ClientToken: new("once")}
				first := must(u.ec2.CreateVolume(u.ctx, in))(u)
				return fmt.Sprint(*first.VolumeId == *must(u.ec2.CreateVolume(u.ctx, in))(u).VolumeId)
			},
		},
		{
			name: "a volume does not shrink", source: `EBS user guide, "Requirements for modifying volumes"`, aws: "refused",
			moto: "accepted",
			why:  "the page says that a size can only be increased",
			see: func(u *user) string {
				_, err := u.ec2.ModifyVolume(u.ctx, &ec2.ModifyVolumeInput{VolumeId: new(u.volume(region + "a")), Size: new(int32(4))})
				return refused(err)
			},
		},
		{
			name: "a deleted volume is gone", source: errorCodes, aws: "accepted, InvalidVolume.NotFound",
			see: func(u *user) string {
				id := u.volume(region + "a")
				deleted := u.deleteVolume(id)
				u.settle()
				_, err := u.ec2.DescribeVolumes(u.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
				return each(deleted, code(err))
			},
		},
		{
			name: "the root volume goes with its machine, an attached one stays", source: `EC2 user guide, "Preserve data when an instance is terminated"`,
			aws: "available, 1",
			see: func(u *user) string {
				machine, volume := u.run(u.launch(u.network())), u.volume(region+"a")
				u.attachVolume(volume, machine)
				u.done(nil, u.terminate(machine))
				u.settle()
				left := must(u.ec2.DescribeVolumes(u.ctx, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{filter("availability-zone", region+"a")}}))(u).Volumes
				return each(string(left[0].State), fmt.Sprint(len(left)))
			},
		},
	}
}

func keyPairs() []behaviour {
	return []behaviour{
		{
			name: "the name of a key pair is taken once", source: errorCodes, aws: "accepted, InvalidKeyPair.Duplicate",
			see: func(u *user) string {
				_, first := u.ec2.CreateKeyPair(u.ctx, &ec2.CreateKeyPairInput{KeyName: new("mine")})
				_, second := u.ec2.CreateKeyPair(u.ctx, &ec2.CreateKeyPairInput{KeyName: new("mine")})
				return each(code(first), code(second))
			},
		},
		{
			name: "deleting a key pair that does not exist succeeds", source: "EC2 API reference, DeleteKeyPair", aws: "accepted",
			see: func(u *user) string {
				_, err := u.ec2.DeleteKeyPair(u.ctx, &ec2.DeleteKeyPairInput{KeyName: new("nobody's")})
				return code(err)
			},
		},
		{
			name: "an unknown key pair cannot be described", source: errorCodes, aws: "InvalidKeyPair.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.DescribeKeyPairs(u.ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{"nobody's"}})
				return code(err)
			},
		},
		{
			name: "an imported key is a key", source: errorCodes, aws: "InvalidKey.Format",
			moto: "HTTP 500",
			why:  "the list has a code for it; moto breaks",
			see: func(u *user) string {
				_, err := u.ec2.ImportKeyPair(u.ctx, &ec2.ImportKeyPairInput{KeyName: new("mine"), PublicKeyMaterial: []byte("no key")})
				return code(err)
			},
		},
	}
}

func (u *user) attachVolume(volume, machine string) string {
	_, err := u.ec2.AttachVolume(u.ctx, &ec2.AttachVolumeInput{VolumeId: &volume, InstanceId: &machine, Device: new("/dev/sdf")})
	u.settle()
	return code(err)
}

func (u *user) deleteVolume(id string) string {
	_, err := u.ec2.DeleteVolume(u.ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
	return code(err)
}

// value is what a number of an answer is, or that it is missing.
func value(n *int32) any {
	if n == nil {
		return "none"
	}
	return *n
}
