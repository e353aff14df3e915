package compute_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

func TestSettledMachineHasItsAddresses(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		found := b.Settle(stack.KeyInstance, b.spec)
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("took %v", took)
		}
		for _, name := range []string{stack.AttrPublicIP, stack.AttrPrivateIP, stack.AttrSubnet, stack.AttrZone, stack.AttrType, stack.AttrMarket} {
			if found.Attrs[name] == "" {
				t.Errorf("%s is missing from %v", name, found.Attrs)
			}
		}
		if found.Attrs[stack.AttrState] != "running" {
			t.Errorf("state %s", found.Attrs[stack.AttrState])
		}
	})
}

// A machine for which AWS had no room after all ends while it starts. It has vanished, and the next attempt begins elsewhere.
func TestMachineThatEndsAtItsStart(t *testing.T) {
	inBubble(t, func(b *bench) {
		first, err := b.launch()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.TerminateInstances(b.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{b.Record(stack.KeyInstance).ID}}); err != nil {
			t.Fatal(err)
		}
		_, err = b.Drivers[stack.KindInstance].Settle(b.Context(), b.Target(stack.KeyInstance, b.spec))
		if !errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), "User initiated shutdown") {
			t.Errorf("settle: %v", err)
		}
		if !b.Absent(stack.KeyInstance) {
			t.Error("a machine that is shutting down is read as living")
		}
		b.Intend(stack.KeyInstance, stack.KindInstance)
		target := b.Target(stack.KeyInstance, b.spec)
		target.Record.Attempt = 2
		found, err := b.Drivers[stack.KindInstance].Create(b.Context(), target)
		if err != nil || fmt.Sprintf("%s %s %s", found.Attrs[stack.AttrType], found.Attrs[stack.AttrZone], found.Attrs[stack.AttrMarket]) == first {
			t.Errorf("again %v, %v", found.Attrs, err)
		}
	})
}

func TestDeleteEndsTheSpotRequest(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		b.Settle(stack.KeyInstance, b.spec)
		b.Calls()
		b.Delete(stack.KeyInstance)
		if calls := b.Calls(); len(b.living()) > 0 || !b.Absent(stack.KeyInstance) || !slices.Contains(calls, "CancelSpotInstanceRequests") {
			t.Errorf("calls %v", calls)
		}
	})
}

// Who deletes a deployment has typed its name; a protection that was set in the console does not keep its machine.
func TestDeleteLiftsProtection(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.spec.Offers = b.spec.Offers[4:]
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		b.Settle(stack.KeyInstance, b.spec)
		id := b.Record(stack.KeyInstance).ID
		if _, err := b.ModifyInstanceAttribute(b.Context(), &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, DisableApiTermination: &ec2types.AttributeBooleanValue{Value: new(true)},
		}); err != nil {
			t.Fatal(err)
		}
		b.Delete(stack.KeyInstance)
		if len(b.living()) > 0 || !strings.Contains(strings.Join(b.Told(), ""), "protection") {
			t.Errorf("told %q", b.Told())
		}
	})
}

func TestListLeavesOutWhatIsEnding(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		d := b.Drivers[stack.KindInstance]
		all, err := d.List(b.Context(), "")
		if err != nil || len(all) != 1 || all[0].Key != stack.KeyInstance || all[0].Since.IsZero() || tagsOf(b.living()[0])[stack.TagStack] != all[0].Stack {
			t.Fatalf("%+v, %v", all, err)
		}
		if _, err := b.TerminateInstances(b.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{all[0].ID}}); err != nil {
			t.Fatal(err)
		}
		if all, err := d.List(b.Context(), ""); err != nil || len(all) > 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
