package cli

import (
	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
)

func newPlan(a *app) *cobra.Command {
	var audit bool
	cmd := &cobra.Command{
		Use:     "plan [NAME]",
		Short:   "Show what a deploy would do and its whole price; change nothing",
		Example: "  geusemaker plan team --region eu-central-1 -o json\n  geusemaker plan --config team.yaml",
		Args:    mayName,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			if err := a.mustName(cmd, args); err != nil {
				return err
			}
			in, err := a.intend(ctx, cmd, args)
			if err != nil {
				return err
			}
			in.audit = audit
			return a.printPlan(in)
		},
		ValidArgsFunction: a.completeNames,
	}
	addConfigFlags(cmd)
	addSkipFlag(cmd)
	addAuditFlag(cmd, &audit)
	return cmd
}

func (a *app) printPlan(in *intention) error {
	image := imageOf(in.state.Facts.Image)
	doc := planDoc{
		Name: in.state.Name, Region: in.state.Region, Account: in.state.Account, Sandbox: in.state.Sandbox,
		Steps: in.plan.Steps, Rules: stack.Audit(in.graph, in.state.Facts), Cost: in.cost, Image: &image, Warnings: orEmpty(in.warnings()),
	}
	return a.print(doc, func() string { return a.planView(in) })
}
