package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// failed decides what becomes of a deploy that did not create everything: it is kept to be resumed, or what this run made
// is removed again. The error tells which, and what exists.
func (d *deployment) failed(cause error, began []stack.Key) error {
	d.finish(cause)
	if err := d.save(); err != nil {
		if cause = errors.Join(cause, err); len(d.state.Records) == 0 {
			return cause
		}
		return d.partial(cause, exitPartial, "partial")
	}
	if late := timeIsOver(d.ctx); late != nil {
		return d.partial(late, exitPartial, "timeout")
	}
	if errors.Is(cause, engine.ErrInterrupted) || d.ctx.Err() != nil {
		return d.partial(cause, exitInterrupted, "interrupted")
	}
	keep, err := d.keepFailed(cause)
	if err != nil || keep {
		return d.partial(cause, exitPartial, "partial")
	}
	return d.rollBack(cause, began)
}

// keepFailed decides, or asks, whether what exists is kept.
func (d *deployment) keepFailed(cause error) (bool, error) {
	switch policy := d.options.onFailure; {
	case policy == onFailureKeep:
		return true, nil
	case policy == onFailureRollback, !d.streams.CanPrompt() || d.global.yes && policy == onFailureDefault:
		return false, nil
	}
	d.fail(explain(d.ctx, cause))
	remove, err := d.prompter().Confirm(d.ctx, "Remove what this run created? (no: keep it; the same command goes on from here)", true)
	return !remove, err
}

// keepUnhealthy decides, or asks, whether a machine is kept whose boot failed. Unless it was chosen otherwise it is: only the
// machine has all of its logs. Before it is given up, the reason is told with the end of the log.
func (d *deployment) keepUnhealthy(why error, began []stack.Key) (bool, error) {
	policy := d.options.onFailure
	switch {
	case len(began) == 0: // it is from an earlier run
		return true, nil
	case policy == onFailureRollback:
		d.tellLoss(why)
		return false, nil
	case policy != onFailureAsk || !d.streams.CanPrompt():
		return true, nil
	}
	d.fail(explain(d.ctx, why))
	remove, err := d.prompter().Confirm(d.ctx, "Remove what this run created? (no: keep it, so that its logs can be read)", false)
	return !remove, err
}

// tellLoss tells why what was made is removed again, before it is. As JSON there is one object, at the end, with all of it.
func (d *deployment) tellLoss(why error) {
	if d.global.output == outputJSON {
		return
	}
	f := explain(d.ctx, why)
	f.Hints = nil // they are about a machine that stays
	d.fail(f)
	if boot := bootError(why); boot != nil {
		boot.Tail = nil
	}
}

// partial is the error of a deploy that left resources.
func (d *deployment) partial(cause error, code int, kind string) error {
	name, n := d.state.Name, len(d.state.Records)
	return &hinted{
		err: fmt.Errorf("%w; %d resources are recorded", cause, n), code: code, kind: kind,
		hints: []string{
			fmt.Sprintf("`geusemaker deploy %s` goes on from here", name),
			fmt.Sprintf("`geusemaker destroy %s` removes everything", name),
		},
		details: map[string]any{"resources": n},
	}
}

// rollBack removes what this run began. When the deployment was new its record goes too, once nothing is left.
func (d *deployment) rollBack(cause error, began []stack.Key) error {
	ctx := context.WithoutCancel(d.ctx)
	progress := d.progress("roll back "+d.state.Name, d.in.clock)
	what := engine.Removal{Only: began}
	if d.in.fresh {
		what.Only = nil
	}
	out, err := d.engine(d.logged(progress.Event)).Destroy(ctx, &d.state, what)
	progress.Close()
	if err == nil && len(out.Remaining) > 0 {
		err = fmt.Errorf("%d resources remain", len(out.Remaining))
	}
	if err != nil {
		return d.partial(errors.Join(cause, fmt.Errorf("the roll-back is not complete: %w", err)), exitPartial, "partial")
	}
	if !d.in.fresh {
		removed := fmt.Sprintf("what this run created was removed again (%d resources); what existed before was kept", len(out.Deleted))
		return &hinted{err: cause, hints: some(removed, d.logHint("`geusemaker logs "+d.state.Name+"` shows it"))}
	}
	if err := d.lease.Archive(d.state); err != nil {
		return errors.Join(cause, err)
	}
	removed := fmt.Sprintf("everything that was created has been removed again (%d resources), and a scan of the account found nothing left", len(out.Deleted))
	return &hinted{err: cause, hints: some(removed, d.logHint("it lies in "+d.shelf()))}
}

// shelf is where the record of a deployment lies that is gone.
func (d *deployment) shelf() string {
	folder, err := d.folder()
	if err != nil {
		return "the archive"
	}
	return filepath.Join(folder, "archive", d.state.Name+"-"+d.state.ID+"-*")
}

// logHint says where the boot log of a machine is that was removed again, where there is one.
func (d *deployment) logHint(where string) string {
	if d.log == "" {
		return ""
	}
	return "the whole boot log was kept: " + where
}
