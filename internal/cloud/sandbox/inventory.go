package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// prune forgets what is gone by now: deleted things whose time has come, and records past their keeping.
func (s *state) prune(now time.Time) {
	gone := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	for _, r := range s.Regions {
		maps.DeleteFunc(r.Interfaces, func(_ string, e *netInterface) bool { return gone(e.Gone) })
		maps.DeleteFunc(r.Volumes, func(_ string, v *volume) bool { return gone(v.Gone) })
		maps.DeleteFunc(r.MountTargets, func(_ string, m *mountTarget) bool { return gone(m.Gone) })
		maps.DeleteFunc(r.FileSystems, func(_ string, f *fileSystem) bool { return gone(f.Gone) })
		maps.DeleteFunc(r.Commands, func(_ string, cmd *command) bool { return now.After(cmd.Born.Add(commandsKept)) })
		maps.DeleteFunc(r.Sessions, func(_ string, one *session) bool { return !one.open(r, now) })
		maps.DeleteFunc(r.Instances, func(_ string, i *instance) bool {
			return i.terminated(now) && now.After(i.Since.Add(tombstone))
		})
		maps.DeleteFunc(r.SpotRequests, func(_ string, q *spotRequest) bool {
			return q.State != ec2types.SpotInstanceStateActive && r.Instances[q.Instance] == nil
		})
	}
}

// live is a copy of the account, as last known, that holds what exists, and nothing of what is gone, was ended or only remembers.
func (a *Account) live() *state {
	copied := &state{}
	_ = a.view(func(s *state) {
		text, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(text, copied)
		}
		if err != nil {
			panic("sandbox: the account has no JSON form: " + err.Error())
		}
	})
	now := a.clock.Now()
	copied.prune(now)
	for _, r := range copied.Regions {
		maps.DeleteFunc(r.Instances, func(_ string, i *instance) bool { return i.terminated(now) })
		maps.DeleteFunc(r.SpotRequests, func(_ string, q *spotRequest) bool { return q.State != ec2types.SpotInstanceStateActive })
		r.Commands = nil
	}
	return copied
}

// Dump returns the account's live resources as canonical JSON, with their tags and rules: equal accounts give equal bytes.
// Terminated instances, closed spot requests, commands, faults and the clock are left out.
func (a *Account) Dump() []byte {
	s := a.live()
	text, err := json.MarshalIndent(map[string]any{
		"account": s.Account, "regions": s.Regions, "roles": s.Roles, "profiles": s.Profiles,
	}, "", "  ")
	if err != nil {
		panic("sandbox: the account has no JSON form: " + err.Error())
	}
	return append(text, '\n')
}

// Inventory lists what exists, by kind, each as one line of text in order. What every account has from the start (the default
// VPC of each region with all that belongs to it) is left out.
func (a *Account) Inventory() map[string][]string {
	s := a.live()
	now := a.clock.Now()
	all := map[string][]string{}
	add := func(kind, region, id string, tags map[string]string, format string, args ...any) {
		line := id
		if text := fmt.Sprintf(format, args...); text != "" {
			line += " " + text
		}
		if region != "" {
			line = region + " " + line
		}
		if name := tags["Name"]; name != "" {
			line += " (" + name + ")"
		}
		all[kind] = append(all[kind], line)
	}
	for _, name := range keys(s.Regions) {
		s.Regions[name].list(now, add)
		s.Regions[name].listForeign(add)
	}
	for _, name := range keys(s.Roles) {
		add("role", "", name, s.Roles[name].Tags, "%s", strings.Join(policyNames(s.Roles[name].Attached), ","))
	}
	for _, name := range keys(s.Profiles) {
		add("instance-profile", "", name, s.Profiles[name].Tags, "%s", s.Profiles[name].Role)
	}
	for _, lines := range all {
		slices.Sort(lines)
	}
	return all
}

func policyNames(arns []string) []string {
	var names []string
	for _, arn := range arns {
		names = append(names, strings.TrimPrefix(arn, managedPolicyPrefix))
	}
	return names
}

// list adds what was made in a region to an inventory.
func (r *region) list(now time.Time, add func(kind, region, id string, tags map[string]string, format string, args ...any)) {
	initial := map[string]bool{}
	for id, v := range r.VPCs {
		initial[id] = v.Default
		if !v.Default {
			add("vpc", r.Name, id, v.Tags, "%s", v.CIDR)
		}
	}
	for id, n := range r.Subnets {
		if !initial[n.VPC] || !n.Default {
			add("subnet", r.Name, id, n.Tags, "%s %s", n.CIDR, n.Zone)
		}
	}
	for id, g := range r.Gateways {
		if !initial[g.VPC] {
			add("internet-gateway", r.Name, id, g.Tags, "%s", g.VPC)
		}
	}
	for id, t := range r.RouteTables {
		if !t.main() {
			add("route-table", r.Name, id, t.Tags, "%s", t.VPC)
		}
	}
	for id, g := range r.Groups {
		if g.Name != "default" {
			add("security-group", r.Name, id, g.Tags, "%s %d rules", g.Name, len(g.Rules))
		}
	}
	for id, e := range r.Interfaces {
		add("network-interface", r.Name, id, e.Tags, "%s %s", e.PrivateIP, e.Description+e.Instance)
	}
	for id, e := range r.Endpoints {
		add("vpc-endpoint", r.Name, id, e.Tags, "%s", e.Service)
	}
	for id, k := range r.KeyPairs {
		add("key-pair", r.Name, id, k.Tags, "%s", k.Name)
	}
	for id, i := range r.Instances {
		address := ""
		if e := r.Interfaces[i.Interface]; e != nil && i.addressed(now) {
			address = " " + e.PublicIP
		}
		add("instance", r.Name, id, i.Tags, "%s %s %s%s", i.Type, i.Zone, i.state(now), address)
	}
	for id, q := range r.SpotRequests {
		add("spot-request", r.Name, id, q.Tags, "%s", q.Instance)
	}
	for id, v := range r.Volumes {
		add("volume", r.Name, id, v.Tags, "%d GiB %s %s", v.Size, v.Zone, v.state(now))
	}
	for id, f := range r.FileSystems {
		add("file-system", r.Name, id, f.Tags, "%s", f.state(now))
	}
	for id, m := range r.MountTargets {
		add("mount-target", r.Name, id, nil, "%s %s %s", m.FileSystem, m.Zone, m.state(now))
	}
	for id, one := range r.Sessions {
		add("session", r.Name, id, nil, "%s port %s", one.Instance, one.Port)
	}
	for id, p := range r.Parameters {
		add("parameter", r.Name, id, p.Tags, "%s", p.Type)
	}
}

// listForeign adds what only others make to an inventory.
func (r *region) listForeign(add func(kind, region, id string, tags map[string]string, format string, args ...any)) {
	for id, g := range r.NATGateways {
		add("nat-gateway", r.Name, id, g.Tags, "%s", g.VPC)
	}
	for id, p := range r.Peerings {
		add("peering-connection", r.Name, id, p.Tags, "%s %s", p.VPC, p.PeerCIDR)
	}
	for id, l := range r.PrefixLists {
		add("prefix-list", r.Name, id, l.Tags, "%d entries", len(l.Entries))
	}
	for id, one := range r.NetworkACLs {
		add("network-acl", r.Name, id, one.Tags, "%s", one.VPC)
	}
	for _, b := range r.Balancers {
		add("load-balancer", r.Name, b.Name, nil, "%s %s", b.Type, b.VPC)
	}
}
