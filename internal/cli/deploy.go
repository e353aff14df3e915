package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/store"
)

// deployOptions are the flags of deploy that are no keys of the configuration.
type deployOptions struct {
	planOnly   bool
	wait       string
	onFailure  string
	showLogs   string
	overBudget bool
	force      bool
	audit      bool
}

func newDeploy(a *app) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy [NAME]",
		Short: "Plan, price, confirm, create, wait until the services answer",
		Long: `Deploy shows what will be made and what it costs, asks, makes it, and waits until every service answers.

The same command goes on after any interruption: what exists already is found and kept.

Without a NAME, here or as name in the config file, it asks on a terminal for what it needs to know, tells the price as it goes,
and ends with the same plan and question, after the command line and the config file that would have said the same.`,
		Example: `  geusemaker deploy
  geusemaker deploy demo --sandbox --yes
  geusemaker deploy team --region eu-central-1 --max-hourly 0.20
  geusemaker deploy team --config team.yaml --plan`,
		Args: mayName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			err := a.mustName(cmd, args)
			if errors.Is(err, errNameless) && a.canInterview() {
				var name string
				name, err = a.interviewed(cmd.Context(), cmd)
				args = []string{name}
			}
			if err != nil {
				return err
			}
			return a.deploy(cmd.Context(), cmd, args, o)
		},
		ValidArgsFunction: a.completeNames,
	}
	addConfigFlags(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.planOnly, "plan", false, "show the plan and its price, change nothing")
	flags.StringVar(&o.wait, "wait", waitServices, "what to wait for: services that answer, instance (the machine can be managed), none")
	flags.StringVar(&o.onFailure, "on-failure", onFailureDefault, "what to do with a failed deploy: ask, rollback, keep (default: ask on a terminal, rollback otherwise; a machine whose boot failed is kept for its logs)")
	flags.StringVar(&o.showLogs, "show-logs", showAuto, "show the boot log: auto (its end, when it failed), always, never")
	addForceUnlock(cmd, &o.force)
	addSkipFlag(cmd)
	addAuditFlag(cmd, &o.audit)
	flags.BoolVar(&o.overBudget, "over-budget", false, "deploy even if max_hourly or budget_monthly is exceeded")
	return cmd
}

// Values of --wait and --on-failure.
const (
	waitServices = "services"
	waitInstance = "instance"
	waitNone     = "none"

	onFailureDefault  = ""
	onFailureAsk      = "ask"
	onFailureRollback = "rollback"
	onFailureKeep     = "keep"
)

func (o deployOptions) check() error {
	for _, f := range []struct {
		name, value string
		values      []string
	}{
		{"--wait", o.wait, []string{waitServices, waitInstance, waitNone}},
		{"--on-failure", o.onFailure, []string{onFailureDefault, onFailureAsk, onFailureRollback, onFailureKeep}},
		{"--show-logs", o.showLogs, []string{showAuto, showAlways, showNever}},
	} {
		if !slices.Contains(f.values, f.value) {
			return usage("%s: %q is not known; use %s", f.name, f.value, strings.TrimLeft(strings.Join(f.values, ", "), ", "))
		}
	}
	return nil
}

// errNameless says that no deployment was named where one must be.
var errNameless = errors.New("name one deployment")

func oneName(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usageError{err: errNameless, hints: []string{"such as: " + cmd.CommandPath() + " demo"}}
	}
	return mayName(cmd, args)
}

// mayName takes a name or none: a config file or the environment may have it.
func mayName(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return &usageError{err: fmt.Errorf("name one deployment, not %d", len(args)), hints: []string{"such as: " + cmd.CommandPath() + " demo"}}
	}
	return nil
}

// mustName reports whether a deployment is named in one way or another; errNameless says that it is not.
func (a *app) mustName(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	c, err := a.loadConfig(cmd, nil)
	if err == nil && c.Name == "" {
		err = oneName(cmd, nil)
	}
	return err
}

func (a *app) deploy(ctx context.Context, cmd *cobra.Command, args []string, o deployOptions) error {
	ctx, cancel := a.withTimeout(ctx)
	defer cancel()
	in, err := a.intend(ctx, cmd, args)
	if err != nil {
		return err
	}
	in.audit = o.audit
	if o.planOnly {
		return a.printPlan(in)
	}
	if h := in.standstill(); h != nil {
		return h
	}
	if in.plan.Changes() {
		if err := refused(ctx, in.checks); err != nil {
			return err
		}
		if err := withinBudget(in.state.Config, in.cost, o.overBudget); err != nil {
			return withAlternatives(err, in)
		}
		if err := a.confirmDeploy(ctx, in); err != nil {
			return err
		}
	}
	if !in.fresh {
		if err := in.account.MustBe(ctx, in.state.Account); err != nil {
			return err
		}
	}
	lease, err := a.lock(ctx, in.state.Name, store.Intent{Operation: "deploy", Version: version, At: in.clock.Now(), Force: o.force})
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	a.noteTakeover(lease)
	a.keepEvents(lease)
	d := &deployment{app: a, ctx: ctx, in: in, options: o, lease: lease, state: in.state.Clone()}
	return d.carryOut()
}

// addForceUnlock adds the way out of a lock whose holder cannot be seen.
func addForceUnlock(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force-unlock", false, "take the lock of an operation on another machine that has died")
}

func (a *app) noteTakeover(l *store.Lease) {
	if l.TookOver != nil {
		fmt.Fprintf(a.streams.Err, "note: an earlier operation died without finishing (%s); going on from what it recorded\n", l.TookOver)
	}
}
