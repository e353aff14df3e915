package permission

import "slices"

// Purpose is what somebody wants to be allowed to do.
type Purpose string

// The purposes, and their union.
const (
	Deploy  Purpose = "deploy"  // plan, validate, discover, offers, images; deploy until it succeeds
	Operate Purpose = "operate" // all that looks at deployments and connects to them
	Destroy Purpose = "destroy" // destroy and orphans, and the removal of what a failed deploy began
	All     Purpose = "all"
)

// Purposes lists the purposes that a policy can be asked for.
func Purposes() []Purpose { return []Purpose{Deploy, Operate, Destroy, All} }

// Operation is one operation of an AWS service that geusemaker calls.
type Operation struct {
	Service  string // as the SDK names it
	Name     string
	Purposes []Purpose
	Why      string
	Moto     bool // the judges ask it of moto, too, which answers it
	grants   []grant
}

// Actions lists the actions that IAM has to allow for the operation, its own first; none where IAM asks for nothing.
func (o Operation) Actions() []string {
	var all []string
	for _, g := range o.grants {
		if !slices.Contains(all, g.action) {
			all = append(all, g.action)
		}
	}
	return all
}

// serves reports whether the operation is made for a purpose.
func (o Operation) serves(p Purpose) bool { return p == All || slices.Contains(o.Purposes, p) }

// grant is one thing that IAM has to allow: an action on resources, under a guard.
type grant struct {
	action    string
	resources []string // ARNs after the partition, or *
	guard     guard
}

// guard says how far a grant is narrowed beyond its resources.
type guard struct {
	name       string // begins the Sid of its statements
	global     bool   // the service has one endpoint for all regions, so no region can be required
	ours       bool   // whatever the action, it reaches nothing of anybody else
	conditions []condition
}

// condition is one line of a statement's Condition. It holds when the key has one of the values.
type condition struct {
	operator, key string
	values        []string
}
