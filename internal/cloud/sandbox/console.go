package sandbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Console is somebody who works on machines in the AWS console, past every record. Its methods return when the machine is in
// the state that was asked for.
type Console struct {
	account *Account
	client  *ec2.Client
}

// Console returns the console of a region.
func (a *Account) Console(region string) Console {
	return Console{account: a, client: ec2.NewFromConfig(a.Config(region))}
}

// Stop stops a machine. One on a one-time spot request cannot be stopped.
func (c Console) Stop(ctx context.Context, id string) error {
	_, err := c.client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	return c.until(ctx, id, ec2types.InstanceStateNameStopped, err)
}

// Start starts a machine that was stopped. It gets another public address.
func (c Console) Start(ctx context.Context, id string) error {
	_, err := c.client.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	return c.until(ctx, id, ec2types.InstanceStateNameRunning, err)
}

// Terminate ends a machine for good.
func (c Console) Terminate(ctx context.Context, id string) error {
	_, err := c.client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	return c.until(ctx, id, ec2types.InstanceStateNameTerminated, err)
}

// Resize gives a machine that is stopped another type.
func (c Console) Resize(ctx context.Context, id, instanceType string) error {
	_, err := c.client.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
		InstanceId: &id, InstanceType: &ec2types.AttributeValue{Value: &instanceType},
	})
	return err
}

// until waits for a state unless the call before has failed.
func (c Console) until(ctx context.Context, id string, want ec2types.InstanceStateName, err error) error {
	const polls, pause = 120, 5 * time.Second
	for range polls {
		if err != nil {
			return err
		}
		var out *ec2.DescribeInstancesOutput
		out, err = c.client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(out.Reservations, func(r ec2types.Reservation) bool { return r.Instances[0].State.Name == want }) {
			return c.account.update(func(*state) error { return nil }) // so that the next process is not earlier
		}
		err = c.account.clock.Sleep(ctx, pause)
	}
	return fmt.Errorf("%s is not %s after %s", id, want, polls*pause)
}
