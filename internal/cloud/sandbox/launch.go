package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// launch is a RunInstances request on its way through the checks.
type launch struct {
	in          *ec2.RunInstancesInput
	image       image
	kind        instanceType
	home        *subnet
	zonal       bool // the request names a subnet or a zone
	groups      []string
	public      bool
	spot        *ec2types.SpotMarketOptions // nil on demand
	profile     string
	disks       []*volume
	tags        map[ec2types.ResourceType]map[string]string
	fingerprint string
}

// maxUserData is the largest user data, decoded (EC2 user guide, "Instance user data").
const maxUserData = 16384

// runInstances checks like EC2 does, cheapest first: the token, the parameters, what they refer to, quotas, capacity, addresses.
func runInstances(c *call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	l := &launch{in: in, fingerprint: fingerprint(in)}
	if deref(in.MaxCount) < 1 || deref(in.MinCount) < 1 || deref(in.MinCount) > deref(in.MaxCount) {
		return nil, refuse("InvalidParameterValue", "Value (%d) for parameter maxCount is invalid.", deref(in.MaxCount))
	}
	if err := c.chooseSubnet(l); err != nil {
		return nil, err
	}
	if repeated, err := c.repeated(l); repeated != nil || err != nil {
		return repeated, err
	}
	for _, check := range []func(*launch) error{
		c.checkImage, c.checkNetwork, c.checkAccess, c.checkDisks, c.checkMarket, c.checkTags,
	} {
		if err := check(l); err != nil {
			return nil, err
		}
	}
	if c.dry {
		return nil, dryRun()
	}
	if err := c.supply(l.kind, l.home.Zone, l.spot != nil, int(*in.MaxCount)); err != nil {
		return nil, err
	}
	if c.free(l.home) < int(*in.MaxCount) {
		return nil, refuse("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy "+
			"the requested number of instances.", l.home.ID)
	}
	reservation := "r-0" + c.hex(16)
	out := &ec2.RunInstancesOutput{ReservationId: new(reservation), OwnerId: new(c.state.Account)}
	for range *in.MaxCount {
		i := c.start(l, reservation)
		if c.state.vanishes() {
			c.end(i)
		}
		out.Instances = append(out.Instances, c.showInstance(i))
	}
	return out, nil
}

// fingerprint tells launch requests with the same token apart.
func fingerprint(in *ec2.RunInstancesInput) string {
	plain := *in
	plain.ClientToken, plain.DryRun = nil, nil
	text, err := json.Marshal(plain)
	if err != nil {
		panic("sandbox: a RunInstances request has no JSON form: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// repeated answers a request whose token was used before: the same instances for the same parameters. A token of a request
// that names a zone counts in that zone only (EC2 developer guide, "Ensuring idempotency").
func (c *call) repeated(l *launch) (*ec2.RunInstancesOutput, error) {
	token := deref(l.in.ClientToken)
	if token == "" {
		return nil, nil
	}
	if len(token) > 64 {
		return nil, refuse("InvalidParameterValue", "The client token '%s' is longer than 64 characters", token)
	}
	var out *ec2.RunInstancesOutput
	for _, i := range inOrder(c.region.Instances) {
		if i.Token != token || l.zonal && i.Zone != l.home.Zone {
			continue
		}
		if i.Parameters != l.fingerprint {
			return nil, refuse("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with "+
				"arguments used in previous request(s).")
		}
		if i.ended() {
			return nil, refuse("IdempotentInstanceTerminated", "The instance '%s' of this idempotent request has been terminated.",
				i.ID)
		}
		if out == nil {
			out = &ec2.RunInstancesOutput{ReservationId: new(i.Reservation), OwnerId: new(c.state.Account)}
		}
		out.Instances = append(out.Instances, c.showInstance(i))
	}
	return out, nil
}

// chooseSubnet finds the subnet that the request names, or a default subnet.
func (c *call) chooseSubnet(l *launch) error {
	id, zone := l.in.SubnetId, ""
	if len(l.in.NetworkInterfaces) > 0 {
		if id != nil || len(l.in.SecurityGroupIds) > 0 {
			return refuse("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID or security groups "+
				"may not be specified on the same request")
		}
		id = l.in.NetworkInterfaces[0].SubnetId
	}
	if l.in.Placement != nil {
		zone = deref(l.in.Placement.AvailabilityZone)
	}
	l.zonal = id != nil || zone != ""
	if id != nil {
		n, err := find(c, subnetKind, c.region.Subnets, id)
		if err != nil {
			return err
		}
		if zone != "" && zone != n.Zone {
			return refuse("InvalidParameterValue", "The availability zone '%s' is not that of subnet '%s'", zone, n.ID)
		}
		l.home = n
		return nil
	}
	for _, n := range inOrder(c.region.Subnets) {
		if n.Default && (zone == "" || n.Zone == zone) {
			l.home = n
			return nil
		}
	}
	return refuse("VPCIdNotSpecified", "No default VPC for this user")
}

func (c *call) checkImage(l *launch) (err error) {
	if l.image, err = c.imageWithID(deref(l.in.ImageId)); err != nil {
		return err
	}
	known := false
	if l.kind, known = typeNamed(string(l.in.InstanceType)); !known {
		return refuse("InvalidParameterValue", "Invalid value '%s' for InstanceType.", l.in.InstanceType)
	}
	if l.kind.arch != string(l.image.arch) {
		return refuse("InvalidParameterValue", "The architecture '%s' of the specified instance type does not match the "+
			"architecture '%s' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and "+
			"try again.", l.kind.arch, l.image.arch)
	}
	return nil
}

func (c *call) checkNetwork(l *launch) (err error) {
	groups := l.in.SecurityGroupIds
	l.public = l.home.MapPublic
	if len(l.in.NetworkInterfaces) > 0 {
		one := l.in.NetworkInterfaces[0]
		groups = one.Groups
		if one.AssociatePublicIpAddress != nil {
			l.public = *one.AssociatePublicIpAddress
		}
	}
	if len(groups) > 5 {
		return refuse("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has "+
			"been reached.")
	}
	if l.groups, err = c.groupsFor(groups, l.home.VPC); err != nil {
		return err
	}
	for _, id := range l.groups {
		if c.region.Groups[id].VPC != l.home.VPC {
			return refuse("InvalidParameter", "Security group %s and subnet %s belong to different networks.", id, l.home.ID)
		}
	}
	return nil
}

// checkAccess looks at key pair, instance profile and user data.
func (c *call) checkAccess(l *launch) (err error) {
	if name := deref(l.in.KeyName); name != "" {
		if k := c.keyPairNamed(name); k == nil || !k.visible(c.now) {
			return refuse("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
		}
	}
	if l.profile, err = c.profileForLaunch(l.in.IamInstanceProfile); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(deref(l.in.UserData))
	if err != nil {
		return refuse("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return refuse("InvalidParameterValue", "User data is limited to 16384 bytes")
	}
	return nil
}

// checkDisks makes the volumes of the launch from the image and the request.
func (c *call) checkDisks(l *launch) error {
	root := &volume{
		Device: l.image.root, Size: l.image.gib, Type: ec2types.VolumeTypeGp3, Snapshot: l.image.Snapshot, DeleteOnTermination: true,
	}
	l.disks = []*volume{root}
	for _, mapping := range l.in.BlockDeviceMappings {
		disk := root
		if deref(mapping.DeviceName) != root.Device {
			if mapping.Ebs == nil {
				continue // instance stores and suppressed devices
			}
			disk = &volume{Device: deref(mapping.DeviceName), Type: ec2types.VolumeTypeGp3, Snapshot: deref(mapping.Ebs.SnapshotId)}
			l.disks = append(l.disks, disk)
		}
		if mapping.Ebs == nil {
			return refuse("InvalidBlockDeviceMapping", "The root device %s cannot be suppressed", root.Device)
		}
		if err := disk.apply(mapping.Ebs); err != nil {
			return err
		}
		if disk == root && disk.Size < l.image.gib {
			return refuse("InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
				disk.Size, l.image.Snapshot, l.image.gib)
		}
	}
	return nil
}

// checkMarket looks at where the type is sold and at the spot options.
func (c *call) checkMarket(l *launch) error {
	if options := l.in.InstanceMarketOptions; options != nil && options.MarketType == ec2types.MarketTypeSpot {
		if l.spot = options.SpotOptions; l.spot == nil {
			l.spot = &ec2types.SpotMarketOptions{}
		}
	}
	if zones := l.kind.zones(c.region.Name); !slices.Contains(zones, l.home.Zone) {
		return refuse("Unsupported", "Your requested instance type (%s) is not supported in your requested Availability Zone "+
			"(%s). Please retry your request by not specifying an Availability Zone or choosing %s.", l.kind.name, l.home.Zone,
			strings.Join(zones, ", "))
	}
	if l.spot == nil {
		return nil
	}
	if !l.kind.spot {
		return refuse("InvalidParameterValue", "Instance type '%s' is not supported for Spot Instances", l.kind.name)
	}
	persistent := l.spot.SpotInstanceType == ec2types.SpotInstanceTypePersistent
	ends := l.spot.InstanceInterruptionBehavior
	if persistent && (ends == "" || ends == ec2types.InstanceInterruptionBehaviorTerminate) {
		return refuse("InvalidParameterValue", "A persistent Spot Instance request needs the interruption behavior stop or "+
			"hibernate")
	}
	if l.spot.MaxPrice == nil {
		return nil
	}
	limit, err := strconv.ParseFloat(*l.spot.MaxPrice, 64)
	if err != nil || limit <= 0.001 {
		return refuse("InvalidParameterValue", "Invalid value '%s' for MaxPrice: it must be above 0.001", *l.spot.MaxPrice)
	}
	if price := l.kind.spotPrice(c.region.Name, l.home.Zone, c.now); limit < price {
		return refuse("SpotMaxPriceTooLow", "Your Spot request price of %v is lower than the minimum required Spot request "+
			"fulfillment price of %.6f.", limit, price)
	}
	return nil
}

func (c *call) checkTags(l *launch) (err error) {
	made := []ec2types.ResourceType{
		ec2types.ResourceTypeInstance, ec2types.ResourceTypeVolume, ec2types.ResourceTypeNetworkInterface,
	}
	if l.spot != nil {
		made = append(made, ec2types.ResourceTypeSpotInstancesRequest)
	}
	l.tags, err = tagged(l.in.TagSpecifications, made...)
	return err
}

// supply asks quota and capacity for some machines. Quotas count vCPUs by bucket, spot and on demand apart; no capacity is a
// server error, which the SDK's retryer repeats (EC2 API reference, "Error codes").
func (c *call) supply(t instanceType, zone string, spot bool, count int) error {
	used := 0
	for _, i := range c.region.Instances {
		other, _ := typeNamed(i.Type)
		state := i.state(c.now)
		idle := state == ec2types.InstanceStateNameStopped || state == ec2types.InstanceStateNameTerminated
		if !idle && (i.SpotRequest != "") == spot && other.bucket() == t.bucket() {
			used += other.vcpus
		}
	}
	limit := c.state.quota(quotaFor(t, spot))
	if float64(used+count*t.vcpus) > limit {
		if spot {
			return refuse("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
		}
		return refuse("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %.0f allows "+
			"for the instance bucket that the specified instance type belongs to. Please visit "+
			"http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.", limit)
	}
	market, words := "on-demand", "We currently do not have sufficient "+t.name+" capacity in the Availability Zone you "+
		"requested ("+zone+"). Our system will be working on provisioning additional capacity."
	if spot {
		market, words = "spot", "There is no Spot capacity available that matches your request."
	}
	if !c.state.hasCapacity(Pool{Type: t.name, Zone: zone, Market: market}) {
		return refuse("InsufficientInstanceCapacity", "%s", words)
	}
	return nil
}

// start makes one instance of a launch that has passed all checks.
func (c *call) start(l *launch, reservation string) *instance {
	i := &instance{
		resource: c.birth(c.newID("i"), l.tags[ec2types.ResourceTypeInstance]), Reservation: reservation,
		Token: deref(l.in.ClientToken), Parameters: l.fingerprint, Type: l.kind.name, Image: l.image.ID, RootDevice: l.image.root,
		Zone: l.home.Zone, Subnet: l.home.ID, VPC: l.home.VPC, AutoPublic: l.public, KeyName: deref(l.in.KeyName),
		Profile: l.profile, UserData: deref(l.in.UserData), Protected: deref(l.in.DisableApiTermination),
		OnShutdown: "stop", HTTPTokens: "optional", HopLimit: 1, Phase: phaseStart, Since: c.now, First: c.now.Add(startDelay),
		BootFails: c.state.bootFault(),
	}
	if l.image.owner == ownerAmazonLinux {
		i.HTTPTokens, i.HopLimit = "required", 2 // Amazon Linux 2023 images ask for IMDSv2
	}
	if l.in.InstanceInitiatedShutdownBehavior != "" {
		i.OnShutdown = string(l.in.InstanceInitiatedShutdownBehavior)
	}
	if m := l.in.MetadataOptions; m != nil {
		if m.HttpTokens != "" {
			i.HTTPTokens = string(m.HttpTokens)
		}
		if m.HttpPutResponseHopLimit != nil {
			i.HopLimit = *m.HttpPutResponseHopLimit
		}
	}
	if e, ok := c.join(l.home, l.groups, l.tags[ec2types.ResourceTypeNetworkInterface]); ok {
		e.Instance, i.Interface = i.ID, e.ID
		if l.public {
			e.PublicIP = c.publicAddress()
		}
	}
	for _, pattern := range l.disks {
		disk := *pattern
		disk.resource = c.birth(c.newID("vol"), l.tags[ec2types.ResourceTypeVolume])
		disk.Zone, disk.Instance, disk.Attached = l.home.Zone, i.ID, c.now
		c.region.Volumes[disk.ID] = &disk
	}
	if l.spot != nil {
		i.Persistent = l.spot.SpotInstanceType == ec2types.SpotInstanceTypePersistent
		i.SpotRequest = c.fulfil(l, i)
	}
	c.region.Instances[i.ID] = i
	return i
}

// bootFault counts a launch against the boot faults and returns the step at which one of them ends the bootstrap.
func (s *state) bootFault() string {
	step := ""
	for n := range s.Faults {
		if f := &s.Faults[n]; f.Effect == EffectBootFails && f.hit(ServiceMachine, f.Operation) && step == "" {
			step = f.Operation
		}
	}
	return step
}
