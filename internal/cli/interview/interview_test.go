package interview

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
func through(t *testing.T, i *Interview, answers map[string]string) []string {
	t.Helper()
	var asked []string
	for range 40 {
		q, more := i.Next()
		if !more {
			return asked
		}
		asked = append(asked, q.ID)
		value, given := answers[q.ID]
		if c := i.Config(); !given {
			value = c.Text(q.ID)
			if q.usual != nil {
				value = q.usual(c, Knowledge{})
			}
		}
		if err := i.Answer(q, value, Knowledge{}); err != nil {
			t.Fatalf("%s = %q: %v", q.ID, value, err)
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
			got := strings.Join(through(t, New(baseWith(t, c.base...), nil), c.answers), " ")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGoingBackAsksAgainAndKeepsTheAnswerAsTheUsualOne(t *testing.T) {
	i := New(baseWith(t), nil)
	i.Back() // nothing is before the first question
	for _, value := range []string{"quick", "team", "eu-central-1"} {
		q, _ := i.Next()
		if err := i.Answer(q, value, Knowledge{}); err != nil {
			t.Fatal(err)
		}
	}
	i.Back()
	i.Back()
	for id, want := range map[string]string{"region": "eu-central-1", "name": "team"} {
		if got, answered := i.last(id); got != want || !answered {
			t.Errorf("the answer to %s was %q", id, got)
		}
	}
	if q, _ := i.Next(); q.ID != "name" || i.Config().Name != "" || i.Config().Region != "us-east-1" {
		t.Errorf("it goes on with %s of %+v", q.ID, i.Config())
	}
}

// An answer that made sense for another one falls with it, and one that no longer has a place says nothing.
func TestAnswersFallWithWhatTheyRestedOn(t *testing.T) {
	i := New(baseWith(t), nil)
	through(t, i, map[string]string{"path": "advanced", "name": "team", "architecture": "x86_64", "instance_type": "m7i.large", "key_pair": "me", "https": "acme", "domain": "a.example.com"})
	if c := i.Config(); c.InstanceType != "m7i.large" || c.KeyPair != "me" || c.Domain != "a.example.com" {
		t.Fatalf("%+v", c)
	}
	byID := map[string]Query{}
	for _, q := range queries() {
		byID[q.ID] = q
	}
	if err := i.Answer(byID["architecture"], "arm64", Knowledge{}); err != nil {
		t.Fatal(err)
	}
	if q, more := i.Next(); !more || q.ID != "instance_type" || i.Config().InstanceType != stack.Auto {
		t.Errorf("the machine of another architecture stays: next is %s", q.ID)
	}
	if err := i.Answer(byID["region"], "eu-west-1", Knowledge{}); err != nil {
		t.Fatal(err)
	}
	if i.Config().KeyPair != "" {
		t.Error("a key pair of another region stays")
	}
	if err := i.Answer(byID["https"], "internal", Knowledge{}); err != nil {
		t.Fatal(err)
	}
	if i.Config().Domain != "" {
		t.Error("a host name without a certificate stays")
	}
	if err := i.Answer(byID["path"], "quick", Knowledge{}); err != nil {
		t.Fatal(err)
	}
	if c := i.Config(); c.Architecture != "x86_64" {
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
		i := New(baseWith(t), nil)
		i.answers[pathID] = pathAdvanced
		at := slices.IndexFunc(queries(), func(q Query) bool { return q.ID == c.id })
		err := i.Answer(queries()[at], c.value, Knowledge{Names: []string{"taken"}, Regions: []string{"us-east-1", "eu-west-1"}})
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
	i := New(baseWith(t), refuse)
	through(t, i, map[string]string{"path": "advanced", "name": "team", "os_type": "ubuntu-22.04", "data_gib": "100"})
	if err := i.Reopen(); err == nil || !strings.Contains(err.Error(), "has no such disk") {
		t.Errorf("%v", err)
	}
	if q, more := i.Next(); !more || q.ID != "os_type" {
		t.Errorf("it goes on with %s", q.ID)
	}
	through(t, i, map[string]string{"name": "team", "data_gib": "100"})
	if err := i.Reopen(); err != nil {
		t.Error(err)
	}
}

// Every question explains itself, and stands for a key that exists.
func TestEveryQuestionExplainsItself(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range queries() {
		if seen[q.ID] || len(q.explain) < 40 || !strings.HasSuffix(q.text, "?") || q.heading == "" {
			t.Errorf("question %s: %q, %q", q.ID, q.text, q.explain)
		}
		seen[q.ID] = true
		if _, err := stack.FieldFor(q.ID); err != nil && q.ID != pathID {
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
	k := Knowledge{Markets: map[string]stack.Facts{MarketOf(baseWith(t)): {CallerCIDR: "203.0.113.7/32"}}, Region: &discovery.Region{
		Name: "us-east-1", VPCs: []discovery.VPC{{Resource: discovery.Resource{ID: "vpc-1", Name: "office"}, State: "available", Gateway: "igw-1"}, {Resource: discovery.Resource{ID: "vpc-2", Name: "lab"}, State: "available"}},
		Subnets: []discovery.Subnet{full, subnet}, Groups: []discovery.SecurityGroup{group("sg-1", "bare"), group("sg-2", "wide", everything)},
	}}
	offered := func(id string, c stack.Config) string {
		at := slices.IndexFunc(queries(), func(q Query) bool { return q.ID == id })
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
