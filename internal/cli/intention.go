package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/market"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

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
	audit   bool           // every rule is to be shown
	unasked string         // why AWS could not be asked for the machine, if it could not
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
	in.state, in.fresh = saved, !known
	if err := in.catchUp(ctx); err != nil {
		return nil, err
	}
	if err := a.ground(ctx, &c, in); err != nil {
		return nil, err
	}
	if in.graph, err = stack.Blueprint(in.state.Identity, c, in.state.Facts); err != nil {
		return nil, err
	}
	in.cost = in.state.Planned(in.clock.Now())
	in.plan = engine.PlanApply(in.graph, in.state, in.cost)
	return in, nil
}

// ground finds what a deployment rests on: the record that it has, that of data which were kept with its file system, or a
// new one.
func (a *app) ground(ctx context.Context, c *stack.Config, in *intention) (err error) {
	if in.fresh && c.EFSID != "" {
		in.state, err = a.attached(ctx, c, in)
		if err != nil && !errors.Is(err, errForeign) {
			return err
		}
		in.fresh = err != nil // the user's own, which is reused as it is
	}
	if !in.fresh {
		return a.refit(ctx, *c, in)
	}
	in.state, err = a.newState(ctx, *c, in)
	return err
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
		Sources:   c.Sources(),
		Facts:     facts,
		Records:   map[stack.Key]stack.Record{},
		CreatedAt: now, UpdatedAt: now,
	}, nil
}

func (a *app) confirmDeploy(ctx context.Context, in *intention) error {
	if a.global.yes {
		if in.audit {
			fmt.Fprint(a.streams.Err, a.auditView(in))
		}
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
