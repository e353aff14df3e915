package opinion

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func machines() []behaviour {
	return []behaviour{
		{
			name: "a terminated machine can be seen, and terminated again, for a while", source: "EC2 API reference, TerminateInstances",
			aws: "accepted, terminated, accepted",
			see: func(u *user) string {
				id := u.run(u.launch(u.network()))
				first := code(u.terminate(id))
				return each(first, string(u.machine(id).State.Name), code(u.terminate(id)))
			},
		},
		{
			name: "a protected machine is not terminated", source: errorCodes, aws: "OperationNotPermitted, running",
			moto: "accepted, terminated",
			why:  "the list gives this very case as its example; moto terminates it",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.DisableApiTermination = new(true)
				id := u.run(in)
				return each(code(u.terminate(id)), string(u.machine(id).State.Name))
			},
		},
		{
			name: "of several machines to terminate all must exist", source: "EC2 API reference, TerminateInstances", aws: "InvalidInstanceID.NotFound, running",
			see: func(u *user) string {
				id := u.run(u.launch(u.network()))
				_, err := u.ec2.TerminateInstances(u.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id, "i-0123456789abcdef0"}})
				u.settle()
				return each(code(err), string(u.machine(id).State.Name))
			},
		},
		{
			name: "a machine on a one-time spot request cannot be stopped", source: `EC2 user guide, "Manage your Spot Instances"`, aws: "UnsupportedOperation",
			moto: "accepted",
			why:  "the page allows it for persistent requests only",
			see: func(u *user) string {
				_, err := u.ec2.StopInstances(u.ctx, &ec2.StopInstancesInput{InstanceIds: []string{u.spot()}})
				return code(err)
			},
		},
		{
			name: "a cancelled spot request leaves its machine", source: "EC2 API reference, CancelSpotInstanceRequests", aws: "running",
			moto: "no request",
			why:  "a spot launch has a request; moto makes the machine without one",
			see: func(u *user) string {
				id := u.spot()
				request := u.machine(id).SpotInstanceRequestId
				if request == nil {
					return "no request"
				}
				u.done(u.ec2.CancelSpotInstanceRequests(u.ctx, &ec2.CancelSpotInstanceRequestsInput{SpotInstanceRequestIds: []string{*request}}))
				return string(u.machine(id).State.Name)
			},
		},
		{
			name: "a terminated machine cannot be started", source: errorCodes, aws: "IncorrectInstanceState",
			moto: "accepted",
			why:  "a terminated machine is gone for good; moto wakes it up",
			see: func(u *user) string {
				id := u.run(u.launch(u.network()))
				u.done(nil, u.terminate(id))
				_, err := u.ec2.StartInstances(u.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
				return code(err)
			},
		},
		{
			name: "the state of a stopped machine is asked for expressly", source: "EC2 API reference, DescribeInstanceStatus", aws: "0, 1",
			see: func(u *user) string {
				id := u.run(u.launch(u.network()))
				u.done(u.ec2.StopInstances(u.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}))
				few := must(u.ec2.DescribeInstanceStatus(u.ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))(u)
				all := must(u.ec2.DescribeInstanceStatus(u.ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}, IncludeAllInstances: new(true)}))(u)
				return each(fmt.Sprint(len(few.InstanceStatuses)), fmt.Sprint(len(all.InstanceStatuses)))
			},
		},
		{
			name: "the options of the metadata service are kept", source: "EC2 API reference, InstanceMetadataOptionsRequest", aws: "required 1",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.MetadataOptions = &ec2types.InstanceMetadataOptionsRequest{HttpTokens: "required", HttpPutResponseHopLimit: new(int32(1))}
				options := u.machine(u.run(in)).MetadataOptions
				return fmt.Sprintf("%s %d", options.HttpTokens, *options.HttpPutResponseHopLimit)
			},
		},
		{
			name: "the public address is as the interface asks", source: "EC2 API reference, InstanceNetworkInterfaceSpecification", aws: "true, false",
			see: func(u *user) string {
				n := u.network()
				var seen []string
				for _, wanted := range []bool{true, false} {
					in := u.launch(n)
					in.SubnetId, in.SecurityGroupIds = nil, nil
					in.NetworkInterfaces = []ec2types.InstanceNetworkInterfaceSpecification{{
						DeviceIndex: new(int32(0)), SubnetId: &n.subnet, Groups: []string{n.group}, AssociatePublicIpAddress: &wanted,
					}}
					seen = append(seen, fmt.Sprint(u.machine(u.run(in)).PublicIpAddress != nil))
				}
				return each(seen...)
			},
		},
		{
			name: "a launch is found by its token", source: "EC2 API reference, DescribeInstances, filter client-token", aws: "1, 0",
			moto: "HTTP 500",
			why:  "the reference has the filter; moto breaks, so the binary must look at its machines by tags too",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.ClientToken = new("once")
				u.run(in)
				var seen []string
				for _, token := range []string{"once", "twice"} {
					found, err := u.ec2.DescribeInstances(u.ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("client-token", token)}})
					if err != nil {
						return code(err)
					}
					seen = append(seen, fmt.Sprint(len(found.Reservations)))
				}
				return each(seen...)
			},
		},
		{
			name: "protection is lifted and the machine terminated", source: "EC2 API reference, ModifyInstanceAttribute", aws: "accepted, terminated",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.DisableApiTermination = new(true)
				id := u.run(in)
				u.done(u.ec2.ModifyInstanceAttribute(u.ctx, &ec2.ModifyInstanceAttributeInput{
					InstanceId: &id, DisableApiTermination: &ec2types.AttributeBooleanValue{Value: new(false)},
				}))
				return each(code(u.terminate(id)), string(u.machine(id).State.Name))
			},
		},
		{
			name: "a stopped machine has no public address", source: `EC2 user guide, "Amazon EC2 instance IP addressing"`, aws: "true, false, true",
			see: func(u *user) string {
				n := u.network()
				in := u.launch(n)
				in.SubnetId, in.SecurityGroupIds = nil, nil
				in.NetworkInterfaces = []ec2types.InstanceNetworkInterfaceSpecification{{
					DeviceIndex: new(int32(0)), SubnetId: &n.subnet, Groups: []string{n.group}, AssociatePublicIpAddress: new(true),
				}}
				id := u.run(in)
				seen := []string{u.addressed(id)}
				u.done(u.ec2.StopInstances(u.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}))
				seen = append(seen, u.addressed(id))
				u.done(u.ec2.StartInstances(u.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}))
				return each(append(seen, u.addressed(id))...)
			},
		},
		{
			name: "a page of machines is not asked for by their IDs", source: "EC2 API reference, DescribeInstances", aws: "InvalidParameterCombination",
			see: func(u *user) string {
				_, err := u.ec2.DescribeInstances(u.ctx, &ec2.DescribeInstancesInput{
					InstanceIds: []string{u.run(u.launch(u.network()))}, MaxResults: new(int32(5)),
				})
				return code(err)
			},
		},
		{
			name: "interfaces are found by their group", source: "EC2 API reference, DescribeNetworkInterfaces", aws: "1",
			see: func(u *user) string {
				n := u.network()
				u.run(u.launch(n))
				found := must(u.ec2.DescribeNetworkInterfaces(u.ctx, &ec2.DescribeNetworkInterfacesInput{
					Filters: []ec2types.Filter{filter("group-id", n.group)},
				}))(u)
				return fmt.Sprint(len(found.NetworkInterfaces))
			},
		},
		{
			name: "the type of a running machine cannot be changed", source: errorCodes, aws: "IncorrectInstanceState",
			moto: "accepted",
			why:  "the list gives this very case as its example",
			see: func(u *user) string {
				_, err := u.ec2.ModifyInstanceAttribute(u.ctx, &ec2.ModifyInstanceAttributeInput{
					InstanceId: new(u.run(u.launch(u.network()))), InstanceType: &ec2types.AttributeValue{Value: new("t3.large")},
				})
				return code(err)
			},
		},
		{
			name: "a machine's interface cannot be deleted", source: "EC2 API reference, DeleteNetworkInterface; " + errorCodes, aws: "refused",
			moto: "accepted",
			why:  "the list says that an interface in use cannot be deleted",
			see: func(u *user) string {
				id := u.machine(u.run(u.launch(u.network()))).NetworkInterfaces[0].NetworkInterfaceId
				_, err := u.ec2.DeleteNetworkInterface(u.ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: id})
				return refused(err)
			},
		},
	}
}

func (u *user) machine(id string) ec2types.Instance {
	u.Helper()
	return must(u.ec2.DescribeInstances(u.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))(u).Reservations[0].Instances[0]
}

// addressed tells whether a machine has a public address.
func (u *user) addressed(id string) string {
	u.Helper()
	return fmt.Sprint(u.machine(id).PublicIpAddress != nil)
}

func (u *user) spot() string {
	u.Helper()
	in := u.launch(u.network())
	in.InstanceMarketOptions = &ec2types.InstanceMarketOptionsRequest{MarketType: "spot"}
	return u.run(in)
}
