package permission

import (
	"slices"
	"strings"

	"geusemaker/internal/stack"
)

// anyDeployment is what a tag of ours has to look like, whichever deployment it names.
const anyDeployment = "?*"

// reading and using narrow nothing: what is read cannot be narrowed, what is used is named in full.
func reading() guard { return guard{name: "Read"} }
func using() guard   { return guard{name: "Use"} }

// making and owning are the heart of the policies: what is made must bear our tags from the start, and only what bears them
// may be changed or deleted. So nothing of anybody else in the account is within reach (IAM user guide, "Controlling access
// to AWS resources using tags").
func making() guard { return tagged("Make", "aws:RequestTag/") }

func owning() guard {
	g := tagged("Own", "aws:ResourceTag/")
	g.ours = true
	return g
}

func tagged(name, key string) guard {
	return guard{name: name, conditions: []condition{{"StringLike", key + stack.TagStack, []string{anyDeployment}}}}
}

// tagging allows tags only as part of the call that makes the resource (EC2 user guide, "Grant permission to tag Amazon EC2
// resources during creation"; EFS user guide, "Grant permissions to tag resources during creation").
func tagging(name, service, operation string) guard {
	return when(name, making(), condition{"StringEquals", service + ":CreateAction", []string{operation}})
}

// worldwide lifts a guard's region: IAM and the Price List have none.
func worldwide(g guard) guard {
	g.name, g.global = g.name+"Global", true
	return g
}

// asks makes the grants of the operation with this action.
type asks func(action string) []grant

func nameOf(action string) string { return action[strings.Index(action, ":")+1:] }

// reads is for operations that IAM allows on everything or not at all, and for those that look for what may be there.
func reads(action string) []grant { return []grant{{action, []string{"*"}, reading()}} }

func readsGlobally(action string) []grant {
	return []grant{{action, []string{"*"}, worldwide(reading())}}
}

// none is for what needs no permission.
func none(string) []grant { return nil }

// makes is for EC2 operations that make resources of these types and tag them.
func makes(types ...string) asks {
	return func(action string) []grant {
		return []grant{
			{action, ec2ARNs(types), making()},
			{"ec2:CreateTags", ec2ARNs(types), tagging("Tag", "ec2", nameOf(action))},
		}
	}
}

// owns is for EC2 operations on resources of these types that are ours.
func owns(types ...string) asks {
	return func(action string) []grant { return []grant{{action, ec2ARNs(types), owning()}} }
}

// uses is for operations on what belongs to nobody or to the user, named in full.
func uses(resources ...string) asks {
	return func(action string) []grant { return []grant{{action, resources, using()}} }
}

// under is for operations on resources under any other guard.
func under(g guard, resources ...string) asks {
	return func(action string) []grant { return []grant{{action, resources, g}} }
}

// also adds a grant of another action.
func also(action string, of asks) asks { return func(string) []grant { return of(action) } }

// when adds conditions to a guard, under a name of its own.
func when(name string, g guard, more ...condition) guard {
	g.name, g.conditions = name, slices.Concat(g.conditions, more)
	return g
}

// ec2ARNs are the ARNs of all resources of these types. Images belong to an owner who is not in their ARN.
func ec2ARNs(types []string) []string {
	var all []string
	for _, t := range types {
		if t == "image" {
			all = append(all, "ec2:*::image/*")
			continue
		}
		all = append(all, "ec2:*:*:"+t+"/*")
	}
	return all
}

// The resources of other services that are ours by name, or lent to us.
const (
	ownRoles    = "iam::*:role/geusemaker/*"
	ownProfiles = "iam::*:instance-profile/geusemaker/*"
	// What does not exist has no path. Who may not ask for the bare name is told that access is denied, not that it is gone.
	goneRoles    = "iam::*:role/geusemaker-*"
	goneProfiles = "iam::*:instance-profile/geusemaker-*"

	ownParameters = "ssm:*:*:parameter/geusemaker/*"
	fileSystems   = "elasticfilesystem:*:*:file-system/*"
)
