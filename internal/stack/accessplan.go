package stack

import "fmt"

// accessNodes are the security groups, and the rules that are resources of their own.
func accessNodes(id Identity, c Config, f Facts, net networkPlan) []Node {
	doors := Doors(c)
	closed := c.Egress == EgressRestricted
	rules := func(group Key, egress bool) []Rule { return rulesOf(doors, group, egress, c, f.CallerCIDR) }
	host := Node{Key: KeyHostGroup, Spec: SecurityGroup{
		Name: "geusemaker-" + id.Name + "-host", VPC: KeyVPC, Closed: closed,
		Description: "geusemaker " + id.Name + ": the machine", Rules: rules(KeyHostGroup, false),
	}}
	if f.Reuse.Group != "" {
		host = Node{Key: KeyHostGroup, Spec: SecurityGroup{VPC: KeyVPC}, Adopt: f.Reuse.Group}
	}
	nodes := []Node{host}
	door := doorsOfOurs(f, net)
	if door {
		nodes = append(nodes, Node{Key: KeyFilesGroup, Spec: SecurityGroup{
			Name: "geusemaker-" + id.Name + "-files", VPC: KeyVPC, Closed: closed,
			Description: "geusemaker " + id.Name + ": the file system", Rules: rules(KeyFilesGroup, false),
		}})
	}
	if closed && host.Adopt == "" {
		spec := host.Spec.(SecurityGroup)
		for _, r := range rules(KeyHostGroup, true) {
			if r.Group != KeyFilesGroup {
				spec.Rules = append(spec.Rules, r)
			} else if door { // the two groups name each other, so this rule comes after both
				spec.Beside = append(spec.Beside, r)
				nodes = append(nodes, Node{Key: KeyHostFiles, Spec: GroupRule{Group: KeyHostGroup, Rule: r}})
			}
		}
		spec.Rules = append(spec.Rules, filesElsewhere(f)...)
		nodes[0].Spec = spec
	}
	return append(nodes, addedNodes(f)...)
}

// doorsOfOurs reports whether a mount target is made, which needs the file system's group.
func doorsOfOurs(f Facts, net networkPlan) bool {
	for _, subnet := range net.mounts {
		if _, there := f.Reuse.target(net.zones[subnet]); !there {
			return true
		}
	}
	return false
}

// filesElsewhere are the rules by which a machine with restricted egress reaches mount targets of the user's, whose addresses
// lie in the VPC.
func filesElsewhere(f Facts) []Rule {
	var all []Rule
	if len(f.Reuse.Files.Targets) > 0 {
		for _, cidr := range f.Reuse.VPC.CIDRs {
			all = append(all, Rule{Egress: true, Protocol: "tcp", Port: nfsPort, CIDR: cidr, Reason: "NFS to the file system"})
		}
	}
	if !f.Reuse.Own() { // a network of the user's may have name servers of its own
		for _, cidr := range f.Reuse.VPC.CIDRs {
			for _, protocol := range []string{"udp", "tcp"} {
				all = append(all, Rule{Egress: true, Protocol: protocol, Port: 53, CIDR: cidr, Reason: "name servers of the network"})
			}
		}
	}
	return all
}

// addedNodes are the rules that are added to groups of the user's, and those of these groups that are no part of the
// deployment otherwise.
func addedNodes(f Facts) []Node {
	var nodes []Node
	groups := map[string]Key{f.Reuse.Group: KeyHostGroup}
	for i, m := range f.Reuse.Missing {
		group, known := groups[m.Group]
		if !known {
			group = Key("access/mount-" + letter(len(groups)-1))
			groups[m.Group] = group
			nodes = append(nodes, Node{Key: group, Spec: SecurityGroup{VPC: KeyVPC}, Adopt: m.Group})
		}
		nodes = append(nodes, Node{Key: Key(fmt.Sprintf("%s%d", addedPrefix, i+1)), Spec: GroupRule{Group: group, Rule: m.Rule}})
	}
	return nodes
}

// Peer is who is at the other end of the rule.
func (r Rule) Peer() string {
	if r.Group != "" {
		return string(r.Group)
	}
	return r.CIDR
}

func (r Rule) String() string {
	preposition := "from"
	if r.Egress {
		preposition = "to"
	}
	return fmt.Sprintf("%s %d %s %s, %s", r.Protocol, r.Port, preposition, r.Peer(), r.Reason)
}
