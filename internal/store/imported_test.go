package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func pythonFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "python", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// resources lists records, those of the user's in brackets.
func resources(s stack.State) string {
	var all []string
	for _, r := range s.Sorted() {
		text := fmt.Sprintf("%s=%s", r.Key, r.ID)
		if !r.Owned {
			text = "(" + text + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestImportOfFormat2(t *testing.T) {
	got, err := Import([]byte(pythonFile(t, "v2.json")))
	if err != nil {
		t.Fatal(err)
	}
	s := got.State
	want := "access/host=sg-0a1b2c3d4e5f60001 compute/instance=i-0a1b2c3d4e5f60001 identity/profile=team-efs-profile identity/role=team-efs-role " +
		"network/subnet-1=subnet-0a1b2c3d4e5f60001 network/subnet-2=subnet-0a1b2c3d4e5f60002 network/vpc=vpc-0a1b2c3d4e5f60001 " +
		"storage/files=fs-0a1b2c3d4e5f60001 storage/mount-1=fsmt-0a1b2c3d4e5f60001 storage/mount-3=fsmt-0a1b2c3d4e5f60002"
	if diff := cmp.Diff(want, resources(s)); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	m, _ := s.Machine()
	for what, pair := range map[string][2]any{
		"name":      {"team", s.Name},
		"account":   {"111122223333", s.Account},
		"region":    {"us-east-1", s.Region},
		"tier":      {"dev", s.Tier},
		"imported":  {"the Python tool, format 2", s.Imported},
		"status":    {stack.PhaseRunning, s.Phase(false)}, // the tool leaves a good deploy at "creating"
		"type":      {"t3.large", s.Config.InstanceType},
		"market":    {stack.MarketSpotFirst, s.Config.Market},
		"rank":      {"lowest-cost", s.Config.Preference},
		"budget":    {"120.50", s.Config.BudgetMonthly.Format(2)[1:]},
		"key pair":  {"laptop", s.Config.KeyPair},
		"backup":    {"off", s.Config.Backup},
		"address":   {"198.51.100.20", m.Attrs[stack.AttrPublicIP]},
		"spot":      {stack.Spot, m.Attrs[stack.AttrMarket]},
		"began":     {time.Date(2026, 5, 2, 8, 15, 30, 120e6, time.UTC), s.CreatedAt},
		"launched":  {time.Date(2026, 5, 2, 8, 20, 11, 0, time.UTC), m.CreatedAt},
		"n8n":       {"https://198.51.100.20", s.Endpoints[0].URL},
		"warnings":  {0, len(got.Warnings)},
		"id length": {12, len(s.ID)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[1], pair[0])
		}
	}
	if _, err := encode(s); err != nil {
		t.Error(err)
	}
	if err := check(s, "team"); err != nil {
		t.Error(err)
	}
}

func TestImportOfFormat1(t *testing.T) {
	got, err := Import([]byte(pythonFile(t, "v1.json")))
	if err != nil {
		t.Fatal(err)
	}
	s := got.State
	want := "access/host=sg-0b1b2c3d4e5f60001 compute/instance=i-0b1b2c3d4e5f60001 (network/subnet-1=subnet-0b1b2c3d4e5f60001) " +
		"(network/vpc=vpc-0b1b2c3d4e5f60001) storage/files=fs-0b1b2c3d4e5f60001 storage/mount-1=fsmt-0b1b2c3d4e5f60001"
	if diff := cmp.Diff(want, resources(s)); diff != "" {
		t.Errorf("resources, yours in brackets (-want +got):\n%s", diff)
	}
	if s.Name != "lab-1" || s.Account != "" || s.Config.HTTPS != stack.HTTPSOff || s.Config.Market != stack.MarketOnDemand {
		t.Errorf("name %q, account %q, https %q, market %q", s.Name, s.Account, s.Config.HTTPS, s.Config.Market)
	}
	if len(got.Warnings) != 2 || !strings.Contains(got.Warnings[0], "reused") || !strings.Contains(got.Warnings[1], "gateway") {
		t.Errorf("warnings: %q", got.Warnings)
	}
	if at := time.Date(2025, 11, 20, 10, 11, 12, 123456e3, time.UTC); !s.CreatedAt.Equal(at) {
		t.Errorf("began %v, want %v", s.CreatedAt, at)
	}
	again, _ := Import([]byte(pythonFile(t, "v1.json")))
	if again.State.ID != s.ID {
		t.Errorf("the same file gave the IDs %s and %s", s.ID, again.State.ID)
	}
}

// What the tool reused, what it discovered, and what the user's configuration names is never ours.
func TestImportTrustsNoProvenanceOverTheConfiguration(t *testing.T) {
	v2 := pythonFile(t, "v2.json")
	for _, tt := range []struct{ name, old, new, mine string }{
		{"reused VPC", `"vpc": "created"`, `"vpc": "reused"`, "network/subnet-1 network/subnet-2 network/vpc"},
		{"discovered group", `"security_group": "created"`, `"security_group": "discovered"`, "access/host"},
		{"file system of the configuration", `"tier": "dev"`, `"tier": "dev", "efs_id": "fs-0a1b2c3d4e5f60001"`, "storage/files storage/mount-1 storage/mount-3"},
		{"group of the configuration", `"tier": "dev"`, `"tier": "dev", "security_group_id": "sg-0a1b2c3d4e5f60001"`, "access/host"},
		{"subnet of the configuration", `"tier": "dev"`, `"tier": "dev", "public_subnet_ids": ["subnet-0a1b2c3d4e5f60001"]`, "network/subnet-1"},
	} {
		got, err := Import([]byte(strings.Replace(v2, tt.old, tt.new, 1)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var mine []string
		for _, r := range got.State.Sorted() {
			if !r.Owned {
				mine = append(mine, string(r.Key))
			}
		}
		if diff := cmp.Diff(strings.Fields(tt.mine), mine); diff != "" {
			t.Errorf("%s: yours (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestImportSaysHowItEnded(t *testing.T) {
	v2 := pythonFile(t, "v2.json")
	for status, want := range map[string]stack.Phase{
		"running": stack.PhaseRunning, "updating": stack.PhaseRunning, "failed": stack.PhaseFailed,
		"rolling_back": stack.PhaseFailed, "destroying": stack.PhaseInterrupted,
	} {
		got, err := Import([]byte(strings.Replace(v2, `"status": "creating"`, `"status": "`+status+`"`, 1)))
		if err != nil || got.State.Phase(false) != want {
			t.Errorf("%s became %s, want %s (%v)", status, got.State.Phase(false), want, err)
		}
	}
	got, err := Import([]byte(strings.Replace(v2, `"instance_id": "i-0a1b2c3d4e5f60001"`, `"instance_id": ""`, 1)))
	if err != nil || got.State.Phase(false) != stack.PhaseFailed || len(got.State.Records) != 9 {
		t.Errorf("without a machine: %s, %d records (%v)", got.State.Phase(false), len(got.State.Records), err)
	}
}

func TestImportRefusesWhatItDoesNotKnow(t *testing.T) {
	v2 := pythonFile(t, "v2.json")
	with := func(old, news string) string { return strings.Replace(v2, old, news, 1) }
	for _, tt := range []struct{ name, raw, want string }{
		{"empty", "", "no state of the Python tool"},
		{"text", "stack_name: team", "no state of the Python tool"},
		{"list", "[]", "no state of the Python tool"},
		{"compressed", "\x1f\x8b\x08", "gunzip"},
		{"another object", `{"a": 1}`, "no stack_name"},
		{"ours", `{"checksum": "0", "version": 1, "records": {}}`, "recover"},
		{"newer", with(`"schema_version": 2`, `"schema_version": 3`), "format 3"},
		{"format 0", with(`"schema_version": 2`, `"schema_version": 0`), "format 0"},
		{"no region", with(`"region": "us-east-1"`, `"region": ""`), "region"},
		{"destroyed", with(`"status": "creating"`, `"status": "terminated"`), "was destroyed"},
		{"wrong type", with(`"subnet_ids": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]`, `"subnet_ids": 3`), "subnet_ids"},
		{"wrong time", with(`"2026-05-02T08:15:30.120000Z"`, `"yesterday"`), "yesterday"},
		{"load balancer", with(`"public_ip"`, `"alb_arn": "arn:lb", "target_group_arn": "arn:tg", "public_ip"`), "load balancer arn:lb, target group arn:tg"},
		{"scaling group", with(`"public_ip"`, `"auto_scaling_group_name": "team-asg", "public_ip"`), "auto scaling group team-asg"},
		{"nothing", `{"stack_name": "a", "config": {"region": "us-east-1"}}`, "names no resource"},
	} {
		if _, err := Import([]byte(tt.raw)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
	reused := with(`"public_ip"`, `"alb_arn": "arn:lb", "public_ip"`)
	if _, err := Import([]byte(strings.Replace(reused, `"vpc": "created"`, `"vpc": "created", "alb": "reused"`, 1))); err != nil {
		t.Errorf("a load balancer of the user's: %v", err)
	}
}

func FuzzImport(f *testing.F) {
	for _, name := range []string{"v1.json", "v2.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "python", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Import(raw)
		if err != nil {
			return
		}
		if s := got.State; s.Name != "" {
			if err := check(s, s.Name); err != nil {
				t.Errorf("was imported and cannot be saved: %v", err)
			}
		}
	})
}
