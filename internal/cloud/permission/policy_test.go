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

// TestPolicies shows the policies as they are, for who reviews a change of them; -update writes them.
func TestPolicies(t *testing.T) {
	for _, p := range Purposes() {
		text, err := json.MarshalIndent(Policies(p, Place{Partition: "aws", Region: "eu-west-1"}), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, '\n')
		file := filepath.Join("testdata", string(p)+".json")
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
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
	}
}

// TestPoliciesKeepToTheGrammar holds every policy to what IAM takes (IAM user guide, "Grammar of the IAM JSON policy language"
// and "IAM and AWS STS quotas").
func TestPoliciesKeepToTheGrammar(t *testing.T) {
	sid, action := regexp.MustCompile(`^[A-Za-z0-9]+$`), regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z0-9]+$`)
	for _, at := range []Place{{"aws", ""}, {"aws", "ap-southeast-1"}, {"aws-us-gov", "us-gov-west-1"}, {"aws-cn", "cn-northwest-1"}} {
		arn := regexp.MustCompile(`^(\*|arn:` + at.Partition + `:[a-z0-9]+:\*?:(\*?):[a-zA-Z-]+/\S+)$`)
		for _, p := range Purposes() {
			for i, d := range Policies(p, at) {
				name := fmt.Sprint(p, " ", at, " ", i)
				if n := d.Characters(); n > MaxCharacters {
					t.Errorf("%s has %d characters", name, n)
				}
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
				if d.Version != "2012-10-17" {
					t.Errorf("%s has the version %q", name, d.Version)
				}
			}
		}
	}
}

// TestWhatChangesIsGuarded lets nothing but reads reach what is not ours.
func TestWhatChangesIsGuarded(t *testing.T) {
	harmless := regexp.MustCompile(`:(Describe|Get|List|Decode)`)
	for _, d := range Policies(All, Place{Partition: "aws", Region: "eu-west-1"}) {
		for _, s := range d.Statement {
			conditions, err := json.Marshal(s.Condition)
			if err != nil {
				t.Fatal(err)
			}
			guarded := strings.Contains(string(conditions), "geusemaker:stack") || strings.Contains(string(conditions), "iam:")
			for _, a := range s.Action {
				for _, r := range s.Resource {
					named := strings.Contains(r, "/geusemaker") || strings.Contains(r, "document/AWS-") || strings.Contains(r, "session/${aws:")
					lent := a == "ec2:RunInstances" && (strings.HasSuffix(r, "image/*") || strings.HasSuffix(r, "key-pair/*"))
					ofEFS := strings.HasSuffix(a, "NetworkInterface") && strings.HasSuffix(r, "network-interface/*")
					if !guarded && !named && !lent && !ofEFS && !harmless.MatchString(a) && slices.Contains(s.Action, a) && typesMeet(a, r) {
						t.Errorf("%s allows %s on %s, whoever it belongs to", s.Sid, a, r)
					}
				}
			}
			regional := !strings.Contains(s.Sid, "Global") && !strings.HasPrefix(s.Sid, "PassRole") && !strings.Contains(string(conditions), "iam:")
			if regional != strings.Contains(string(conditions), `"aws:RequestedRegion":["eu-west-1"]`) {
				t.Errorf("%s: is it about a region? %s", s.Sid, conditions)
			}
		}
	}
}

// typesMeet reports whether an action has to do with the type of a resource at all.
func typesMeet(action, resource string) bool {
	_, resource, _ = strings.Cut(strings.TrimPrefix(resource, "arn:"), ":")
	for _, g := range grantsFor(All) {
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
	documents := Policies(All, Place{Partition: "aws"})
	if len(documents) < 2 {
		t.Fatal("the policy for everything is not split")
	}
	count := 0
	for _, d := range documents {
		count += len(d.Statement)
	}
	if whole := len(statements(grantsFor(All), Place{Partition: "aws"})); count != whole {
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
