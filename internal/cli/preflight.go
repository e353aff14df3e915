package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/market"
	"geusemaker/internal/stack"
)

// skipFlag is the flag that leaves a check out.
const skipFlag = "skip-check"

func addSkipFlag(cmd *cobra.Command) {
	ids := market.Skippable()
	cmd.Flags().StringSlice(skipFlag, nil, "leave out a pre-flight check (repeatable): "+strings.Join(ids, ", "))
	_ = cmd.RegisterFlagCompletionFunc(skipFlag, cobra.FixedCompletions(ids, cobra.ShellCompDirectiveNoFileComp))
}

// skipped are the checks that the user leaves out.
func skipped(cmd *cobra.Command) ([]string, error) {
	ids, _ := cmd.Flags().GetStringSlice(skipFlag)
	known := market.Skippable()
	for _, id := range ids {
		switch {
		case slices.Contains(known, id):
		case slices.Contains(market.CheckIDs(), id):
			return nil, usage("--%s: %s cannot be left out: without it nothing can be planned", skipFlag, id)
		default:
			e := &usageError{err: fmt.Errorf("--%s: there is no check %q; use %s", skipFlag, id, strings.Join(known, ", "))}
			if near := stack.Nearest(id, known); near != "" {
				e.hints = []string{"did you mean " + near + "?"}
			}
			return nil, e
		}
	}
	return ids, nil
}

// warnings are those of the facts, and of the checks that say more. The errors of checks are among them: a plan may be looked
// at although it could not be carried out.
func (in *intention) warnings() []string {
	all := append(exposure(in), in.state.Facts.Warnings...)
	if in.plan.Changes() {
		all = append(all, raisedRoot(in.state.Config, in.state.Facts.Image)...)
	}
	if in.unasked != "" {
		all = append(all, in.unasked)
	}
	if h := in.standstill(); h != nil {
		all = append(all, "the deploy would fail: "+h.Error()+"; "+h.hints[0])
	}
	if err := withinBudget(in.state.Config, in.cost, false); err != nil && in.plan.Changes() {
		all = append(all, err.Error()+"; a deploy refuses that without --over-budget")
	}
	for _, c := range in.checks {
		switch {
		case c.Told || c.Level == market.LevelInfo:
		case c.Level == market.LevelError:
			all = append(all, "the deploy would fail: "+sentence(c))
		default:
			all = append(all, sentence(c))
		}
	}
	return all
}

// raisedRoot warns of a root volume that will be larger, and cost more, than was asked for.
func raisedRoot(c stack.Config, image stack.Image) []string {
	need := stack.RootGiB(c, image)
	if c.RootGiB == 0 || c.RootGiB >= need {
		return nil
	}
	return []string{fmt.Sprintf("root_gib %d is less than the image and the stack need: %d is used", c.RootGiB, need)}
}

// sentence is a check in words, with what to do.
func sentence(c market.Check) string {
	if c.Next == "" {
		return finding(c)
	}
	return finding(c) + "; " + c.Next
}

// finding is the reason of a check under its name. A mistake in the configuration names its key already.
func finding(c market.Check) string {
	if errors.As(c.Err, new(*stack.FieldError)) {
		return c.Reason
	}
	return c.ID + ": " + c.Reason
}

// refused is the error of checks that failed, with the exit code of the first; nil when none did.
func refused(ctx context.Context, checks []market.Check) error {
	var failed []market.Check
	for _, c := range checks {
		if c.Level == market.LevelError {
			failed = append(failed, c)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	first := explain(ctx, failed[0].Err)
	e := &hinted{code: first.Code, kind: first.Kind, details: map[string]any{"checks": failed}}
	var reasons, skippable []string
	for _, c := range failed {
		reasons = append(reasons, finding(c))
		if c.Next != "" {
			e.hints = append(e.hints, c.Next)
		}
		if slices.Contains(market.Skippable(), c.ID) && !slices.Contains(skippable, c.ID) {
			skippable = append(skippable, c.ID)
		}
	}
	if len(skippable) > 0 {
		e.hints = append(e.hints, fmt.Sprintf("to try all the same, pass --%s %s", skipFlag, strings.Join(skippable, ",")))
	}
	e.err = errors.New(strings.Join(reasons, "\n"))
	return e
}
