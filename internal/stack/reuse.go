package stack

import (
	"slices"
	"strings"
)

// Reuse is what was found of the user's own resources that a deployment is to use as they are. What is empty is made.
type Reuse struct {
	VPC     ReusedVPC      `json:"vpc,omitzero"`
	Subnets []ReusedSubnet `json:"subnets,omitempty"` // where the machine may be launched, one a zone, best first
	Group   string         `json:"group,omitempty"`   // ID of the machine's security group
	Files   ReusedFiles    `json:"files,omitzero"`
	// Missing are the rules that the user's security groups lack, and that are to be added.
	Missing []MissingRule `json:"missing,omitempty"`
	// Held are the rules that the user's security groups have.
	Held []HeldRule `json:"held,omitempty"`
}

// HeldRule is a rule that a security group of the user's has.
type HeldRule struct {
	GroupID string `json:"group_id"`
	Gate    Gate   `json:"gate"`
}

// ReusedVPC is the user's VPC.
type ReusedVPC struct {
	ID    string   `json:"id"`
	CIDRs []string `json:"cidrs"`
}

// ReusedSubnet is a subnet of the user's VPC.
type ReusedSubnet struct {
	ID     string `json:"id"`
	Zone   string `json:"zone"`
	CIDR   string `json:"cidr"`
	Public bool   `json:"public"` // its way out is an internet gateway, so that the machine needs a public address
}

// ReusedFiles is the user's file system.
type ReusedFiles struct {
	ID      string         `json:"id"`
	Targets []ReusedTarget `json:"targets,omitempty"` // those in the zones of the machine
}

// ReusedTarget is a mount target of the user's file system.
type ReusedTarget struct {
	ID   string `json:"id"`
	Zone string `json:"zone"`
}

// MissingRule is a rule that a security group of the user's lacks.
type MissingRule struct {
	Group string `json:"group"` // ID
	Rule  Rule   `json:"rule"`
}

// Own reports whether a VPC is made.
func (r Reuse) Own() bool { return r.VPC.ID == "" }

// Zones are the zones of the subnets.
func (r Reuse) Zones() []string {
	var zones []string
	for _, s := range r.Subnets {
		zones = append(zones, s.Zone)
	}
	return zones
}

// target is the mount target of the user's file system in a zone.
func (r Reuse) target(zone string) (ReusedTarget, bool) {
	i := slices.IndexFunc(r.Files.Targets, func(t ReusedTarget) bool { return t.Zone == zone })
	if i < 0 {
		return ReusedTarget{}, false
	}
	return r.Files.Targets[i], true
}

// Provenance says where a resource comes from, and so what a destroy does with it.
type Provenance string

// The provenances.
const (
	Created Provenance = "created" // made by us, and deleted
	Reused  Provenance = "reused"  // the user's, and left as it is
	Added   Provenance = "added"   // made by us in something of the user's, and taken out of it again
)

// Provenance tells where the resource comes from.
func (r Record) Provenance() Provenance { return provenance(r.Key, r.Owned) }

// Provenance tells where the resource of a node comes from.
func (n Node) Provenance() Provenance { return provenance(n.Key, n.Adopt == "") }

func provenance(key Key, owned bool) Provenance {
	switch {
	case !owned:
		return Reused
	case strings.HasPrefix(string(key), addedPrefix):
		return Added
	default:
		return Created
	}
}

// addedPrefix begins the keys of rules in security groups of the user's.
const addedPrefix = "access/added-"

// RuleKey reports whether a key is that of a rule which is a resource of its own. All other rules bear the key of the group
// that they came into the world with.
func RuleKey(key Key) bool {
	return key == KeyHostFiles || strings.HasPrefix(string(key), addedPrefix)
}

// reusable are the kinds that a deployment may reuse, by the beginning of their IDs.
func reusable() map[string]Kind {
	return map[string]Kind{"fsmt-": KindMountTarget, "vpc-": KindVPC, "subnet-": KindSubnet, "sg-": KindSecurityGroup, "fs-": KindFileSystem}
}

// MostReused is in how many zones at most subnets of the user's are used.
const MostReused = 2

// tag lists the IDs of the user's resources, as the tag TagReuses holds them: the account is the second copy of the state, and
// what is not ours cannot carry our tags itself. A mount target stands behind the subnet of
// its zone. All IDs together take less than 200 of the 256 characters of a tag.
func (r Reuse) tag() string {
	ids := []string{r.VPC.ID}
	for _, s := range r.Subnets {
		mount, _ := r.target(s.Zone)
		ids = append(ids, s.ID, mount.ID)
	}
	ids = append(ids, r.Group, r.Files.ID)
	return strings.Join(slices.DeleteFunc(ids, func(id string) bool { return id == "" }), " ")
}

// reusedRecords are the records of the resources that a tag names.
func reusedRecords(tag string) map[Key]Record {
	all := map[Key]Record{}
	subnets := 0
	for id := range strings.FieldsSeq(tag) {
		prefix, _, _ := strings.Cut(id, "-")
		kind, known := reusable()[prefix+"-"]
		key := map[Kind]Key{KindVPC: KeyVPC, KindSecurityGroup: KeyHostGroup, KindFileSystem: KeyFiles}[kind]
		if kind == KindSubnet {
			key = subnetKey(subnets)
			subnets++
		}
		if kind == KindMountTarget { // it stands behind its subnet
			key = MountKey(subnetKey(subnets - 1))
		}
		if known {
			all[key] = Record{Key: key, Kind: kind, ID: id, Status: StatusReady}
		}
	}
	return all
}

// reuseOf is what a tag tells of a reuse. Zones it does not tell: the ID of each subnet stands for its zone, until the facts are
// found anew.
func reuseOf(tag string) Reuse {
	all := reusedRecords(tag)
	r := Reuse{VPC: ReusedVPC{ID: all[KeyVPC].ID}, Group: all[KeyHostGroup].ID, Files: ReusedFiles{ID: all[KeyFiles].ID}}
	for i := range MostReused {
		id := all[subnetKey(i)].ID
		if id == "" {
			break
		}
		r.Subnets = append(r.Subnets, ReusedSubnet{ID: id, Zone: id})
		if mount := all[MountKey(subnetKey(i))].ID; mount != "" {
			r.Files.Targets = append(r.Files.Targets, ReusedTarget{ID: mount, Zone: id})
		}
	}
	return r
}

// subnetKey is the key of the i-th subnet of the user's.
func subnetKey(i int) Key { return Key("network/subnet-" + letter(i)) }

// letter names the i-th of several: a, b, c.
func letter(i int) string { return string(rune('a' + i)) }

// ReusedKey is the key of a resource that a tag TagReuses names, or "".
func ReusedKey(tag, id string) Key {
	for key, r := range reusedRecords(tag) {
		if r.ID == id {
			return key
		}
	}
	return ""
}

// MountKey is the key of the mount target in a subnet, or "" where none stands.
func MountKey(subnet Key) Key {
	for _, prefix := range []string{"network/private-", "network/subnet-"} {
		if zone, ok := strings.CutPrefix(string(subnet), prefix); ok {
			return Key("storage/mount-" + zone)
		}
	}
	return ""
}
