package cli_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/cloud/permission"
	"geusemaker/internal/cloud/permission/permissiontest"
	"geusemaker/internal/cloud/sandbox"
)

// purposeOf tells what somebody who runs a command wants to be allowed.
func purposeOf(command string) permission.Purpose {
	switch command {
	case "deploy", "plan", "validate", "discover", "offers", "images", "__complete":
		return permission.Deploy
	case "destroy", "orphans":
		return permission.Destroy
	default:
		return permission.Operate
	}
}

// awaited are operations that no command leads to in the pretend account.
var awaited = map[string]bool{
	"DecodeAuthorizationMessage": true, // the pretend account refuses in plain words
}

// judge holds what all scripts asked against the table of operations and its policies: whatever is asked stands in the table
// and is allowed to who runs the command. When the record is whole, nothing in the table and in the policies is left over.
func judge(t *testing.T, all []invocation, whole bool) {
	asked := map[string]bool{}
	for _, o := range permission.Operations() {
		asked[o.Service+" "+o.Name] = false
	}
	b := newBench(t)
	requests := 0
	for _, p := range all {
		if p.command == "import" || p.command == "sandbox" {
			continue // what another tool made bears neither our tags nor our names; what somebody does in the console is not ours
		}
		for _, r := range p.requests {
			requests++
			name := r.Service + " " + r.Operation
			if _, listed := asked[name]; !listed {
				t.Errorf("%s asks for %s, which is not in the table of internal/cloud/permission", p.command, name)
				continue
			}
			asked[name] = true
			b.judge(p, r)
		}
	}
	t.Logf("%d processes made %d requests of %d operations", len(all), requests, len(asked))
	if !whole {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !asked[name] && !awaited[name[strings.LastIndex(name, " ")+1:]] {
			t.Errorf("no script leads to %s: write one, or remove it from the table", name)
		}
	}
	b.nothingLeftOver()
}

// bench is where the policies stand before their judge.
type bench struct {
	*testing.T
	reference map[string]map[string]bool
	policies  map[permission.Purpose][]permission.Document
	used      map[string]bool // purpose, action and resource of statements that were needed
	refused   map[string]bool // what was told already
}

func newBench(t *testing.T) *bench {
	reference, err := permissiontest.Reference()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t, reference, map[permission.Purpose][]permission.Document{}, map[string]bool{}, map[string]bool{}}
	for _, p := range permission.Purposes() {
		b.policies[p] = permission.Policies(p, permission.Place{Partition: "aws"})
	}
	return b
}

// judge asks the policies of a command for all that a request needs. A deploy that did not end well may have removed what it
// began, which is allowed to who may destroy.
func (b *bench) judge(p invocation, r sandbox.Request) {
	needs, err := permissiontest.Needs(b.reference, r)
	if err != nil {
		b.Fatal(err)
	}
	purposes := []permission.Purpose{purposeOf(p.command)}
	if !p.done && purposes[0] == permission.Deploy {
		purposes = append(purposes, permission.Destroy)
	}
	for _, need := range needs {
		if need.Foreign && !strings.Contains(need.Action, ":Describe") && need.Action != "ec2:GetManagedPrefixListEntries" { // but for what only reads
			// What was lent by its ID has to be allowed by its ID; no policy of ours may reach what is somebody else's.
			if s := need.Allowing(b.policies[permission.All]); s != nil {
				b.Errorf("%s allows %s on %s, which is not ours", s.Sid, need.Action, need.Resource)
			}
			continue
		}
		allowed := slices.ContainsFunc(purposes, func(purpose permission.Purpose) bool { return b.allows(purpose, need) })
		what := fmt.Sprintf("%s: %s on %s", p.command, need.Action, kind(need.Resource))
		if !allowed && !b.refused[what] {
			b.refused[what] = true
			b.Errorf("no policy for %v allows %s: it is asked with %v", purposes, what, need.Context)
		}
		if !b.allows(permission.All, need) {
			b.Errorf("the policy for all does not allow %s", what)
		}
	}
}

// kind is the part of an ARN that tells of what type the resource is.
func kind(arn string) string {
	before, _, _ := strings.Cut(arn, "/")
	return before
}

func (b *bench) allows(purpose permission.Purpose, need permissiontest.Need) bool {
	s := need.Allowing(b.policies[purpose])
	if s == nil {
		return false
	}
	for _, resource := range s.Resource {
		one := permission.Statement{Effect: s.Effect, Action: s.Action, Resource: []string{resource}, Condition: s.Condition}
		if need.Allowing([]permission.Document{{Statement: []permission.Statement{one}}}) != nil {
			b.used[fmt.Sprint(purpose, s.Sid, need.Action)] = true
			b.used[fmt.Sprint(purpose, s.Sid, resource)] = true
		}
	}
	return true
}

// nothingLeftOver finds what policies allow although no command of the purpose was seen to need it.
func (b *bench) nothingLeftOver() {
	for purpose, documents := range b.policies {
		for _, d := range documents {
			for _, s := range d.Statement {
				for _, what := range slices.Concat(s.Action, s.Resource) {
					if !b.used[fmt.Sprint(purpose, s.Sid, what)] && !awaited[what[strings.LastIndex(what, ":")+1:]] {
						b.Errorf("the policy for %s allows %s in its statement %s, which nothing needs", purpose, what, s.Sid)
					}
				}
			}
		}
	}
}
