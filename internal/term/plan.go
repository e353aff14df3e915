package term

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// PlanInput is what a plan page shows.
type PlanInput struct {
	Title   string // such as "Plan for demo"
	Sandbox bool
	// Facts say where and from what the deployment is made: account, region, image, machine.
	Facts    [][2]string
	Plan     stack.Plan
	More     []Section // after the steps
	Cost     stack.Cost
	Now      time.Time // for the age of prices
	Warnings []string
	// Idle is said of a plan that does nothing; where it is empty, that all is as it should be.
	Idle string
}

// PlanView shows what would happen, what it would cost, and what deserves a look before the answer is yes.
func PlanView(s Screen, in PlanInput) string {
	sections := []Section{{Pairs: in.Facts}}
	for _, a := range []struct {
		action stack.Action
		title  string
	}{
		{stack.ActionDelete, "To delete"},
		{stack.ActionAdopt, "To use as it is"},
		{stack.ActionCreate, "To create"},
	} {
		sections = append(sections, stepsSection(in.Plan, a.action, a.title))
	}
	sections = append(sections, otherSection(in.Plan), againSection(in.Plan), keptSection(in.Plan, in.Idle))
	sections = append(append(sections, in.More...), CostSection(in.Cost, in.Now))
	return blocks(s.Heading(in.Title, "", in.Sandbox), s.Sections(sections...), s.Warnings(in.Warnings))
}

// stepsSection is the tree of the resources to which the action happens.
func stepsSection(p stack.Plan, action stack.Action, title string) Section {
	t := &Table{Tree: true, Columns: []Column{{}, {Min: 20}, {Right: true, Drop: 1}}}
	for _, step := range p.Steps {
		if step.Action == action {
			t.Rows = append(t.Rows, Row{Cells: []string{string(step.Key), what(step), hourly(step)}})
		}
	}
	return Section{Title: fmt.Sprintf("%s (%d)", title, len(t.Rows)), Table: t}
}

// what a step is about, in words: its cause, or the kind of the resource.
func what(step stack.Step) string {
	if step.Cause != "" {
		return step.Cause
	}
	return strings.ReplaceAll(string(step.Kind), "-", " ")
}

// hourly is what a resource costs; most cost nothing, which needs no mention.
func hourly(s stack.Step) string {
	if s.Hourly == 0 {
		return ""
	}
	return Amount(s.Hourly, 4, s.Guess) + "/h"
}

// otherSection shows steps whose action has no section of its own, by the name of the action: nothing that would happen
// may be missing from a plan.
func otherSection(p stack.Plan) Section {
	t := &Table{Columns: []Column{{}, {}, {Min: 20}}}
	for _, step := range p.Steps {
		switch step.Action {
		case stack.ActionCreate, stack.ActionAdopt, stack.ActionDelete, stack.ActionKeep:
		default:
			t.Rows = append(t.Rows, Row{Cells: []string{string(step.Action), string(step.Key), step.Cause}})
		}
	}
	return Section{Title: "Also", Table: t}
}

// againSection shows what is kept but not as it is, such as the data of a machine that is made anew.
func againSection(p stack.Plan) Section {
	t := &Table{Tree: true, Columns: []Column{{}, {Min: 20}, {Right: true, Drop: 1}}}
	for _, step := range p.Steps {
		if step.Action == stack.ActionKeep && step.Unfinished {
			t.Rows = append(t.Rows, Row{Cells: []string{string(step.Key), what(step), hourly(step)}})
		}
	}
	return Section{Title: fmt.Sprintf("To keep and attach again (%d)", len(t.Rows)), Table: t}
}

// keptSection names what stays, in little space. When nothing else happens it says so.
func keptSection(p stack.Plan, idle string) Section {
	var keys []string
	for _, step := range p.Steps {
		if step.Action == stack.ActionKeep && !step.Unfinished {
			keys = append(keys, string(step.Key))
		}
	}
	switch {
	case !p.Changes():
		return Section{Lines: []string{cmp.Or(idle, "Nothing to do: everything is as it should be.")}}
	case len(keys) == 0:
		return Section{}
	default:
		return Section{Title: fmt.Sprintf("To keep (%d)", len(keys)), Notes: []string{strings.Join(keys, ", ")}}
	}
}
