package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// fitText is the verdict in a table.
func fitText(d foundDoc) string {
	switch {
	case d.Fit:
		return "yes"
	case d.Addable:
		return "lacks rules"
	default:
		return "no"
	}
}

func paintFit(s term.Screen, cell string) string {
	switch strings.TrimSpace(cell) {
	case "yes":
		return s.Green(cell)
	case "no":
		return s.Dim(cell)
	default:
		return s.Yellow(cell)
	}
}

// fitColumn is the column of the verdict.
func fitColumn() term.Column { return term.Column{Name: "FIT", Paint: paintFit} }

// foundTable puts what was found into a table: the columns that all have, and those of the kind. The reasons stand beneath.
func foundTable[T found](s term.Screen, all []T, columns []term.Column, cells func(T) []string) *term.Table {
	t := &term.Table{Columns: append([]term.Column{fitColumn(), {Name: "ID"}, {Name: "NAME", Min: 20}, {Name: "REGION", Drop: 1}}, columns...)}
	regions := map[string]bool{}
	for _, one := range all {
		regions[one.base().Region] = true
	}
	for _, one := range all {
		d := one.base()
		region := d.Region
		if len(regions) < 2 {
			region = ""
		}
		t.Rows = append(t.Rows, term.Row{Cells: append([]string{fitText(d), d.ID, d.Name, region}, cells(one)...), Why: whyText(s, d)})
	}
	return t
}

// whyText says why something is unfit and what to do, or what is worth knowing of something fit. What lacks rules only has
// one way to become fit, which the note beneath the table tells.
func whyText(s term.Screen, d foundDoc) string {
	lines := slices.Clone(d.Notes)
	if !d.Fit {
		lines = nil
	}
	for _, p := range d.Problems {
		text := p.Text
		if len(p.MissingRules) == 0 {
			text += " " + s.Arrow() + p.Fix
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// discoverView is the whole view of one kind.
func discoverView[T found](a *app, d discoverDoc[T], what string, t *term.Table, notes ...string) string {
	s := a.streams.OutScreen()
	where := "in " + strings.Join(d.Regions, ", ")
	if len(d.Regions) > 1 {
		where = fmt.Sprintf("in %d regions", len(d.Regions))
	}
	if len(d.Found) == 0 {
		return "no " + what + " " + where + "\n" + s.Warnings(d.Warnings)
	}
	fit, addable := 0, 0
	for _, one := range d.Found {
		switch {
		case one.base().Fit:
			fit++
		case one.base().Addable:
			addable++
		}
	}
	if len(d.Found) == 1 {
		what = strings.TrimSuffix(what, "s")
	}
	title := fmt.Sprintf("%d %s %s, %d fit", len(d.Found), what, where, fit)
	if d.Access != "" {
		title += " for access " + d.Access
	}
	if addable > 0 {
		notes = append(notes, fmt.Sprintf("%d would be fit with more rules; `geusemaker deploy` adds them only with --add-missing-rules and removes them on destroy.", addable))
	}
	return s.Heading(title, "", d.Sandbox) + "\n" + s.Sections(term.Section{Table: t}, term.Section{Notes: notes}) + s.Warnings(d.Warnings)
}

// lessNote tells of the access that asks for less, where that could help.
func lessNote[T any](d discoverDoc[T]) string {
	if d.Access != stack.AccessDirect {
		return ""
	}
	return "--access tunnel asks for less: no way in from the internet."
}

func (a *app) vpcsView(d discoverDoc[vpcDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "RANGE"}, {Name: "SUBNETS", Right: true, Drop: 2}, {Name: "GATEWAY", Drop: 3}, {Name: "DNS", Drop: 4}, {Name: "PEERS", Drop: 5}},
		func(v vpcDoc) []string {
			return []string{strings.Join(v.CIDRs, " "), fmt.Sprintf("%d/%d", v.FitSubnets, v.Subnets), v.Gateway, dnsText(v), peersText(v)}
		})
	for i, v := range d.Found {
		if v.Fit {
			t.Rows[i].Why = "" // how many subnets are fit has its column
		}
	}
	return discoverView(a, d, "VPCs", t, "SUBNETS: how many are fit, of how many. `geusemaker deploy NAME --vpc-id ID` uses one.", lessNote(d))
}

func dnsText(v vpcDoc) string {
	switch {
	case v.DNSSupport == nil || v.DNSHostnames == nil:
		return ""
	case *v.DNSSupport && *v.DNSHostnames:
		return "on"
	default:
		return "off"
	}
}

func peersText(v vpcDoc) string {
	return strings.Join(each(v.Peers, func(p peerDoc) string { return strings.Join(p.CIDRs, " ") }), " ")
}

func (a *app) subnetsView(d discoverDoc[subnetDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "VPC", Drop: 3}, {Name: "ZONE"}, {Name: "RANGE", Drop: 4}, {Name: "FREE", Right: true, Drop: 5}, {Name: "OUT", Drop: 2}},
		func(n subnetDoc) []string {
			vpc := n.VPCName
			if vpc == "" {
				vpc = n.VPC
			}
			return []string{vpc, n.Zone, n.CIDR, strconv.Itoa(n.Free), n.Out}
		})
	return discoverView(a, d, "subnets", t, "OUT: what their route table sends to the internet through. `geusemaker deploy NAME --vpc-id ID --subnet-id ID` uses one.", lessNote(d))
}

func (a *app) groupsView(d discoverDoc[groupDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "VPC", Drop: 3}, {Name: "LETS IN", Min: 16, Drop: 2}, {Name: "LETS OUT", Min: 12, Drop: 4}},
		func(g groupDoc) []string { return []string{g.VPCName, rulesText(g.Ingress), rulesText(g.Egress)} })
	for i, g := range d.Found {
		why := t.Rows[i].Why
		t.Rows[i].Why = strings.Trim(why+"\n"+listsText(slices.Concat(g.Ingress, g.Egress), why), "\n")
	}
	return discoverView(a, d, "security groups", t, lessNote(d))
}

// rulesText are rules in short: the ports of each peer.
func rulesText(rules []heldRuleDoc) string {
	var peers []string
	ports := map[string][]string{}
	for _, r := range rules {
		if ports[r.Peer] == nil {
			peers = append(peers, r.Peer)
		}
		ports[r.Peer] = append(ports[r.Peer], portText(r.ruleDoc))
	}
	var parts []string
	for _, peer := range peers {
		parts = append(parts, strings.Join(slices.Compact(ports[peer]), ",")+" "+peer)
	}
	return strings.Join(parts, "; ")
}

// blocksShown is how many blocks of a prefix list a table names.
const blocksShown = 8

// listsText says what the prefix lists hold through which rules go, one a line, or why that is not known where it was not said.
func listsText(rules []heldRuleDoc, said string) string {
	var lines []string
	for _, r := range rules {
		line := ""
		switch n := len(r.ListCIDRs); {
		case r.ListUnknown != "" && strings.Contains(said, "whether "+r.Peer+" does"):
		case r.ListUnknown != "":
			line = "what " + r.Peer + " holds is not known: " + r.ListUnknown
		case n > blocksShown:
			line = fmt.Sprintf("%s holds %s and %d more", r.Peer, strings.Join(r.ListCIDRs[:blocksShown], ", "), n-blocksShown)
		case n > 0:
			line = r.Peer + " holds " + strings.Join(r.ListCIDRs, ", ")
		}
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func portText(r ruleDoc) string {
	switch {
	case r.Protocol == "-1":
		return "all"
	case r.FromPort < 0:
		return r.Protocol
	case r.FromPort == r.ToPort:
		return strconv.Itoa(r.FromPort)
	default:
		return fmt.Sprintf("%d-%d", r.FromPort, r.ToPort)
	}
}

func (a *app) fileSystemsView(d discoverDoc[fileSystemDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "SIZE", Right: true}, {Name: "VPC", Drop: 3}, {Name: "REACHED IN", Drop: 2}, {Name: "THROUGHPUT", Drop: 5}, {Name: "STATE", Drop: 4}},
		func(f fileSystemDoc) []string {
			zones := each(f.MountTargets, func(m mountTargetDoc) string { return m.Zone })
			slices.Sort(zones)
			if f.OneZone != "" {
				zones = []string{f.OneZone + " only"}
			}
			return []string{term.Bytes(f.Bytes), f.VPCName, strings.Join(zones, " "), f.Throughput, f.State}
		})
	return discoverView(a, d, "file systems", t)
}

func (a *app) keyPairsView(d discoverDoc[keyPairDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "TYPE"}, {Name: "FINGERPRINT", Min: 16, Drop: 2}},
		func(k keyPairDoc) []string { return []string{k.Type, k.Fingerprint} })
	return discoverView(a, d, "key pairs", t, "`geusemaker deploy NAME --key-pair NAME --ssh-cidr my-ip` opens SSH with one.")
}

func (a *app) balancersView(d discoverDoc[balancerDoc]) string {
	t := foundTable(a.streams.OutScreen(), d.Found, []term.Column{{Name: "TYPE"}, {Name: "SCHEME", Drop: 2}, {Name: "STATE", Drop: 4}, {Name: "VPC", Drop: 3}},
		func(l balancerDoc) []string { return []string{l.Type, l.Scheme, l.State, l.VPCName} })
	for i := range t.Rows { // an ARN is long and ends in the name
		t.Rows[i].Cells[1] = ""
	}
	return discoverView(a, d, "load balancers", t, "No key of this version puts a machine behind one.")
}
