package stack_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// Every key takes the text of a flag and what a YAML or JSON reader makes of the same value, and ends the same.
func TestSetTakesEveryForm(t *testing.T) {
	type dict = map[string]any
	for _, tt := range []struct {
		key   string
		forms []any
		want  any
		text  string
	}{
		{"name", []any{"demo", " demo "}, "demo", "demo"},
		{"stack_name", []any{"demo"}, "demo", "demo"},
		{"region", []any{"us-east-1"}, "us-east-1", "us-east-1"},
		{"tier", []any{"gpu"}, "gpu", "gpu"},
		{"workload", []any{"gpu"}, "gpu", "gpu"},
		{"instance_type", []any{"m7i.large"}, "m7i.large", "m7i.large"},
		{"preference", []any{"performance"}, "performance", "performance"},
		{"market", []any{"on-demand"}, "on-demand", "on-demand"},
		{"use_spot", []any{"true", true, "1", " true "}, "spot-first", "spot-first"},
		{"use_spot", []any{"false", false, 0}, "on-demand", "on-demand"},
		{"use-spot", []any{"false", false}, "on-demand", "on-demand"},
		{"max_hourly", []any{"0.1", "$0.1", 0.1, json.Number("0.10")}, stack.Dollar / 10, "0.1"},
		{"budget_monthly", []any{"80", 80, int64(80), uint64(80), 80.0, json.Number("80"), 80 * stack.Dollar}, 80 * stack.Dollar, "80"},
		{"os_type", []any{"amazon-linux-2023"}, "amazon-linux-2023", "amazon-linux-2023"},
		{"architecture", []any{"arm64"}, "arm64", "arm64"},
		{"ami_type", []any{"pytorch"}, "pytorch", "pytorch"},
		{"allow_discontinued", []any{"true", true, "1", "T"}, true, "true"},
		{"ami_id", []any{"ami-0123456789abcdef0"}, "ami-0123456789abcdef0", "ami-0123456789abcdef0"},
		{"vpc_id", []any{"vpc-1"}, "vpc-1", "vpc-1"},
		{"subnet_id", []any{"subnet-1"}, "subnet-1", "subnet-1"},
		{"security_group_id", []any{"sg-1"}, "sg-1", "sg-1"},
		{"efs_id", []any{"fs-1"}, "fs-1", "fs-1"},
		{"key_pair", []any{"me"}, "me", "me"},
		{"keypair_name", []any{"me"}, "me", "me"},
		{"vpc_cidr", []any{"10.9.0.0/16"}, "10.9.0.0/16", "10.9.0.0/16"},
		{"access", []any{"tunnel"}, "tunnel", "tunnel"},
		{
			"allow_cidrs",
			[]any{"my-ip, 10.0.0.0/8,", []string{"my-ip", "10.0.0.0/8"}, []any{"my-ip", " 10.0.0.0/8 "}},
			[]string{"my-ip", "10.0.0.0/8"},
			"my-ip,10.0.0.0/8",
		},
		{"public", []any{"true", true}, true, "true"},
		{"ssh_cidr", []any{"my-ip"}, "my-ip", "my-ip"},
		{"https", []any{"off"}, "off", "off"},
		{"domain", []any{"ai.example.com"}, "ai.example.com", "ai.example.com"},
		{"root_gib", []any{"60", 60, int64(60), 60.0, json.Number("60")}, 60, "60"},
		{"root_gib", []any{"0", 0}, 0, "0"},
		{"data_gib", []any{" 8 ", 8}, 8, "8"},
		{"data_throughput", []any{"750", 750}, 750, "750"},
		{"kms_key_id", []any{"alias/mine"}, "alias/mine", "alias/mine"},
		{"backup", []any{"off"}, "off", "off"},
		{"models", []any{"llama3.2:3b,phi4", []any{"llama3.2:3b", "phi4"}}, []string{"llama3.2:3b", "phi4"}, "llama3.2:3b,phi4"},
		{"models", []any{"", nil, []any{}, []string{""}}, []string{}, ""},
		{
			"services",
			[]any{"qdrant=q:1, n8n = n:2,", dict{"n8n": "n:2", "qdrant": "q:1"}, map[string]string{"n8n": "n:2", "qdrant": "q:1"}},
			map[string]string{"n8n": "n:2", "qdrant": "q:1"},
			"n8n=n:2,qdrant=q:1",
		},
		{
			"env",
			[]any{
				"n8n.A=1,n8n.B=x=y,ollama.A=",
				dict{"n8n": dict{"A": 1, "B": "x=y"}, "ollama": dict{"A": nil}},
				map[string]map[string]string{"n8n": {"A": "1", "B": "x=y"}, "ollama": {"A": ""}},
			},
			map[string]map[string]string{"n8n": {"A": "1", "B": "x=y"}, "ollama": {"A": ""}},
			"n8n.A=1,n8n.B=x=y,ollama.A=",
		},
		{"tags", []any{"Team=ai,Year=2026", dict{"Team": "ai", "Year": 2026}}, map[string]string{"Team": "ai", "Year": "2026"}, "Team=ai,Year=2026"},
	} {
		for _, form := range tt.forms {
			c := stack.NewConfig()
			if err := c.Set(tt.key, form, stack.Source{Kind: "file", From: "a.yaml"}); err != nil {
				t.Errorf("Set(%s, %T %v): %v", tt.key, form, form, err)
				continue
			}
			if diff := cmp.Diff(tt.want, c.Value(tt.key)); diff != "" {
				t.Errorf("Set(%s, %T %v) (-want +got):\n%s", tt.key, form, form, diff)
			}
			if got := c.Text(tt.key); got != tt.text {
				t.Errorf("Set(%s, %T %v) reads %q, want %q", tt.key, form, form, got, tt.text)
			}
			f, err := stack.FieldFor(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			again := stack.NewConfig()
			if err := again.Set(f.Key, c.Text(f.Key), stack.Source{}); err != nil || !cmp.Equal(again.Value(f.Key), tt.want) {
				t.Errorf("%s does not take its own text %q: %v, %v", f.Key, c.Text(f.Key), again.Value(f.Key), err)
			}
		}
	}
}

func TestSetRefusesInWords(t *testing.T) {
	type dict = map[string]any
	for _, tt := range []struct {
		key  string
		raw  any
		want string
	}{
		{"tier", "devv", `tier: "devv" is not known; did you mean "dev"? (one of dev, automation, gpu) (flag --x)`},
		{"tier", "production", `tier: "production" is not known; use one of dev, automation, gpu (flag --x)`},
		{"market", "ondemand", `market: "ondemand" is not known; did you mean "on-demand"? (one of spot-first, spot, on-demand) (flag --x)`},
		{"use_spot", "maybe", `market: "maybe" is not known; use one of spot-first, spot, on-demand (flag --x)`},
		{"os_type", "ubuntu-24.40", `os_type: "ubuntu-24.40" is not known; did you mean "ubuntu-24.04"? (one of ubuntu-24.04, ubuntu-22.04, amazon-linux-2023, amazon-linux-2) (flag --x)`},
		{"region", []any{"a", "b"}, "region: needs a single value, not a list (flag --x)"},
		{"domain", dict{"a": 1}, "domain: needs a single value, not a map (flag --x)"},
		{"public", "yep", `public: "yep" is neither true nor false (flag --x)`},
		{"data_gib", "40GB", `data_gib: "40GB" is not a whole number of GiB (flag --x)`},
		{"data_gib", 40.5, `data_gib: "40.5" is not a whole number of GiB (flag --x)`},
		{"data_gib", "7", "data_gib: 7 GiB is out of range; use 8 to 65536 (flag --x)"},
		{"root_gib", -1, "root_gib: -1 GiB is out of range; use 8 to 65536 (flag --x)"},
		{"data_gib", 0, "data_gib: 0 GiB is out of range; use 8 to 65536 (flag --x)"},
		{"data_throughput", "0", "data_throughput: 0 MiB/s is out of range; use 125 to 750 (flag --x)"},
		{"data_gib", nil, `data_gib: "" is not a whole number of GiB (flag --x)`},
		{"public", nil, `public: "" is neither true nor false (flag --x)`},
		{"public", []any{true}, "public: needs true or false, not a list (flag --x)"},
		{"data_gib", dict{"a": 1}, "data_gib: needs a whole number of GiB, not a map (flag --x)"},
		{"max_hourly", []any{1}, "max_hourly: needs an amount of dollars, not a list (flag --x)"},
		{"data_throughput", 751, "data_throughput: 751 MiB/s is out of range; use 125 to 750 (flag --x)"},
		{"max_hourly", "cheap", `max_hourly: "cheap" is not an amount of dollars, such as 0.25 (flag --x)`},
		{"max_hourly", "-1", "max_hourly: -1 is negative (flag --x)"},
		{"max_hourly", 1e300, ""},
		{"models", dict{"a": 1}, "models: needs a list, not a map (flag --x)"},
		{"models", []any{dict{}}, "models: needs a list of plain values, not of maps (flag --x)"},
		{"services", "n8n", `services: "n8n" is not a name=value pair (flag --x)`},
		{"services", "=x", `services: "=x" is not a name=value pair (flag --x)`},
		{"services", []any{"a"}, "services: needs name=value pairs, not a list (flag --x)"},
		{"tags", dict{"a": []any{}}, "tags: a needs a plain value, not a list (flag --x)"},
		{"env", "A=1", `env: "A" is not of the form service.NAME=value (flag --x)`},
		{"env", ".A=1", `env: ".A" is not of the form service.NAME=value (flag --x)`},
		{"env", dict{"n8n": []any{"A=1"}}, "env: n8n: needs name=value pairs, not a list (flag --x)"},
	} {
		c := stack.NewConfig()
		before := c.Text(tt.key)
		err := c.Set(tt.key, tt.raw, stack.Source{Kind: "flag", From: "--x"})
		fieldError, ok := errors.AsType[*stack.FieldError](err)
		if !ok {
			t.Errorf("Set(%s, %v) = %v, want a FieldError", tt.key, tt.raw, err)
			continue
		}
		if tt.want != "" && err.Error() != tt.want {
			t.Errorf("Set(%s, %v):\n got %v\nwant %s", tt.key, tt.raw, err, tt.want)
		}
		if c.Text(tt.key) != before || c.IsSet(tt.key) {
			t.Errorf("Set(%s, %v) failed and still changed the value to %q", tt.key, tt.raw, c.Text(tt.key))
		}
		if f, err := stack.FieldFor(fieldError.Key); err != nil || f.Key != fieldError.Key {
			t.Errorf("Set(%s, %v): the error names the key %q", tt.key, tt.raw, fieldError.Key)
		}
	}
}

func TestSourcesFollowTheLastSet(t *testing.T) {
	c := stack.NewConfig()
	if got := c.SourceOf("tier"); got.String() != "default" || c.IsSet("tier") {
		t.Errorf("tier comes from %q before anybody set it", got)
	}
	file, env := stack.Source{Kind: "file", From: "demo.yaml"}, stack.Source{Kind: "environment", From: "GEUSEMAKER_DATA_GIB"}
	set := func(key string, raw any, from stack.Source) {
		t.Helper()
		if err := c.Set(key, raw, from); err != nil {
			t.Fatal(err)
		}
	}
	set("tier", "dev", file)
	set("data_gib", 50, file)
	set("use_spot", true, file)
	set("data_gib", "60", env)
	if err := c.Set("data_gib", "many", stack.Source{Kind: "flag", From: "--data-gib"}); err == nil {
		t.Error(`data_gib takes "many"`)
	}
	for key, want := range map[string]string{"tier": "file demo.yaml", "market": "file demo.yaml", "data_gib": "environment GEUSEMAKER_DATA_GIB", "region": "default"} {
		if got := c.SourceOf(key).String(); got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
	saved := c
	set("tier", "dev", env)
	if got := saved.SourceOf("tier"); got != file {
		t.Errorf("Set on a copy changed the source of the original to %q", got)
	}
	if !c.IsSet("tier") || c.IsSet("region") || c.DataGiB != 60 {
		t.Errorf("tier set %t, region set %t, data_gib %d", c.IsSet("tier"), c.IsSet("region"), c.DataGiB)
	}
}

// fullConfig sets every key to something that is not its default.
func fullConfig(t *testing.T) stack.Config {
	t.Helper()
	c := stack.NewConfig()
	for key, raw := range map[string]any{
		"name": "demo", "region": "us-east-1", "tier": "gpu", "workload": "gpu", "instance_type": "g6.xlarge", "preference": "performance",
		"market": "spot", "max_hourly": "0.123456789", "budget_monthly": "123456789.000000001", "os_type": "ubuntu-22.04", "architecture": "arm64",
		"ami_type": "base", "allow_discontinued": true, "ami_id": "ami-1", "vpc_id": "vpc-1", "subnet_id": "subnet-1",
		"security_group_id": "sg-1", "efs_id": "fs-1", "key_pair": "k", "vpc_cidr": "10.0.0.0/16", "add_missing_rules": true, "egress": "restricted", "access": "tunnel",
		"allow_cidrs": "10.0.0.0/8,my-ip", "public": true, "ssh_cidr": "my-ip", "https": "acme", "domain": "a.example", "root_gib": 99,
		"data_gib": 98, "data_throughput": 300, "kms_key_id": "k", "backup": "off", "models": "a,b",
		"services": map[string]any{"n8n": "x:1"}, "env": map[string]any{"n8n": map[string]any{"A": "1,2", "B": "\"<&\n"}}, "tags": "a=b",
	} {
		if err := c.Set(key, raw, stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	plain := stack.NewConfig()
	if got := c.Differences(&plain); len(got) != len(stack.Fields()) {
		t.Fatalf("fullConfig leaves keys at their default: only %q differ", got)
	}
	return c
}

func TestConfigJSON(t *testing.T) {
	c := fullConfig(t)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"max_hourly":0.123456789,"budget_monthly":123456789.000000001,`; !strings.Contains(string(text), want) {
		t.Errorf("amounts are not written exactly:\n%s", text)
	}
	at := 0
	for _, f := range stack.Fields() {
		i := strings.Index(string(text), `"`+f.Key+`":`)
		if i < at {
			t.Errorf("%s is missing or out of order in %s", f.Key, text)
		}
		at = i
	}
	var back stack.Config
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, f := range stack.Fields() {
		if diff := cmp.Diff(c.Value(f.Key), back.Value(f.Key)); diff != "" {
			t.Errorf("%s changed on its way through JSON (-before +after):\n%s", f.Key, diff)
		}
		if got := back.SourceOf(f.Key).String(); got != "saved" {
			t.Errorf("%s comes from %q after it was read back, want saved", f.Key, got)
		}
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("written again: %v\n%s", err, again)
	}
	if diff := c.Differences(&back); diff != nil {
		t.Errorf("%q differ", diff)
	}
}

// What was emptied on purpose stays empty, though its default is not.
func TestConfigJSONKeepsEmptied(t *testing.T) {
	c := stack.NewConfig()
	if err := c.Set("allow_cidrs", "", stack.Source{Kind: "flag"}); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back stack.Config
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.AllowCIDRs) != 0 || c.Differences(&back) != nil {
		t.Errorf("allow_cidrs was emptied and came back as %q from %s", back.AllowCIDRs, text)
	}
}

// A config of defaults is saved in few words, and a saved config that cannot be read says all that is wrong with it.
func TestConfigJSONEdges(t *testing.T) {
	plain := stack.NewConfig()
	text, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") || strings.Contains(string(text), `""`) {
		t.Errorf("keys without a value are written: %s", text)
	}
	var c stack.Config
	err = json.Unmarshal([]byte(`{"colour":"red","data_gib":1e2,"tier":"dev","tags":7}`), &c)
	if err == nil {
		t.Fatal("a damaged config is read")
	}
	for _, want := range []string{
		"colour: there is no such key", `data_gib: "1e2" is not a whole number of GiB (saved)`, `tags: "7" is not a name=value pair (saved)`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if err := json.Unmarshal([]byte(`["tier"]`), &c); err == nil {
		t.Error("a list is read as a config")
	}
}

func TestDifferences(t *testing.T) {
	a, b := goodConfig(), goodConfig()
	if got := a.Differences(&b); got != nil {
		t.Errorf("equal configs differ in %q", got)
	}
	for key, raw := range map[string]any{"data_gib": 80, "env": "n8n.A=1", "max_hourly": 1, "region": "us-west-2"} {
		if err := b.Set(key, raw, stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"region", "max_hourly", "data_gib", "env"}
	if diff := cmp.Diff(want, a.Differences(&b)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	c, d := goodConfig(), goodConfig()
	c.Models, d.Models = []string{"a,b"}, []string{"a", "b"}
	c.Env, d.Env = map[string]map[string]string{"n8n": {"A": "1,n8n.B=2"}}, map[string]map[string]string{"n8n": {"A": "1", "B": "2"}}
	if diff := cmp.Diff([]string{"models", "env"}, c.Differences(&d)); diff != "" {
		t.Errorf("values that only look alike as text (-want +got):\n%s", diff)
	}
	if err := a.Set("data_gib", "80", stack.Source{Kind: "environment"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"region", "max_hourly", "env"}, b.Differences(&a)); diff != "" {
		t.Errorf("a value counts as different because it came from elsewhere (-want +got):\n%s", diff)
	}
}
