package permission

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxCharacters is how long a managed policy may be, white space not counted (IAM user guide, "IAM and AWS STS quotas").
const MaxCharacters = 6144

// version is the current version of the policy language (IAM user guide, "IAM JSON policy elements: Version").
const version = "2012-10-17"

// Document is an IAM policy document.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement allows actions on resources under conditions. A condition holds when, for each operator and key, one of the
// values fits.
type Statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// Characters is the length of the document as IAM counts it.
func (d Document) Characters() int {
	text, err := json.Marshal(d)
	if err != nil {
		panic("a policy has no JSON form: " + err.Error()) // it holds texts only
	}
	return len(text)
}

// Place is where a policy is to hold.
type Place struct {
	Partition string // aws, aws-us-gov, aws-cn
	Region    string // "" for all
}

// Policies returns the least that has to be allowed for a purpose where deployments may reuse what r names, in as many documents
// as IAM's limit of their length asks for. The same purpose, place and reuse give the same text.
func Policies(p Purpose, at Place, r Reuse) []Document {
	var all []Document
	for _, s := range statements(grantsFor(p, r), at) {
		fits := slices.IndexFunc(all, func(d Document) bool {
			d.Statement = append(slices.Clone(d.Statement), s)
			return d.Characters() <= MaxCharacters
		})
		if fits < 0 {
			all = append(all, Document{Version: version})
			fits = len(all) - 1
		}
		all[fits].Statement = append(all[fits].Statement, s)
	}
	return all
}

func grantsFor(p Purpose, r Reuse) []grant {
	var all []grant
	for _, o := range operations(r) {
		if o.serves(p) {
			all = append(all, o.grants...)
		}
	}
	return all
}

// statements puts grants together as far as that allows nothing that they do not allow one by one.
func statements(all []grant, at Place) []Statement {
	var guards []string
	drafts := map[string][]*draft{}
	for _, g := range all {
		if _, known := drafts[g.guard.name]; !known {
			guards = append(guards, g.guard.name)
		}
		i := slices.IndexFunc(drafts[g.guard.name], func(d *draft) bool { return d.takes(g, all) })
		if i < 0 {
			drafts[g.guard.name] = append(drafts[g.guard.name], newDraft(g.guard))
			i = len(drafts[g.guard.name]) - 1
		}
		drafts[g.guard.name][i].add(g)
	}
	var out []Statement
	for _, name := range guards {
		for i, d := range drafts[name] {
			sid := name
			if i > 0 {
				sid = fmt.Sprint(name, i+1)
			}
			out = append(out, d.statement(sid, at))
		}
	}
	return out
}

// draft is a statement in the making.
type draft struct {
	guard              guard
	actions, resources []string
}

func newDraft(g guard) *draft {
	g.conditions = slices.Clone(g.conditions)
	return &draft{guard: g}
}

// takes reports whether a grant may join: no action of the statement may come to resources of a type that it has to do with
// but that are not granted to it so. What an action has nothing to do with does no harm beside it, and no action does where
// everything is ours.
func (d *draft) takes(g grant, all []grant) bool {
	actions, resources := union(d.actions, g.action), union(d.resources, g.resources...)
	return g.guard.ours || !slices.ContainsFunc(actions, func(action string) bool {
		var granted, types []string
		for _, other := range all {
			if other.action != action {
				continue
			}
			for _, r := range other.resources {
				types = append(types, typeOf(r))
				if other.guard.name == g.guard.name {
					granted = append(granted, r)
				}
			}
		}
		return slices.ContainsFunc(resources, func(r string) bool {
			return !slices.Contains(granted, r) && (r == "*" || slices.Contains(types, "*") || slices.Contains(types, typeOf(r)))
		})
	})
}

// typeOf is the service and the type of resource that an ARN is of, such as ec2:vpc.
func typeOf(arn string) string {
	service, rest, _ := strings.Cut(arn, ":")
	kind, _, _ := strings.Cut(rest[strings.LastIndex(rest, ":")+1:], "/")
	return strings.TrimSuffix(service+":"+kind, ":")
}

func (d *draft) add(g grant) {
	d.actions, d.resources = union(d.actions, g.action), union(d.resources, g.resources...)
	for i, c := range g.guard.conditions {
		d.guard.conditions[i].values = union(d.guard.conditions[i].values, c.values...)
	}
}

func (d *draft) statement(sid string, at Place) Statement {
	s := Statement{Sid: sid, Effect: "Allow", Action: slices.Sorted(slices.Values(d.actions))}
	for _, r := range slices.Sorted(slices.Values(d.resources)) {
		if r != "*" {
			r = "arn:" + at.Partition + ":" + r
		}
		s.Resource = append(s.Resource, r)
	}
	conditions := slices.Clone(d.guard.conditions)
	if at.Region != "" && !d.guard.global {
		conditions = append(conditions, condition{"StringEquals", "aws:RequestedRegion", []string{at.Region}})
	}
	for _, c := range conditions {
		if s.Condition == nil {
			s.Condition = map[string]map[string][]string{}
		}
		if s.Condition[c.operator] == nil {
			s.Condition[c.operator] = map[string][]string{}
		}
		s.Condition[c.operator][c.key] = slices.Sorted(slices.Values(c.values))
	}
	return s
}

func union(all []string, more ...string) []string {
	set := map[string]bool{}
	for _, s := range slices.Concat(all, more) {
		set[s] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// PartitionOf is the partition that a region belongs to (IAM user guide, "Amazon Resource Names").
func PartitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	default:
		return "aws"
	}
}
