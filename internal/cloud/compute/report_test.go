package compute_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// answering answers every command with the same.
type answering struct {
	*ssm.Client
	out ssm.GetCommandInvocationOutput
}

func (a answering) GetCommandInvocation(context.Context, *ssm.GetCommandInvocationInput, ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
	return &a.out, nil
}

// start launches a machine and waits until it runs.
func (b *bench) start() (*compute.Machine, string) {
	b.Helper()
	b.spec.Offers = b.spec.Offers[4:]
	if _, err := b.launch(); err != nil {
		b.Fatal(err)
	}
	b.Settle(stack.KeyInstance, b.spec)
	return compute.NewMachine(ssm.NewFromConfig(b.Config), b.Account.Clock()), b.Record(stack.KeyInstance).ID
}

func TestMachineIsAskedOverItsLife(t *testing.T) {
	inBubble(t, func(b *bench) {
		m, id := b.start()
		if _, err := m.Report(b.Context(), id, 0); !errors.Is(err, engine.ErrNotYet) {
			t.Errorf("before the agent is there: %v", err)
		}
		if online, err := m.Online(b.Context(), id); online || err != nil {
			t.Errorf("online %v, %v", online, err)
		}
		var told []string
		if err := m.AwaitOnline(b.Context(), id, func(text string) { told = append(told, text) }); err != nil || len(told) != 1 {
			t.Errorf("told %q, %v", told, err)
		}
		if online, err := m.Online(b.Context(), id); !online || err != nil {
			t.Errorf("online %v, %v", online, err)
		}
		first, err := m.Report(b.Context(), id, 0)
		if err != nil || len(first.Steps) == 0 || first.Log.Offset != 0 || first.Log.Text == "" || first.Complete {
			t.Fatalf("first report %+v, %v", first, err)
		}
		time.Sleep(5 * time.Minute)
		second, err := m.Report(b.Context(), id, first.Log.Next)
		if err != nil || len(second.Steps) <= len(first.Steps) || second.Log.Offset != first.Log.Next || second.Log.Next <= first.Log.Next {
			t.Errorf("the second report has %d steps and the log from %d, %v", len(second.Steps), second.Log.Offset, err)
		}
	})
}

func TestMachineThatNeverRegisters(t *testing.T) {
	inBubble(t, func(b *bench) {
		m, _ := b.start()
		start := time.Now()
		err := m.AwaitOnline(b.Context(), "i-0123456789abcdef0", func(string) {})
		if _, ok := errors.AsType[*api.TimeoutError](err); !ok || time.Since(start) > 10*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestDeniedQuestionsAreNoMatterOfTime(t *testing.T) {
	for _, operation := range []string{"SendCommand", "GetCommandInvocation"} {
		inBubble(t, func(b *bench) {
			m, id := b.start()
			if err := m.AwaitOnline(b.Context(), id, func(string) {}); err != nil {
				t.Fatal(err)
			}
			b.Fault(sandbox.Fault{Service: "SSM", Operation: operation, Effect: sandbox.EffectError, Code: "AccessDeniedException"})
			if _, err := m.Report(b.Context(), id, 0); errors.Is(err, engine.ErrNotYet) || api.Classify(err) != api.KindPermission {
				t.Errorf("%s: %v", operation, err)
			}
		})
	}
}

func TestAnswersThatAreNoReport(t *testing.T) {
	success, failed, timedOut := ssmtypes.CommandInvocationStatusSuccess, ssmtypes.CommandInvocationStatusFailed, ssmtypes.CommandInvocationStatusTimedOut
	for _, tt := range []struct {
		name   string
		out    ssm.GetCommandInvocationOutput
		notYet bool
		want   string
	}{
		{"nothing", ssm.GetCommandInvocationOutput{Status: success}, true, "not in place"},
		{"not there", ssm.GetCommandInvocationOutput{Status: failed, ResponseCode: 127, StandardErrorContent: new("sh: 1: /opt/geusemaker/report: not found\nfailed")}, true, "not found"},
		{"not delivered", ssm.GetCommandInvocationOutput{Status: timedOut}, true, "timedout"},
		{"cut", ssm.GetCommandInvocationOutput{Status: success, StandardOutputContent: new(`{"version":1,"steps":[{"na`)}, false, `{\"version\":1`},
		{"other", ssm.GetCommandInvocationOutput{Status: success, StandardOutputContent: new("Traceback (most recent call last)")}, false, "Traceback"},
	} {
		inBubble(t, func(b *bench) {
			_, id := b.start()
			time.Sleep(time.Minute)
			m := compute.NewMachine(answering{ssm.NewFromConfig(b.Config), tt.out}, b.Account.Clock())
			_, err := m.Report(b.Context(), id, 0)
			if err == nil || errors.Is(err, engine.ErrNotYet) != tt.notYet || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
}
