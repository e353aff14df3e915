package stack

import (
	"cmp"
	"net/netip"
	"slices"
)

// Party is whom a rule lets in, or to whom it lets out, before anybody is known by address or ID.
type Party string

// The parties.
const (
	PartyCallers  Party = "allow_cidrs" // those whom the user named
	PartySSH      Party = "ssh_cidr"
	PartyWorld    Party = "world"
	PartyBalancer Party = "balancer" // the load balancer's security group
	PartyHost     Party = "host"     // the machine's
	PartyFiles    Party = "files"    // the file system's
)

// Door is one line of a rule set: a port that a security group opens, to whom, and why.
type Door struct {
	Group    Key
	Egress   bool
	Protocol string // tcp or udp
	Port     int
	Peer     Party
	Reason   string
}

// Doors is the rule set of a configuration: what its tier and its access mode open, and nothing else. Tiers with a load
// balancer let only that reach the machine.
func Doors(c Config) []Door {
	var all []Door
	add := func(group Key, port int, peer Party, reason string) {
		all = append(all, Door{Group: group, Protocol: "tcp", Port: port, Peer: peer, Reason: reason})
	}
	direct, balanced := c.Access == AccessDirect, c.Tier != TierDev
	peer := PartyCallers
	if balanced {
		peer = PartyBalancer
	}
	if direct && balanced {
		add(KeyBalancerGroup, 443, PartyCallers, "HTTPS to the load balancer")
		add(KeyBalancerGroup, 80, PartyCallers, "redirect to HTTPS")
	}
	for _, s := range Services(c.HTTPS) {
		if direct && s.Port != 0 {
			add(KeyHostGroup, s.Port, peer, s.Name)
		}
	}
	if direct && !balanced && c.HTTPS == HTTPSACME {
		// The authority that issues the certificate asks from addresses that nobody knows beforehand (Let's Encrypt,
		// "Challenge types"). The gateway answers nothing else there but a redirect.
		add(KeyHostGroup, 80, PartyWorld, ReasonChallenge)
	}
	if c.SSHCIDR != Nowhere {
		add(KeyHostGroup, 22, PartySSH, "SSH")
	}
	add(KeyFilesGroup, nfsPort, PartyHost, "NFS from the machine")
	if c.Egress == EgressRestricted {
		all = append(all, egressDoors(c)...)
	}
	return all
}

// ReasonChallenge is the reason of the port that https: acme opens to everybody.
const ReasonChallenge = "certificate challenge"

// nfsPort is where EFS answers (EFS user guide, "Using VPC security groups").
const nfsPort = 2049

// egressDoors is what the machine must reach. Name servers, time and metadata that AWS provides at link-local addresses
// pass every security group (VPC user guide, "Control traffic to your AWS resources using security groups").
func egressDoors(c Config) []Door {
	all := []Door{
		{KeyHostGroup, true, "tcp", 443, PartyWorld, "AWS, container images, packages, models"},
		{KeyHostGroup, true, "tcp", 80, PartyWorld, "package mirrors"},
		{KeyHostGroup, true, "udp", 123, PartyWorld, "time, of images that ask a public server"},
		{KeyHostGroup, true, "tcp", nfsPort, PartyFiles, "NFS to the file system"},
	}
	if c.Access == AccessDirect && c.Tier != TierDev {
		for _, s := range Services(c.HTTPS) {
			if s.Port != 0 {
				all = append(all, Door{KeyBalancerGroup, true, "tcp", s.Port, PartyHost, s.Name})
			}
		}
	}
	return all
}

// anywhere is every IPv4 address.
const anywhere = "0.0.0.0/0"

// rules are the doors of one group in one direction as rules of EC2, with the parties by address or group. One to a
// party in whose place nobody stands is left out.
func rulesOf(doors []Door, group Key, egress bool, c Config, callerCIDR string) []Rule {
	var all []Rule
	for _, o := range doors {
		if o.Group != group || o.Egress != egress {
			continue
		}
		one := Rule{Egress: o.Egress, Protocol: o.Protocol, Port: o.Port, Reason: o.Reason}
		switch o.Peer {
		case PartyCallers, PartySSH, PartyWorld:
			for _, cidr := range addresses(o.Peer, c, callerCIDR) {
				one.CIDR = cidr
				all = append(all, one)
			}
		case PartyBalancer:
			one.Group = KeyBalancerGroup
			all = append(all, one)
		case PartyHost:
			one.Group = KeyHostGroup
			all = append(all, one)
		case PartyFiles:
			one.Group = KeyFilesGroup
			all = append(all, one)
		}
	}
	return all
}

func addresses(p Party, c Config, callerCIDR string) []string {
	switch p {
	case PartyCallers:
		return resolveMyIP(c.AllowCIDRs, callerCIDR)
	case PartySSH:
		return resolveMyIP([]string{c.SSHCIDR}, callerCIDR)
	default:
		return []string{anywhere}
	}
}

// resolveMyIP replaces my-ip by the address that was found.
func resolveMyIP(cidrs []string, callerCIDR string) []string {
	var all []string
	for _, cidr := range cidrs {
		if cidr == MyIP {
			cidr = callerCIDR
		}
		if cidr != "" {
			all = append(all, cidr)
		}
	}
	return all
}

// HostRules are the ingress rules that the group of the machine needs, whoever made it. The caller's address stands for
// my-ip; where it is not known, nothing is opened for it.
func HostRules(c Config, callerCIDR string) []Rule {
	return rulesOf(Doors(c), KeyHostGroup, false, c, callerCIDR)
}

// Worldwide reports whether ranges of addresses count as the whole internet: together they hold half of all IPv4 addresses or
// more. Nobody has that many callers of their own, and two halves are as open as one whole.
func Worldwide(cidrs []string) bool {
	var all []netip.Prefix
	for _, cidr := range cidrs {
		if p, err := netip.ParsePrefix(cidr); err == nil && p.Addr().Is4() {
			all = append(all, p.Masked())
		}
	}
	slices.SortFunc(all, func(x, y netip.Prefix) int { return cmp.Compare(x.Bits(), y.Bits()) })
	addresses := 0
	for i, p := range all {
		// Two ranges overlap only where one holds the other, and the larger ones have been counted.
		if !slices.ContainsFunc(all[:i], p.Overlaps) {
			addresses += 1 << (32 - p.Bits())
		}
	}
	return addresses >= 1<<31
}

// open reports whether a range is everything there is of its family.
func open(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Bits() == 0
}
