package sandbox_test

import (
	"testing"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/sandbox"
)

// A machine for which there is no capacity after all is accepted, pending, and then terminated without ever running; what
// came with it goes, and its token is spent.
func TestVanish(t *testing.T) {
	inBubble(t, func(w *world) {
		in := w.launch(w.network())
		w.settle()
		before := w.account.Dump()
		w.ok(nil, w.account.AddFault(sandbox.Fault{Service: sandbox.ServiceMachine, Operation: "launch", Effect: sandbox.EffectVanish, Count: 1}))
		in.ClientToken = new("once")
		in.InstanceMarketOptions = &ec2types.InstanceMarketOptionsRequest{MarketType: ec2types.MarketTypeSpot}
		launched := must(w.ec2.RunInstances(w.ctx, in))(w).Instances[0]
		if launched.State.Name != ec2types.InstanceStateNamePending {
			w.Errorf("it begins as %s", launched.State.Name)
		}
		time.Sleep(4 * time.Second)
		if now := w.instance(*launched.InstanceId); now.State.Name != ec2types.InstanceStateNamePending {
			w.Errorf("after 4 s it is %s", now.State.Name)
		}
		time.Sleep(20 * time.Second)
		now := w.instance(*launched.InstanceId)
		if now.State.Name != ec2types.InstanceStateNameTerminated || *now.StateReason.Code != "Server.InsufficientInstanceCapacity" {
			w.Errorf("it ends as %s: %+v", now.State.Name, now.StateReason)
		}
		if after := w.account.Dump(); string(after) != string(before) {
			w.Errorf("it left something:\n%s", after)
		}
		_, err := w.ec2.RunInstances(w.ctx, in)
		w.refused("IdempotentInstanceTerminated")(nil, err)
		in.ClientToken = new("twice")
		w.ok(w.ec2.RunInstances(w.ctx, in))
	})
}

func TestVanishGoesWithLaunches(t *testing.T) {
	for _, f := range []sandbox.Fault{
		{Service: "EC2", Operation: "CreateVpc", Effect: sandbox.EffectVanish},
		{Service: sandbox.ServiceMachine, Operation: "storage", Effect: sandbox.EffectVanish},
		{Service: sandbox.ServiceMachine, Operation: "launch", Effect: sandbox.EffectDelay, Delay: time.Second},
	} {
		if err := f.Validate(); err == nil {
			t.Errorf("%+v is valid", f)
		}
	}
}
