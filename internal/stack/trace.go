package stack

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Trace is one deployment as a scan of an account shows it: by its tags alone, without any record of it. What it says is
// not to be trusted like a record: others can write tags too.
type Trace struct {
	ID, Name, Tier string
	Reuses         string // value of the tag TagReuses
	Records        map[Key]Record
}

// Add puts a resource under its key. One without a key, or whose key another has, gets a key of its own.
func (t *Trace) Add(r Record) {
	if t.Records == nil {
		t.Records = map[Key]Record{}
	}
	if _, taken := t.Records[r.Key]; taken || r.Key == "" {
		r.Key = r.Key + Key("#"+r.ID)
	}
	t.Records[r.Key] = r
}

// DropParts leaves out what comes and goes with another resource, under whose key its own lies, as the root volume of a
// machine does: compute/instance/root. When the other is gone, it counts by itself.
func (t *Trace) DropParts() {
	maps.DeleteFunc(t.Records, func(key Key, _ Record) bool {
		i := strings.LastIndexByte(string(key), '/')
		_, whole := t.Records[key[:max(i, 0)]]
		return whole
	})
}

// Sorted returns the records in the order of their keys.
func (t Trace) Sorted() []Record { return State{Records: t.Records}.Sorted() }

// Machine returns the record of the deployment's instance.
func (t Trace) Machine() (Record, bool) { return State{Records: t.Records}.Machine() }

// DataOnly reports whether all that exists holds the user's data, as a destroy that keeps data leaves it.
func (t Trace) DataOnly() bool { return t.all(Kind.HoldsData) }

// Global reports whether all that exists belongs to no region, so that one region cannot tell whether it is in use.
func (t Trace) Global() bool { return t.all(Kind.Global) }

func (t Trace) all(is func(Kind) bool) bool {
	for _, r := range t.Records {
		if !is(r.Kind) {
			return false
		}
	}
	return len(t.Records) > 0
}

// Span returns when the oldest and the youngest resource were made, of those of which AWS says it; zero times when it says
// it of none.
func (t Trace) Span() (first, last time.Time) {
	for _, r := range t.Records {
		at := r.CreatedAt
		if at.IsZero() {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// Config is what the resources tell of the configuration they were made from. All else is the default.
func (t Trace) Config(name, region string) Config {
	c := NewConfig()
	c.Name, c.Region = name, region
	m, _ := t.Machine()
	known := map[string]string{
		"tier": t.Tier, "instance_type": m.Attrs[AttrType], "architecture": m.Attrs[AttrArch], "key_pair": m.Attrs[AttrKeyPair],
		"data_gib": t.Records[KeyData].Attrs[AttrGiB], "data_throughput": t.Records[KeyData].Attrs[AttrSpeed],
	}
	if m.Attrs[AttrMarket] == MarketOnDemand {
		known["market"] = MarketOnDemand
	}
	reused := reusedRecords(t.Reuses)
	known["vpc_id"], known["security_group_id"], known["efs_id"] = reused[KeyVPC].ID, reused[KeyHostGroup].ID, reused[KeyFiles].ID
	if _, several := reused[subnetKey(1)]; !several {
		known["subnet_id"] = reused[subnetKey(0)].ID
	}
	for _, key := range sortedKeys(known) {
		if known[key] != "" {
			_ = c.Set(key, known[key], Source{Kind: "saved"}) // a value that we could not have made leaves the default
		}
	}
	return c
}

// Facts are those that the resources tell. Prices and offers are found elsewhere. FoundAt stays zero: before anything more
// is made for the deployment, facts are to be found anew.
func (t Trace) Facts(account, region string) Facts {
	m, _ := t.Machine()
	s := State{Records: t.Records}
	zones := s.Zones()
	if len(zones) == 0 && m.Attrs[AttrZone] != "" {
		zones = []string{m.Attrs[AttrZone]}
	}
	return Facts{
		Account: account, Region: region, Zones: zones, VPCCIDR: t.Records[KeyVPC].Attrs[AttrCIDR], Reuse: reuseOf(t.Reuses),
		Image: Image{ID: m.Attrs[AttrImage], Architecture: m.Attrs[AttrArch]},
	}
}

// Zones are those in which the deployment has subnets of its own, or its data volume.
func (s State) Zones() []string {
	var zones []string
	for _, r := range s.Sorted() {
		zone := r.Attrs[AttrZone]
		if zone != "" && (r.Kind == KindSubnet || r.Key == KeyData) && !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	return zones
}

// Reuse fits what was found of the user's own, now that the deployment exists, to what is recorded: subnets keep their places,
// and what we made in something of the user's is ours.
func (s State) Reuse(found Reuse) Reuse {
	ours := func(id string) bool {
		return slices.ContainsFunc(s.Sorted(), func(r Record) bool { return r.Owned && r.ID == id })
	}
	found.Files.Targets = slices.DeleteFunc(slices.Clone(found.Files.Targets), func(t ReusedTarget) bool { return ours(t.ID) })
	place := func(id string) int {
		for i := range MostReused {
			if s.Records[subnetKey(i)].ID == id {
				return i
			}
		}
		return MostReused
	}
	found.Subnets = slices.Clone(found.Subnets)
	slices.SortStableFunc(found.Subnets, func(a, b ReusedSubnet) int { return cmp.Compare(place(a.ID), place(b.ID)) })
	return found
}

// Rebuild makes the state of a deployment from its trace. How the last operation ended is judged by what there is.
func Rebuild(id Identity, t Trace, c Config, f Facts, now time.Time) State {
	first, _ := t.Span()
	if first.IsZero() {
		first = now
	}
	s := State{
		Version: StateVersion, Identity: id, Config: c, Facts: f, Records: map[Key]Record{}, CreatedAt: first.UTC(), UpdatedAt: now.UTC(),
	}
	status := StatusCreated // whether it was settled, tags do not tell
	if t.DataOnly() {
		status = StatusReady // as it was when its machine went
	}
	for key, r := range t.Records {
		r.Key, r.Owned, r.Status = key, true, status
		if r.Attrs[AttrState] == "running" {
			r.Status = StatusReady // a machine is settled when it runs
		}
		s.Records[key] = r
	}
	for key, r := range reusedRecords(t.Reuses) {
		if _, ours := s.Records[key]; !ours {
			s.Records[key] = r
		}
	}
	g, err := Blueprint(id, c, f)
	if err != nil {
		g = Graph{}
	}
	s.Records = needs(s.Records, g)
	s.Operation = s.Judged(now)
	return s
}

// Judged is the last operation as what is recorded suggests it: with a machine and everything that its blueprint asks for
// the deployment counts as deployed, with nothing but data as destroyed with its data kept, and else as interrupted: a
// deploy completes it, a destroy removes it.
func (s State) Judged(now time.Time) Operation {
	op := Operation{Kind: "deploy", StartedAt: now.UTC(), EndedAt: now.UTC(), Outcome: OutcomeInterrupted}
	if (Trace{Records: s.Records}).DataOnly() {
		op.Kind, op.Outcome, op.KeepData = "destroy", OutcomeDone, true
		return op
	}
	if _, ok := s.Machine(); !ok {
		return op
	}
	g, err := Blueprint(s.Identity, s.Config, s.Facts)
	if err != nil {
		g = Graph{} // nothing is known to be missing
	}
	if !slices.ContainsFunc(g.Nodes, func(n Node) bool { return s.Records[n.Key].ID == "" }) {
		op.Outcome = OutcomeDone
	}
	return op
}

// WithNeeds gives records the edges that their removal follows, by their kinds alone.
func WithNeeds(records map[Key]Record) map[Key]Record { return needs(records, Graph{}) }

// needs gives the records the edges that their removal follows: those of the graph, and those of their kinds where the
// graph does not know them.
func needs(records map[Key]Record, g Graph) map[Key]Record {
	for key, r := range records {
		r.Needs = nil
		for _, other := range (State{Records: records}).Sorted() {
			if slices.Contains(r.Kind.needs(), other.Kind) {
				r.Needs = append(r.Needs, other.Key)
			}
		}
		records[key] = r
	}
	for _, n := range g.Nodes {
		r, ok := records[n.Key]
		if !ok || r.Kind != n.Spec.Kind() {
			continue
		}
		for _, ref := range n.Spec.Refs() {
			other, ok := records[ref.Key]
			switch {
			case !ok || slices.Contains(r.Needs, ref.Key) || slices.Contains(other.Needs, n.Key):
			case ref.Outlives:
				other.Needs = append(other.Needs, n.Key)
				records[ref.Key] = other
			default:
				r.Needs = append(r.Needs, ref.Key)
			}
		}
		records[n.Key] = r
	}
	return records
}

// needs are the kinds of which a resource of this kind may need some: it is deleted before them.
func (k Kind) needs() []Kind {
	switch k {
	case KindGateway, KindSubnet, KindSecurityGroup:
		return []Kind{KindVPC}
	case KindRouteTable:
		return []Kind{KindVPC, KindGateway, KindSubnet}
	case KindEndpoint:
		return []Kind{KindVPC, KindRouteTable}
	case KindRule:
		return []Kind{KindSecurityGroup}
	case KindMountTarget:
		return []Kind{KindFileSystem, KindSubnet, KindSecurityGroup}
	case KindRolePolicy, KindProfile:
		return []Kind{KindRole}
	case KindInstance:
		return []Kind{KindVPC, KindSubnet, KindRouteTable, KindSecurityGroup, KindRule, KindProfile, KindRolePolicy, KindParameter, KindFileSystem, KindVolume}
	default:
		return nil
	}
}

// Global reports whether resources of the kind belong to no region (IAM user guide, "What is IAM?": IAM is a global
// service).
func (k Kind) Global() bool { return k == KindRole || k == KindRolePolicy || k == KindProfile }
