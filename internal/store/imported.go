package store

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// Imported is what a state file of the Python tool of the same name says.
type Imported struct {
	State stack.State
	// Name is the name in the file, which may be none that a deployment can have here; State.Name is empty then.
	Name     string
	Warnings []string
}

// pythonVersion is the highest format of the Python tool that is known (its geusemaker/models/deployment.py,
// STATE_SCHEMA_VERSION). Format 1 lacks the version and the provenance of resources.
const pythonVersion = 2

// pythonState is what we read of its DeploymentState. Fields that it has and we do not need are passed over.
type pythonState struct {
	Schema    *int       `json:"schema_version"`
	Name      string     `json:"stack_name"`
	Status    string     `json:"status"`
	CreatedAt pythonTime `json:"created_at"`
	UpdatedAt pythonTime `json:"updated_at"`

	VPC          string   `json:"vpc_id"`
	Subnets      []string `json:"subnet_ids"`
	Group        string   `json:"security_group_id"`
	EFS          string   `json:"efs_id"`
	MountTarget  string   `json:"efs_mount_target_id"`
	MountTargets []string `json:"efs_mount_target_ids"`
	Instance     string   `json:"instance_id"`
	Role         string   `json:"iam_role_name"`
	RoleARN      string   `json:"iam_role_arn"`
	Profile      string   `json:"iam_instance_profile_name"`
	PublicIP     string   `json:"public_ip"`
	PrivateIP    string   `json:"private_ip"`
	N8NURL       string   `json:"n8n_url"`
	Certificate  string   `json:"certificate_arn"`

	Provenance map[string]string `json:"resource_provenance"`
	Cost       struct {
		Spot    bool       `json:"is_spot"`
		Started pythonTime `json:"instance_start_time"`
	} `json:"cost"`
	Config *pythonConfig `json:"config"`
	pythonExtras
}

// pythonExtras are resources of its larger tiers.
type pythonExtras struct {
	Balancer       string   `json:"alb_arn"`
	TargetGroup    string   `json:"target_group_arn"`
	Distribution   string   `json:"cloudfront_id"`
	LaunchTemplate string   `json:"launch_template_id"`
	ScalingGroup   string   `json:"auto_scaling_group_name"`
	LogGroup       string   `json:"spot_event_log_group"`
	EventRules     []string `json:"spot_event_rule_names"`
	LeaseTable     string   `json:"spot_lease_table_name"`
	Function       string   `json:"spot_coordinator_function_name"`
	FunctionRole   string   `json:"spot_coordinator_role_name"`
}

// pythonConfig is what we read of its DeploymentConfig.
type pythonConfig struct {
	Tier         string      `json:"tier"`
	Workload     string      `json:"workload"`
	Preference   string      `json:"instance_preference"`
	Region       string      `json:"region"`
	InstanceType string      `json:"instance_type"`
	Spot         *bool       `json:"use_spot"`
	Budget       json.Number `json:"budget_limit"`
	OSType       string      `json:"os_type"`
	Architecture string      `json:"architecture"`
	AMIType      string      `json:"ami_type"`
	AMI          string      `json:"ami_id"`
	KeyPair      string      `json:"keypair_name"`
	HTTPS        *bool       `json:"enable_https"`

	VPC            string   `json:"vpc_id"`
	Subnet         string   `json:"subnet_id"`
	PublicSubnets  []string `json:"public_subnet_ids"`
	PrivateSubnets []string `json:"private_subnet_ids"`
	StorageSubnet  string   `json:"storage_subnet_id"`
	Group          string   `json:"security_group_id"`
	EFS            string   `json:"efs_id"`

	AttachGateway bool `json:"attach_internet_gateway"`
}

// pythonTime reads times with and without a zone; those without are UTC.
type pythonTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *pythonTime) UnmarshalJSON(raw []byte) error {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		return err
	}
	var err error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t.Time, err = time.Parse(layout, *text); err == nil {
			t.Time = t.UTC()
			return nil
		}
	}
	return fmt.Errorf("%q is no time", printable(*text))
}

// Import reads a state file of the Python tool, formats 1 and 2. Nothing in it is believed to be in the account; the caller
// looks. Its errors say what is wrong with the file, or what of it cannot be managed here.
func Import(raw []byte) (Imported, error) {
	var p pythonState
	if err := readPython(raw, &p); err != nil {
		return Imported{}, err
	}
	if extra := p.unmanageable(); len(extra) > 0 {
		return Imported{}, fmt.Errorf("%s has what this version cannot delete: %s; destroy it with the tool that made it", printable(p.Name), strings.Join(extra, ", "))
	}
	schema := 1
	if p.Schema != nil {
		schema = *p.Schema
	}
	s := stack.State{
		Version:   stack.StateVersion,
		Imported:  fmt.Sprintf("the Python tool, format %d", schema),
		Identity:  stack.Identity{ID: p.id(), Region: p.Config.Region, Account: accountOf(p.RoleARN)},
		Config:    p.config(),
		Records:   stack.WithNeeds(p.records()),
		Operation: p.operation(),
		CreatedAt: p.CreatedAt.Time, UpdatedAt: p.UpdatedAt.Time,
	}
	s.Facts.Account, s.Facts.Region = s.Account, s.Region
	s.Tier = s.Config.Tier
	if name := strings.ToLower(p.Name); stack.ValidName(name) {
		s.Name, s.Config.Name = name, name
	}
	if p.N8NURL != "" {
		s.Endpoints = []stack.Endpoint{{Service: "n8n", URL: p.N8NURL, Auth: "n8n login", Health: stack.HealthUnknown}}
	}
	return Imported{State: s, Name: p.Name, Warnings: p.warnings()}, nil
}

func readPython(raw []byte, p *pythonState) error {
	var head map[string]json.RawMessage
	if err := json.Unmarshal(raw, &head); err != nil {
		if len(raw) > 1 && raw[0] == 0x1f && raw[1] == 0x8b {
			return errors.New("the file is compressed; unpack it with gunzip first")
		}
		return fmt.Errorf("the file is no state of the Python tool: %w", describe(err, ""))
	}
	if _, ours := head["records"]; ours {
		return errors.New("the file is a record of this tool itself, not of the Python one: put it back as deployments/NAME/state.json, or use `geusemaker recover NAME`")
	}
	if err := json.Unmarshal(raw, p); err != nil {
		return fmt.Errorf("the file cannot be read as a state of the Python tool: %w", describe(err, ""))
	}
	switch {
	case p.Schema != nil && (*p.Schema < 1 || *p.Schema > pythonVersion):
		return fmt.Errorf("the file has format %d of the Python tool; known are 1 to %d", *p.Schema, pythonVersion)
	case p.Name == "" || p.Config == nil:
		return errors.New("the file is no state of the Python tool: it has no stack_name or no config")
	case p.Config.Region == "":
		return errors.New("the file does not say the region (config.region)")
	case p.Status == "terminated":
		return fmt.Errorf("%s was destroyed: there is nothing to import", printable(p.Name))
	case p.VPC == "" && p.Instance == "" && p.EFS == "":
		return errors.New("the file names no resource")
	}
	return nil
}

// id is the same for the same file, so that an import can be repeated after its record was lost.
func (p pythonState) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s", p.Name, p.Config.Region, p.VPC, p.EFS, p.CreatedAt))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:12]
}

// unmanageable lists resources of kinds that have no driver here.
func (p pythonState) unmanageable() []string {
	var all []string
	for _, e := range []struct {
		what, provenance, id string
	}{
		{"load balancer", "alb", p.Balancer},
		{"target group", "target_group", p.TargetGroup},
		{"CloudFront distribution", "cloudfront", p.Distribution},
		{"auto scaling group", "", p.ScalingGroup},
		{"launch template", "", p.LaunchTemplate},
		{"log group", "", p.LogGroup},
		{"event rules", "", strings.Join(p.EventRules, " ")},
		{"DynamoDB table", "", p.LeaseTable},
		{"Lambda function", "", p.Function},
		{"role of the function", "", p.FunctionRole},
	} {
		if e.id != "" && p.Provenance[e.provenance] != "reused" {
			all = append(all, e.what+" "+printable(e.id))
		}
	}
	return all
}

// records are the resources that the file names. Of those that were reused, or that its configuration names, none is ours:
// the Python tool itself did not always tell them apart.
func (p pythonState) records() map[stack.Key]stack.Record {
	c := p.Config
	all := map[stack.Key]stack.Record{}
	add := func(key stack.Key, kind stack.Kind, provenance, id string, chosen ...string) {
		twice := func(r stack.Record) bool { return r.Kind == kind && r.ID == id }
		if id == "" || slices.ContainsFunc(slices.Collect(maps.Values(all)), twice) {
			return
		}
		made := p.Provenance[provenance]
		all[key] = stack.Record{
			Key: key, Kind: kind, ID: id, Status: stack.StatusReady, CreatedAt: p.CreatedAt.Time,
			Owned: (made == "" || made == "created" || made == "pending") && !slices.Contains(chosen, id),
		}
	}
	add(stack.KeyVPC, stack.KindVPC, "vpc", p.VPC, c.VPC)
	chosen := slices.Concat([]string{c.Subnet, c.StorageSubnet}, c.PublicSubnets, c.PrivateSubnets)
	if vpc := all[stack.KeyVPC]; !vpc.Owned {
		chosen = append(chosen, p.Subnets...) // subnets of a VPC that was there before
	}
	for i, id := range p.Subnets {
		add(stack.Key(fmt.Sprintf("network/subnet-%d", i+1)), stack.KindSubnet, "subnets", id, chosen...)
	}
	add(stack.KeyHostGroup, stack.KindSecurityGroup, "security_group", p.Group, c.Group)
	add(stack.KeyFiles, stack.KindFileSystem, "efs", p.EFS, c.EFS)
	targets := append([]string{p.MountTarget}, p.MountTargets...)
	chosen = nil
	if !all[stack.KeyFiles].Owned {
		chosen = targets
	}
	for i, id := range targets {
		add(stack.Key(fmt.Sprintf("storage/mount-%d", i+1)), stack.KindMountTarget, "efs_mount_target", id, chosen...)
	}
	add(stack.KeyRole, stack.KindRole, "iam_role", p.Role)
	add(stack.KeyProfile, stack.KindProfile, "iam_instance_profile", p.Profile)
	add(stack.KeyInstance, stack.KindInstance, "instance", p.Instance)
	if m, ok := all[stack.KeyInstance]; ok {
		m.Attrs = p.machine()
		if at := p.Cost.Started.Time; !at.IsZero() {
			m.CreatedAt = at
		}
		all[stack.KeyInstance] = m
	}
	return all
}

// pythonRootGiB is the size of the root volume of its machines, in GiB.
const pythonRootGiB = "75"

func (p pythonState) machine() map[string]string {
	attrs := map[string]string{
		stack.AttrType: p.Config.InstanceType, stack.AttrMarket: stack.MarketOnDemand,
		stack.AttrPublicIP: p.PublicIP, stack.AttrPrivateIP: p.PrivateIP, stack.AttrGiB: pythonRootGiB,
	}
	if p.Cost.Spot {
		attrs[stack.AttrMarket] = stack.Spot
	}
	return attrs
}

// config is its configuration in our keys, where they mean the same. It made no backups.
func (p pythonState) config() stack.Config {
	c := stack.NewConfig()
	values := map[string]string{
		"region": p.Config.Region, "tier": p.Config.Tier, "workload": p.Config.Workload, "instance_type": p.Config.InstanceType,
		"preference": strings.ReplaceAll(p.Config.Preference, "_", "-"), "budget_monthly": p.Config.Budget.String(),
		"os_type": p.Config.OSType, "architecture": p.Config.Architecture, "ami_type": p.Config.AMIType, "ami_id": p.Config.AMI,
		"key_pair": p.Config.KeyPair, "vpc_id": p.Config.VPC, "subnet_id": p.Config.Subnet, "security_group_id": p.Config.Group,
		"efs_id": p.Config.EFS, "backup": "off",
	}
	if p.Config.Spot != nil {
		values["use_spot"] = fmt.Sprint(*p.Config.Spot)
	}
	if p.Config.HTTPS != nil && !*p.Config.HTTPS {
		values["https"] = stack.HTTPSOff
	}
	for key, value := range values {
		if value != "" {
			_ = c.Set(key, value, stack.Source{Kind: "saved"}) // what has no meaning here stays at its default
		}
	}
	return c
}

// operation is the last one. The Python tool leaves a successful deploy of its first tier at "creating".
func (p pythonState) operation() stack.Operation {
	op := stack.Operation{Kind: "deploy", StartedAt: p.CreatedAt.Time, EndedAt: p.UpdatedAt.Time, Outcome: stack.OutcomeDone}
	switch {
	case p.Status == "destroying":
		op.Kind, op.Outcome = "destroy", stack.OutcomeInterrupted
	case p.Status == "failed", p.Status == "rolling_back", p.Instance == "":
		op.Outcome, op.Error = stack.OutcomeFailed, "the Python tool left it "+printable(p.Status)
	}
	return op
}

func (p pythonState) warnings() []string {
	var all []string
	if len(p.Provenance) == 0 {
		all = append(all, "the file does not say which resources were reused: those that its configuration names count as yours, all others as made by the tool")
	}
	if p.Config.AttachGateway {
		all = append(all, "the Python tool may have attached an internet gateway and routes to your VPC; the file does not say, and they are not touched")
	}
	if p.Certificate != "" {
		all = append(all, "the certificate "+printable(p.Certificate)+" is not touched")
	}
	return all
}

// accountOf is the account in an ARN (AWS General Reference, "ARN format").
func accountOf(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || len(parts[4]) != 12 {
		return ""
	}
	return parts[4]
}
