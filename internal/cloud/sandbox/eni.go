package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// netInterface is an elastic network interface. It takes an address of its subnet and holds subnet and security groups in
// use until it is gone.
type netInterface struct {
	resource
	VPC         string    `json:"vpc"`
	Subnet      string    `json:"subnet"`
	Zone        string    `json:"zone"`
	PrivateIP   string    `json:"private_ip"`
	PublicIP    string    `json:"public_ip,omitempty"`
	Groups      []string  `json:"groups"`
	Description string    `json:"description,omitempty"`
	Instance    string    `json:"instance,omitempty"`  // attached to
	Requester   string    `json:"requester,omitempty"` // the service that manages it
	Gone        time.Time `json:"gone,omitzero"`       // set once its owner is being deleted
}

// interfaceLag is how long an interface outlives the instance or mount target that it belonged to.
const interfaceLag = 10 * time.Second

func registerInterfaces(all map[string]operation) {
	on(all, serviceEC2, "DescribeNetworkInterfaces", describeNetworkInterfaces)
	on(all, serviceEC2, "DeleteNetworkInterface", deleteNetworkInterface)
	on(all, serviceEC2, "DescribeAddresses", describeAddresses)
}

// publicAddress draws an address that no interface of any region has, from the range that Amazon EC2 is known by.
func (c *call) publicAddress() string {
	taken := map[string]bool{}
	for _, r := range c.state.Regions {
		for _, i := range r.Interfaces {
			taken[i.PublicIP] = true
		}
	}
	for {
		ip := fmt.Sprintf("54.%d.%d.%d", 144+c.random.IntN(80), c.random.IntN(256), 1+c.random.IntN(254))
		if !taken[ip] {
			return ip
		}
	}
}

// publicNow tells whether the interface's public address is still mapped: it is released when its instance has stopped or
// terminated, before the interface itself is gone.
func (c *call) publicNow(i *netInterface) bool {
	owner := c.region.Instances[i.Instance]
	return owner != nil && owner.addressed(c.now)
}

func (c *call) showInterface(i *netInterface) ec2types.NetworkInterface {
	shown := ec2types.NetworkInterface{
		NetworkInterfaceId: new(i.ID), SubnetId: new(i.Subnet), VpcId: new(i.VPC), AvailabilityZone: new(i.Zone),
		PrivateIpAddress: new(i.PrivateIP), Groups: c.groupIdentifiers(i.Groups), Description: new(i.Description),
		OwnerId: new(c.state.Account), RequesterManaged: new(i.Requester != ""), Status: c.interfaceStatus(i),
		InterfaceType: ec2types.NetworkInterfaceTypeInterface, SourceDestCheck: new(true), TagSet: ec2Tags(i.Tags),
		MacAddress: new(mac(i.ID)),
	}
	if i.Requester != "" {
		shown.RequesterId = new(i.Requester)
	}
	if i.Instance != "" {
		shown.Attachment = &ec2types.NetworkInterfaceAttachment{
			AttachmentId: new("eni-attach-" + strings.TrimPrefix(i.ID, "eni-")), InstanceId: new(i.Instance),
			InstanceOwnerId: new(c.state.Account), DeviceIndex: new(int32(0)), DeleteOnTermination: new(true),
			AttachTime: new(i.Born), Status: ec2types.AttachmentStatusAttached,
		}
	}
	if i.PublicIP != "" && c.publicNow(i) {
		shown.Association = &ec2types.NetworkInterfaceAssociation{
			PublicIp: new(i.PublicIP), IpOwnerId: new("amazon"), PublicDnsName: new(publicName(c.region.Name, i.PublicIP)),
		}
	}
	return shown
}

func (c *call) interfaceStatus(i *netInterface) ec2types.NetworkInterfaceStatus {
	if i.Gone.IsZero() {
		return ec2types.NetworkInterfaceStatusInUse
	}
	return ec2types.NetworkInterfaceStatusDetaching
}

// mac derives a hardware address from an id.
func mac(id string) string {
	d := digest(0, id)
	return fmt.Sprintf("02:%s:%s:%s:%s:%s", d[0:2], d[2:4], d[4:6], d[6:8], d[8:10])
}

func publicName(region, ip string) string {
	domain := region + ".compute"
	if region == "us-east-1" {
		domain = "compute-1"
	}
	return "ec2-" + strings.ReplaceAll(ip, ".", "-") + "." + domain + ".amazonaws.com"
}

func describeNetworkInterfaces(c *call, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	found, next, err := describe(c, interfaceKind, c.region.Interfaces,
		query{in.NetworkInterfaceIds, in.Filters, in.MaxResults, in.NextToken},
		func(i *netInterface) attributes {
			public := ""
			if c.publicNow(i) {
				public = i.PublicIP
			}
			return attributes{
				"network-interface-id": {i.ID}, "subnet-id": {i.Subnet}, "vpc-id": {i.VPC}, "availability-zone": {i.Zone},
				"group-id": i.Groups, "attachment.instance-id": {i.Instance}, "description": {i.Description},
				"private-ip-address": {i.PrivateIP}, "association.public-ip": {public}, "status": {string(c.interfaceStatus(i))},
				"requester-id": {i.Requester}, "requester-managed": yesNo(i.Requester != ""), "owner-id": {c.state.Account},
				"interface-type": {"interface"},
			}
		}, c.showInterface)
	return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: found, NextToken: next}, err
}

// deleteNetworkInterface is always refused: every interface of the sandbox is attached or managed by a service.
func deleteNetworkInterface(c *call, in *ec2.DeleteNetworkInterfaceInput) (*ec2.DeleteNetworkInterfaceOutput, error) {
	i, err := own(interfaceKind, c.region.Interfaces, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	if i.Requester != "" {
		return nil, refuse("InvalidParameterValue", "You do not have permission to delete the requester-managed network "+
			"interface '%s'", i.ID)
	}
	return nil, refuse("InvalidNetworkInterface.InUse", "Network interface '%s' is currently in use.", i.ID)
}

// describeAddresses finds none: the sandbox allocates no Elastic IP addresses.
func describeAddresses(_ *call, in *ec2.DescribeAddressesInput) (*ec2.DescribeAddressesOutput, error) {
	for _, id := range in.AllocationIds {
		return nil, refuse("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", id)
	}
	return &ec2.DescribeAddressesOutput{}, nil
}

// join makes an interface in a subnet. The caller has checked subnet and groups.
func (c *call) join(n *subnet, groups []string, tags map[string]string) (*netInterface, bool) {
	ip, ok := c.address(n)
	if !ok {
		return nil, false
	}
	i := &netInterface{
		resource: c.birth(c.newID("eni"), tags), VPC: n.VPC, Subnet: n.ID, Zone: n.Zone, PrivateIP: ip,
		Groups: slices.Clone(groups),
	}
	c.region.Interfaces[i.ID] = i
	return i, true
}
