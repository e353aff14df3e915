package discovery

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
)

// FileSystem is an EFS file system with its mount targets.
type FileSystem struct {
	Resource
	State       string // available, creating, updating, deleting, error ...
	Encrypted   bool
	Key         string // ARN of its KMS key
	Performance string
	Throughput  string  // bursting, elastic, provisioned
	Provisioned float64 // MiB/s
	Zone        string  // of a One Zone file system; "" for a regional one
	Bytes       int64
	Replica     bool // the read-only destination of a replication
	CreatedAt   time.Time
	Targets     []MountTarget
}

// MountTarget lets one zone reach a file system.
type MountTarget struct {
	ID        string
	Subnet    string
	VPC       string
	Zone      string
	Address   string
	State     string
	Interface string
	Groups    []string // IDs of its security groups
}

// VPC is the network in which the file system is reached, or "" while it has no mount target. It can be one at a time only
// (EFS user guide, "Managing mount targets").
func (f FileSystem) VPC() string {
	if len(f.Targets) == 0 {
		return ""
	}
	return f.Targets[0].VPC
}

// GuardIDs are the security groups of the mount targets.
func (f FileSystem) GuardIDs() []string {
	var ids []string
	for _, t := range f.Targets {
		ids = append(ids, t.Groups...)
	}
	return ids
}

// Target is the mount target of a zone.
func (f FileSystem) Target(zone string) (MountTarget, bool) {
	i := slices.IndexFunc(f.Targets, func(t MountTarget) bool { return t.Zone == zone })
	if i < 0 {
		return MountTarget{}, false
	}
	return f.Targets[i], true
}

func fileSystemOf(f efstypes.FileSystemDescription) FileSystem {
	out := FileSystem{
		Resource: named(aws.ToString(f.FileSystemId), api.FromEFS(f.Tags)),
		State:    string(f.LifeCycleState), Encrypted: aws.ToBool(f.Encrypted), Key: aws.ToString(f.KmsKeyId),
		Performance: string(f.PerformanceMode), Throughput: string(f.ThroughputMode),
		Provisioned: aws.ToFloat64(f.ProvisionedThroughputInMibps), Zone: aws.ToString(f.AvailabilityZoneName),
		CreatedAt: aws.ToTime(f.CreationTime),
	}
	if f.SizeInBytes != nil {
		out.Bytes = f.SizeInBytes.Value
	}
	if p := f.FileSystemProtection; p != nil {
		out.Replica = p.ReplicationOverwriteProtection == efstypes.ReplicationOverwriteProtectionReplicating
	}
	return out
}

func mountTargetOf(m efstypes.MountTargetDescription) MountTarget {
	return MountTarget{
		ID: aws.ToString(m.MountTargetId), Subnet: aws.ToString(m.SubnetId), VPC: aws.ToString(m.VpcId),
		Zone: aws.ToString(m.AvailabilityZoneName), Address: aws.ToString(m.IpAddress), State: string(m.LifeCycleState),
		Interface: aws.ToString(m.NetworkInterfaceId),
	}
}
