package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type instance struct {
	resource
	Reservation string `json:"reservation"`
	Token       string `json:"token,omitempty"`
	Parameters  string `json:"parameters"` // fingerprint of the launch request, for the token
	Type        string `json:"type"`
	Image       string `json:"image"`
	RootDevice  string `json:"root_device"`
	Zone        string `json:"zone"`
	Subnet      string `json:"subnet"`
	VPC         string `json:"vpc"`
	Interface   string `json:"interface"`
	AutoPublic  bool   `json:"auto_public,omitempty"` // gets a public address at each start
	KeyName     string `json:"key_name,omitempty"`
	Profile     string `json:"profile,omitempty"` // name
	UserData    string `json:"user_data,omitempty"`
	SpotRequest string `json:"spot_request,omitempty"`
	Persistent  bool   `json:"persistent,omitempty"` // spot request
	Protected   bool   `json:"protected,omitempty"`
	OnShutdown  string `json:"on_shutdown"`
	HTTPTokens  string `json:"http_tokens"`
	HopLimit    int32  `json:"hop_limit"`
	BootFails   string `json:"boot_fails,omitempty"` // the step at which a fault ends the bootstrap

	Mounted time.Time `json:"mounted,omitzero"` // when the machine first reached its file system

	Phase string    `json:"phase"` // what was last asked for
	Since time.Time `json:"since"` // and when
	First time.Time `json:"first"` // when it first runs
}

// What can last have been asked of an instance.
const (
	phaseStart     = "start"
	phaseStop      = "stop"
	phaseTerminate = "terminate"
	phaseVanish    = "vanish" // nobody asked: the launch was accepted, and there was no capacity after all
)

// How long the states between take. Launches were measured at 4.5 to 6 s, terminations at 20 to 31 s; terminated instances
// stay visible for about an hour (EC2 API reference, TerminateInstances).
const (
	startDelay     = 5 * time.Second
	stopDelay      = 20 * time.Second
	terminateDelay = 25 * time.Second
	statusDelay    = 150 * time.Second
	tombstone      = time.Hour
)

func (i *instance) state(now time.Time) ec2types.InstanceStateName {
	type step struct {
		delay         time.Duration
		before, after ec2types.InstanceStateName
	}
	s := map[string]step{
		phaseStart:     {startDelay, ec2types.InstanceStateNamePending, ec2types.InstanceStateNameRunning},
		phaseStop:      {stopDelay, ec2types.InstanceStateNameStopping, ec2types.InstanceStateNameStopped},
		phaseTerminate: {terminateDelay, ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameTerminated},
		phaseVanish:    {startDelay, ec2types.InstanceStateNamePending, ec2types.InstanceStateNameTerminated},
	}[i.Phase]
	if now.Before(i.Since.Add(s.delay)) {
		return s.before
	}
	return s.after
}

func (i *instance) terminated(now time.Time) bool {
	return i.state(now) == ec2types.InstanceStateNameTerminated
}

// ended tells whether the instance is on its way out, or gone.
func (i *instance) ended() bool { return i.Phase == phaseTerminate || i.Phase == phaseVanish }

func (i *instance) running(now time.Time) bool {
	return i.state(now) == ec2types.InstanceStateNameRunning
}

// addressed tells whether the instance keeps its public address at a moment.
func (i *instance) addressed(now time.Time) bool {
	state := i.state(now)
	return state != ec2types.InstanceStateNameTerminated && state != ec2types.InstanceStateNameStopped
}

func stateOf(name ec2types.InstanceStateName) *ec2types.InstanceState {
	codes := map[ec2types.InstanceStateName]int32{
		ec2types.InstanceStateNamePending: 0, ec2types.InstanceStateNameRunning: 16, ec2types.InstanceStateNameShuttingDown: 32,
		ec2types.InstanceStateNameTerminated: 48, ec2types.InstanceStateNameStopping: 64, ec2types.InstanceStateNameStopped: 80,
	}
	return &ec2types.InstanceState{Name: name, Code: new(codes[name])}
}

func registerInstances(all map[string]operation) {
	on(all, serviceEC2, "RunInstances", runInstances)
	on(all, serviceEC2, "DescribeInstances", describeInstances)
	on(all, serviceEC2, "DescribeInstanceStatus", describeInstanceStatus)
	on(all, serviceEC2, "TerminateInstances", terminateInstances)
	on(all, serviceEC2, "StopInstances", stopInstances)
	on(all, serviceEC2, "StartInstances", startInstances)
	on(all, serviceEC2, "GetConsoleOutput", getConsoleOutput)
}

func (c *call) showInstance(i *instance) ec2types.Instance {
	t, _ := typeNamed(i.Type)
	shown := ec2types.Instance{
		InstanceId: new(i.ID), ImageId: new(i.Image), InstanceType: ec2types.InstanceType(i.Type), State: stateOf(i.state(c.now)),
		Architecture: ec2types.ArchitectureValues(t.arch), LaunchTime: new(i.Born), ClientToken: new(i.Token),
		Placement:      &ec2types.Placement{AvailabilityZone: new(i.Zone), Tenancy: ec2types.TenancyDefault},
		RootDeviceName: new(i.RootDevice), RootDeviceType: ec2types.DeviceTypeEbs, EbsOptimized: new(true), EnaSupport: new(true),
		VirtualizationType: ec2types.VirtualizationTypeHvm, PlatformDetails: new("Linux/UNIX"), Tags: ec2Tags(i.Tags),
		MetadataOptions: &ec2types.InstanceMetadataOptionsResponse{
			HttpTokens: ec2types.HttpTokensState(i.HTTPTokens), HttpPutResponseHopLimit: new(i.HopLimit),
			HttpEndpoint: ec2types.InstanceMetadataEndpointStateEnabled, State: ec2types.InstanceMetadataOptionsStateApplied,
		},
		StateTransitionReason: new(""),
	}
	if i.KeyName != "" {
		shown.KeyName = new(i.KeyName)
	}
	if i.SpotRequest != "" {
		shown.InstanceLifecycle, shown.SpotInstanceRequestId = ec2types.InstanceLifecycleTypeSpot, new(i.SpotRequest)
	}
	c.showReason(i, &shown)
	if i.terminated(c.now) {
		return shown // network, disks and profile fade away
	}
	if p := c.state.Profiles[i.Profile]; p != nil {
		shown.IamInstanceProfile = &ec2types.IamInstanceProfile{Arn: new(c.profileARN(p)), Id: new(p.ID)}
	}
	c.showNetwork(i, &shown)
	c.showDisks(i, &shown)
	return shown
}

func (c *call) showNetwork(i *instance, shown *ec2types.Instance) {
	e := c.region.Interfaces[i.Interface]
	if e == nil {
		return
	}
	shown.SubnetId, shown.VpcId, shown.PrivateIpAddress = new(e.Subnet), new(e.VPC), new(e.PrivateIP)
	shown.SecurityGroups, shown.SourceDestCheck = c.groupIdentifiers(e.Groups), new(true)
	shown.PrivateDnsName = new("ip-" + strings.ReplaceAll(e.PrivateIP, ".", "-") + ".ec2.internal")
	one := ec2types.InstanceNetworkInterface{
		NetworkInterfaceId: new(e.ID), SubnetId: new(e.Subnet), VpcId: new(e.VPC), PrivateIpAddress: new(e.PrivateIP),
		Groups: c.groupIdentifiers(e.Groups), Status: c.interfaceStatus(e), OwnerId: new(c.state.Account), MacAddress: new(mac(e.ID)),
		Attachment: &ec2types.InstanceNetworkInterfaceAttachment{
			AttachTime: new(i.Born), DeviceIndex: new(int32(0)), DeleteOnTermination: new(true),
			Status: ec2types.AttachmentStatusAttached,
		},
	}
	// The public address shows up a moment after the launch.
	if e.PublicIP != "" && i.addressed(c.now) && c.now.After(i.Since.Add(2*time.Second)) {
		name := publicName(c.region.Name, e.PublicIP)
		shown.PublicIpAddress, shown.PublicDnsName = new(e.PublicIP), new(name)
		one.Association = &ec2types.InstanceNetworkInterfaceAssociation{
			PublicIp: new(e.PublicIP), PublicDnsName: new(name), IpOwnerId: new("amazon"),
		}
	}
	shown.NetworkInterfaces = []ec2types.InstanceNetworkInterface{one}
}

func (c *call) showDisks(i *instance, shown *ec2types.Instance) {
	if c.now.Before(i.Born.Add(2 * time.Second)) {
		return // as yet missing from the first answers
	}
	for _, v := range inOrder(c.region.Volumes) {
		if v.attachedTo(c.now) == i.ID {
			shown.BlockDeviceMappings = append(shown.BlockDeviceMappings, ec2types.InstanceBlockDeviceMapping{
				DeviceName: new(v.Device),
				Ebs: &ec2types.EbsInstanceBlockDevice{
					VolumeId: new(v.ID), AttachTime: new(v.Attached), DeleteOnTermination: new(v.DeleteOnTermination),
					Status: ec2types.AttachmentStatusAttached,
				},
			})
		}
	}
}

func (c *call) instanceAttributes(i *instance) attributes {
	a := attributes{
		"instance-id": {i.ID}, "instance-state-name": {string(i.state(c.now))}, "instance-type": {i.Type}, "image-id": {i.Image},
		"client-token": {i.Token}, "root-device-name": {i.RootDevice}, "availability-zone": {i.Zone}, "subnet-id": nil, "vpc-id": nil, "ip-address": nil,
		"private-ip-address": nil, "instance.group-id": nil, "key-name": {i.KeyName}, "instance-lifecycle": nil,
		"spot-instance-request-id": {i.SpotRequest}, "reservation-id": {i.Reservation}, "owner-id": {c.state.Account},
		"iam-instance-profile.arn": nil, "network-interface.network-interface-id": {i.Interface}, "block-device-mapping.volume-id": nil,
	}
	if i.SpotRequest != "" {
		a["instance-lifecycle"] = []string{"spot"}
	}
	if p := c.state.Profiles[i.Profile]; p != nil {
		a["iam-instance-profile.arn"] = []string{c.profileARN(p)}
	}
	if e := c.region.Interfaces[i.Interface]; e != nil && !i.terminated(c.now) {
		a["subnet-id"], a["vpc-id"], a["instance.group-id"] = []string{e.Subnet}, []string{e.VPC}, e.Groups
		a["ip-address"], a["private-ip-address"] = []string{e.PublicIP}, []string{e.PrivateIP}
	}
	for _, v := range c.region.Volumes {
		if v.Instance != "" && v.attachedTo(c.now) == i.ID {
			a["block-device-mapping.volume-id"] = append(a["block-device-mapping.volume-id"], v.ID)
		}
	}
	return a
}

// describeInstances gives pages of all instances, or those that are named (EC2 API reference, DescribeInstances).
func describeInstances(c *call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if len(in.InstanceIds) > 0 && in.MaxResults != nil {
		return nil, refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	found, next, err := describe(c, instanceKind, c.region.Instances,
		query{in.InstanceIds, in.Filters, in.MaxResults, in.NextToken}, c.instanceAttributes,
		func(i *instance) *instance { return i })
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{NextToken: next}
	for _, i := range found {
		last := len(out.Reservations) - 1
		if last < 0 || *out.Reservations[last].ReservationId != i.Reservation {
			out.Reservations = append(out.Reservations, ec2types.Reservation{
				ReservationId: new(i.Reservation), OwnerId: new(c.state.Account),
			})
			last++
		}
		out.Reservations[last].Instances = append(out.Reservations[last].Instances, c.showInstance(i))
	}
	return out, nil
}

// describeInstanceStatus leaves out instances that do not run, unless asked for all.
func describeInstanceStatus(c *call, in *ec2.DescribeInstanceStatusInput) (*ec2.DescribeInstanceStatusOutput, error) {
	candidates := map[string]*instance{}
	for id, i := range c.region.Instances {
		if i.running(c.now) || deref(in.IncludeAllInstances) || slices.Contains(in.InstanceIds, id) {
			candidates[id] = i
		}
	}
	found, next, err := describe(c, instanceKind, candidates, query{in.InstanceIds, in.Filters, in.MaxResults, in.NextToken},
		func(i *instance) attributes {
			return attributes{"instance-state-name": {string(i.state(c.now))}, "availability-zone": {i.Zone}}
		},
		func(i *instance) ec2types.InstanceStatus {
			status := ec2types.SummaryStatusNotApplicable
			if i.running(c.now) {
				status = ec2types.SummaryStatusInitializing
				if c.now.After(i.Since.Add(statusDelay)) {
					status = ec2types.SummaryStatusOk
				}
			}
			return ec2types.InstanceStatus{
				InstanceId: new(i.ID), AvailabilityZone: new(i.Zone), InstanceState: stateOf(i.state(c.now)),
				InstanceStatus: &ec2types.InstanceStatusSummary{Status: status},
				SystemStatus:   &ec2types.InstanceStatusSummary{Status: status},
			}
		})
	if !deref(in.IncludeAllInstances) {
		found = slices.DeleteFunc(found, func(s ec2types.InstanceStatus) bool {
			return s.InstanceState.Name != ec2types.InstanceStateNameRunning
		})
	}
	return &ec2.DescribeInstanceStatusOutput{InstanceStatuses: found, NextToken: next}, err
}

// named finds the instances of a call that changes several. One bad id fails all.
func (c *call) named(ids []string) ([]*instance, error) {
	var named []*instance
	for _, id := range ids {
		i, err := own(instanceKind, c.region.Instances, &id)
		if err != nil {
			return nil, err
		}
		named = append(named, i)
	}
	return named, nil
}

// enter moves an instance into a phase and tells how its state changed.
func (c *call) enter(i *instance, phase string) ec2types.InstanceStateChange {
	change := ec2types.InstanceStateChange{InstanceId: new(i.ID), PreviousState: stateOf(i.state(c.now))}
	i.Phase, i.Since = phase, c.now
	change.CurrentState = stateOf(i.state(c.now))
	return change
}

// terminateInstances may be repeated for as long as the record is visible.
func terminateInstances(c *call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
	named, err := c.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range named {
		if i.Protected && !i.ended() {
			return nil, refuse("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its "+
				"'disableApiTermination' instance attribute and try again.", i.ID)
		}
	}
	out := &ec2.TerminateInstancesOutput{}
	for _, i := range named {
		if i.ended() {
			state := stateOf(i.state(c.now))
			out.TerminatingInstances = append(out.TerminatingInstances, ec2types.InstanceStateChange{
				InstanceId: new(i.ID), PreviousState: state, CurrentState: state,
			})
			continue
		}
		out.TerminatingInstances = append(out.TerminatingInstances, c.enter(i, phaseTerminate))
		c.release(i, c.now.Add(terminateDelay))
	}
	return out, nil
}

// release lets go of all that an instance holds: interface and volumes.
func (c *call) release(i *instance, at time.Time) {
	if e := c.region.Interfaces[i.Interface]; e != nil {
		e.Gone = at.Add(interfaceLag)
	}
	for _, v := range c.region.Volumes {
		if v.attachedTo(c.now) != i.ID {
			continue
		}
		if v.DeleteOnTermination {
			v.Gone = at
		} else {
			v.Released = at
		}
	}
	if request := c.region.SpotRequests[i.SpotRequest]; request != nil && request.State == ec2types.SpotInstanceStateActive {
		request.State, request.Status = ec2types.SpotInstanceStateClosed, "instance-terminated-by-user"
	}
}

func stopInstances(c *call, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
	named, err := c.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range named {
		if i.SpotRequest != "" && !i.Persistent {
			return nil, refuse("UnsupportedOperation", "You can't stop the Spot Instance '%s' because it is associated with a "+
				"one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance "+
				"requests.", i.ID)
		}
		if i.ended() {
			return nil, refuse("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be stopped.", i.ID)
		}
	}
	out := &ec2.StopInstancesOutput{}
	for _, i := range named {
		if i.Phase == phaseStop {
			state := stateOf(i.state(c.now))
			out.StoppingInstances = append(out.StoppingInstances, ec2types.InstanceStateChange{
				InstanceId: new(i.ID), PreviousState: state, CurrentState: state,
			})
			continue
		}
		out.StoppingInstances = append(out.StoppingInstances, c.enter(i, phaseStop))
	}
	return out, nil
}

func startInstances(c *call, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
	named, err := c.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range named {
		state := i.state(c.now)
		if state == ec2types.InstanceStateNameStopped {
			t, _ := typeNamed(i.Type)
			if err := c.supply(t, i.Zone, i.SpotRequest != "", 1); err != nil {
				return nil, err
			}
		} else if i.Phase != phaseStart {
			return nil, refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", i.ID)
		}
	}
	out := &ec2.StartInstancesOutput{}
	for _, i := range named {
		if i.Phase == phaseStart {
			state := stateOf(i.state(c.now))
			out.StartingInstances = append(out.StartingInstances, ec2types.InstanceStateChange{
				InstanceId: new(i.ID), PreviousState: state, CurrentState: state,
			})
			continue
		}
		out.StartingInstances = append(out.StartingInstances, c.enter(i, phaseStart))
		if e := c.region.Interfaces[i.Interface]; e != nil && i.AutoPublic {
			e.PublicIP = c.publicAddress() // a stop gives the old one back
		}
	}
	return out, nil
}
