package compute

import (
	"context"
	"encoding/json"
	"errors"
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
	StartSession(context.Context, *ssm.StartSessionInput, ...func(*ssm.Options)) (*ssm.StartSessionOutput, error)
	TerminateSession(context.Context, *ssm.TerminateSessionInput, ...func(*ssm.Options)) (*ssm.TerminateSessionOutput, error)
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

// Errors of asking a machine that cannot be asked yet. Each is an engine.ErrNotYet.
var (
	// ErrNotRegistered says that the machine's agent has not registered with Systems Manager: it is booting, it was never
	// allowed to, or it has no way to the service.
	ErrNotRegistered = fmt.Errorf("%w: the machine has not registered with Systems Manager", engine.ErrNotYet)
	// ErrNoProgram says that the machine runs commands but lacks the program of ours that was asked for: cloud-init has not
	// written it yet, or never will.
	ErrNoProgram = fmt.Errorf("%w: the machine's files are not in place", engine.ErrNotYet)
)

// Report asks the machine for its report, with the log from the offset on. A machine that cannot be asked yet, or whose
// answer got lost on the way, is engine.ErrNotYet.
func (m *Machine) Report(ctx context.Context, instanceID string, logOffset int64) (stack.Report, error) {
	var r stack.Report
	text, err := m.run(ctx, instanceID, reportCommand+" "+strconv.FormatInt(logOffset, 10))
	if err != nil {
		return r, err
	}
	if strings.TrimSpace(text) == "" {
		return r, ErrNoProgram
	}
	if err := decode(text, &r); err != nil {
		return r, err
	}
	return r.Sane(logOffset), nil
}

// decode reads the JSON that a program of ours printed.
func decode(text string, to any) error {
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("the machine's report cannot be read: %w (it begins with %q)", err, text[:min(60, len(text))])
	}
	return nil
}

// run runs one command on the machine and returns what it printed. The command is seen by all who may list commands: it
// holds no secret.
func (m *Machine) run(ctx context.Context, instanceID, command string) (string, error) {
	sent, err := m.ssm.SendCommand(ctx, &ssm.SendCommandInput{
		InstanceIds: []string{instanceID}, DocumentName: new("AWS-RunShellScript"),
		TimeoutSeconds: new(int32(30)), // for the delivery
		Parameters:     map[string][]string{"commands": {command}, "executionTimeout": {"60"}},
	})
	switch {
	case api.Code(err) == "InvalidInstanceId":
		return "", ErrNotRegistered
	case err != nil:
		return "", passing(err)
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
		return "", passing(err)
	}
	if out.Status == types.CommandInvocationStatusSuccess {
		return text(out.StandardOutputContent), nil
	}
	return "", &commandError{
		status: strings.ToLower(string(out.Status)), code: out.ResponseCode, why: firstLine(text(out.StandardErrorContent)),
	}
}

// notFoundStatus is the exit status of a shell that does not find a program (POSIX, "Shell Command Language", 2.8.2).
const notFoundStatus = 127

// commandError says that a command on the machine did not succeed. The machine may still be coming up.
type commandError struct {
	status string // of Systems Manager
	code   int32  // exit status; -1 when it did not run
	why    string
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%v: the command on the machine %s: %s", e.Unwrap(), e.status, e.why)
}

func (e *commandError) Unwrap() error {
	if e.code == notFoundStatus {
		return ErrNoProgram
	}
	return engine.ErrNotYet
}

// passing marks an error that the next question may not meet: nothing was heard of AWS or of the machine.
func passing(err error) error {
	_, late := errors.AsType[*api.TimeoutError](err)
	if kind := api.Classify(err); late || kind == api.KindNetwork || kind == api.KindThrottled {
		return fmt.Errorf("%w: %w", engine.ErrNotYet, err)
	}
	return err
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
