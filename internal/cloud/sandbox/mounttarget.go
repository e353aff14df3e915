package sandbox

import (
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
)

// mountTarget has no tags: it is found through its file system.
type mountTarget struct {
	resource
	FileSystem string    `json:"file_system"`
	Subnet     string    `json:"subnet"`
	VPC        string    `json:"vpc"`
	Zone       string    `json:"zone"`
	Interface  string    `json:"interface"`
	IP         string    `json:"ip"`
	Gone       time.Time `json:"gone,omitzero"`
}

// How long a mount target is creating (60 to 120 s are usual) and deleting.
const (
	mountTargetDelay  = 70 * time.Second
	mountTargetRemove = 20 * time.Second
)

func (m *mountTarget) state(now time.Time) efstypes.LifeCycleState {
	switch {
	case !m.Gone.IsZero():
		return efstypes.LifeCycleStateDeleting
	case now.Before(m.Born.Add(mountTargetDelay)):
		return efstypes.LifeCycleStateCreating
	}
	return efstypes.LifeCycleStateAvailable
}

func registerMountTargets(all map[string]operation) {
	on(all, serviceEFS, "CreateMountTarget", createMountTarget)
	on(all, serviceEFS, "DescribeMountTargets", describeMountTargets)
	on(all, serviceEFS, "DescribeMountTargetSecurityGroups", describeMountTargetSecurityGroups)
	on(all, serviceEFS, "DeleteMountTarget", deleteMountTarget)
}

// createMountTarget allows one mount target a zone and one VPC a file system (EFS API reference, CreateMountTarget).
func createMountTarget(c *call, in *efs.CreateMountTargetInput) (*efs.CreateMountTargetOutput, error) {
	f, err := c.settled(in.FileSystemId)
	if err != nil {
		return nil, err
	}
	n, err := find(c, subnetKind, c.region.Subnets, in.SubnetId)
	if err != nil {
		return nil, refuse("SubnetNotFound", "The subnet ID '%s' does not exist", deref(in.SubnetId))
	}
	groups, err := c.mountGroups(in.SecurityGroups, n)
	if err != nil {
		return nil, err
	}
	if f.OneZone != "" && f.OneZone != n.Zone {
		return nil, refuse("AvailabilityZonesMismatch", "The file system's Availability Zone is %s, not that of subnet %s", f.OneZone, n.ID)
	}
	for _, m := range c.region.MountTargets {
		if m.FileSystem != f.ID {
			continue
		}
		if m.VPC != n.VPC {
			return nil, refuse("MountTargetConflict", "requested subnet for new mount target is not in the same VPC as existing "+
				"mount targets")
		}
		if m.Zone == n.Zone {
			return nil, refuse("MountTargetConflict", "mount target already exists in this AZ")
		}
	}
	e, ok := c.join(n, groups, nil)
	if !ok {
		return nil, refuse("NoFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the "+
			"request.")
	}
	m := &mountTarget{
		resource: c.birth(c.newID("fsmt"), nil), FileSystem: f.ID, Subnet: n.ID, VPC: n.VPC, Zone: n.Zone, Interface: e.ID,
		IP: e.PrivateIP,
	}
	e.Requester, e.Description = "amazon-efs", "Mount target "+m.ID+" for file system "+f.ID
	c.region.MountTargets[m.ID] = m
	d := c.showMountTarget(m)
	return &efs.CreateMountTargetOutput{
		MountTargetId: d.MountTargetId, FileSystemId: d.FileSystemId, SubnetId: d.SubnetId, VpcId: d.VpcId,
		LifeCycleState: d.LifeCycleState, AvailabilityZoneName: d.AvailabilityZoneName, AvailabilityZoneId: d.AvailabilityZoneId,
		IpAddress: d.IpAddress, NetworkInterfaceId: d.NetworkInterfaceId, OwnerId: d.OwnerId,
	}, nil
}

func (c *call) mountGroups(ids []string, n *subnet) ([]string, error) {
	if len(ids) > 5 {
		return nil, refuse("SecurityGroupLimitExceeded", "A mount target can have at most 5 security groups")
	}
	groups, err := c.groupsFor(ids, n.VPC)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return nil, refuse("SecurityGroupNotFound", "%s", refused.message)
	}
	for _, id := range groups {
		if c.region.Groups[id].VPC != n.VPC {
			return nil, refuse("SecurityGroupNotFound", "The security group '%s' does not exist in VPC '%s'", id, n.VPC)
		}
	}
	return groups, err
}

func (c *call) showMountTarget(m *mountTarget) efstypes.MountTargetDescription {
	return efstypes.MountTargetDescription{
		MountTargetId: new(m.ID), FileSystemId: new(m.FileSystem), SubnetId: new(m.Subnet), VpcId: new(m.VPC),
		LifeCycleState: m.state(c.now), AvailabilityZoneName: new(m.Zone), AvailabilityZoneId: new(zoneID(c.region.Name, m.Zone)),
		IpAddress: new(m.IP), NetworkInterfaceId: new(m.Interface), OwnerId: new(c.state.Account),
	}
}

// mountTarget finds a mount target. Reads do not know a new one yet.
func (c *call) mountTarget(id *string, settled bool) (*mountTarget, error) {
	m := c.region.MountTargets[deref(id)]
	if m == nil || settled && !m.visible(c.now) {
		return nil, refuse("MountTargetNotFound", "Mount target '%s' does not exist.", deref(id))
	}
	return m, nil
}

func describeMountTargets(c *call, in *efs.DescribeMountTargetsInput) (*efs.DescribeMountTargetsOutput, error) {
	if in.MountTargetId != nil {
		m, err := c.mountTarget(in.MountTargetId, true)
		if err != nil {
			return nil, err
		}
		return &efs.DescribeMountTargetsOutput{MountTargets: []efstypes.MountTargetDescription{c.showMountTarget(m)}}, nil
	}
	if in.FileSystemId == nil {
		return nil, refuse("BadRequest", "Specify FileSystemId, MountTargetId or AccessPointId")
	}
	f, err := c.fileSystem(in.FileSystemId, true)
	if err != nil {
		return nil, err
	}
	var found []efstypes.MountTargetDescription
	for _, m := range inOrder(c.region.MountTargets) {
		if m.FileSystem == f.ID && m.visible(c.now) {
			found = append(found, c.showMountTarget(m))
		}
	}
	found, next, err := page(found, in.MaxItems, in.Marker, 100)
	return &efs.DescribeMountTargetsOutput{MountTargets: found, NextMarker: next, Marker: in.Marker}, err
}

func describeMountTargetSecurityGroups(c *call, in *efs.DescribeMountTargetSecurityGroupsInput) (*efs.DescribeMountTargetSecurityGroupsOutput, error) {
	m, err := c.mountTarget(in.MountTargetId, true)
	if err != nil {
		return nil, err
	}
	out := &efs.DescribeMountTargetSecurityGroupsOutput{}
	if e := c.region.Interfaces[m.Interface]; e != nil {
		out.SecurityGroups = slices.Clone(e.Groups)
	}
	return out, nil
}

// deleteMountTarget returns at once; the mount target is gone some time later, and its network interface later still.
func deleteMountTarget(c *call, in *efs.DeleteMountTargetInput) (*efs.DeleteMountTargetOutput, error) {
	m, err := c.mountTarget(in.MountTargetId, false)
	if err != nil {
		return nil, err
	}
	if m.Gone.IsZero() {
		m.Gone = c.now.Add(mountTargetRemove)
		if e := c.region.Interfaces[m.Interface]; e != nil {
			e.Gone = m.Gone.Add(interfaceLag)
		}
	}
	return &efs.DeleteMountTargetOutput{}, nil
}
