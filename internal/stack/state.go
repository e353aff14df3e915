package stack

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// StateVersion is the version of the state file that this code writes.
const StateVersion = 1

// Record is what is known of one resource: the memory of an intent, then of an ID, then of a usable thing.
type Record struct {
	Key    Key    `json:"key"`
	Kind   Kind   `json:"kind"`
	ID     string `json:"id,omitempty"` // empty while it is not known whether the resource exists
	Owned  bool   `json:"owned"`        // made by us; what is not is never changed or deleted
	Status Status `json:"status"`
	// Needs are the resources that must exist as long as this one does: it is deleted before them.
	Needs []Key `json:"needs,omitempty"`
	// Token is sent with the create call, where AWS takes one, so that a repetition after a crash makes nothing twice.
	Token     string            `json:"token,omitempty"`
	Attempt   int               `json:"attempt,omitempty"` // rises when the resource is made anew
	Attrs     map[string]string `json:"attrs,omitempty"`
	BegunAt   time.Time         `json:"begun_at,omitzero"`   // of the intent
	CreatedAt time.Time         `json:"created_at,omitzero"` // when the ID was learned
	ReadyAt   time.Time         `json:"ready_at,omitzero"`
}

// Survived reports whether the resource was finished once and is to be finished again: what it belonged to is gone, and it is
// still there.
func (r Record) Survived() bool {
	return r.ID != "" && r.Status == StatusCreated && !r.ReadyAt.IsZero()
}

// Names of attributes that drivers record and others read.
const (
	AttrType      = "type"
	AttrZone      = "zone"
	AttrMarket    = "market"
	AttrState     = "state"
	AttrPublicIP  = "public_ip"
	AttrPrivateIP = "private_ip"
	AttrSubnet    = "subnet"
	AttrARN       = "arn"
	AttrAddress   = "address"
	AttrCIDR      = "cidr"       // of a VPC
	AttrGiB       = "gib"        // size of a volume; of a machine, that of its root volume
	AttrSpeed     = "throughput" // of a volume, MiB/s
	AttrBytes     = "bytes"      // what a file system holds, when it was listed
	AttrImage     = "image"      // that a machine was launched from
	AttrArch      = "architecture"
	AttrKeyPair   = "key_pair"
)

// States of a machine in which nothing on it runs (EC2 user guide, "Instance lifecycle").
const (
	StateStopping     = "stopping"
	StateStopped      = "stopped"
	StateShuttingDown = "shutting-down"
	StateTerminated   = "terminated"
)

// Stopped reports whether the record is of a machine that was stopped, or is about to be: its disks are still there.
func (r Record) Stopped() bool {
	return r.Attrs[AttrState] == StateStopping || r.Attrs[AttrState] == StateStopped
}

// Gone reports whether the record is of a machine that is known to exist no more.
func (r Record) Gone() bool {
	return r.Attrs[AttrState] == StateShuttingDown || r.Attrs[AttrState] == StateTerminated
}

// Operation is the last thing that was done to a deployment.
type Operation struct {
	Kind      string    `json:"kind"` // deploy or destroy
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"` // zero: it runs, or its process died
	Error     string    `json:"error,omitempty"`
	Outcome   Outcome   `json:"outcome,omitempty"`
	KeepData  bool      `json:"keep_data,omitempty"` // a destroy that was to leave what holds the user's data
}

// Outcome says how an operation ended.
type Outcome string

// The outcomes of an operation.
const (
	OutcomeDone        Outcome = "done"
	OutcomeFailed      Outcome = "failed"
	OutcomeInterrupted Outcome = "interrupted"
	OutcomeUnhealthy   Outcome = "unhealthy" // everything exists, but the boot failed or a service does not answer
)

// Endpoint is one service as it was last seen.
type Endpoint struct {
	Service   string    `json:"service"`
	URL       string    `json:"url"`
	Port      int       `json:"port"`
	Auth      string    `json:"auth"`
	Health    Health    `json:"health"`
	Detail    string    `json:"detail"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// Version is what the service says of itself, where it does, and LatencyMS how long its answer took, in milliseconds.
	Version   string `json:"version,omitempty"`
	LatencyMS int64  `json:"latency_ms,omitempty"`
}

// State is everything that is known of one deployment, as it is saved. It holds no secret.
type State struct {
	Version int    `json:"version"`
	Serial  int    `json:"serial"` // rises with every save
	Tool    string `json:"tool"`   // version of the tool that saved it
	Identity
	Sandbox  bool   `json:"sandbox"`
	Imported string `json:"imported,omitempty"` // the tool and format that the record was taken over from
	Config   Config `json:"config"`
	// Sources tell in words where the values of Config came from when it was chosen; one that is not named is a default.
	Sources   map[string]string `json:"sources,omitempty"`
	Facts     Facts             `json:"facts"`
	Records   map[Key]Record    `json:"records"`
	Intervals []Interval        `json:"intervals,omitempty"` // what was billed, and when
	Operation Operation         `json:"operation"`
	Boot      *Report           `json:"boot,omitempty"`
	Endpoints []Endpoint        `json:"endpoints,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// Clone returns a copy that shares nothing that is ever changed in place.
func (s State) Clone() State {
	s.Records = maps.Clone(s.Records)
	s.Intervals = slices.Clone(s.Intervals)
	return s
}

// Sorted returns the records in the order of their keys.
func (s State) Sorted() []Record {
	return slices.SortedFunc(maps.Values(s.Records), func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
}

// Machine returns the record of the deployment's instance.
func (s State) Machine() (Record, bool) {
	for _, r := range s.Records {
		if r.Kind == KindInstance {
			return r, true
		}
	}
	return Record{}, false
}

// Tags are those that a resource of the deployment carries for good: the user's and ours; ours win.
func (s State) Tags(key Key) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, s.Config.Tags)
	tags[TagStack], tags[TagName], tags[TagTier], tags[TagKey] = s.ID, s.Name, s.Tier, string(key)
	if reused := s.Facts.Reuse.tag(); reused != "" {
		tags[TagReuses] = reused
	}
	return tags
}

// Phase is the status of a deployment as people see it.
type Phase string

// The phases that the command line promises.
const (
	PhaseDeploying   Phase = "deploying"
	PhaseRunning     Phase = "running"
	PhaseDegraded    Phase = "degraded"
	PhaseStopped     Phase = "stopped"
	PhaseFailed      Phase = "failed"
	PhaseInterrupted Phase = "interrupted"
	PhaseDestroying  Phase = "destroying"
	PhaseUnknown     Phase = "unknown"
)

// Phase computes the status from what is recorded; busy says that an operation holds the deployment's lock now. It is
// never stored, so it cannot be stale.
func (s State) Phase(busy bool) Phase {
	destroying := s.Operation.Kind == "destroy"
	switch {
	case busy && destroying:
		return PhaseDestroying
	case busy:
		return PhaseDeploying
	case s.Operation.StartedAt.IsZero():
		return PhaseUnknown
	case s.Operation.EndedAt.IsZero(), s.Operation.Outcome == OutcomeInterrupted:
		return PhaseInterrupted
	case s.Operation.Outcome == OutcomeFailed:
		return PhaseFailed
	}
	m, ok := s.Machine()
	if !ok && s.DataKept() {
		return PhaseStopped
	}
	if !ok {
		return PhaseUnknown
	}
	switch {
	case m.Stopped():
		return PhaseStopped
	case m.Gone():
		return PhaseFailed
	}
	if s.Operation.Outcome == OutcomeUnhealthy {
		if s.Boot != nil && s.Boot.Failed {
			return PhaseFailed
		}
		return PhaseDegraded
	}
	for _, e := range s.Endpoints {
		if e.Health == Unhealthy || e.Health == Unreachable {
			return PhaseDegraded
		}
	}
	return PhaseRunning
}

// DataKept reports whether the deployment was destroyed but for its data, to which a later deploy attaches a machine again.
func (s State) DataKept() bool {
	if s.Operation.Kind != "destroy" || s.Operation.Outcome != OutcomeDone {
		return false
	}
	for _, r := range s.Records {
		if r.Owned && r.Kind.HoldsData() {
			return true
		}
	}
	return false
}

// Reach are the services as they can be reached now: on a machine that does not run there are none, whatever was seen of them
// before.
func (s State) Reach() []Endpoint {
	m, _ := s.Machine()
	why := ""
	switch {
	case m.Gone():
		why = "the machine is gone"
	case m.Stopped():
		why = "the machine is " + m.Attrs[AttrState]
	default:
		return s.Endpoints
	}
	all := slices.Clone(s.Endpoints)
	for i, e := range all {
		all[i] = Endpoint{Service: e.Service, Port: e.Port, Auth: e.Auth, Health: HealthUnknown, Detail: why}
	}
	return all
}

// Cost prices what is billed of the deployment now, as it was launched, and what its resources have cost until now. Once its
// removal has begun it costs only what is still recorded; a machine that is stopped costs its disk only, and one that is gone
// nothing. What no blueprint describes is priced by its kind.
func (s State) Cost(now time.Time) Cost {
	c, whole := s.priced()
	m, ok := s.Machine()
	if m.Stopped() || m.Gone() || !ok && s.Operation.Kind == "destroy" {
		c = c.Idle(m)
	}
	return s.withToDate(c, whole, now)
}

// Planned prices the deployment as a deploy will leave it, with its machine running, and what it has cost until now.
func (s State) Planned(now time.Time) Cost {
	c, whole := s.priced()
	return s.withToDate(c, whole, now)
}

// withToDate adds what has been spent until now to a cost.
func (s State) withToDate(c, whole Cost, now time.Time) Cost {
	c.Components = slices.Clone(c.Components)
	for _, a := range s.accruals(whole) {
		spent := a.Between(time.Time{}, now)
		c.ToDate += spent
		for i, part := range c.Components {
			if part.Key == a.Key && part.Name == a.Name {
				c.Components[i].ToDate += spent
			}
		}
	}
	return c
}

// priced prices what there is, and the whole that there was before its removal began.
func (s State) priced() (now, whole Cost) {
	f := s.Facts
	if m, ok := s.Machine(); ok {
		f.Offers = launchedFirst(f, m)
	}
	g, err := Blueprint(s.Identity, s.Config, f)
	if err != nil || s.Imported != "" {
		c := CostOf(s.Sorted(), f)
		return c, c
	}
	whole = Estimate(g, f)
	if s.Operation.Kind != "destroy" {
		return whole, whole
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n Node) bool { return s.Records[n.Key].Key == "" })
	return Estimate(g, f), whole
}

// launchedFirst puts the offer of the machine as it is at the head of the list.
func launchedFirst(f Facts, machine Record) []Offer {
	now, ok := f.OfferOf(machine)
	if !ok {
		return f.Offers
	}
	return append([]Offer{now}, slices.DeleteFunc(slices.Clone(f.Offers), func(o Offer) bool { return o.of(machine) })...)
}
