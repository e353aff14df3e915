package cli

import (
	"github.com/spf13/cobra"
)

func newPlan(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plan NAME",
		Short:   "Show what a deploy would do and its whole price; change nothing",
		Example: "  geusemaker plan team --region eu-central-1 -o json",
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			in, err := a.intend(ctx, cmd, args)
			if err != nil {
				return err
			}
			return a.printPlan(in)
		},
		ValidArgsFunction: a.completeNames,
	}
	addConfigFlags(cmd)
	addSkipFlag(cmd)
	return cmd
}

func (a *app) printPlan(in *intention) error {
	image := imageOf(in.state.Facts.Image)
	doc := planDoc{
		Name: in.state.Name, Region: in.state.Region, Account: in.state.Account, Sandbox: in.state.Sandbox,
		Steps: in.plan.Steps, Cost: in.cost, Image: &image, Warnings: orEmpty(in.warnings()),
	}
	return a.print(doc, func() string { return a.planView(in) })
}
