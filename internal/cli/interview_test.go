package cli

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// baseWith is a configuration in which these keys were chosen before anybody was asked.
func baseWith(t *testing.T, set ...string) stack.Config {
	t.Helper()
	c := stack.NewConfig()
	c.Region = "us-east-1"
	for i := 0; i < len(set); i += 2 {
		if err := c.Set(set[i], set[i+1], stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// through answers with what is given for a question, and with its usual answer otherwise, and returns what was asked.
func through(t *testing.T, i *interview, answers map[string]string) []string {
	t.Helper()
	var asked []string
	for range 40 {
		q, more := i.next()
		if !more {
			return asked
		}
		asked = append(asked, q.id)
		value, given := answers[q.id]
		if c := i.config(); !given {
			value = c.Text(q.id)
			if q.usual != nil {
				value = q.usual(c, knowledge{})
			}
		}
		if err := i.answer(q, value, knowledge{}); err != nil {
			t.Fatalf("%s = %q: %v", q.id, value, err)
		}
	}
	t.Fatalf("it never ends: %v", asked)
	return nil
}

func TestWhatIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		base    []string
		answers map[string]string
		want    string
	}{
		"quick":            {want: "path name region workload preference access models"},
		"quick, half said": {base: []string{"region", "eu-west-1", "workload", "gpu"}, want: "path name preference access models"},
		"advanced":         {answers: map[string]string{"path": "advanced"}, want: "path name region workload preference market architecture instance_type os_type access allow_cidrs https egress vpc_id key_pair models data_gib backup budget_monthly"},
		"tunnel":           {answers: map[string]string{"path": "advanced", "access": "tunnel"}, want: "path name region workload preference market architecture instance_type os_type access egress vpc_id key_pair models data_gib backup budget_monthly"},
		"a host name":      {answers: map[string]string{"path": "advanced", "https": "acme", "domain": "ai.example.com"}, want: "path name region workload preference market architecture instance_type os_type access allow_cidrs https egress domain vpc_id key_pair models data_gib backup budget_monthly"},
		"SSH":              {answers: map[string]string{"path": "advanced", "key_pair": "me"}, want: "path name region workload preference market architecture instance_type os_type access allow_cidrs https egress vpc_id key_pair ssh_cidr models data_gib backup budget_monthly"},
		"own network": {
			answers: map[string]string{"path": "advanced", "vpc_id": "vpc-0123456789abcdef0", "subnet_id": "subnet-0123456789abcdef0", "security_group_id": "sg-0123456789abcdef0", "add_missing_rules": "true"},
			want:    "path name region workload preference market architecture instance_type os_type access allow_cidrs https egress vpc_id subnet_id security_group_id efs_id add_missing_rules key_pair models data_gib backup budget_monthly",
		},
		"all was said": {base: []string{"name", "demo", "region", "us-east-1", "workload", "cpu", "preference", "balanced", "access", "direct", "models", "a"}, want: "path"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(through(t, newInterview(baseWith(t, c.base...), nil), c.answers), " ")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGoingBackAsksAgainAndKeepsTheAnswerAsTheUsualOne(t *testing.T) {
	i := newInterview(baseWith(t), nil)
	i.back() // nothing is before the first question
	for _, value := range []string{"quick", "team", "eu-central-1"} {
		q, _ := i.next()
		if err := i.answer(q, value, knowledge{}); err != nil {
			t.Fatal(err)
		}
	}
	i.back()
	i.back()
	for id, want := range map[string]string{"region": "eu-central-1", "name": "team"} {
		if got, answered := i.last(id); got != want || !answered {
			t.Errorf("the answer to %s was %q", id, got)
		}
	}
	if q, _ := i.next(); q.id != "name" || i.config().Name != "" || i.config().Region != "us-east-1" {
		t.Errorf("it goes on with %s of %+v", q.id, i.config())
	}
}

// An answer that made sense for another one falls with it, and one that no longer has a place says nothing.
func TestAnswersFallWithWhatTheyRestedOn(t *testing.T) {
	i := newInterview(baseWith(t), nil)
	through(t, i, map[string]string{"path": "advanced", "name": "team", "architecture": "x86_64", "instance_type": "m7i.large", "key_pair": "me", "https": "acme", "domain": "a.example.com"})
	if c := i.config(); c.InstanceType != "m7i.large" || c.KeyPair != "me" || c.Domain != "a.example.com" {
		t.Fatalf("%+v", c)
	}
	byID := map[string]query{}
	for _, q := range queries() {
		byID[q.id] = q
	}
	if err := i.answer(byID["architecture"], "arm64", knowledge{}); err != nil {
		t.Fatal(err)
	}
	if q, more := i.next(); !more || q.id != "instance_type" || i.config().InstanceType != stack.Auto {
		t.Errorf("the machine of another architecture stays: next is %s", q.id)
	}
	if err := i.answer(byID["region"], "eu-west-1", knowledge{}); err != nil {
		t.Fatal(err)
	}
	if i.config().KeyPair != "" {
		t.Error("a key pair of another region stays")
	}
	if err := i.answer(byID["https"], "internal", knowledge{}); err != nil {
		t.Fatal(err)
	}
	if i.config().Domain != "" {
		t.Error("a host name without a certificate stays")
	}
	if err := i.answer(byID["path"], "quick", knowledge{}); err != nil {
		t.Fatal(err)
	}
	if c := i.config(); c.Architecture != "x86_64" {
		t.Error("an answer of the advanced path stays on the quick one")
	}
}

func TestABadAnswerIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct{ id, value, want string }{
		{"name", "Team", "cannot be the name"},
		{"name", "taken", "taken exists already"},
		{"region", "us-est-1", "did you mean us-east-1?"},
		{"region", "nowhere", "is not the name of an AWS region"},
		{"instance_type", "large", "is not an EC2 instance type"},
		{"allow_cidrs", "0.0.0.0/0", "public"},
		{"allow_cidrs", "10.0.0", "10.0.0"},
		{"data_gib", "4", "GiB"},
		{"budget_monthly", "much", "much"},
		{"workload", "tpu", "tpu"},
	} {
		i := newInterview(baseWith(t), nil)
		i.answers[pathID] = pathAdvanced
		at := slices.IndexFunc(queries(), func(q query) bool { return q.id == c.id })
		err := i.answer(queries()[at], c.value, knowledge{names: []string{"taken"}})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "(answer") {
			t.Errorf("%s = %q: %v, want %q", c.id, c.value, err, c.want)
		}
		if _, answered := i.answers[c.id]; answered || len(i.order) > 0 {
			t.Errorf("%s = %q was taken", c.id, c.value)
		}
	}
}

// What only shows when all is known opens the question again that is to blame.
func TestAConfigurationThatCannotBeIsAskedAgain(t *testing.T) {
	refuse := func(c stack.Config) error {
		if c.OSType == "ubuntu-22.04" && c.DataGiB == 100 {
			return &stack.FieldError{Key: "os_type", Problem: "has no such disk"}
		}
		return nil
	}
	i := newInterview(baseWith(t), refuse)
	through(t, i, map[string]string{"path": "advanced", "name": "team", "os_type": "ubuntu-22.04", "data_gib": "100"})
	if err := i.reopen(); err == nil || !strings.Contains(err.Error(), "has no such disk") {
		t.Errorf("%v", err)
	}
	if q, more := i.next(); !more || q.id != "os_type" {
		t.Errorf("it goes on with %s", q.id)
	}
	through(t, i, map[string]string{"name": "team", "data_gib": "100"})
	if err := i.reopen(); err != nil {
		t.Error(err)
	}
}

// The command line and the config file at the end say what the answers said.
func TestTheEquivalentsMeanTheSame(t *testing.T) {
	for name, answers := range map[string]map[string]string{
		"quick":    {"name": "team", "workload": "gpu", "models": "llama3.2:3b,nomic-embed-text"},
		"advanced": {"path": "advanced", "name": "team", "region": "eu-west-1", "market": "on-demand", "vpc_id": "vpc-0123456789abcdef0", "security_group_id": "sg-0123456789abcdef0", "add_missing_rules": "true", "allow_cidrs": "203.0.113.0/24,my-ip", "key_pair": "my key's", "ssh_cidr": "my-ip", "data_gib": "100", "backup": "off", "budget_monthly": "250.50"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInterview(baseWith(t, "public", "true", "tags", "team=a"), nil)
			through(t, i, answers)
			want := i.config()
			app := &app{}
			cmd := &cobra.Command{Use: "deploy"}
			addConfigFlags(cmd)
			words := shellWords(t, commandLine(want, globals{}))
			if diff := cmp.Diff([]string{"geusemaker", "deploy", "team", "--region", want.Region}, words[:5]); diff != "" {
				t.Error(diff)
			}
			if err := cmd.ParseFlags(words[5:]); err != nil {
				t.Fatal(err)
			}
			app.global.region = want.Region
			same(t, app, cmd, want)

			path := filepath.Join(t.TempDir(), "team.yaml")
			if err := os.WriteFile(path, []byte(configText(want)), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd = &cobra.Command{Use: "deploy"}
			addConfigFlags(cmd)
			if err := cmd.ParseFlags([]string{"--config", path}); err != nil {
				t.Fatal(err)
			}
			same(t, app, cmd, want)
		})
	}
}

func same(t *testing.T, a *app, cmd *cobra.Command, want stack.Config) {
	t.Helper()
	got, err := a.loadConfig(cmd, []string{want.Name})
	if err != nil {
		t.Fatal(err)
	}
	if different := got.Differences(&want); len(different) > 0 {
		t.Errorf("%v differ", different)
	}
}

// shellWords splits a line as a POSIX shell does that meets single quotes only.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	inQuotes := false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case b == '\'':
			inQuotes = !inQuotes
		case b == '\\' && !inQuotes:
			i++
			word.WriteByte(line[i])
		case b == ' ' && !inQuotes:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteByte(b)
		}
	}
	if inQuotes {
		t.Fatalf("a quote is open in %s", line)
	}
	return append(words, word.String())
}

// Every question explains itself, and stands for a key that exists.
func TestEveryQuestionExplainsItself(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range queries() {
		if seen[q.id] || len(q.explain) < 40 || !strings.HasSuffix(q.text, "?") || q.heading == "" {
			t.Errorf("question %s: %q, %q", q.id, q.text, q.explain)
		}
		seen[q.id] = true
		if _, err := stack.FieldFor(q.id); err != nil && q.id != pathID {
			t.Error(err)
		}
		for _, fallen := range q.falls {
			if _, err := stack.FieldFor(fallen); err != nil {
				t.Error(err)
			}
		}
	}
	if len(slices.Collect(maps.Keys(seen))) < 20 {
		t.Errorf("%d questions", len(seen))
	}
}

// What the account has is offered with its fit: fit ones first, those that lack rules with what they lack, and the others
// without a number, with the reason.
func TestWhatTheAccountHasIsOfferedWithItsFit(t *testing.T) {
	group := func(id, name string, rules ...discovery.Rule) discovery.SecurityGroup {
		all := netip.MustParsePrefix("0.0.0.0/0")
		return discovery.SecurityGroup{
			Resource: discovery.Resource{ID: id, Name: name}, VPC: "vpc-1", Ingress: rules,
			Egress: []discovery.Rule{{Protocol: "-1", From: -1, To: -1, Block: all}},
		}
	}
	everything := discovery.Rule{Protocol: "-1", From: -1, To: -1, Block: netip.MustParsePrefix("203.0.113.0/24")}
	subnet := discovery.Subnet{Resource: discovery.Resource{ID: "subnet-1", Name: "one"}, VPC: "vpc-1", State: "available", Free: 9, CIDR: netip.MustParsePrefix("10.0.0.0/24"), Out: discovery.Out{Via: discovery.OutGateway}}
	full := subnet
	full.ID, full.Name, full.Free = "subnet-2", "full", 0
	k := knowledge{facts: &stack.Facts{CallerCIDR: "203.0.113.7/32"}, region: &discovery.Region{
		Name: "us-east-1", VPCs: []discovery.VPC{{Resource: discovery.Resource{ID: "vpc-1", Name: "office"}, State: "available", Gateway: "igw-1"}, {Resource: discovery.Resource{ID: "vpc-2", Name: "lab"}, State: "available"}},
		Subnets: []discovery.Subnet{full, subnet}, Groups: []discovery.SecurityGroup{group("sg-1", "bare"), group("sg-2", "wide", everything)},
	}}
	offered := func(id string, c stack.Config) string {
		at := slices.IndexFunc(queries(), func(q query) bool { return q.id == id })
		var lines []string
		for _, o := range queries()[at].options(c, k) {
			lines = append(lines, strings.Join([]string{o.Value, o.Unfit}, " "))
		}
		return strings.Join(lines, "|")
	}
	c := baseWith(t)
	if got, want := offered("vpc_id", c), " |vpc-1 |vpc-2 lab: has no internet gateway, so nobody reaches the machine from outside"; got != want {
		t.Errorf("%q", got)
	}
	c.VPCID = "vpc-1"
	if got, want := offered("subnet_id", c), " |subnet-1 |subnet-2 full: has no free address"; got != want {
		t.Errorf("%q", got)
	}
	if got, want := offered("security_group_id", c), " |sg-2 |sg-1 "; got != want {
		t.Errorf("%q", got)
	}
	for id, want := range map[string]string{"sg-1": "true", "sg-2": "false"} {
		c.SecurityGroupID = id
		if got := lacksRules(c, k); got != want {
			t.Errorf("%s: rules are to be added: %s", id, got)
		}
	}
}
