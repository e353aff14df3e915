package discovery

import (
	"fmt"
	"net/netip"
	"slices"

	"geusemaker/internal/stack"
)

// Region is what of one region was read. What was not read is empty.
type Region struct {
	Name          string
	VPCs          []VPC
	Subnets       []Subnet
	Groups        []SecurityGroup
	FileSystems   []FileSystem
	KeyPairs      []KeyPair
	LoadBalancers []LoadBalancer
	Lists         []PrefixList // those that were asked for; see Reader.AskLists
	// Warnings say in words what could not be asked.
	Warnings []string
}

// Resource is what all that is found has in common.
type Resource struct {
	ID   string
	Name string // of the tag Name; a key pair's and a load balancer's own
	Tags map[string]string
}

// Deployment is the name of the deployment of ours that made it, or "".
func (r Resource) Deployment() string {
	if r.Tags[stack.TagStack] == "" {
		return ""
	}
	return r.Tags[stack.TagName]
}

func (r Resource) id() string { return r.ID }

func named(id string, tags map[string]string) Resource {
	return Resource{ID: id, Name: tags["Name"], Tags: tags}
}

// VPC finds a VPC by its ID.
func (r *Region) VPC(id string) (VPC, bool) { return byID(r.VPCs, id) }

// NameOfVPC is how people know a VPC: by its name, or as the region's default one.
func (r *Region) NameOfVPC(id string) string {
	v, _ := r.VPC(id)
	if v.Name == "" && v.Default {
		return "default"
	}
	return v.Name
}

// Subnet finds a subnet by its ID.
func (r *Region) Subnet(id string) (Subnet, bool) { return byID(r.Subnets, id) }

// Group finds a security group by its ID.
func (r *Region) Group(id string) (SecurityGroup, bool) { return byID(r.Groups, id) }

// FileSystem finds a file system by its ID.
func (r *Region) FileSystem(id string) (FileSystem, bool) { return byID(r.FileSystems, id) }

// KeyPair finds a key pair by its name.
func (r *Region) KeyPair(name string) (KeyPair, bool) {
	i := slices.IndexFunc(r.KeyPairs, func(k KeyPair) bool { return k.Name == name })
	if i < 0 {
		return KeyPair{}, false
	}
	return r.KeyPairs[i], true
}

func byID[T interface{ id() string }](all []T, id string) (T, bool) {
	i := slices.IndexFunc(all, func(one T) bool { return one.id() == id })
	if i < 0 {
		var none T
		return none, false
	}
	return all[i], true
}

// SubnetsOf are the subnets of a VPC.
func (r *Region) SubnetsOf(vpc string) []Subnet {
	return slices.DeleteFunc(slices.Clone(r.Subnets), func(s Subnet) bool { return s.VPC != vpc })
}

// Within is the part of the region that lies in one VPC. Key pairs lie in none and are kept.
func (r *Region) Within(vpc string) *Region {
	inside := *r
	inside.VPCs = slices.DeleteFunc(slices.Clone(r.VPCs), func(v VPC) bool { return v.ID != vpc })
	inside.Subnets = r.SubnetsOf(vpc)
	inside.Groups = slices.DeleteFunc(slices.Clone(r.Groups), func(g SecurityGroup) bool { return g.VPC != vpc })
	inside.FileSystems = slices.DeleteFunc(slices.Clone(r.FileSystems), func(f FileSystem) bool { return f.VPC() != vpc })
	inside.LoadBalancers = slices.DeleteFunc(slices.Clone(r.LoadBalancers), func(l LoadBalancer) bool { return l.VPC != vpc })
	return &inside
}

// Taken is an address range in use, and by what.
type Taken struct {
	Block netip.Prefix
	By    string
}

// Taken lists the address ranges that a new VPC of the region must not overlap, or it could never be joined with what is
// there: those of its VPCs, of the networks that they are peered with, and of what their routes lead to.
func (r *Region) Taken() []Taken {
	var all []Taken
	for _, v := range r.VPCs {
		for _, block := range v.CIDRs {
			all = append(all, Taken{block, v.ID})
		}
		for _, p := range v.Peers {
			for _, block := range p.CIDRs {
				all = append(all, Taken{block, fmt.Sprintf("%s, a peer of %s", p.VPC, v.ID)})
			}
		}
		for _, to := range v.Routes {
			all = append(all, Taken{to, "a route of " + v.ID})
		}
	}
	return all
}
