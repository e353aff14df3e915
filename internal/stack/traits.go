package stack

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Traits are what can be compared of a resource: by name, all values that it has. A name that is missing was not asked for;
// one without values was, and there is none.
type Traits map[string][]string

// Names of traits that are no attributes. Texts that a person reads.
const (
	TraitTags      = "tags"
	TraitVPC       = "VPC"
	TraitService   = "service"
	TraitNames     = "DNS names"
	TraitPublic    = "public addresses"
	TraitRoutes    = "routes"
	TraitSubnets   = "subnets"
	TraitRules     = "rules"
	TraitOutgoing  = "outgoing rules"
	TraitGroups    = "security groups"
	TraitBackups   = "automatic backups"
	TraitPolicy    = "policy"
	TraitTrust     = "trust"
	TraitManaged   = "managed policies"
	TraitInline    = "inline policies"
	TraitRole      = "role"
	TraitVersion   = "version"
	TraitProfile   = "profile"
	TraitMetadata  = "metadata service"
	TraitRoot      = "root volume GiB"
	TraitAttached  = "attached to"
	TraitEphemeral = "deleted with the machine"
)

// Values of traits that are either as they were made or not.
const (
	On         = "on"
	Off        = "off"
	AsMade     = "as made"
	Changed    = "changed"
	IMDSv2Only = "IMDSv2 only" // machines ask for a token before the metadata service tells them anything
)

// everythingOut is the rule with which EC2 makes each security group (EC2 user guide, "Security group rules").
const everythingOut = "all to 0.0.0.0/0"

// OnOff is a switch as a trait.
func OnOff(on bool) string {
	if on {
		return On
	}
	return Off
}

// Same tells whether something is still as it was made, as a trait.
func Same(same bool) string {
	if same {
		return AsMade
	}
	return Changed
}

// Route is a way out of a network in words.
func Route(destination, through string) string { return destination + " through " + through }

// Opening is a rule of a security group in words: a protocol, its ports, and from or to whom.
func Opening(protocol string, from, to int, direction, peer string) string {
	if protocol == "-1" {
		return "all " + direction + " " + peer
	}
	ports := strconv.Itoa(from)
	if to != from {
		ports += "-" + strconv.Itoa(to)
	}
	return protocol + " " + ports + " " + direction + " " + peer
}

// TagTrait lists those of the tags that are wanted: what an organisation adds by itself is nobody's mistake.
func TagTrait(tags, wanted map[string]string) []string {
	all := []string{}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if value, ok := tags[key]; ok {
			all = append(all, key+"="+value)
		}
	}
	return all
}

// Wanted says how a resource is when nobody has changed it. The function id gives the IDs of what the spec refers to; what
// refers to something without one is left out.
func Wanted(s Spec, id func(Key) string) Traits {
	t := Traits{}
	put := func(name string, values ...string) {
		if !slices.Contains(values, "") {
			t[name] = values
		}
	}
	switch s := s.(type) {
	case VPC:
		put(AttrCIDR, s.CIDR)
		put(TraitNames, On)
	case InternetGateway:
		put(TraitVPC, id(s.VPC))
	case Subnet:
		put(AttrCIDR, s.CIDR)
		put(AttrZone, s.Zone)
		put(TraitVPC, id(s.VPC))
		put(TraitPublic, OnOff(s.Public))
	case RouteTable:
		if gateway := id(s.Gateway); gateway != "" {
			put(TraitRoutes, Route("0.0.0.0/0", gateway))
		}
		put(TraitSubnets, ids(s.Subnets, id)...)
	case SecurityGroup:
		put(TraitRules, openings(slices.Concat(s.Rules, s.Beside), false, id)...)
		put(TraitOutgoing, everythingOut)
		if s.Closed {
			put(TraitOutgoing, openings(slices.Concat(s.Rules, s.Beside), true, id)...)
		}
	case GatewayEndpoint:
		put(TraitVPC, id(s.VPC))
		put(TraitService, s.Service)
		put(TraitRoutes, id(s.Routes))
	case FileSystem:
		put(AttrSpeed, "elastic")
		put(TraitBackups, OnOff(s.Backup))
		put(TraitPolicy, AsMade)
	case MountTarget:
		put(AttrSubnet, id(s.Subnet))
		put(TraitGroups, id(s.Group))
	case Role:
		put(TraitManaged, s.Managed...)
		put(TraitTrust, AsMade)
	case RolePolicy:
		put(TraitInline, s.Name)
		put(TraitPolicy, AsMade)
	case Profile:
		put(TraitRole, id(s.Role))
	case Parameter:
		put(TraitVersion, "1")
	case Instance:
		put(TraitGroups, ids(s.Groups, id)...)
		put(TraitProfile, id(s.Profile))
		put(TraitMetadata, IMDSv2Only)
		put(TraitRoot, strconv.Itoa(s.RootGiB))
	case Volume:
		put(AttrGiB, strconv.Itoa(s.GiB))
		put(AttrSpeed, strconv.Itoa(s.Throughput))
		put(TraitAttached, id(s.Instance))
		put(TraitEphemeral, Off)
	}
	return t
}

func ids(keys []Key, id func(Key) string) []string {
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		all = append(all, id(key))
	}
	return all
}

// openings are the rules in words, each once, although two of a spec may be the same to EC2. A rule whose group has no ID
// makes one empty text.
func openings(rules []Rule, egress bool, id func(Key) string) []string {
	all := []string{}
	direction := map[bool]string{false: "from", true: "to"}[egress]
	for _, r := range rules {
		if r.Egress != egress {
			continue
		}
		peer := masked(r.CIDR)
		if r.Group != "" {
			peer = id(r.Group)
		}
		one := ""
		if peer != "" {
			one = Opening(r.Protocol, r.Port, r.Port, direction, peer)
		}
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// Differences says in words how what was found is not as it is wanted. Only what both sides know is compared.
func (t Traits) Differences(found Traits) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		is, known := found[name]
		if !known {
			continue
		}
		gone, more := without(t[name], is), without(is, t[name])
		switch {
		case len(gone) == 0 && len(more) == 0:
		case len(t[name]) == 1 && len(is) == 1:
			all = append(all, name+" "+t[name][0]+" → "+is[0])
		default:
			var parts []string
			if len(more) > 0 {
				parts = append(parts, strings.Join(more, " and ")+" added")
			}
			if len(gone) > 0 {
				parts = append(parts, strings.Join(gone, " and ")+" removed")
			}
			all = append(all, name+": "+strings.Join(parts, "; "))
		}
	}
	return all
}

// without returns the texts that are not among others, sorted.
func without(texts, others []string) []string {
	rest := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return slices.Contains(others, s) })
	slices.Sort(rest)
	return rest
}

// masked is a block of addresses without its host bits, as EC2 keeps it.
func masked(cidr string) string {
	if block, err := netip.ParsePrefix(cidr); err == nil {
		return block.Masked().String()
	}
	return cidr
}
