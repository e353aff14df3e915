package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/market"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
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
}

func newDeploy(a *app) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy NAME",
		Short: "Plan, price, confirm, create, wait until the services answer",
		Long: `Deploy shows what will be made and what it costs, asks, makes it, and waits until every service answers.

The same command goes on after any interruption: what exists already is found and kept.`,
		Example: `  geusemaker deploy demo --sandbox --yes
  geusemaker deploy team --region eu-central-1 --max-hourly 0.20
  geusemaker deploy team --config team.yaml --plan`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
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
	flags.StringVar(&o.onFailure, "on-failure", onFailureDefault, "what to do with a failed deploy: ask, rollback, keep (default: ask on a terminal, rollback otherwise)")
	flags.StringVar(&o.showLogs, "show-logs", showAuto, "show the boot log: auto (its end, when it failed), always, never")
	addForceUnlock(cmd, &o.force)
	addSkipFlag(cmd)
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

func oneName(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	e := &usageError{err: errors.New("name one deployment"), hints: []string{"such as: " + cmd.CommandPath() + " demo"}}
	if len(args) > 1 {
		e.err = fmt.Errorf("name one deployment, not %d", len(args))
	}
	return e
}

// intention is a deploy that was thought through but not begun.
type intention struct {
	state   stack.State // as saved, or new
	graph   stack.Graph
	plan    stack.Plan
	cost    stack.Cost
	account *cloud.Account
	clock   engine.Clock
	fresh   bool
	skip    []string       // pre-flight checks that are left out
	checks  []market.Check // of a deployment that is new
}

func (a *app) deploy(ctx context.Context, cmd *cobra.Command, args []string, o deployOptions) error {
	ctx, cancel := a.withTimeout(ctx)
	defer cancel()
	in, err := a.intend(ctx, cmd, args)
	if err != nil {
		return err
	}
	if o.planOnly {
		return a.printPlan(in)
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
	home, err := a.home()
	if err != nil {
		return err
	}
	lease, err := home.Lock(ctx, in.state.Name, store.Intent{Operation: "deploy", Version: version, At: in.clock.Now(), Force: o.force})
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	a.noteTakeover(lease)
	a.keepEvents(lease)
	d := &deployment{app: a, ctx: ctx, in: in, options: o, lease: lease, state: in.state.Clone()}
	return d.carryOut()
}

// intend loads the configuration and what is known of the deployment, finds the facts, and makes the plan. It changes
// nothing.
func (a *app) intend(ctx context.Context, cmd *cobra.Command, args []string) (*intention, error) {
	c, err := a.loadConfig(cmd, args)
	if err != nil {
		return nil, err
	}
	in := &intention{}
	if in.skip, err = skipped(cmd); err != nil {
		return nil, err
	}
	saved, known, err := a.saved(c.Name)
	if err != nil {
		return nil, err
	}
	if known {
		if err := a.needSameAccount(saved); err != nil {
			return nil, err
		}
		if err := resumable(saved, &c); err != nil {
			return nil, err
		}
		c = resumed(saved, c)
	} else if err := a.region(ctx, &c); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if in.clock, err = a.clock(); err != nil {
		return nil, err
	}
	if in.account, err = a.openAccount(ctx, c.Region); err != nil {
		return nil, err
	}
	in.fresh, in.state = !known, saved
	if in.fresh && c.EFSID != "" {
		in.fresh = false
		if in.state, err = a.attached(ctx, &c, in); err != nil {
			return nil, err
		}
	}
	if in.fresh {
		if in.state, err = a.newState(ctx, c, in); err != nil {
			return nil, err
		}
	} else if err := a.refit(ctx, c, in); err != nil {
		return nil, err
	}
	if in.graph, err = stack.Blueprint(in.state.Identity, c, in.state.Facts); err != nil {
		return nil, err
	}
	in.cost = in.state.Cost(in.clock.Now())
	in.plan = engine.PlanApply(in.graph, in.state, in.cost)
	return in, nil
}

// saved returns what is on disk of a deployment, if anything is.
func (a *app) saved(name string) (stack.State, bool, error) {
	if !stack.ValidName(name) {
		return stack.State{}, false, nil // Validate will say so
	}
	home, err := a.home()
	if err != nil {
		return stack.State{}, false, err
	}
	s, err := home.Load(name)
	if errors.Is(err, store.ErrNotExist) {
		return stack.State{}, false, nil
	}
	return s, err == nil, err
}

// resumable refuses to go on with a deployment in a way that its owner cannot have meant: half destroyed, or with other
// values than it was begun with.
func resumable(s stack.State, c *stack.Config) error {
	switch {
	case s.Imported != "":
		return &hinted{
			err: fmt.Errorf("%s was imported from %s: it can be listed, inspected and destroyed, but not deployed again", s.Name, s.Imported), code: exitUsage, kind: "usage",
			hints: []string{"deploy under another name"},
		}
	case s.Operation.Kind == "destroy" && !s.DataKept():
		return &hinted{
			err: fmt.Errorf("the removal of %s has begun", s.Name), code: exitPartial, kind: "partial",
			hints: []string{fmt.Sprintf("finish it with `%s`, then deploy again", destroyCommand(s))},
		}
	}
	var problems []error
	for _, key := range c.Differences(&s.Config) {
		if !c.IsSet(key) || replaceable(s, key, c.Text(key)) {
			continue
		}
		problems = append(problems, &stack.FieldError{
			Key: key, Source: c.SourceOf(key),
			Problem: fmt.Sprintf("%s was deployed with %q and cannot change to %q", s.Name, s.Config.Text(key), c.Text(key)),
			Fix:     "leave it out, or destroy the deployment first",
		})
	}
	return errors.Join(problems...)
}

// newState begins the record of a deployment that does not exist yet.
func (a *app) newState(ctx context.Context, c stack.Config, in *intention) (stack.State, error) {
	facts, checks, err := in.account.Preflight(ctx, c, in.skip, nil)
	if err != nil {
		return stack.State{}, err
	}
	in.checks = checks
	now := in.clock.Now().UTC()
	return stack.State{
		Version: stack.StateVersion, Tool: version,
		Identity:  stack.Identity{ID: strings.ToLower(rand.Text()[:12]), Name: c.Name, Account: facts.Account, Region: c.Region, Tier: c.Tier},
		Sandbox:   a.global.sandbox,
		Config:    c,
		Facts:     facts,
		Records:   map[stack.Key]stack.Record{},
		CreatedAt: now, UpdatedAt: now,
	}, nil
}

// withinBudget refuses a plan that costs more than the user allows.
func withinBudget(c stack.Config, cost stack.Cost, over bool) error {
	var problem error
	switch {
	case over:
	case c.MaxHourly > 0 && cost.Hourly > c.MaxHourly:
		problem = fmt.Errorf("the deployment would cost %s an hour, more than max_hourly %s", cost.Hourly.Format(4), c.MaxHourly.Format(4))
	case c.BudgetMonthly > 0 && cost.Monthly > c.BudgetMonthly:
		problem = fmt.Errorf("the deployment would cost %s a month, more than budget_monthly %s", cost.Monthly.Format(2), c.BudgetMonthly.Format(2))
	}
	if problem == nil {
		return nil
	}
	return &hinted{
		err: problem, code: exitBudget, kind: "over-budget",
		hints: []string{"choose a smaller --instance-type or less --data-gib, or pass --over-budget"},
	}
}

func (a *app) confirmDeploy(ctx context.Context, in *intention) error {
	if a.global.yes {
		return nil
	}
	if !a.streams.CanPrompt() {
		return &usageError{
			err:   errors.New("a deploy creates resources that cost money, and there is no terminal to ask on"),
			hints: []string{"look at the plan with --plan, then pass --yes"},
		}
	}
	fmt.Fprint(a.streams.Err, a.planView(in))
	verb := "Create"
	if !in.fresh {
		verb = "Go on with"
	}
	yes, err := a.prompter().Confirm(ctx, fmt.Sprintf("%s %s in %s?", verb, in.state.Name, in.state.Region), false)
	if err == nil && !yes {
		return &hinted{err: errors.New("nothing was changed"), code: exitInterrupted, kind: "cancelled"}
	}
	return err
}

// deployment is a deploy that is being carried out.
type deployment struct {
	*app
	ctx     context.Context
	in      *intention
	options deployOptions
	lease   *store.Lease
	state   stack.State
	log     string
}

func (d *deployment) engine(sink engine.Sink) engine.Engine {
	return engine.Engine{Drivers: d.in.account.Drivers(), Save: d.lease.Save, Sink: sink, Clock: d.in.clock, Version: version}
}

// carryOut applies the plan, waits for what the user waits for, and shows what there is now.
func (d *deployment) carryOut() error {
	d.state.Operation = stack.Operation{Kind: "deploy", StartedAt: d.in.clock.Now().UTC()}
	if err := d.save(); err != nil {
		return err
	}
	progress := d.progress("deploy "+d.state.Name, d.in.clock)
	sink := d.logged(progress.Event)
	sink(engine.Event{Type: engine.EventPlan, Time: d.in.clock.Now(), Plan: &d.in.plan})
	for _, w := range d.in.warnings() {
		sink(engine.Event{Type: engine.EventWarning, Time: d.in.clock.Now(), Text: w})
	}
	began, err := d.engine(sink).Apply(d.ctx, d.in.graph, &d.state)
	if err == nil {
		err = d.await(sink)
	} else {
		progress.Close()
		return d.failed(err, began)
	}
	progress.Close()
	d.finish(err)
	if saveErr := d.save(); saveErr != nil {
		err = errors.Join(err, saveErr)
	}
	d.keepLog()
	if err != nil {
		return d.unhealthy(err)
	}
	return d.show()
}

// await waits for what --wait names and keeps what it saw.
func (d *deployment) await(sink engine.Sink) error {
	m, _ := d.state.Machine()
	d.state.Endpoints = host.Endpoints(m.Attrs[stack.AttrPublicIP], d.state.Config)
	switch d.options.wait {
	case waitNone:
		return nil
	case waitInstance:
		say := func(t engine.EventType) func(string) {
			return func(text string) { sink(engine.Event{Type: t, Time: d.in.clock.Now(), Text: text}) }
		}
		return d.in.account.AwaitManaged(d.ctx, m.ID, say(engine.EventNote), say(engine.EventWarning))
	}
	asks := prober(d.in.account, d.in.clock, d.state.Config, m.ID)
	seen, err := d.engine(sink).Watch(d.ctx, d.in.account.Machine(), asks, m.ID, d.state.Endpoints)
	d.state.Endpoints, d.log = seen.Endpoints, seen.Log
	if seen.Report != nil {
		report := *seen.Report
		report.Log = stack.LogPiece{}
		d.state.Boot = &report
	}
	return err
}

// finish records how the operation ended.
func (d *deployment) finish(err error) {
	op := &d.state.Operation
	op.EndedAt = d.in.clock.Now().UTC()
	var boot *engine.BootError
	switch {
	case err == nil:
		op.Outcome, op.Error = stack.OutcomeDone, ""
	case errors.Is(err, engine.ErrInterrupted) || d.ctx.Err() != nil:
		op.Outcome, op.Error = stack.OutcomeInterrupted, "interrupted"
	case errors.As(err, &boot):
		op.Outcome, op.Error = stack.OutcomeUnhealthy, err.Error()
	default:
		op.Outcome, op.Error = stack.OutcomeFailed, explain(context.Background(), err).Message
	}
}

func (d *deployment) save() error {
	d.state.Serial++
	d.state.Tool, d.state.UpdatedAt = version, d.in.clock.Now().UTC()
	return d.lease.Save(d.state.Clone())
}

// unhealthy is the error of a deploy whose machine exists but whose services do not answer, or were not waited for.
func (d *deployment) unhealthy(err error) error {
	name := d.state.Name
	if boot := bootError(err); boot != nil {
		return d.withAdvice(err, boot)
	}
	h := &hinted{err: err}
	switch {
	case errors.Is(err, engine.ErrInterrupted), d.ctx.Err() != nil:
		h.hints = []string{fmt.Sprintf("everything exists and goes on booting; `geusemaker deploy %s` waits for it again", name)}
	}
	return h
}

func (d *deployment) show() error {
	doc := inspect(d.state, false, d.in.clock.Now(), host.LogPath)
	return d.print(doc, func() string { return d.deployedView(doc) })
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
