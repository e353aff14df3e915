package compute

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// EC2 is what the drivers need of EC2.
type EC2 interface {
	RunInstances(context.Context, *ec2.RunInstancesInput, ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error)
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeVolumes(context.Context, *ec2.DescribeVolumesInput, ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error)
	TerminateInstances(context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error)
	ModifyInstanceAttribute(context.Context, *ec2.ModifyInstanceAttributeInput, ...func(*ec2.Options)) (*ec2.ModifyInstanceAttributeOutput, error)
	CancelSpotInstanceRequests(context.Context, *ec2.CancelSpotInstanceRequestsInput, ...func(*ec2.Options)) (*ec2.CancelSpotInstanceRequestsOutput, error)
}

// UserData renders what the machine boots with.
type UserData func(stack.Machine) ([]byte, error)

// Drivers returns the driver of the instance.
func Drivers(client EC2, clock engine.Clock, userData UserData) map[stack.Kind]engine.Driver {
	return map[stack.Kind]engine.Driver{stack.KindInstance: &instances{ec2: client, clock: clock, userData: userData}}
}
