package permissiontest

import (
	"maps"
	"path"
	"slices"
	"strings"

	"geusemaker/internal/cloud/permission"
)

// Need is one thing that IAM decides on: an action on a resource, with the context of the request.
type Need struct {
	Action   string
	Resource string // ARN, or *
	Context  map[string]string
	Foreign  bool // the resource exists and bears no tag of ours: somebody else's, and at most lent to us
}

// Elsewhere is the same need on another resource of its type, in another VPC.
func (n Need) Elsewhere() Need {
	n.Resource = n.Resource[:strings.LastIndex(n.Resource, "/")+1] + "another"
	n.Context = maps.Clone(n.Context)
	if vpc, inside := n.Context["ec2:Vpc"]; inside {
		n.Context["ec2:Vpc"] = vpc[:strings.LastIndex(vpc, "/")+1] + "another"
	}
	return n
}

// Allowing returns the first statement that allows a need, as IAM evaluates an identity policy: the action, the resource and
// every condition have to fit; a condition whose key is not in the context does not (IAM user guide, "Policy evaluation logic"
// and "IAM JSON policy elements: Condition operators"). Operators that our policies do not use are refused.
func (n Need) Allowing(documents []permission.Document) *permission.Statement {
	for _, d := range documents {
		for _, s := range d.Statement {
			if s.Effect == "Allow" && slices.Contains(s.Action, n.Action) && slices.ContainsFunc(s.Resource, n.on) && n.under(s.Condition) {
				return &s
			}
		}
	}
	return nil
}

// on reports whether a pattern of resources fits. A variable that the context does not have fits nothing.
func (n Need) on(pattern string) bool {
	for _, variable := range []string{"aws:username", "aws:userid"} {
		if strings.Contains(pattern, "${"+variable+"}") {
			if n.Context[variable] == "" {
				return false
			}
			pattern = strings.ReplaceAll(pattern, "${"+variable+"}", n.Context[variable])
		}
	}
	return like(pattern, n.Resource)
}

func (n Need) under(conditions map[string]map[string][]string) bool {
	for operator, keys := range conditions {
		for key, values := range keys {
			value, known := n.Context[key]
			fits := func(pattern string) bool {
				switch operator {
				case "StringEquals":
					return pattern == value
				case "StringLike", "ArnLike":
					return like(pattern, value)
				default:
					panic("the operator " + operator + " is not known here")
				}
			}
			if !known || !slices.ContainsFunc(values, fits) {
				return false
			}
		}
	}
	return true
}

// like matches * and ? as IAM does: both stand for any character, the slash too.
func like(pattern, text string) bool {
	escape := strings.NewReplacer("/", "\x01", `\`, `\\`, "[", `\[`)
	ok, err := path.Match(escape.Replace(pattern), strings.ReplaceAll(text, "/", "\x01"))
	return err == nil && ok
}
