package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// SSM is what asking the machine needs of Systems Manager.
type SSM interface {
	DescribeInstanceInformation(context.Context, *ssm.DescribeInstanceInformationInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error)
	SendCommand(context.Context, *ssm.SendCommandInput, ...func(*ssm.Options)) (*ssm.SendCommandOutput, error)
	GetCommandInvocation(context.Context, *ssm.GetCommandInvocationInput, ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error)
}

// reportCommand is where the machine's files put the program that reports.
const reportCommand = "/opt/geusemaker/report"

// How long one question may take, and how long a new machine may take to register with Systems Manager: 12 to 16 s as a
// rule; AWS advises to look for the cause after five minutes.
const (
	askBudget    = 2 * time.Minute
	onlineBudget = 6 * time.Minute
)

// Machine asks a machine over Systems Manager, without a port of its own.
type Machine struct {
	ssm   SSM
	clock engine.Clock
}

// NewMachine returns a Machine.
func NewMachine(client SSM, clock engine.Clock) *Machine { return &Machine{ssm: client, clock: clock} }

// Online reports whether the agent of the machine has registered.
func (m *Machine) Online(ctx context.Context, instanceID string) (bool, error) {
	out, err := m.ssm.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{{Key: new("InstanceIds"), Values: []string{instanceID}}},
	}, func(o *ssm.Options) { o.RetryMaxAttempts = 2 }) // nothing rests on it
	if err != nil {
		return false, err
	}
	for _, i := range out.InstanceInformationList {
		if i.PingStatus == types.PingStatusOnline {
			return true, nil
		}
	}
	return false, nil
}

// AwaitOnline waits until the machine can be managed.
func (m *Machine) AwaitOnline(ctx context.Context, instanceID string, tell func(string)) error {
	wait := api.Wait{Clock: m.clock, For: "the machine to register with Systems Manager", Budget: onlineBudget, First: 2 * time.Second, Tell: tell}
	return wait.Until(ctx, func(ctx context.Context) (bool, error) { return m.Online(ctx, instanceID) })
}

// Report asks the machine for its report, with the log from the offset on. A machine that has not registered yet is
// engine.ErrNotYet.
func (m *Machine) Report(ctx context.Context, instanceID string, logOffset int64) (stack.Report, error) {
	text, err := m.run(ctx, instanceID, reportCommand+" "+strconv.FormatInt(logOffset, 10))
	if err != nil {
		return stack.Report{}, err
	}
	var r stack.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		if strings.TrimSpace(text) == "" {
			return r, fmt.Errorf("%w: the machine's files are not in place", engine.ErrNotYet)
		}
		return r, fmt.Errorf("the machine's report cannot be read: %w (it begins with %q)", err, text[:min(60, len(text))])
	}
	return r, nil
}

// run runs one command on the machine and returns what it printed.
func (m *Machine) run(ctx context.Context, instanceID, command string) (string, error) {
	sent, err := m.ssm.SendCommand(ctx, &ssm.SendCommandInput{
		InstanceIds: []string{instanceID}, DocumentName: new("AWS-RunShellScript"),
		TimeoutSeconds: new(int32(30)), // for the delivery
		Parameters:     map[string][]string{"commands": {command}, "executionTimeout": {"60"}},
	})
	switch {
	case api.Code(err) == "InvalidInstanceId":
		return "", fmt.Errorf("%w: the machine has not registered with Systems Manager", engine.ErrNotYet)
	case err != nil:
		return "", err
	}
	var out *ssm.GetCommandInvocationOutput
	wait := api.Wait{Clock: m.clock, For: "the machine's answer", Budget: askBudget, Max: 3 * time.Second}
	err = wait.Until(ctx, func(ctx context.Context) (bool, error) {
		out, err = m.ssm.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: new(instanceID)})
		if api.Code(err) == "InvocationDoesNotExist" {
			return false, nil // usual right after the command was sent
		}
		return err == nil && ended(out.Status), err
	})
	if err != nil {
		return "", err
	}
	if out.Status != types.CommandInvocationStatusSuccess {
		return "", fmt.Errorf("%w: the machine's report %s: %s", engine.ErrNotYet, strings.ToLower(string(out.Status)), firstLine(text(out.StandardErrorContent)))
	}
	return text(out.StandardOutputContent), nil
}

func ended(s types.CommandInvocationStatus) bool {
	switch s {
	case types.CommandInvocationStatusPending, types.CommandInvocationStatusInProgress, types.CommandInvocationStatusDelayed:
		return false
	default:
		return true
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
