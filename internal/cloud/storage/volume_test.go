package storage_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/cloud/storage"
	"geusemaker/internal/stack"
)

func describe(b *apitest.Bench, id string) ec2types.Volume {
	b.Helper()
	out, err := machines(b).DescribeVolumes(b.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		b.Fatal(err)
	}
	return out.Volumes[0]
}

func terminate(b *apitest.Bench) {
	b.Helper()
	_, err := machines(b).TerminateInstances(b.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{b.Record(stack.KeyInstance).ID}})
	if err != nil {
		b.Fatal(err)
	}
}

func TestAVolumeIsAttachedAsSoonAsItsMachineRuns(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeMachine(b)
		start := time.Now()
		found := b.Make(stack.KeyData, data)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
		v := describe(b, found.ID)
		if len(v.Attachments) != 1 || aws.ToString(v.Attachments[0].InstanceId) != b.Record(stack.KeyInstance).ID ||
			aws.ToString(v.Attachments[0].Device) != data.Device || v.Attachments[0].State != ec2types.VolumeAttachmentStateAttached {
			t.Errorf("attachments are %+v", v.Attachments)
		}
		if v.VolumeType != ec2types.VolumeTypeGp3 || !aws.ToBool(v.Encrypted) || aws.ToInt32(v.Size) != 20 || aws.ToInt32(v.Throughput) != 250 ||
			aws.ToInt32(v.Iops) != 3000 || aws.ToString(v.AvailabilityZone) != "us-east-1a" {
			t.Errorf("volume is %+v", v)
		}
		if found.Attrs[stack.AttrZone] != "us-east-1a" || found.Since.IsZero() {
			t.Errorf("found %+v", found)
		}
	})
}

func TestAFastVolumeHasTheIOPSThatItsThroughputNeeds(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		fast := data
		fast.Throughput = 1000
		if v := describe(b, b.Make(stack.KeyData, fast).ID); aws.ToInt32(v.Iops) != 4000 {
			t.Errorf("IOPS %d", aws.ToInt32(v.Iops))
		}
	})
}

func TestAVolumeSurvivesLostReplies(t *testing.T) {
	for _, operation := range []string{"CreateVolume", "AttachVolume"} {
		t.Run(operation, func(t *testing.T) {
			inBubble(t, func(b *apitest.Bench) {
				makeRunning(b)
				b.Fault(sandbox.Fault{Service: "EC2", Operation: operation, Effect: sandbox.EffectLoseReply, Count: 2})
				b.Make(stack.KeyData, data)
				if made := b.Account.Inventory()["volume"]; len(made) != 2 { // with the machine's root volume
					t.Errorf("there are %d: %q", len(made), made)
				}
			})
		})
	}
}

func TestAVolumeForAMachineThatEndedIsAnError(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Create(stack.KeyData, data)
		terminate(b)
		start := time.Now()
		_, err := b.Drivers[stack.KindVolume].Settle(b.Context(), b.Target(stack.KeyData, data))
		if err == nil || !strings.Contains(err.Error(), "the machine "+b.Record(stack.KeyInstance).ID+" is ") || time.Since(start) > 20*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestAVolumeOfAnotherMachineIsNotTaken(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Make(stack.KeyData, data)
		first := b.Record(stack.KeyInstance).ID
		launch(b)
		_, err := b.Drivers[stack.KindVolume].Settle(b.Context(), b.Target(stack.KeyData, data))
		if err == nil || !strings.Contains(err.Error(), "is attached to another machine, "+first+", which is running") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAVolumeMovesFromAMachineThatEndsToTheNext(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Make(stack.KeyData, data)
		terminate(b)
		launch(b)
		b.Settle(stack.KeyData, data)
		if v := describe(b, b.Record(stack.KeyData).ID); aws.ToString(v.Attachments[0].InstanceId) != b.Record(stack.KeyInstance).ID {
			t.Errorf("attachments are %+v", v.Attachments)
		}
	})
}

func TestAVolumeNeedsTheZoneOfItsMachine(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Intend(stack.KeyData, stack.KindVolume)
		if _, err := b.Drivers[stack.KindVolume].Create(b.Context(), b.Target(stack.KeyData, data)); err == nil || len(b.Calls()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

func TestRootVolumesArePartOfTheirMachine(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		made := b.Make(stack.KeyData, data)
		all, err := b.Drivers[stack.KindVolume].List(b.Context(), b.Identity.ID)
		if err != nil || len(all) != 1 || all[0].ID != made.ID {
			t.Errorf("listed %v (%v)", all, err)
		}
	})
}

func TestAVolumeIsTakenFromAMachineThatLives(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Make(stack.KeyData, data)
		b.Calls()
		b.Delete(stack.KeyData)
		if n := len(slices.DeleteFunc(b.Calls(), func(s string) bool { return s != "DetachVolume" })); n != 1 {
			t.Errorf("detached %d times", n)
		}
	})
}

func TestAVolumeWaitsForAMachineThatEnds(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Make(stack.KeyData, data)
		terminate(b)
		b.Calls()
		b.Delete(stack.KeyData)
		if slices.Contains(b.Calls(), "DetachVolume") {
			t.Error("was pulled from under the machine")
		}
	})
}

// failed shows every volume in the state error, as one has whose KMS key EC2 may not use.
type failed struct{ storage.EC2 }

func (e failed) DescribeVolumes(ctx context.Context, in *ec2.DescribeVolumesInput, o ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error) {
	out, err := e.EC2.DescribeVolumes(ctx, in, o...)
	if err == nil {
		for i := range out.Volumes {
			out.Volumes[i].State = ec2types.VolumeStateError
		}
	}
	return out, err
}

func TestAVolumeThatCannotBeMadeEndsTheWait(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRunning(b)
		b.Create(stack.KeyData, data)
		drivers := storage.Drivers(fileAPI(b), failed{machines(b)}, b.Account.Clock())
		_, err := drivers[stack.KindVolume].Settle(b.Context(), b.Target(stack.KeyData, data))
		if err == nil || !strings.Contains(err.Error(), "is in state error") {
			t.Errorf("got %v", err)
		}
	})
}
