package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

func newDestroy(a *app) *cobra.Command {
	var what engine.Removal
	var force bool
	cmd := &cobra.Command{
		Use:   "destroy NAME",
		Short: "Delete a deployment and prove that nothing of it is left",
		Long: `Destroy shows what will be deleted, asks for the name, deletes it, and scans the account until nothing of the deployment is left.

With --keep-data the file system, the data volume and the secrets stay, and the deployment stays in the list with what they
cost. The same deploy command attaches them to a new machine, with the same logins; another destroy deletes them, too. From
another computer, deploy under any name with --efs-id and the ID of the file system.`,
		Example: "  geusemaker destroy team\n  geusemaker destroy team --keep-data",
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.destroy(ctx, args[0], what, force)
		},
		ValidArgsFunction: a.completeNames,
	}
	addForceUnlock(cmd, &force)
	cmd.Flags().BoolVar(&what.KeepData, "keep-data", false, "keep the file system, the data volume and the secrets")
	return cmd
}

func (a *app) destroy(ctx context.Context, name string, what engine.Removal, force bool) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	s, err := a.load(home, name)
	if err != nil {
		return err
	}
	plan, err := engine.PlanDestroy(s, what)
	if err != nil {
		return err
	}
	clock, err := a.clock()
	if err != nil {
		return err
	}
	if err := a.confirmDestroy(ctx, s, plan); err != nil {
		return err
	}
	account, err := a.openAccount(ctx, s.Region)
	if err != nil {
		return err
	}
	if err := account.MustBe(ctx, s.Account); err != nil {
		return err
	}
	lease, err := a.lock(ctx, name, store.Intent{Operation: "destroy", Version: version, At: clock.Now(), Force: force})
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	a.noteTakeover(lease)
	a.keepEvents(lease)
	if s, err = home.Load(name); err != nil { // what another operation saved before we had the lock
		return err
	}
	r := &removing{app: a, ctx: ctx, account: account, clock: clock, lease: lease, state: s}
	return r.carryOut(what, plan)
}

// load reads a deployment, and remembers when it is one of the sandbox.
func (a *app) load(home store.Home, name string) (stack.State, error) {
	if !stack.ValidName(name) {
		return stack.State{}, usage("%q cannot be the name of a deployment", name)
	}
	s, err := home.Load(name)
	if err != nil {
		return s, err
	}
	return s, a.needSameAccount(s)
}

func (a *app) confirmDestroy(ctx context.Context, s stack.State, plan stack.Plan) error {
	if a.global.yes {
		return nil
	}
	if !a.streams.CanPrompt() {
		return &usageError{err: errors.New("a destroy cannot be undone, and there is no terminal to ask on"), hints: []string{"pass --yes"}}
	}
	fmt.Fprint(a.streams.Err, a.destroyPlanView(s, plan))
	return a.prompter().Type(ctx, fmt.Sprintf("Type %s to delete it", s.Name), s.Name)
}

// removing is a destroy that is being carried out.
type removing struct {
	*app
	ctx     context.Context
	account *cloud.Account
	clock   engine.Clock
	lease   *store.Lease
	state   stack.State
}

// carryOut removes and shows what was done.
func (r *removing) carryOut(what engine.Removal, plan stack.Plan) error {
	doc, err := r.remove(what, plan)
	if err != nil {
		return err
	}
	return r.print(doc, func() string {
		return r.destroyView(doc, r.state.Sandbox, r.clock.Now().Sub(r.state.Operation.StartedAt))
	})
}

// remove removes, and archives the record when nothing is left.
func (r *removing) remove(what engine.Removal, plan stack.Plan) (destroyDoc, error) {
	cost := r.state.Cost(r.clock.Now())
	r.state.Operation = stack.Operation{Kind: "destroy", StartedAt: r.clock.Now().UTC(), KeepData: what.KeepData}
	if err := r.save(); err != nil {
		return destroyDoc{}, err
	}
	progress := r.progress("destroy "+r.state.Name, r.clock)
	sink := r.logged(progress.Event)
	sink(engine.Event{Type: engine.EventPlan, Time: r.clock.Now(), Plan: &plan})
	e := engine.Engine{Drivers: r.account.Drivers(), Save: r.lease.Save, Sink: sink, Clock: r.clock, Version: version}
	out, err := e.Destroy(r.ctx, &r.state, what)
	progress.Close()
	doc := removal(r.state, out, cost)
	if err != nil {
		return doc, errors.Join(r.unfinished(err, doc), r.save())
	}
	r.state.Operation.EndedAt, r.state.Operation.Outcome = r.clock.Now().UTC(), stack.OutcomeDone
	return doc, r.putAway()
}

// putAway archives the record of what is gone. That of a deployment whose data were kept stays, without what was seen of its
// machine.
func (r *removing) putAway() error {
	if r.state.DataKept() {
		r.state.Endpoints, r.state.Boot = nil, nil
		return r.save()
	}
	r.state.Serial++
	if err := r.lease.Archive(r.state.Clone()); err != nil {
		return fmt.Errorf("everything is deleted, but its record cannot be put away: %w", err)
	}
	return nil
}

// destroyCommand is the command that goes on with a removal as it was begun.
func destroyCommand(s stack.State) string {
	command := "geusemaker destroy " + s.Name
	if s.Operation.KeepData {
		command += " --keep-data"
	}
	return command
}

func (r *removing) save() error {
	r.state.Serial++
	r.state.Tool, r.state.UpdatedAt = version, r.clock.Now().UTC()
	return r.lease.Save(r.state.Clone())
}

// unfinished records and explains a destroy that left something.
func (r *removing) unfinished(cause error, doc destroyDoc) error {
	op := &r.state.Operation
	op.EndedAt, op.Outcome, op.Error = r.clock.Now().UTC(), stack.OutcomeFailed, explain(context.Background(), cause).Message
	code, kind := exitPartial, "partial"
	if errors.Is(cause, engine.ErrInterrupted) || r.ctx.Err() != nil {
		op.Outcome, op.Error = stack.OutcomeInterrupted, "interrupted"
		code, kind = exitInterrupted, "interrupted"
	}
	if late := timeIsOver(r.ctx); late != nil {
		cause, code, kind = late, exitPartial, "timeout"
	}
	return &hinted{
		err: fmt.Errorf("%w; %d resources deleted, %d remain", cause, len(doc.Deleted), len(doc.Remaining)), code: code, kind: kind,
		hints:   []string{fmt.Sprintf("`%s` goes on from here", destroyCommand(r.state))},
		details: map[string]any{"deleted": doc.Deleted, "kept": doc.Kept, "remaining": doc.Remaining, "proven": doc.Proven},
	}
}
