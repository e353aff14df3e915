package sandbox

import (
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"
)

// How long the storage step takes when all is ready, and when the bootstrap gives up on the file system.
const (
	mountQuick   = 24 * time.Second
	mountGivesUp = 300 * time.Second
)

var fileSystemID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`fs-[0-9a-f]{17}`) })

// mount sets how the storage step of a machine goes. A machine whose configuration names a file system waits for a mount target
// in its zone that lets it in, and fails without one. A machine that once had it keeps it for its report.
func (c *call) mount(m *machine, config []byte) {
	m.storage = mountQuick
	begins := m.begins("storage")
	reached := m.instance.Mounted
	if id := fileSystemID().Find(config); reached.IsZero() && id != nil {
		found := false
		if reached, found = c.mountable(m.instance, string(id)); !found {
			reached = begins.Add(mountGivesUp)
		}
	}
	m.storage = max(m.storage, reached.Sub(begins))
	if m.storage >= mountGivesUp {
		m.storage = mountGivesUp
		if !m.stoppedBefore("storage") {
			m.fails = "storage"
		}
	}
}

// mountable tells when a file system can be mounted on an instance: NFS, port 2049, through a mount target of the same zone
// (EFS user guide, "Mounting EFS file systems"; "Using VPC security groups").
func (c *call) mountable(i *instance, fileSystem string) (time.Time, bool) {
	e := c.region.Interfaces[i.Interface]
	for _, t := range c.region.MountTargets {
		if t.FileSystem != fileSystem || t.Zone != i.Zone || t.VPC != i.VPC || !t.Gone.IsZero() || e == nil {
			continue
		}
		if door := c.region.Interfaces[t.Interface]; door != nil && c.letsIn(door, e, 2049) {
			return t.Born.Add(mountTargetDelay), true
		}
	}
	return time.Time{}, false
}

// letsIn tells whether the security groups of one interface admit TCP connections from another one.
func (c *call) letsIn(door, from *netInterface, port int) bool {
	source, err := netip.ParseAddr(from.PrivateIP)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(door.Groups, func(id string) bool {
		g := c.region.Groups[id]
		return g != nil && slices.ContainsFunc(g.Rules, func(r *rule) bool {
			near := slices.ContainsFunc(c.blocks(r), func(b netip.Prefix) bool { return b.Contains(source) })
			return r.admits(port) && (near || slices.Contains(from.Groups, r.Group))
		})
	})
}

// rememberMounts notes, before the account changes, which machines have reached their file system.
func (c *call) rememberMounts() {
	for _, i := range c.region.Instances {
		if !i.Mounted.IsZero() {
			continue
		}
		m := c.machine(i)
		if m == nil || m.fails == "storage" || m.stoppedBefore("storage") {
			continue
		}
		if ends := m.begins("storage").Add(m.storage); !c.now.Before(ends) {
			i.Mounted = ends
		}
	}
}
