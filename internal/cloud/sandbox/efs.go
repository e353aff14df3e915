package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
)

type fileSystem struct {
	resource
	Token       string                     `json:"token"`
	Encrypted   bool                       `json:"encrypted,omitempty"`
	Key         string                     `json:"key,omitempty"` // KMS
	Performance efstypes.PerformanceMode   `json:"performance"`
	Throughput  efstypes.ThroughputMode    `json:"throughput"`
	Provisioned float64                    `json:"provisioned,omitempty"` // MiB/s
	OneZone     string                     `json:"one_zone,omitempty"`
	Backup      efstypes.Status            `json:"backup,omitempty"`
	Policy      string                     `json:"policy,omitempty"`
	Lifecycle   []efstypes.LifecyclePolicy `json:"lifecycle,omitempty"`
	Bytes       int64                      `json:"bytes,omitempty"`   // 0: as little as an empty one takes
	Replica     bool                       `json:"replica,omitempty"` // the destination of a replication
	Gone        time.Time                  `json:"gone,omitzero"`
}

// How long a file system is creating (5 to 12 s were reported) and deleting.
const (
	fileSystemDelay  = 6 * time.Second
	fileSystemRemove = 3 * time.Second
)

func (f *fileSystem) state(now time.Time) efstypes.LifeCycleState {
	switch {
	case !f.Gone.IsZero():
		return efstypes.LifeCycleStateDeleting
	case now.Before(f.Born.Add(fileSystemDelay)):
		return efstypes.LifeCycleStateCreating
	}
	return efstypes.LifeCycleStateAvailable
}

func registerFileSystems(all map[string]operation) {
	on(all, serviceEFS, "CreateFileSystem", createFileSystem)
	on(all, serviceEFS, "DescribeFileSystems", describeFileSystems)
	on(all, serviceEFS, "DeleteFileSystem", deleteFileSystem)
	on(all, serviceEFS, "PutBackupPolicy", putBackupPolicy)
	on(all, serviceEFS, "DescribeBackupPolicy", describeBackupPolicy)
	on(all, serviceEFS, "PutFileSystemPolicy", putFileSystemPolicy)
	on(all, serviceEFS, "DescribeFileSystemPolicy", describeFileSystemPolicy)
	on(all, serviceEFS, "PutLifecycleConfiguration", putLifecycleConfiguration)
	on(all, serviceEFS, "DescribeLifecycleConfiguration", describeLifecycleConfiguration)
	on(all, serviceEFS, "ListTagsForResource", listFileSystemTags)
	on(all, serviceEFS, "TagResource", tagFileSystem)
}

func efsTagMap(tags []efstypes.Tag) map[string]string {
	m := map[string]string{}
	for _, tag := range tags {
		m[deref(tag.Key)] = deref(tag.Value)
	}
	return m
}

func efsTags(m map[string]string) []efstypes.Tag {
	tags := make([]efstypes.Tag, 0, len(m))
	for _, key := range keys(m) {
		tags = append(tags, efstypes.Tag{Key: new(key), Value: new(m[key])})
	}
	return tags
}

// createFileSystem refuses a token that is in use, naming the file system that has it (EFS API reference, CreateFileSystem).
func createFileSystem(c *call, in *efs.CreateFileSystemInput) (*efs.CreateFileSystemOutput, error) {
	if length := len(deref(in.CreationToken)); length < 1 || length > 64 {
		return nil, refuse("BadRequest", "CreationToken must have a length between 1 and 64, not %d", length)
	}
	for _, f := range c.region.FileSystems {
		if f.Token == deref(in.CreationToken) {
			message := "File system '" + f.ID + "' already exists with creation token '" + f.Token + "'"
			return nil, &refusal{code: "FileSystemAlreadyExists", message: message, typed: &efstypes.FileSystemAlreadyExists{
				Message: &message, FileSystemId: new(f.ID), ErrorCode_: new("FileSystemAlreadyExists"),
			}}
		}
	}
	f := &fileSystem{
		Token: deref(in.CreationToken), Encrypted: deref(in.Encrypted), Key: deref(in.KmsKeyId), Performance: in.PerformanceMode,
		Throughput: in.ThroughputMode, Provisioned: deref(in.ProvisionedThroughputInMibps), OneZone: deref(in.AvailabilityZoneName),
		Backup: efstypes.StatusDisabled,
	}
	if f.Performance == "" {
		f.Performance = efstypes.PerformanceModeGeneralPurpose
	}
	if f.Throughput == "" {
		f.Throughput = efstypes.ThroughputModeBursting
	}
	switch {
	case f.OneZone != "" && zoneID(c.region.Name, f.OneZone) == "":
		return nil, refuse("UnsupportedAvailabilityZone", "The Availability Zone %s is not supported", f.OneZone)
	case f.Throughput == efstypes.ThroughputModeProvisioned && f.Provisioned <= 0:
		return nil, refuse("BadRequest", "ProvisionedThroughputInMibps is required when ThroughputMode is provisioned")
	case f.Throughput == efstypes.ThroughputModeElastic && f.Performance == efstypes.PerformanceModeMaxIo:
		return nil, refuse("BadRequest", "Elastic throughput is not supported for file systems with maxIO performance mode")
	case f.Key != "" && !f.Encrypted:
		return nil, refuse("BadRequest", "KmsKeyId needs Encrypted")
	}
	if deref(in.Backup) || in.Backup == nil && f.OneZone != "" {
		f.Backup = efstypes.StatusEnabled
	}
	f.resource = c.birth(c.newID("fs"), efsTagMap(in.Tags))
	c.region.FileSystems[f.ID] = f
	d := c.showFileSystem(f)
	return &efs.CreateFileSystemOutput{
		FileSystemId: d.FileSystemId, CreationToken: d.CreationToken, CreationTime: d.CreationTime, LifeCycleState: d.LifeCycleState,
		OwnerId: d.OwnerId, PerformanceMode: d.PerformanceMode, ThroughputMode: d.ThroughputMode, SizeInBytes: d.SizeInBytes,
		Encrypted: d.Encrypted, KmsKeyId: d.KmsKeyId, FileSystemArn: d.FileSystemArn, Name: d.Name, Tags: d.Tags,
		ProvisionedThroughputInMibps: d.ProvisionedThroughputInMibps, AvailabilityZoneName: d.AvailabilityZoneName,
	}, nil
}

// fileSystem finds a file system by id or ARN. Reads and dependent calls do not know a new one yet.
func (c *call) fileSystem(id *string, settled bool) (*fileSystem, error) {
	name := deref(id)
	if _, last, isARN := strings.Cut(name, ":file-system/"); isARN {
		name = last
	}
	f := c.region.FileSystems[name]
	if f == nil || settled && !f.visible(c.now) {
		return nil, refuse("FileSystemNotFound", "File system '%s' does not exist.", name)
	}
	return f, nil
}

func (c *call) showFileSystem(f *fileSystem) efstypes.FileSystemDescription {
	shown := efstypes.FileSystemDescription{
		FileSystemId: new(f.ID), CreationToken: new(f.Token), CreationTime: new(f.Born), LifeCycleState: f.state(c.now),
		OwnerId: new(c.state.Account), PerformanceMode: f.Performance, ThroughputMode: f.Throughput, Encrypted: new(f.Encrypted),
		FileSystemArn: new(c.arn("elasticfilesystem", "file-system/"+f.ID)), Tags: efsTags(f.Tags),
		SizeInBytes: &efstypes.FileSystemSize{Value: 6144, Timestamp: new(c.now)}, // an empty one takes 6 KiB
	}
	if f.Bytes > 0 {
		shown.SizeInBytes.Value = f.Bytes
	}
	if f.Replica {
		shown.FileSystemProtection = &efstypes.FileSystemProtectionDescription{ReplicationOverwriteProtection: efstypes.ReplicationOverwriteProtectionReplicating}
	}
	for _, m := range c.region.MountTargets {
		if m.FileSystem == f.ID {
			shown.NumberOfMountTargets++
		}
	}
	if name, ok := f.Tags["Name"]; ok {
		shown.Name = new(name)
	}
	if f.Encrypted {
		shown.KmsKeyId = new(c.arn("kms", "key/"+digest(c.state.Seed, c.region.Name, "aws/elasticfilesystem")[:12]))
		if f.Key != "" {
			shown.KmsKeyId = new(f.Key)
		}
	}
	if f.Provisioned > 0 {
		shown.ProvisionedThroughputInMibps = new(f.Provisioned)
	}
	if f.OneZone != "" {
		shown.AvailabilityZoneName, shown.AvailabilityZoneId = new(f.OneZone), new(zoneID(c.region.Name, f.OneZone))
	}
	return shown
}

func describeFileSystems(c *call, in *efs.DescribeFileSystemsInput) (*efs.DescribeFileSystemsOutput, error) {
	if in.FileSystemId != nil && in.CreationToken != nil {
		return nil, refuse("BadRequest", "Specify either FileSystemId or CreationToken, not both")
	}
	if in.FileSystemId != nil {
		f, err := c.fileSystem(in.FileSystemId, true)
		if err != nil {
			return nil, err
		}
		return &efs.DescribeFileSystemsOutput{FileSystems: []efstypes.FileSystemDescription{c.showFileSystem(f)}}, nil
	}
	var found []efstypes.FileSystemDescription
	for _, f := range inOrder(c.region.FileSystems) {
		if !f.visible(c.now) || in.CreationToken != nil && *in.CreationToken != f.Token {
			continue
		}
		found = append(found, c.showFileSystem(f))
	}
	found, next, err := page(found, in.MaxItems, in.Marker, 100)
	return &efs.DescribeFileSystemsOutput{FileSystems: found, NextMarker: next, Marker: in.Marker}, err
}

func deleteFileSystem(c *call, in *efs.DeleteFileSystemInput) (*efs.DeleteFileSystemOutput, error) {
	f, err := c.fileSystem(in.FileSystemId, false)
	if err != nil {
		return nil, err
	}
	for _, m := range c.region.MountTargets {
		if m.FileSystem == f.ID {
			return nil, refuse("FileSystemInUse", "Cannot delete file system '%s' because it has mount targets", f.ID)
		}
	}
	if f.state(c.now) == efstypes.LifeCycleStateCreating {
		return nil, refuse("IncorrectFileSystemLifeCycleState", "File system '%s' is in state creating", f.ID)
	}
	f.Gone = c.now.Add(fileSystemRemove)
	return &efs.DeleteFileSystemOutput{}, nil
}

// settled finds a file system that is available, as the calls that change its settings need.
func (c *call) settled(id *string) (*fileSystem, error) {
	f, err := c.fileSystem(id, true)
	if err != nil {
		return nil, err
	}
	if state := f.state(c.now); state != efstypes.LifeCycleStateAvailable {
		return nil, refuse("IncorrectFileSystemLifeCycleState", "None of the file system's states may be %s: '%s'", state, f.ID)
	}
	return f, nil
}

func putBackupPolicy(c *call, in *efs.PutBackupPolicyInput) (*efs.PutBackupPolicyOutput, error) {
	f, err := c.settled(in.FileSystemId)
	if err != nil {
		return nil, err
	}
	f.Backup = in.BackupPolicy.Status
	return &efs.PutBackupPolicyOutput{BackupPolicy: &efstypes.BackupPolicy{Status: f.Backup}}, nil
}

func describeBackupPolicy(c *call, in *efs.DescribeBackupPolicyInput) (*efs.DescribeBackupPolicyOutput, error) {
	f, err := c.fileSystem(in.FileSystemId, true)
	if err != nil {
		return nil, err
	}
	return &efs.DescribeBackupPolicyOutput{BackupPolicy: &efstypes.BackupPolicy{Status: f.Backup}}, nil
}

// putFileSystemPolicy refuses text that is no policy, and a role that IAM has not spread yet: there is no such principal for
// some seconds after CreateRole.
func putFileSystemPolicy(c *call, in *efs.PutFileSystemPolicyInput) (*efs.PutFileSystemPolicyOutput, error) {
	f, err := c.settled(in.FileSystemId)
	if err != nil {
		return nil, err
	}
	statements, err := policyStatements(deref(in.Policy))
	if err != nil || len(deref(in.Policy)) > 20000 {
		return nil, refuse("InvalidPolicyException", "Policy is not valid: the text is no policy document or exceeds 20,000 characters")
	}
	for _, statement := range statements {
		for _, principal := range statement.principals() {
			_, name, isRole := strings.Cut(principal, ":role/")
			if !isRole {
				continue
			}
			name = name[strings.LastIndex(name, "/")+1:]
			if r := c.state.Roles[name]; r == nil || c.now.Before(r.Born.Add(spread)) {
				return nil, refuse("InvalidPolicyException", "Policy contains invalid Principal block")
			}
		}
	}
	f.Policy = *in.Policy
	return &efs.PutFileSystemPolicyOutput{FileSystemId: new(f.ID), Policy: in.Policy}, nil
}

func describeFileSystemPolicy(c *call, in *efs.DescribeFileSystemPolicyInput) (*efs.DescribeFileSystemPolicyOutput, error) {
	f, err := c.fileSystem(in.FileSystemId, true)
	if err != nil {
		return nil, err
	}
	if f.Policy == "" {
		return nil, refuse("PolicyNotFound", "The default file system policy is in effect for '%s'", f.ID)
	}
	return &efs.DescribeFileSystemPolicyOutput{FileSystemId: new(f.ID), Policy: new(f.Policy)}, nil
}

func putLifecycleConfiguration(c *call, in *efs.PutLifecycleConfigurationInput) (*efs.PutLifecycleConfigurationOutput, error) {
	f, err := c.settled(in.FileSystemId)
	if err != nil {
		return nil, err
	}
	for _, policy := range in.LifecyclePolicies {
		set := 0
		for _, rule := range []string{
			string(policy.TransitionToIA), string(policy.TransitionToArchive), string(policy.TransitionToPrimaryStorageClass),
		} {
			if rule != "" {
				set++
			}
		}
		if set != 1 {
			return nil, refuse("BadRequest", "Each LifecyclePolicy object can have only a single transition")
		}
	}
	f.Lifecycle = slices.Clone(in.LifecyclePolicies)
	return &efs.PutLifecycleConfigurationOutput{LifecyclePolicies: in.LifecyclePolicies}, nil
}

func describeLifecycleConfiguration(c *call, in *efs.DescribeLifecycleConfigurationInput) (*efs.DescribeLifecycleConfigurationOutput, error) {
	f, err := c.fileSystem(in.FileSystemId, true)
	if err != nil {
		return nil, err
	}
	return &efs.DescribeLifecycleConfigurationOutput{LifecyclePolicies: slices.Clone(f.Lifecycle)}, nil
}

func listFileSystemTags(c *call, in *efs.ListTagsForResourceInput) (*efs.ListTagsForResourceOutput, error) {
	f, err := c.fileSystem(in.ResourceId, true)
	if err != nil {
		return nil, err
	}
	return &efs.ListTagsForResourceOutput{Tags: efsTags(f.Tags)}, nil
}

func tagFileSystem(c *call, in *efs.TagResourceInput) (*efs.TagResourceOutput, error) {
	f, err := c.fileSystem(in.ResourceId, true)
	if err != nil {
		return nil, err
	}
	made(&f.Tags)
	maps.Copy(f.Tags, efsTagMap(in.Tags))
	return &efs.TagResourceOutput{}, nil
}

// statement is what the sandbox reads of a policy statement.
type statement struct {
	Effect    string
	Principal any
	Action    any
}

// policyStatements reads a policy document. Statement may be one object or a list (IAM user guide, "Grammar of the IAM JSON
// policy language").
func policyStatements(text string) ([]statement, error) {
	var document struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	var list []statement
	if err := json.Unmarshal(document.Statement, &list); err == nil {
		return list, nil
	}
	var one statement
	if err := json.Unmarshal(document.Statement, &one); err != nil {
		return nil, err
	}
	return []statement{one}, nil
}

// principals lists the AWS principals and services that a statement names.
func (s statement) principals() []string {
	var names []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			names = append(names, v)
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for _, key := range keys(v) {
				walk(v[key])
			}
		}
	}
	walk(s.Principal)
	return names
}
