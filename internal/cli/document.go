package cli

import (
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// The documents in this file are the JSON and YAML that scripts rely on. Fields are added, never renamed.

// listDoc is one row of `list`.
type listDoc struct {
	Name         string       `json:"name"`
	ID           string       `json:"id"`
	Status       stack.Phase  `json:"status"`
	Tier         string       `json:"tier"`
	Workload     string       `json:"workload"`
	Region       string       `json:"region"`
	Zone         string       `json:"zone"`
	Account      string       `json:"account"`
	InstanceType string       `json:"instance_type"`
	Market       string       `json:"market"`
	PublicIP     string       `json:"public_ip"`
	CreatedAt    *time.Time   `json:"created_at"`
	UpdatedAt    *time.Time   `json:"updated_at"`
	Hourly       *stack.Money `json:"hourly_usd"`
	Monthly      *stack.Money `json:"monthly_usd"`
	ToDate       *stack.Money `json:"cost_to_date_usd"`
	Guess        bool         `json:"guess"` // some of the cost rests on an assumption
	N8NURL       string       `json:"n8n_url"`
	LastError    string       `json:"last_error"`
	Sandbox      bool         `json:"sandbox"`
	Remote       bool         `json:"remote"`  // known from the account's tags only
	Changed      []string     `json:"changed"` // what AWS says that was recorded otherwise; only with --refresh
}

// planDoc is what `plan` prints.
type planDoc struct {
	Name     string       `json:"name"`
	Region   string       `json:"region"`
	Account  string       `json:"account"`
	Sandbox  bool         `json:"sandbox"`
	Steps    []stack.Step `json:"steps"`
	Rules    []stack.Gate `json:"rules"` // of the security groups, as they will be
	Cost     stack.Cost   `json:"cost"`
	Image    *imageDoc    `json:"image,omitempty"`
	Warnings []string     `json:"warnings"`
}

type imageDoc struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	OSType       string    `json:"os_type"`
	Architecture string    `json:"architecture"`
	AMIType      string    `json:"ami_type"`
	CreatedAt    time.Time `json:"created_at"`
	Source       string    `json:"source"`
}

func imageOf(i stack.Image) imageDoc {
	return imageDoc{ID: i.ID, Name: i.Name, OSType: i.OSType, Architecture: i.Architecture, AMIType: i.AMIType, CreatedAt: i.CreatedAt, Source: i.Source}
}

// inspectDoc is what `inspect` and a finished `deploy` print.
type inspectDoc struct {
	Name      string            `json:"name"`
	ID        string            `json:"id"`
	Status    stack.Phase       `json:"status"`
	Tier      string            `json:"tier"`
	Workload  string            `json:"workload"`
	Region    string            `json:"region"`
	Zone      string            `json:"zone"`
	Account   string            `json:"account"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
	Sandbox   bool              `json:"sandbox"`
	LastError string            `json:"last_error"`
	Image     imageDoc          `json:"image"`
	Instance  instanceDoc       `json:"instance"`
	Endpoints []stack.Endpoint  `json:"endpoints"`
	Access    accessDoc         `json:"access"`
	Resources []resourceDoc     `json:"resources"`
	Cost      stack.Cost        `json:"cost"`
	Boot      bootDoc           `json:"boot"`
	Config    stack.Config      `json:"config"`
	Sources   map[string]string `json:"config_sources"` // of the values that are no defaults
	Warnings  []string          `json:"warnings"`
	Secrets   []secretDoc       `json:"secrets,omitempty"` // only with --show-secrets
}

type instanceDoc struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Market     string    `json:"market"`
	State      string    `json:"state"`
	PublicIP   string    `json:"public_ip"`
	PrivateIP  string    `json:"private_ip"`
	LaunchedAt time.Time `json:"launched_at"`
}

type accessDoc struct {
	Mode           string   `json:"mode"`
	AllowCIDRs     []string `json:"allow_cidrs"`
	SSHCommand     string   `json:"ssh_command"`
	SCPCommand     string   `json:"scp_command"`
	ConnectCommand string   `json:"connect_command"` // the usual way in: of the two below, the first with access tunnel, else the second
	ForwardCommand string   `json:"forward_command"` // brings the services to localhost
	SSMCommand     string   `json:"ssm_command"`     // opens a shell
	KeyPair        string   `json:"key_pair"`
}

type resourceDoc struct {
	Key    stack.Key         `json:"key"`
	Kind   stack.Kind        `json:"kind"`
	ID     string            `json:"id"`
	Owned  bool              `json:"owned"`
	Origin stack.Provenance  `json:"provenance"`
	Status stack.Status      `json:"status"`
	Attrs  map[string]string `json:"attrs"`
	Drift  *string           `json:"drift"` // null: AWS was not asked
}

type bootDoc struct {
	Complete bool             `json:"complete"`
	Failed   bool             `json:"failed"`
	Steps    []stack.BootStep `json:"steps"`
	LogPath  string           `json:"log_path"`
}

// destroyDoc is what `destroy` prints.
type destroyDoc struct {
	Name      string        `json:"name"`
	Deleted   []resourceRef `json:"deleted"`
	Kept      []keptDoc     `json:"kept"`
	Remaining []resourceRef `json:"remaining"`
	Proven    bool          `json:"proven"`
	Notes     []string      `json:"notes"` // what outlives the deployment all the same
}

type resourceRef struct {
	Key  stack.Key  `json:"key"`
	Kind stack.Kind `json:"kind"`
	ID   string     `json:"id"`
}

type keptDoc struct {
	Key     stack.Key   `json:"key"`
	ID      string      `json:"id"`
	Reason  string      `json:"reason"`
	Monthly stack.Money `json:"monthly_usd"`
	Guess   bool        `json:"guess"` // the price rests on an assumption
}

// describe makes the row of one deployment.
func describe(s store.Summary, busy bool, now time.Time) listDoc {
	toDate := s.CostToDate(now)
	return listDoc{
		Name: s.Name, ID: s.ID, Status: s.Phase(busy), Tier: s.Tier, Workload: s.Workload,
		Region: s.Region, Zone: s.Zone, Account: s.Account, InstanceType: s.InstanceType, Market: s.Market, PublicIP: s.PublicIP,
		CreatedAt: &s.CreatedAt, UpdatedAt: &s.UpdatedAt, Hourly: &s.Hourly, Monthly: &s.Monthly, ToDate: &toDate, Guess: s.Guess,
		N8NURL: s.N8NURL, LastError: s.Operation.Error, Sandbox: s.Sandbox, Changed: []string{},
	}
}

// inspect makes the whole document of one deployment.
func inspect(s stack.State, busy bool, now time.Time, logPath string) inspectDoc {
	m, _ := s.Machine()
	d := inspectDoc{
		Name: s.Name, ID: s.ID, Status: s.Phase(busy), Tier: s.Tier, Workload: s.Config.WorkloadOrDefault(),
		Region: s.Region, Zone: m.Attrs[stack.AttrZone], Account: s.Account,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Sandbox: s.Sandbox, LastError: s.Operation.Error,
		Image: imageOf(s.Facts.Image),
		Instance: instanceDoc{
			ID: m.ID, Type: m.Attrs[stack.AttrType], Market: m.Attrs[stack.AttrMarket], State: m.Attrs[stack.AttrState],
			PublicIP: m.Attrs[stack.AttrPublicIP], PrivateIP: m.Attrs[stack.AttrPrivateIP], LaunchedAt: m.CreatedAt,
		},
		Endpoints: orEmpty(s.Reach()),
		Access:    access(s, m),
		Resources: []resourceDoc{},
		Cost:      s.Cost(now),
		Boot:      bootDoc{Steps: []stack.BootStep{}, LogPath: logPath},
		Config:    s.Config, Sources: orEmptyMap(s.Sources),
		Warnings: orEmpty(s.Facts.Warnings),
	}
	for _, r := range s.Sorted() {
		d.Resources = append(d.Resources, resourceDoc{Key: r.Key, Kind: r.Kind, ID: r.ID, Owned: r.Owned, Origin: r.Provenance(), Status: r.Status, Attrs: orEmptyMap(r.Attrs)})
	}
	if s.Boot != nil {
		d.Boot.Complete, d.Boot.Failed, d.Boot.Steps = s.Boot.Complete, s.Boot.Failed, orEmpty(s.Boot.Steps)
	}
	return d
}

func access(s stack.State, m stack.Record) accessDoc {
	a := accessDoc{Mode: s.Config.Access, AllowCIDRs: []string{}, KeyPair: s.Config.KeyPair}
	for _, cidr := range s.Config.AllowCIDRs {
		if s.Config.Access == stack.AccessTunnel {
			break // nothing is open to anybody
		}
		if cidr == stack.MyIP && s.Facts.CallerCIDR != "" {
			cidr = s.Facts.CallerCIDR
		}
		a.AllowCIDRs = append(a.AllowCIDRs, cidr)
	}
	if m.ID == "" || m.Stopped() || m.Gone() {
		return a // there is nothing to reach
	}
	a.SSMCommand = "aws ssm start-session --region " + s.Region + " --target " + m.ID
	if s.Imported == "" { // of what was imported nobody knows which services answer where
		a.ForwardCommand = "geusemaker connect " + s.Name
	}
	a.ConnectCommand = a.SSMCommand
	if s.Config.Access == stack.AccessTunnel {
		a.ConnectCommand = "geusemaker connect " + s.Name
	}
	if ip := m.Attrs[stack.AttrPublicIP]; ip != "" && s.Config.SSHCIDR != stack.Nowhere && s.Config.KeyPair != "" {
		login := s.Facts.Image.LoginUser + "@" + ip
		a.SSHCommand = "ssh -i " + s.Config.KeyPair + ".pem " + login
		a.SCPCommand = "scp -i " + s.Config.KeyPair + ".pem FILE " + login + ":"
	}
	return a
}

// removal makes the document of what a destroy did.
func removal(s stack.State, out engine.Removed, cost stack.Cost) destroyDoc {
	d := destroyDoc{Name: s.Name, Deleted: []resourceRef{}, Kept: []keptDoc{}, Remaining: []resourceRef{}, Proven: out.Proven, Notes: outliving(s, out)}
	for _, r := range out.Deleted {
		d.Deleted = append(d.Deleted, resourceRef{r.Key, r.Kind, r.ID})
	}
	for _, r := range out.Remaining {
		d.Remaining = append(d.Remaining, resourceRef{r.Key, r.Kind, r.ID})
	}
	for _, k := range out.Kept {
		part := cost.Of(k.Key)
		d.Kept = append(d.Kept, keptDoc{Key: k.Key, ID: k.ID, Reason: k.Reason, Monthly: part.Monthly, Guess: part.Guessed()})
	}
	return d
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func orEmptyMap(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
