package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// fileSystems is the driver of stack.FileSystem.
type fileSystems struct{ room }

// describe asks for a file system in whatever state it is, until EFS no longer knows it.
func (d fileSystems) describe(ctx context.Context, id string) (efstypes.FileSystemDescription, error) {
	out, err := d.efs.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{FileSystemId: &id})
	if err != nil {
		return efstypes.FileSystemDescription{}, api.Absent(err)
	}
	if len(out.FileSystems) == 0 || out.FileSystems[0].LifeCycleState == efstypes.LifeCycleStateDeleted {
		return efstypes.FileSystemDescription{}, engine.ErrNotFound
	}
	return out.FileSystems[0], nil
}

// Read implements engine.Driver.
func (d fileSystems) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	fs, err := d.describe(ctx, t.Record.ID)
	if err == nil && dying(fs.LifeCycleState) {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, err
	}
	return foundFileSystem(fs), nil
}

// dying tells the states that end in nothing.
func dying(s efstypes.LifeCycleState) bool {
	return s == efstypes.LifeCycleStateDeleting || s == efstypes.LifeCycleStateDeleted
}

// usable reports whether something of EFS has become available: not while EFS does not know it yet, and never on its way out.
func usable(name string, state efstypes.LifeCycleState, err error) (bool, error) {
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return false, nil
	case err == nil && (state == efstypes.LifeCycleStateError || dying(state)):
		return false, fmt.Errorf("%s is in state %s", name, state)
	default:
		return state == efstypes.LifeCycleStateAvailable, err
	}
}

func foundFileSystem(fs efstypes.FileSystemDescription) engine.Found {
	f := api.Found(aws.ToString(fs.FileSystemId), api.FromEFS(fs.Tags), map[string]string{stack.AttrARN: aws.ToString(fs.FileSystemArn)})
	f.Since = aws.ToTime(fs.CreationTime)
	return f
}

// List implements engine.Driver. EFS has no filter by tag, so all file systems of the account are read.
func (d fileSystems) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := efs.NewDescribeFileSystemsPaginator(d.efs, &efs.DescribeFileSystemsInput{})
	return api.All(ctx, pages, func(out *efs.DescribeFileSystemsOutput) []engine.Found {
		var all []engine.Found
		for _, fs := range out.FileSystems {
			if api.Owns(stackID, api.FromEFS(fs.Tags)) && !dying(fs.LifeCycleState) {
				f := foundFileSystem(fs)
				if fs.SizeInBytes != nil { // which changes all the time, so no record of it is kept but here
					f.Attrs[stack.AttrBytes] = strconv.FormatInt(fs.SizeInBytes.Value, 10)
				}
				all = append(all, f)
			}
		}
		return all
	})
}

// Create implements engine.Driver. A creation token that was used names the file system that it made (EFS API reference,
// CreateFileSystem): that is ours when its tags say so.
func (d fileSystems) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.FileSystem)
	in := &efs.CreateFileSystemInput{
		CreationToken: &t.Record.Token, Encrypted: new(true),
		PerformanceMode: efstypes.PerformanceModeGeneralPurpose, ThroughputMode: efstypes.ThroughputModeElastic,
		Tags: api.EFSTags(api.Named(t.Tags, spec.Name)),
	}
	if spec.KMSKey != "" {
		in.KmsKeyId = &spec.KMSKey
	}
	out, err := d.efs.CreateFileSystem(ctx, in)
	if used, ok := errors.AsType[*efstypes.FileSystemAlreadyExists](err); ok {
		return d.adopt(ctx, t, aws.ToString(used.FileSystemId), err)
	}
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	f := api.Found(aws.ToString(out.FileSystemId), api.FromEFS(out.Tags), map[string]string{stack.AttrARN: aws.ToString(out.FileSystemArn)})
	f.Since = aws.ToTime(out.CreationTime)
	return f, nil
}

func (d fileSystems) adopt(ctx context.Context, t engine.Target, id string, refusal error) (engine.Found, error) {
	t.Record.ID = id
	found, err := d.Read(ctx, t)
	if err != nil {
		return engine.Found{}, engine.Unsure{Err: refusal} // not seen yet, or on its way out
	}
	if found.Stack != t.Stack.ID || found.Key != t.Key {
		return engine.Found{}, fmt.Errorf("file system %s has the creation token of this deployment, but not its tags: %w", id, refusal)
	}
	return found, nil
}

// Settle implements engine.Driver. It waits for the file system, turns backups on when they are wanted, and refuses clients
// without TLS.
func (d fileSystems) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	var fs efstypes.FileSystemDescription
	name := "the file system " + t.Record.ID
	err := d.wait(t, name+" to become available").Until(ctx, func(ctx context.Context) (done bool, err error) {
		fs, err = d.describe(ctx, t.Record.ID)
		return usable(name, fs.LifeCycleState, err)
	})
	if err != nil {
		return engine.Found{}, err
	}
	if t.Spec.(stack.FileSystem).Backup {
		if err := d.backUp(ctx, t); err != nil {
			return engine.Found{}, err
		}
	}
	policy, err := policyAgainstPlainText(aws.ToString(fs.FileSystemArn))
	if err != nil {
		return engine.Found{}, err
	}
	err = d.whenIdle(ctx, t, func(ctx context.Context) error {
		_, err := d.efs.PutFileSystemPolicy(ctx, &efs.PutFileSystemPolicyInput{FileSystemId: &t.Record.ID, Policy: &policy})
		return err
	})
	return foundFileSystem(fs), err
}

// backUp turns automatic backups on. Where AWS Backup is not offered, or not allowed, the deployment goes on without.
func (d fileSystems) backUp(ctx context.Context, t engine.Target) error {
	err := d.whenIdle(ctx, t, func(ctx context.Context) error {
		_, err := d.efs.PutBackupPolicy(ctx, &efs.PutBackupPolicyInput{
			FileSystemId: &t.Record.ID, BackupPolicy: &efstypes.BackupPolicy{Status: efstypes.StatusEnabled},
		}, func(o *efs.Options) { o.RetryMaxAttempts = 2 })
		return err
	})
	if api.Status(err) != 0 {
		message, _ := api.Explain(err)
		t.Warn("the file system has no automatic backups: elasticfilesystem:PutBackupPolicy: " + message)
		return nil
	}
	return err
}

// whenIdle repeats a change while an earlier one still occupies the file system.
func (d fileSystems) whenIdle(ctx context.Context, t engine.Target, change func(context.Context) error) error {
	passing := func(err error) bool { return api.IsNotFound(err) || api.IsBusy(err) }
	return api.Retry(ctx, d.wait(t, "the file system "+t.Record.ID+" to take its settings"), passing, change)
}

type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    string
	Resource  string
	Condition map[string]map[string]string
}

type document struct {
	Version   string
	Statement []statement
}

// policyAgainstPlainText denies every client that does not use TLS. Since it replaces the default policy, which lets any
// client in, clients must also use IAM (EFS user guide, "Using IAM to control file system data access").
func policyAgainstPlainText(arn string) (string, error) {
	policy, err := json.Marshal(document{Version: "2012-10-17", Statement: []statement{{
		Sid: "RequireTLS", Effect: "Deny", Principal: map[string]string{"AWS": "*"}, Action: "*", Resource: arn,
		Condition: map[string]map[string]string{"Bool": {"aws:SecureTransport": "false"}},
	}}})
	return string(policy), err
}

// Delete implements engine.Driver. It is refused until every mount target is gone (EFS API reference, DeleteFileSystem).
func (d fileSystems) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.efs.DeleteFileSystem(ctx, &efs.DeleteFileSystemInput{FileSystemId: &t.Record.ID})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
