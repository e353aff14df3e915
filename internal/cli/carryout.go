package cli

import (
	"context"
	"errors"
	"fmt"

	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

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
		return d.unhealthy(err, began)
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
	d.state.Meter(d.state.UpdatedAt) // the machine may have been found other than it was recorded
	return d.lease.Save(d.state.Clone())
}

// unhealthy is the error of a deploy whose machine exists but whose services do not answer, or were not waited for.
func (d *deployment) unhealthy(err error, began []stack.Key) error {
	if errors.Is(err, engine.ErrInterrupted) || d.ctx.Err() != nil {
		return &hinted{err: err, hints: []string{
			fmt.Sprintf("everything exists and goes on booting; `geusemaker deploy %s` waits for it again", d.state.Name),
		}}
	}
	advised := d.withAdvice(err, began)
	keep, asking := d.keepUnhealthy(advised, began)
	if keep || asking != nil {
		return advised
	}
	return d.rollBack(err, began)
}

func (d *deployment) show() error {
	doc := inspect(d.state, false, d.in.clock.Now(), host.LogPath)
	return d.print(doc, func() string { return d.deployedView(doc) })
}
