package stack

import (
	"fmt"
	"strings"
)

// Action is what a step does to a resource.
type Action string

// The actions that a plan can hold.
const (
	ActionCreate Action = "create"
	ActionAdopt  Action = "adopt"
	ActionKeep   Action = "keep"
	ActionDelete Action = "delete"
)

// Step is what will happen to one resource, and why.
type Step struct {
	Key    Key    `json:"key"`
	Kind   Kind   `json:"kind"`
	Action Action `json:"action"`
	Cause  string `json:"cause"`
	Needs  []Key  `json:"needs"`
	// NeedsID are those of Needs that need not be ready: that they have an ID is enough. NeedsLate are those that are needed
	// only after the create call.
	NeedsID    []Key      `json:"needs_id,omitempty"`
	NeedsLate  []Key      `json:"needs_late,omitempty"`
	Hourly     Money      `json:"hourly"`
	Guess      bool       `json:"guess"` // Hourly rests on an assumption
	Provenance Provenance `json:"provenance"`
	// Unfinished is a resource that is kept, but not as it is: it outlives what it belongs to, which is made anew.
	Unfinished bool `json:"-"`
}

// Plan is what will happen, in an order that respects what needs what. Steps that do not need one another run at once.
type Plan struct{ Steps []Step }

// Changes reports whether the plan does anything.
func (p Plan) Changes() bool {
	for _, s := range p.Steps {
		if s.Action != ActionKeep || s.Unfinished {
			return true
		}
	}
	return false
}

// Count counts the steps with the action.
func (p Plan) Count(a Action) int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == a {
			n++
		}
	}
	return n
}

// String is the plan as text, a line a step: the form in which tests compare plans.
func (p Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s [%s]", s.Action, s.Key, s.Kind)
		if s.Cause != "" {
			fmt.Fprintf(&b, ", %s", s.Cause)
		}
		for i, n := range s.Needs {
			if i == 0 {
				b.WriteString(" after ")
			} else {
				b.WriteString(", ")
			}
			b.WriteString(string(n))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
