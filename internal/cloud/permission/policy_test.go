package permission

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// reuses are ways to use what is the user's, by the end of the names of their golden files.
func reuses() map[string]Reuse {
	return map[string]Reuse{
		"":             {},
		"-vpc":         {VPC: "vpc-0123456789abcdef0"},
		"-file-system": {FileSystem: "fs-0123456789abcdef0"},
		"-everything": {
			VPC: "vpc-0123456789abcdef0", Subnet: "subnet-0123456789abcdef0", Group: "sg-0123456789abcdef0", FileSystem: "fs-0123456789abcdef0",
			KeyPair: "laptop", AddRules: true, MountGroups: []string{"sg-0123456789abcdef1"},
		},
	}
}

// TestPolicies shows the policies as they are, for who reviews a change of them; -update writes them.
func TestPolicies(t *testing.T) {
	for name, r := range reuses() {
		for _, p := range Purposes() {
			if name == "" || p == Deploy || p == Destroy {
				golden(t, string(p)+name+".json", Policies(p, Place{Partition: "aws", Region: "eu-west-1"}, r))
			}
		}
	}
}

func golden(t *testing.T, name string, documents []Document) {
	t.Helper()
	text, err := json.MarshalIndent(documents, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestPoliciesKeepToTheGrammar holds every policy to what IAM takes (IAM user guide, "Grammar of the IAM JSON policy language"
// and "IAM and AWS STS quotas").
func TestPoliciesKeepToTheGrammar(t *testing.T) {
	sid, action := regexp.MustCompile(`^[A-Za-z0-9]+$`), regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z0-9]+$`)
	for _, at := range []Place{{"aws", ""}, {"aws", "ap-southeast-1"}, {"aws-us-gov", "us-gov-west-1"}, {"aws-cn", "cn-northwest-1"}} {
		arn := regexp.MustCompile(`^(\*|arn:` + at.Partition + `:[a-z0-9]+:\*?:(\*?):[a-zA-Z-]+/\S+)$`)
		for reused, r := range reuses() {
			for _, p := range Purposes() {
				for i, d := range Policies(p, at, r) {
					name := fmt.Sprint(p, reused, " ", at, " ", i)
					if n := d.Characters(); n > MaxCharacters {
						t.Errorf("%s has %d characters", name, n)
					}
					if d.Version != "2012-10-17" {
						t.Errorf("%s has the version %q", name, d.Version)
					}
					checkStatements(t, name, d, sid, action, arn)
				}
			}
		}
	}
}

func checkStatements(t *testing.T, name string, d Document, sid, action, arn *regexp.Regexp) {
	t.Helper()
	var sids []string
	for _, s := range d.Statement {
		if !sid.MatchString(s.Sid) || slices.Contains(sids, s.Sid) {
			t.Errorf("%s: the Sid %q is not of letters and digits, or used twice", name, s.Sid)
		}
		sids = append(sids, s.Sid)
		if s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
			t.Errorf("%s: %s allows nothing", name, s.Sid)
		}
		for _, a := range s.Action {
			if !action.MatchString(a) {
				t.Errorf("%s: %s has the action %q; each is named in full", name, s.Sid, a)
			}
		}
		for _, r := range s.Resource {
			if !arn.MatchString(r) {
				t.Errorf("%s: %s has the resource %q", name, s.Sid, r)
			}
		}
	}
}

// TestWhatChangesIsGuarded lets nothing but reads reach what is not ours, but for what is named in full.
func TestWhatChangesIsGuarded(t *testing.T) {
	for name, r := range reuses() {
		for _, d := range Policies(All, Place{Partition: "aws", Region: "eu-west-1"}, r) {
			for _, s := range d.Statement {
				checkGuard(t, "all"+name, s)
			}
		}
	}
}

func checkGuard(t *testing.T, name string, s Statement) {
	t.Helper()
	harmless, theirs := regexp.MustCompile(`:(Describe|Get|List|Decode)`), regexp.MustCompile(`/((vpc|subnet|sg|fs)-[0-9a-f]{17}|laptop)$`)
	text, err := json.Marshal(s.Condition)
	if err != nil {
		t.Fatal(err)
	}
	conditions := string(text)
	guarded := strings.Contains(conditions, "geusemaker:stack") || strings.Contains(conditions, "iam:") ||
		strings.Contains(conditions, `"ec2:Vpc":["arn:*:ec2:*:*:vpc/vpc-0123456789abcdef0"]`)
	for _, a := range s.Action {
		for _, r := range s.Resource {
			ours := strings.Contains(r, "/geusemaker") || strings.Contains(r, "document/AWS-") || strings.Contains(r, "session/${aws:")
			image := a == "ec2:RunInstances" && strings.HasSuffix(r, "image/*")
			ofEFS := strings.HasSuffix(a, "NetworkInterface") && strings.HasSuffix(r, "network-interface/*")
			if !guarded && !ours && !theirs.MatchString(r) && !image && !ofEFS && !harmless.MatchString(a) && typesMeet(a, r) {
				t.Errorf("%s: %s allows %s on %s, whoever it belongs to", name, s.Sid, a, r)
			}
		}
	}
	regional := !strings.Contains(s.Sid, "Global") && !strings.HasPrefix(s.Sid, "PassRole") && !strings.Contains(conditions, "iam:")
	if regional != strings.Contains(conditions, `"aws:RequestedRegion":["eu-west-1"]`) {
		t.Errorf("%s: %s: is it about a region? %s", name, s.Sid, conditions)
	}
}

// TestNamesAreNoPatterns holds that a key pair that is called like a pattern, or like a variable, is that key pair only.
func TestNamesAreNoPatterns(t *testing.T) {
	text, err := json.Marshal(Policies(Deploy, Place{Partition: "aws"}, Reuse{KeyPair: "*a?${aws:username}"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `arn:aws:ec2:*:*:key-pair/${*}a${?}${$}{aws:username}"`; !strings.Contains(string(text), want) {
		t.Errorf("no %s in %s", want, text)
	}
}

// TestRulesOfTheUsersGroupsAreAFlagOfTheirOwn lets nobody touch the rules of a group that may only be used.
func TestRulesOfTheUsersGroupsAreAFlagOfTheirOwn(t *testing.T) {
	for _, add := range []bool{false, true} {
		r := reuses()["-everything"]
		r.AddRules = add
		for _, action := range []string{"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"} {
			for group, want := range map[string]bool{r.Group: add, r.MountGroups[0]: add && strings.HasSuffix(action, "Ingress")} {
				got := slices.ContainsFunc(grantsFor(All, r), func(g grant) bool {
					return g.action == "ec2:"+action && slices.Contains(g.resources, "ec2:*:*:security-group/"+group)
				})
				if got != want {
					t.Errorf("add rules %t: %s on %s: %t", add, action, group, got)
				}
			}
		}
	}
}

// typesMeet reports whether an action has to do with the type of a resource at all.
func typesMeet(action, resource string) bool {
	_, resource, _ = strings.Cut(strings.TrimPrefix(resource, "arn:"), ":")
	for _, g := range grantsFor(All, whole()) {
		if g.action == action && slices.ContainsFunc(g.resources, func(r string) bool { return r == "*" || typeOf(r) == typeOf(resource) }) {
			return true
		}
	}
	return false
}

func TestTwoThingsAreNotPutTogetherWhenThatAllowsMore(t *testing.T) {
	grants := []grant{
		{"ssm:GetParameter", []string{"ssm:*::parameter/aws/*"}, using()},
		{"ssm:DeleteParameter", []string{"ssm:*:*:parameter/ours/*"}, using()},
		{"ec2:RunInstances", []string{"ec2:*::image/*"}, using()},
		{"ec2:DescribeImages", []string{"*"}, using()},
	}
	got := statements(grants, Place{Partition: "aws"})
	var together [][]string
	for _, s := range got {
		together = append(together, s.Action)
	}
	want := [][]string{{"ec2:RunInstances", "ssm:GetParameter"}, {"ssm:DeleteParameter"}, {"ec2:DescribeImages"}}
	if diff := cmp.Diff(want, together); diff != "" {
		t.Error(diff)
	}
}

func TestLongPoliciesAreSplit(t *testing.T) {
	documents := Policies(All, Place{Partition: "aws"}, Reuse{})
	if len(documents) < 2 {
		t.Fatal("the policy for everything is not split")
	}
	count := 0
	for _, d := range documents {
		count += len(d.Statement)
	}
	if whole := len(statements(grantsFor(All, Reuse{}), Place{Partition: "aws"})); count != whole {
		t.Errorf("%d statements of %d", count, whole)
	}
}

func TestPartitions(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "aws", "us-gov-east-1": "aws-us-gov", "cn-north-1": "aws-cn", "": "aws"} {
		if got := PartitionOf(region); got != want {
			t.Errorf("%q: %s", region, got)
		}
	}
}
