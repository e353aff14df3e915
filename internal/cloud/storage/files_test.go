package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/cloud/storage"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

func TestAFileSystemIsEncryptedElasticBackedUpAndClosedToPlainText(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		found := b.Make(stack.KeyFiles, files)
		out, err := fileAPI(b).DescribeFileSystems(b.Context(), &efs.DescribeFileSystemsInput{FileSystemId: &found.ID})
		if err != nil {
			t.Fatal(err)
		}
		fs := out.FileSystems[0]
		if !aws.ToBool(fs.Encrypted) || fs.ThroughputMode != efstypes.ThroughputModeElastic || fs.PerformanceMode != efstypes.PerformanceModeGeneralPurpose {
			t.Errorf("file system is %+v", fs)
		}
		if got := found.Attrs[stack.AttrARN]; got == "" || got != aws.ToString(fs.FileSystemArn) {
			t.Errorf("ARN is %q", got)
		}
		if got := api.FromEFS(fs.Tags)["Name"]; got != files.Name {
			t.Errorf("name is %q", got)
		}
		backup, err := fileAPI(b).DescribeBackupPolicy(b.Context(), &efs.DescribeBackupPolicyInput{FileSystemId: &found.ID})
		if err != nil || backup.BackupPolicy.Status != efstypes.StatusEnabled {
			t.Errorf("backup policy is %+v (%v)", backup, err)
		}
		policy, err := fileAPI(b).DescribeFileSystemPolicy(b.Context(), &efs.DescribeFileSystemPolicyInput{FileSystemId: &found.ID})
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			Statement []struct {
				Effect, Action, Resource string
				Condition                map[string]map[string]string
			}
		}
		if err := json.Unmarshal([]byte(aws.ToString(policy.Policy)), &document); err != nil || len(document.Statement) != 1 {
			t.Fatalf("policy %s: %v", aws.ToString(policy.Policy), err)
		}
		s := document.Statement[0]
		if s.Effect != "Deny" || s.Action != "*" || s.Resource != found.Attrs[stack.AttrARN] || s.Condition["Bool"]["aws:SecureTransport"] != "false" {
			t.Errorf("statement is %+v", s)
		}
	})
}

func TestWithoutBackupsNoneAreAskedFor(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Make(stack.KeyFiles, stack.FileSystem{Name: "files"})
		if calls := b.Calls(); slices.Contains(calls, "PutBackupPolicy") {
			t.Errorf("calls %v", calls)
		}
	})
}

func TestBackupsThatAreRefusedAreAWarning(t *testing.T) {
	for _, refusal := range []sandbox.Fault{
		{Code: "AccessDeniedException", HTTPStatus: 403},
		{Code: "ValidationException", HTTPStatus: 400},
		{Code: "UnknownOperationException", HTTPStatus: 404},
		{Code: "InternalFailure", HTTPStatus: 500},
	} {
		t.Run(refusal.Code, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				refusal.Service, refusal.Operation, refusal.Effect = "EFS", "PutBackupPolicy", sandbox.EffectError
				b.Fault(refusal)
				b.Make(stack.KeyFiles, files)
				if w := b.Warned(); len(w) != 1 || !strings.HasPrefix(w[0], "the file system has no automatic backups: ") {
					t.Errorf("warned %q", w)
				}
			})
		})
	}
}

func TestBackupsThatFailAreAnError(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Fault(sandbox.Fault{Service: "EFS", Operation: "PutBackupPolicy", Effect: sandbox.EffectLoseRequest})
		b.Create(stack.KeyFiles, files)
		if _, err := b.Drivers[stack.KindFileSystem].Settle(b.Context(), b.Target(stack.KeyFiles, files)); api.Classify(err) != api.KindNetwork {
			t.Errorf("got %v", err)
		}
	})
}

func TestAFileSystemIsMadeOnceThoughItsReplyIsLost(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Fault(sandbox.Fault{Service: "EFS", Operation: "CreateFileSystem", Effect: sandbox.EffectLoseReply, Count: 1})
		b.Intend(stack.KeyFiles, stack.KindFileSystem)
		target := b.Target(stack.KeyFiles, files)
		found, err := b.Drivers[stack.KindFileSystem].Create(b.Context(), target)
		if _, unsure := errors.AsType[engine.Unsure](err); unsure {
			settled() // reads lag behind; asked again, the token leads to the file system
			found, err = b.Drivers[stack.KindFileSystem].Create(b.Context(), target)
		}
		if err != nil || found.ID == "" || found.Key != stack.KeyFiles {
			t.Errorf("found %+v (%v)", found, err)
		}
		if made := b.Account.Inventory()["file-system"]; len(made) != 1 {
			t.Errorf("there are %d: %q", len(made), made)
		}
	})
}

func TestAFileSystemWithForeignTagsIsNotAdopted(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Intend(stack.KeyFiles, stack.KindFileSystem)
		foreign, err := fileAPI(b).CreateFileSystem(b.Context(), &efs.CreateFileSystemInput{CreationToken: new(b.Record(stack.KeyFiles).Token)})
		if err != nil {
			t.Fatal(err)
		}
		settled()
		_, err = b.Drivers[stack.KindFileSystem].Create(b.Context(), b.Target(stack.KeyFiles, files))
		if _, unsure := errors.AsType[engine.Unsure](err); unsure || err == nil || !strings.Contains(err.Error(), *foreign.FileSystemId) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAMountTargetWaitsForItsFileSystem(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeNetwork(b)
		b.Create(stack.KeyFiles, files)
		found := b.Make(keyMountA, mountA)
		if found.Attrs[stack.AttrAddress] == "" || found.Attrs[stack.AttrSubnet] != b.Record(keyPrivateA).ID {
			t.Errorf("attributes are %v", found.Attrs)
		}
		groups, err := fileAPI(b).DescribeMountTargetSecurityGroups(b.Context(), &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: &found.ID})
		if err != nil || !slices.Equal(groups.SecurityGroups, []string{b.Record(stack.KeyFilesGroup).ID}) {
			t.Errorf("groups are %v (%v)", groups, err)
		}
		if !slices.Contains(b.Told(), "waiting for the mount target "+found.ID+" to become available") {
			t.Errorf("told %q", b.Told())
		}
	})
}

func TestAMountTargetThatMayExistIsLookedFor(t *testing.T) {
	lost := sandbox.Fault{Service: "EFS", Operation: "CreateMountTarget", Effect: sandbox.EffectLoseReply, Count: 1}
	inBubble(t, func(b *apitest.Bench) {
		makeMountable(b)
		settled()
		b.Fault(lost)
		b.Intend(keyMountA, stack.KindMountTarget)
		for _, cause := range []string{"a lost reply", "a conflict"} {
			_, err := b.Drivers[stack.KindMountTarget].Create(b.Context(), b.Target(keyMountA, mountA))
			if _, unsure := errors.AsType[engine.Unsure](err); !unsure {
				t.Errorf("after %s: %v", cause, err)
			}
		}
		if _, ok := b.Listed(stack.KindMountTarget, b.Identity.ID, keyMountA); !ok {
			t.Error("is not found")
		}
	})
}

func TestDeletingAFileSystemWaitsForItsMountTargets(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeMountable(b)
		b.Make(keyMountA, mountA)
		start := time.Now()
		time.AfterFunc(40*time.Second, func() { b.Delete(keyMountA) })
		b.Delete(stack.KeyFiles)
		if took := time.Since(start); took < time.Minute || took > 2*time.Minute {
			t.Errorf("took %s", took)
		}
		if left := b.Account.Inventory(); len(left["file-system"])+len(left["mount-target"]) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestWhatIsBeingDeletedIsNotFound(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeMountable(b)
		b.Make(keyMountA, mountA)
		if _, err := fileAPI(b).DeleteMountTarget(b.Context(), &efs.DeleteMountTargetInput{MountTargetId: new(b.Record(keyMountA).ID)}); err != nil {
			t.Fatal(err)
		}
		all, err := b.Drivers[stack.KindMountTarget].List(b.Context(), b.Identity.ID)
		if err != nil || len(all) != 0 || !b.Absent(keyMountA) {
			t.Errorf("listed %v (%v)", all, err)
		}
	})
}

// broken shows every file system, mount target and volume in a state that does not pass.
type broken struct{ storage.EFS }

func (e broken) DescribeFileSystems(ctx context.Context, in *efs.DescribeFileSystemsInput, o ...func(*efs.Options)) (*efs.DescribeFileSystemsOutput, error) {
	out, err := e.EFS.DescribeFileSystems(ctx, in, o...)
	if err == nil {
		for i := range out.FileSystems {
			out.FileSystems[i].LifeCycleState = efstypes.LifeCycleStateError
		}
	}
	return out, err
}

func (e broken) DescribeMountTargets(ctx context.Context, in *efs.DescribeMountTargetsInput, o ...func(*efs.Options)) (*efs.DescribeMountTargetsOutput, error) {
	out, err := e.EFS.DescribeMountTargets(ctx, in, o...)
	if err == nil {
		for i := range out.MountTargets {
			out.MountTargets[i].LifeCycleState = efstypes.LifeCycleStateError
		}
	}
	return out, err
}

func TestAStateThatDoesNotPassEndsTheWait(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeMountable(b)
		b.Create(keyMountA, mountA)
		drivers := storage.Drivers(broken{fileAPI(b)}, machines(b), b.Account.Clock())
		start := time.Now()
		for key, spec := range map[stack.Key]stack.Spec{stack.KeyFiles: files, keyMountA: mountA} {
			_, err := drivers[spec.Kind()].Settle(b.Context(), b.Target(key, spec))
			if err == nil || !strings.Contains(err.Error(), b.Record(key).ID+" is in state error") {
				t.Errorf("%s: %v", key, err)
			}
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
