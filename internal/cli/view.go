package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// The functions in this file put documents into the words and columns that people read.

func (a *app) planView(in *intention) string {
	s := in.state
	image := s.Facts.Image
	facts := [][2]string{
		{"account", s.Account},
		{"region", s.Region + ", zones " + zoneLetters(s.Region, s.Facts.Zones)},
		{"image", fmt.Sprintf("%s (%s, of %s)", image.Name, image.ID, image.CreatedAt.Format(time.DateOnly))},
	}
	facts = append(facts, [2]string{"machine", plannedMachine(s, in.plan)})
	facts = append(facts, [2]string{"open to", strings.Join(access(s, stack.Record{}).AllowCIDRs, ", ")})
	var more []term.Section
	if in.audit {
		more = append(more, auditSection(in))
	}
	return term.PlanView(a.streams.OutScreen(), term.PlanInput{
		Title: "Plan for " + s.Name, Sandbox: s.Sandbox, Facts: facts, More: more, Plan: in.plan, Cost: in.cost, Now: in.clock.Now(), Warnings: in.warnings(),
		Idle: in.idle(),
	})
}

// plannedMachine is the machine that stays, or else the one that is tried first.
func plannedMachine(s stack.State, plan stack.Plan) string {
	stays := slices.ContainsFunc(plan.Steps, func(p stack.Step) bool { return p.Kind == stack.KindInstance && p.Action == stack.ActionKeep })
	if m, ok := s.Machine(); ok && stays {
		return fmt.Sprintf("%s %s, %s", m.Attrs[stack.AttrType], m.Attrs[stack.AttrMarket], m.ID)
	}
	if len(s.Facts.Offers) == 0 {
		return ""
	}
	o := s.Facts.Offers[0]
	return fmt.Sprintf("%s, %d vCPU, %d GiB, %s; %d more pools if it cannot be had", o.Type, o.VCPUs, o.MemoryMiB>>10, o.Market, len(s.Facts.Offers)-1)
}

// zoneLetters names zones by what distinguishes them within their region.
func zoneLetters(region string, zones []string) string {
	var letters []string
	for _, zone := range slices.Sorted(slices.Values(zones)) {
		letters = append(letters, strings.TrimPrefix(zone, region))
	}
	return strings.Join(letters, " ")
}

func (a *app) destroyPlanView(s stack.State, plan stack.Plan) string {
	now := a.now(s.Sandbox)
	return term.PlanView(a.streams.ErrScreen(), term.PlanInput{
		Title: "What destroying " + s.Name + " deletes", Sandbox: s.Sandbox,
		Facts: [][2]string{{"account", s.Account}, {"region", s.Region}, {"cost to date", s.Cost(now).ToDate.Format(2)}},
		Plan:  plan, Now: now,
	})
}

func (a *app) destroyView(d destroyDoc, inSandbox bool, took time.Duration) string {
	in := term.DestroyInput{Name: d.Name, Sandbox: inSandbox, Proven: d.Proven, Took: took, Notes: d.Notes}
	for _, r := range d.Deleted {
		if a.showsRows() {
			break // the display has left them on the same terminal
		}
		in.Deleted = append(in.Deleted, [2]string{string(r.Key), r.ID})
	}
	for _, r := range d.Remaining {
		in.Remaining = append(in.Remaining, term.Left{Key: string(r.Key), ID: r.ID})
	}
	for _, k := range d.Kept {
		in.Kept = append(in.Kept, term.Left{Key: string(k.Key), ID: k.ID, Reason: k.Reason, Monthly: k.Monthly, Guess: k.Guess})
	}
	return term.DestroyView(a.streams.OutScreen(), in)
}

// listView shows rows; all tells how many there are without filters.
func (a *app) listView(docs []listDoc, all int) string {
	if len(docs) == 0 && all > 0 {
		if all == 1 {
			return "the only deployment does not fit these filters\n"
		}
		return fmt.Sprintf("none of %d deployments fits these filters\n", all)
	}
	var rows []term.ListRow
	for _, d := range docs {
		r := term.ListRow{
			Name: d.Name, Status: string(d.Status), Region: d.Region, Machine: strings.TrimSpace(d.InstanceType + " " + d.Market),
			URL: d.N8NURL, Error: d.LastError, Sandbox: d.Sandbox,
		}
		if len(d.Changed) > 0 {
			r.Error = strings.Join(slices.Concat(some(r.Error), d.Changed), "; ")
		}
		if d.Remote {
			r.Name += " (remote)"
		}
		if d.CreatedAt != nil {
			r.Age = term.Age(a.now(d.Sandbox).Sub(*d.CreatedAt))
			r.ToDate, r.Monthly = term.Amount(*d.ToDate, 2, d.Guess), term.Amount(*d.Monthly, 2, d.Guess)
		}
		rows = append(rows, r)
	}
	return term.ListView(a.streams.OutScreen(), rows)
}

func (a *app) inspectView(d inspectDoc) string {
	now := a.now(d.Sandbox)
	return term.InspectView(a.streams.OutScreen(), term.InspectInput{
		Title: d.Name, Status: string(d.Status), Sandbox: d.Sandbox, Warnings: d.Warnings,
		Sections: []term.Section{
			{Title: "Overview", Pairs: [][2]string{
				{"id", d.ID},
				{"account", d.Account},
				{"region", strings.TrimSpace(d.Region + " " + d.Zone)},
				{"tier", d.Tier + ", " + d.Workload},
				{"created", when(d.CreatedAt, now)},
				{"changed", when(d.UpdatedAt, now)},
				{"last error", d.LastError},
			}},
			{Title: "Machine", Pairs: [][2]string{
				{"instance", d.Instance.ID},
				{"type", strings.TrimSpace(d.Instance.Type + " " + d.Instance.Market)},
				{"state", d.Instance.State},
				{"address", d.Instance.PublicIP},
				{"inside", d.Instance.PrivateIP},
				{"image", d.Image.Name + " " + d.Image.ID},
				{"launched", when(d.Instance.LaunchedAt, now)},
			}},
			{Title: "Services", Table: endpointsTable(d.Endpoints)},
			{Title: "Logins and tokens", Pairs: secretPairs(d.Secrets)},
			{
				Title: "Access", Pairs: [][2]string{{"mode", d.Access.Mode}, {"open to", strings.Join(d.Access.AllowCIDRs, ", ")}, {"key pair", d.Access.KeyPair}},
				Lines: some(d.Access.ForwardCommand, d.Access.SSMCommand, d.Access.SSHCommand, d.Access.SCPCommand),
			},
			{Title: "Boot", Table: bootTable(d.Boot.Steps), Pairs: [][2]string{{"log", d.Boot.LogPath}}},
			{Title: "Resources", Table: resourcesTable(d.Resources)},
			term.CostSection(d.Cost, now),
			{Title: "Chosen settings", Table: chosen(d.Config, d.Sources)},
		},
	})
}

// deployedView is what somebody needs right after a deploy: where it is, how to get in, what it costs and how to end it.
// Everything else is in inspect.
func (a *app) deployedView(d inspectDoc) string {
	note := "A browser warns of the certificate: the gateway made it itself. With a domain, https: acme gets a public one."
	if d.Config.HTTPS != stack.HTTPSInternal {
		note = ""
	}
	return term.InspectView(a.streams.OutScreen(), term.InspectInput{
		Title: d.Name, Status: string(d.Status), Sandbox: d.Sandbox,
		Sections: []term.Section{
			{Title: "Services", Table: endpointsTable(d.Endpoints), Notes: some(note)},
			{Title: "Cost", Pairs: [][2]string{
				{"an hour", term.Amount(d.Cost.Hourly, 4, d.Cost.Guessed())}, {"a month", term.Amount(d.Cost.Monthly, 2, d.Cost.Guessed())},
			}},
			{Title: "Next", Lines: some(
				connectHint(d.Name, d.Config),
				"geusemaker inspect "+d.Name+" --show-secrets   # logins and tokens",
				"geusemaker logs "+d.Name,
				"geusemaker destroy "+d.Name,
			)},
		},
	})
}

func endpointsTable(endpoints []stack.Endpoint) *term.Table {
	t := &term.Table{Columns: []term.Column{{Name: "SERVICE"}, {Name: "HEALTH", Paint: term.Screen.Status}, {Name: "URL"}, {Name: "AUTH", Drop: 2}, {Name: "DETAIL", Drop: 1, Min: 12}}}
	for _, e := range endpoints {
		t.Rows = append(t.Rows, term.Row{Cells: []string{e.Service, string(e.Health), e.URL, e.Auth, e.Detail}})
	}
	return t
}

func bootTable(steps []stack.BootStep) *term.Table {
	t := &term.Table{Columns: []term.Column{{Name: "STEP"}, {Name: "STATUS", Paint: term.Screen.Status}, {Name: "TIME", Right: true}, {Name: "DETAIL", Min: 12, Drop: 1}}}
	for _, s := range steps {
		t.Rows = append(t.Rows, term.Row{Cells: []string{s.Name, s.Status, term.Duration(time.Duration(s.Seconds * float64(time.Second))), s.Detail}})
	}
	return t
}

func secretPairs(secrets []secretDoc) [][2]string {
	var pairs [][2]string
	for _, s := range secrets {
		pairs = append(pairs, [2]string{s.Service + " " + s.Name, s.Value})
	}
	return pairs
}

func resourcesTable(resources []resourceDoc) *term.Table {
	t := &term.Table{Tree: true, Columns: []term.Column{{}, {}, {Paint: term.Screen.Status}, {Drop: 1}}}
	for _, r := range resources {
		row := term.Row{Cells: []string{string(r.Key), r.ID, string(r.Status), origin(r.Origin)}}
		if r.Drift != nil {
			row.Problem = *r.Drift
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// origin is a provenance in words.
func origin(p stack.Provenance) string {
	switch p {
	case stack.Reused:
		return "yours, stays"
	case stack.Added:
		return "added to yours"
	default:
		return "created"
	}
}

// chosen lists the settings that somebody chose, and where. The rest are defaults, which `config show` lists.
func chosen(c stack.Config, sources map[string]string) *term.Table {
	t := &term.Table{Columns: []term.Column{{Name: "KEY"}, {Name: "VALUE", Min: 16}, {Name: "FROM", Drop: 1}}}
	defaults := stack.NewConfig()
	for _, key := range c.Differences(&defaults) {
		if key != "name" && key != "region" {
			t.Rows = append(t.Rows, term.Row{Cells: []string{key, c.Text(key), sources[key]}})
		}
	}
	return t
}

func (a *app) configView(c stack.Config) string {
	t := term.Table{Columns: []term.Column{{Name: "KEY"}, {Name: "VALUE", Min: 16}, {Name: "FROM", Drop: 1}}}
	for _, f := range stack.Fields() {
		t.Rows = append(t.Rows, term.Row{Cells: []string{f.Key, c.Text(f.Key), c.SourceOf(f.Key).String()}})
	}
	return a.streams.OutScreen().Table(t)
}

func (a *app) inventoryView(inventory map[string][]string) string {
	var sections []term.Section
	for _, kind := range sortedKeys(inventory) {
		sections = append(sections, term.Section{Title: fmt.Sprintf("%s (%d)", kind, len(inventory[kind])), Lines: inventory[kind]})
	}
	if len(sections) == 0 {
		return "the pretend account is empty\n"
	}
	return a.streams.OutScreen().Sections(sections...)
}

func (a *app) faultsView(faults []sandbox.Fault) string {
	if len(faults) == 0 {
		return "nothing is set to fail\n"
	}
	t := term.Table{Columns: []term.Column{{Name: "SERVICE"}, {Name: "OPERATION"}, {Name: "EFFECT"}, {Name: "CODE"}, {Name: "SKIP", Right: true}, {Name: "COUNT", Right: true}, {Name: "SEEN", Right: true}}}
	for _, f := range faults {
		t.Rows = append(t.Rows, term.Row{Cells: []string{f.Service, f.Operation, f.Effect, f.Code, strconv.Itoa(f.Skip), strconv.Itoa(f.Count), strconv.Itoa(f.Seen)}})
	}
	return a.streams.OutScreen().Table(t)
}

func when(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format("2006-01-02 15:04 UTC"), term.Age(now.Sub(t)))
}

func some(lines ...string) []string {
	var all []string
	for _, l := range lines {
		if l != "" {
			all = append(all, l)
		}
	}
	return all
}

// countOf is a number of things in words.
func countOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
