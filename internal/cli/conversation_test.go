package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
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
	ours      policies            // that name nothing of the user's
	lent      map[string]policies // by the flags that name it
	refused   map[string]bool     // what was told already
}

// policies are the policies for each purpose, and what of them was needed.
type policies struct {
	documents map[permission.Purpose][]permission.Document
	used      map[string]bool
}

func newBench(t *testing.T) *bench {
	reference, err := permissiontest.Reference()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, reference: reference, lent: map[string]policies{}, refused: map[string]bool{}}
	b.ours = b.printed(map[string]bool{})
	return b
}

// printed are the policies that the product prints with some flags.
func (b *bench) printed(used map[string]bool, flags ...string) policies {
	home := b.TempDir()
	all := policies{map[permission.Purpose][]permission.Document{}, used}
	for _, p := range permission.Purposes() {
		cmd := exec.CommandContext(context.WithoutCancel(b.Context()), "geusemaker", append([]string{"iam", "policy", "--for", string(p), "--region", "all", "--home", home, "-o", "json"}, flags...)...)
		text, err := cmd.Output()
		if err != nil {
			b.Fatalf("%v: %v", cmd, err)
		}
		var doc struct {
			Policies []struct{ Document permission.Document }
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			b.Fatal(err)
		}
		for _, one := range doc.Policies {
			all.documents[p] = append(all.documents[p], one.Document)
		}
	}
	return all
}

// lending are the policies that the script of a process printed before it. What is needed of them is counted for all together:
// no deployment needs all that may be needed of what it reuses.
func (b *bench) lending(p invocation) policies {
	name := strings.Join(p.lent, " ")
	if _, known := b.lent[name]; !known {
		used := map[string]bool{}
		for _, other := range b.lent {
			used = other.used
		}
		b.lent[name] = b.printed(used, p.lent...)
	}
	return b.lent[name]
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
			b.borrow(p, need, purposes)
			continue
		}
		b.grant(b.ours, p, need, purposes)
		if len(p.lent) > 0 {
			b.grant(b.lending(p), p, need, purposes)
		}
	}
}

// borrow judges a need of what is the user's: policies that do not name it must not allow it, those that do must, and they must
// not allow the same on another.
func (b *bench) borrow(p invocation, need permissiontest.Need, purposes []permission.Purpose) {
	if s := need.Allowing(b.ours.documents[permission.All]); s != nil {
		b.Errorf("%s allows %s on %s, which is not ours", s.Sid, need.Action, need.Resource)
	}
	if len(p.lent) == 0 {
		b.Errorf("%v: %s on %s, which is not ours: let the script print the policies for it before", p.begun.Args, need.Action, need.Resource)
		return
	}
	lending := b.lending(p)
	b.grant(lending, p, need, purposes)
	if s := need.Elsewhere().Allowing(lending.documents[permission.All]); s != nil {
		b.Errorf("with %v %s allows %s on any %s", p.lent, s.Sid, need.Action, kind(need.Resource))
	}
}

// grant demands that the policies for one of the purposes allow what is needed, and those for all of them.
func (b *bench) grant(from policies, p invocation, need permissiontest.Need, purposes []permission.Purpose) {
	allowed := slices.ContainsFunc(purposes, func(purpose permission.Purpose) bool { return from.allow(purpose, need) })
	what := fmt.Sprintf("%s: %s on %s", p.command, need.Action, kind(need.Resource))
	if !allowed && !b.refused[what] {
		b.refused[what] = true
		b.Errorf("no policy for %v allows %s: %v asks it with %v", purposes, what, p.begun.Args, need.Context)
	}
	if !from.allow(permission.All, need) {
		b.Errorf("the policy for all does not allow %s", what)
	}
}

// kind is the part of an ARN that tells of what type the resource is.
func kind(arn string) string {
	before, _, _ := strings.Cut(arn, "/")
	return before
}

// allow reports whether the policies for a purpose allow what is needed, and notes what of them does.
func (p policies) allow(purpose permission.Purpose, need permissiontest.Need) bool {
	s := need.Allowing(p.documents[purpose])
	if s == nil {
		return false
	}
	for _, resource := range s.Resource {
		one := permission.Statement{Effect: s.Effect, Action: s.Action, Resource: []string{resource}, Condition: s.Condition}
		if need.Allowing([]permission.Document{{Statement: []permission.Statement{one}}}) != nil {
			p.used[part(purpose, s.Sid, need.Action)] = true
			p.used[part(purpose, s.Sid, resource)] = true
		}
	}
	return true
}

// part names a part of a policy: what is the user's by its type, in whichever statement it is lent.
func part(purpose permission.Purpose, sid, what string) string {
	if strings.HasPrefix(sid, lentSid) {
		sid = strings.TrimRight(sid, "0123456789")
		what = kind(what)
	}
	return fmt.Sprint(purpose, " ", sid, " ", what)
}

// lentSid begins the names of the statements that lend what is the user's.
const lentSid = "Lent"

// nothingLeftOver finds what policies allow although no command of the purpose was seen to need it.
func (b *bench) nothingLeftOver() {
	b.leftOver(b.ours, "")
	for _, lent := range b.lent {
		b.leftOver(lent, lentSid)
	}
}

func (b *bench) leftOver(of policies, sid string) {
	for purpose, documents := range of.documents {
		for _, d := range documents {
			for _, s := range d.Statement {
				for _, what := range slices.Concat(s.Action, s.Resource) {
					if strings.HasPrefix(s.Sid, sid) && !of.used[part(purpose, s.Sid, what)] && !awaited[what[strings.LastIndex(what, ":")+1:]] {
						b.Errorf("the policy for %s allows %s in its statement %s, which nothing needs", purpose, what, s.Sid)
					}
				}
			}
		}
	}
}
