package compute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Names of attributes that only this driver reads.
const (
	attrSpotRequest = "spot_request"
)

// How long an instance may take to run and to be gone. It usually runs after 5 s and is terminated after 20 to 31 s.
const (
	runBudget       = 10 * time.Minute
	terminateBudget = 15 * time.Minute
)

// instances drives EC2 instances.
type instances struct {
	ec2      EC2
	clock    engine.Clock
	userData UserData
}

// living are the states of an instance that is not gone. EC2 goes on showing a terminated one for about an hour.
var living = []string{"pending", "running", "stopping", "stopped"}

// Read returns the instance unless it is terminated or about to be.
func (d *instances) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	i, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, err
	}
	if i == nil || gone(i.State.Name) {
		return engine.Found{}, engine.ErrNotFound
	}
	return found(*i), nil
}

// List finds the living instances that carry our tags.
func (d *instances) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := ec2.NewDescribeInstancesPaginator(d.ec2, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		api.OwnerFilter(stackID), {Name: new("instance-state-name"), Values: living},
	}})
	reservations, err := api.All(ctx, pages, func(o *ec2.DescribeInstancesOutput) []types.Reservation { return o.Reservations })
	var all []engine.Found
	for _, r := range reservations {
		for _, i := range r.Instances {
			all = append(all, found(i))
		}
	}
	return all, err
}

// Settle waits until the instance runs and its addresses are known.
func (d *instances) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	wantPublic := t.Spec.(stack.Instance).PublicIP
	var last types.Instance
	wait := api.Wait{Clock: d.clock, For: "the machine to run", Budget: runBudget, Tell: t.Tell}
	err := wait.Until(ctx, func(ctx context.Context) (bool, error) {
		i, err := d.describe(ctx, t.Record.ID)
		switch {
		case err != nil:
			return false, err
		case i == nil:
			return false, nil // not visible yet
		case gone(i.State.Name):
			return false, fmt.Errorf("%w: %s ended right after its start: %w", engine.ErrNotFound, t.Record.ID, stateReason(*i))
		}
		last = *i
		return i.State.Name == types.InstanceStateNameRunning && (!wantPublic || i.PublicIpAddress != nil), nil
	})
	return found(last), err
}

// Delete terminates the instance and waits until it is terminated.
func (d *instances) Delete(ctx context.Context, t engine.Target) error {
	if request := t.Record.Attrs[attrSpotRequest]; request != "" {
		// A one-time request ends with its instance, but while it is open it counts against the spot quota.
		_, err := d.ec2.CancelSpotInstanceRequests(ctx, &ec2.CancelSpotInstanceRequestsInput{SpotInstanceRequestIds: []string{request}})
		if err != nil && !api.IsNotFound(err) && !api.IsDenied(err) {
			return err
		}
	}
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error { return d.terminate(ctx, t) })
	if err != nil {
		return err
	}
	wait := api.Wait{Clock: d.clock, For: "the machine to be terminated", Budget: terminateBudget, First: 2 * time.Second, Tell: t.Tell}
	return wait.Until(ctx, func(ctx context.Context) (bool, error) {
		i, err := d.describe(ctx, t.Record.ID)
		return i == nil || i.State.Name == types.InstanceStateNameTerminated, err
	})
}

// terminate asks for the end of the instance, and lifts a protection that somebody put on it: its owner has typed its name.
func (d *instances) terminate(ctx context.Context, t engine.Target) error {
	input := &ec2.TerminateInstancesInput{InstanceIds: []string{t.Record.ID}}
	_, err := d.ec2.TerminateInstances(ctx, input)
	if api.Code(err) != codeProtected {
		return err
	}
	t.Tell("lifting its termination protection")
	off := &ec2.ModifyInstanceAttributeInput{InstanceId: new(t.Record.ID), DisableApiTermination: &types.AttributeBooleanValue{Value: new(false)}}
	if _, err := d.ec2.ModifyInstanceAttribute(ctx, off); err != nil {
		return err
	}
	_, err = d.ec2.TerminateInstances(ctx, input)
	return err
}

// describe returns the instance, or nil when EC2 does not know it, or not yet.
func (d *instances) describe(ctx context.Context, id string) (*types.Instance, error) {
	out, err := d.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if api.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			return &i, nil
		}
	}
	return nil, nil
}

func gone(state types.InstanceStateName) bool {
	return state == types.InstanceStateNameTerminated || state == types.InstanceStateNameShuttingDown
}

// stateReason is what EC2 says of the end of an instance, as the error that a launch would have met for the same reason. Its
// codes are those of calls behind "Server." or "Client.", and its messages repeat them (EC2 API reference, StateReason).
func stateReason(i types.Instance) error {
	if i.StateReason == nil || text(i.StateReason.Code) == "" {
		return errors.New("EC2 does not say why")
	}
	whole := text(i.StateReason.Code)
	_, code, _ := strings.Cut(whole, ".")
	return &smithy.GenericAPIError{Code: cmp.Or(code, whole), Message: strings.TrimPrefix(text(i.StateReason.Message), whole+": ")}
}

func found(i types.Instance) engine.Found {
	f := api.Found(text(i.InstanceId), api.FromEC2(i.Tags), map[string]string{
		stack.AttrType:   string(i.InstanceType),
		stack.AttrMarket: marketOf(i),
	})
	set := func(name string, value *string) {
		if value != nil && *value != "" {
			f.Attrs[name] = *value
		}
	}
	set(stack.AttrPublicIP, i.PublicIpAddress)
	set(stack.AttrPrivateIP, i.PrivateIpAddress)
	set(stack.AttrSubnet, i.SubnetId)
	set(attrSpotRequest, i.SpotInstanceRequestId)
	set(stack.AttrImage, i.ImageId)
	set(stack.AttrArch, new(string(i.Architecture)))
	set(stack.AttrKeyPair, i.KeyName)
	if i.Placement != nil {
		set(stack.AttrZone, i.Placement.AvailabilityZone)
	}
	if i.State != nil {
		f.Attrs[stack.AttrState] = string(i.State.Name)
	}
	if i.LaunchTime != nil {
		f.Since = *i.LaunchTime
	}
	return f
}

func marketOf(i types.Instance) string {
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		return stack.Spot
	}
	return stack.MarketOnDemand
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
