package stack

import (
	"slices"
	"strconv"
)

// Gate is one rule of a security group as an audit shows it.
type Gate struct {
	Group      Key        `json:"group"`
	Direction  string     `json:"direction"` // in or out
	Protocol   string     `json:"protocol"`  // tcp, udp, icmp, a number, or all
	Ports      string     `json:"ports"`     // 443, 1024-65535 or all
	Peer       string     `json:"peer"`      // a range of addresses, or the key or ID of a security group
	Reason     string     `json:"reason"`
	Provenance Provenance `json:"provenance"` // reused: a rule of the user's own
}

// Everything is the protocol and the ports of a gate that lets all through.
const Everything = "all"

// The directions of a gate.
const (
	DirectionIn  = "in"
	DirectionOut = "out"
)

// Audit lists every rule of the security groups of a graph, those that will be made and those that the user's groups have
// already.
func Audit(g Graph, f Facts) []Gate {
	gates := []Gate{}
	for _, n := range g.Nodes {
		switch s := n.Spec.(type) {
		case SecurityGroup:
			for _, r := range s.Rules {
				gates = append(gates, r.gate(n.Key, Created))
			}
			if n.Adopt == "" && !s.Closed {
				gates = append(gates, Gate{n.Key, DirectionOut, Everything, Everything, anywhere, "egress is open", Created})
			}
			for _, held := range f.Reuse.Held {
				if n.Adopt != "" && held.GroupID == n.Adopt {
					one := held.Gate
					one.Group, one.Provenance = n.Key, Reused
					gates = append(gates, one)
				}
			}
		case GroupRule:
			gates = append(gates, s.Rule.gate(s.Group, n.Provenance()))
		}
	}
	return gates
}

func (r Rule) gate(group Key, from Provenance) Gate {
	one := Gate{Group: group, Direction: DirectionIn, Protocol: r.Protocol, Ports: strconv.Itoa(r.Port), Peer: r.Peer(), Reason: r.Reason, Provenance: from}
	if r.Egress {
		one.Direction = DirectionOut
	}
	return one
}

// Exposed lists the ports that gates open to the whole internet, alone or together, but for those whose reason is named.
func Exposed(gates []Gate, but ...string) []string {
	var ports []string
	peers := map[string][]string{}
	for _, one := range gates {
		if one.Direction != DirectionIn || slices.Contains(but, one.Reason) {
			continue
		}
		if !slices.Contains(ports, one.Ports) {
			ports = append(ports, one.Ports)
		}
		peers[one.Ports] = append(peers[one.Ports], one.Peer)
	}
	return slices.DeleteFunc(ports, func(port string) bool {
		return !Worldwide(peers[port]) && !slices.ContainsFunc(peers[port], open)
	})
}
