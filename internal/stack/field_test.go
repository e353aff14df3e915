package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// The keys are a contract with every script and config file: none may go or change its name.
func TestFieldsAreTheContract(t *testing.T) {
	want := []string{
		"name", "region", "tier", "workload", "instance_type", "preference", "market", "max_hourly", "budget_monthly",
		"os_type", "architecture", "ami_type", "allow_discontinued", "ami_id",
		"vpc_id", "subnet_id", "security_group_id", "efs_id", "key_pair", "vpc_cidr", "add_missing_rules",
		"access", "allow_cidrs", "public", "ssh_cidr", "egress", "https", "domain",
		"root_gib", "data_gib", "data_throughput", "kms_key_id", "backup", "models", "services", "env", "tags",
	}
	defaults := map[string]string{
		"tier": "dev", "instance_type": "auto", "preference": "balanced", "market": "spot-first", "os_type": "ubuntu-24.04",
		"architecture": "x86_64", "ami_type": "auto", "vpc_cidr": "auto", "access": "direct", "allow_cidrs": "my-ip",
		"ssh_cidr": "none", "egress": "open", "https": "internal", "backup": "daily",
	}
	closed := map[string]string{
		"tier": "dev automation gpu", "workload": "cpu gpu", "market": "spot-first spot on-demand",
		"preference": "balanced lowest-cost highest-availability performance",
		"os_type":    "ubuntu-24.04 ubuntu-22.04 amazon-linux-2023 amazon-linux-2", "architecture": "x86_64 arm64",
		"ami_type": "auto standard base pytorch tensorflow multi-framework",
		"access":   "direct tunnel", "egress": "open restricted", "https": "internal off acme", "backup": "daily off",
	}
	types := []string{"string", "bool", "int", "usd", "list", "map", "env"}

	var got []string
	spellings := map[string]bool{}
	for _, f := range stack.Fields() {
		got = append(got, f.Key)
		for _, s := range append([]string{f.Key}, f.Aliases...) {
			if spellings[s] {
				t.Errorf("two keys are spelled %s", s)
			}
			spellings[s] = true
		}
		if f.Help == "" || f.Group == "" || !slices.Contains(types, f.Type) {
			t.Errorf("%s: help %q, group %q, type %q", f.Key, f.Help, f.Group, f.Type)
		}
		if want, ok := defaults[f.Key]; ok && f.Default != want {
			t.Errorf("%s is %q by default, want %q", f.Key, f.Default, want)
		}
		if want := strings.Fields(closed[f.Key]); !slices.Equal(f.Values, want) {
			t.Errorf("%s takes %q, want %q", f.Key, f.Values, want)
		}
		if want := strings.ReplaceAll(f.Key, "_", "-"); f.Flag() != want {
			t.Errorf("flag of %s is %s, want %s", f.Key, f.Flag(), want)
		}
		if want := "GEUSEMAKER_" + strings.ToUpper(f.Key); f.Env() != want {
			t.Errorf("variable of %s is %s, want %s", f.Key, f.Env(), want)
		}
		if byFlag, err := stack.FieldFor(f.Flag()); err != nil || byFlag.Key != f.Key {
			t.Errorf("FieldFor(%q) = %s, %v", f.Flag(), byFlag.Key, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for alias, key := range map[string]string{"stack_name": "name", "keypair_name": "key_pair", "use_spot": "market", "use-spot": "market"} {
		if f, err := stack.FieldFor(alias); err != nil || f.Key != key {
			t.Errorf("FieldFor(%q) = %q, %v; want %s", alias, f.Key, err, key)
		}
	}
}

func TestUnknownKeyNamesTheNearest(t *testing.T) {
	for key, want := range map[string]string{
		"instancetype":  `instancetype: there is no such key; did you mean "instance_type"?`,
		"Region":        `Region: there is no such key; did you mean "region"?`,
		"alow-cidr":     `alow-cidr: there is no such key; did you mean "allow_cidrs"?`,
		"stackname":     `stackname: there is no such key; did you mean "stack_name"?`,
		"teir":          `teir: there is no such key; did you mean "tier"?`,
		"ssl":           "ssl: there is no such key; `geusemaker config schema` lists them all",
		"":              ": there is no such key; `geusemaker config schema` lists them all",
		"kubernetes":    "kubernetes: there is no such key; `geusemaker config schema` lists them all",
		"data_trougput": `data_trougput: there is no such key; did you mean "data_throughput"?`,
	} {
		c := stack.NewConfig()
		err := c.Set(key, "x", stack.Source{})
		if err == nil || err.Error() != want {
			t.Errorf("Set(%q):\n got %v\nwant %s", key, err, want)
		}
		if c.Value(key) != nil || c.Text(key) != "" || c.IsSet(key) {
			t.Errorf("the unknown key %q has a value", key)
		}
	}
}
