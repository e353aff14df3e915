package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Pauses of a follower: between questions when nothing was new, and between tries to reach the machine.
const (
	followPause = 3 * time.Second
	reachPause  = 5 * time.Second
)

// asked is what reading a log needs of a machine.
type asked interface {
	engine.Machine
	CloudInitLog(ctx context.Context, instanceID string, offset int64) (stack.LogPiece, error)
	ServiceLog(instanceID, service string, part compute.LogRange) (*compute.ServiceLog, error)
}

// logReader reads the logs of one machine.
type logReader struct {
	machine    asked
	console    func(ctx context.Context, instanceID string) (string, error)
	clock      engine.Clock
	instance   string
	note, warn func(string)
	sheet      *logSheet
	follow     bool
	patience   time.Duration // with a machine that does not answer
}

// bootSource is the boot log among the names of services.
const bootSource = "boot"

func (r *logReader) read(ctx context.Context, service string, part compute.LogRange) error {
	if service == "" {
		return r.bootLog(ctx, part)
	}
	if r.follow {
		if err := r.untilBooted(ctx); err != nil {
			return err
		}
	}
	return r.serviceLog(ctx, service, part)
}

// untilBooted shows the boot log while the machine boots: before that a service has nothing to say. That the boot failed is
// told, but the service may run all the same.
func (r *logReader) untilBooted(ctx context.Context) error {
	now, err := r.report(ctx, endOfLog)
	if err != nil || now.Complete || now.Failed {
		return err
	}
	r.note("the machine is booting; its boot log comes first")
	err = r.bootLog(ctx, compute.LogRange{Tail: -1})
	if boot, ok := errors.AsType[*engine.BootError](err); ok {
		r.warn("the boot failed: " + boot.Error())
		err = nil
	}
	return err
}

// bootLog shows the boot log piece by piece until its end; a follower goes on until the boot has ended.
func (r *logReader) bootLog(ctx context.Context, part compute.LogRange) error {
	r.sheet.begin(bootSource, "machine")
	from, err := r.start(ctx, part)
	offset := from
	for err == nil {
		var now stack.Report
		if now, err = r.report(ctx, offset); err != nil {
			break
		}
		r.sheet.booted(now)
		if err := r.sheet.write(now.Log.Text); err != nil {
			return err
		}
		more := now.Log.Next > offset && now.Log.Next < now.Log.Size
		offset = now.Log.Next
		if !more && from > 0 && r.sheet.lacks() {
			from, offset = 0, 0 // its lines are longer than was guessed
			r.sheet.begin(bootSource, "machine")
			continue
		}
		if more {
			continue
		}
		if !r.follow || now.Complete || now.Failed {
			return errors.Join(outcome(now, r.follow), r.sheet.flush())
		}
		if err := r.sheet.caughtUp(); err != nil {
			return err
		}
		err = r.clock.Sleep(ctx, followPause)
	}
	if ctx.Err() != nil {
		return err
	}
	return r.elsewhere(ctx, err)
}

// outcome is how a boot ended, for who followed it.
func outcome(r stack.Report, follow bool) error {
	if !follow || !r.Failed {
		return nil
	}
	return bootFailure(r)
}

// bootFailure is the failure that a report tells of.
func bootFailure(r stack.Report) *engine.BootError {
	for _, s := range r.Steps {
		if s.Status == "failed" {
			return &engine.BootError{Step: s.Name, Detail: s.Detail}
		}
	}
	return &engine.BootError{Step: "boot", Detail: "the bootstrap gave up"}
}

// lineGuess is how long a line of the boot log is at most, as a rule, in bytes.
const lineGuess = 300

// start is where to begin to read when only the last lines are wanted: each piece takes seconds, and a boot log has many.
func (r *logReader) start(ctx context.Context, part compute.LogRange) (int64, error) {
	if part.Tail < 0 || part.Since > 0 {
		return 0, nil
	}
	now, err := r.report(ctx, endOfLog)
	if err != nil {
		return 0, err
	}
	from := max(0, now.Log.Size-int64(part.Tail+1)*lineGuess)
	r.sheet.skipLine = from > 0 // it may begin in the middle
	return from, nil
}

// report asks for a report and waits, for a while, for a machine that cannot be asked yet.
func (r *logReader) report(ctx context.Context, offset int64) (stack.Report, error) {
	var now stack.Report
	err := r.reach(ctx, func() (err error) {
		now, err = r.machine.Report(ctx, r.instance, offset)
		return err
	})
	return now, err
}

// reach repeats a question while the machine cannot be asked yet and the patience lasts. It says what it waits for. A machine
// that answers, but not with our programs, is given no more than a minute: cloud-init writes them first of all. Other
// things, such as a container that is not there, only a follower waits for.
func (r *logReader) reach(ctx context.Context, ask func() error) error {
	began, told := r.clock.Now(), ""
	for {
		err := ask()
		if err == nil || !errors.Is(err, engine.ErrNotYet) || ctx.Err() != nil {
			return err
		}
		if !r.follow && !errors.Is(err, compute.ErrNotRegistered) && !errors.Is(err, compute.ErrNoProgram) {
			return err
		}
		waited := r.clock.Now().Sub(began)
		if waited >= r.patience || errors.Is(err, compute.ErrNoProgram) && waited >= time.Minute {
			return err
		}
		if text := waitingFor(err); text != told {
			r.note(text + "; waiting for it")
			told = text
		}
		if stopped := r.clock.Sleep(ctx, reachPause); stopped != nil {
			return stopped
		}
	}
}

// waitingFor is why a machine cannot be asked yet, in words.
func waitingFor(err error) string {
	return strings.TrimPrefix(err.Error(), engine.ErrNotYet.Error()+": ")
}

// elsewhere shows what can be had of a boot whose own log cannot: cloud-init's log, where the machine runs commands, and else
// the console.
func (r *logReader) elsewhere(ctx context.Context, why error) error {
	message, _ := words(why)
	if errors.Is(why, engine.ErrNotYet) {
		message = waitingFor(why)
	}
	if errors.Is(why, compute.ErrNoProgram) {
		r.warn("the machine has no boot log of its own yet (" + message + "): this is cloud-init's")
		r.sheet.begin(bootSource, "cloud-init")
		err := r.cloudInitLog(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		message, _ = words(err)
	}
	r.warn("the machine cannot be asked through Systems Manager (" + message + "): this is what EC2 has of its console, the last 64 KB at most")
	text, err := r.console(ctx, r.instance)
	if errors.Is(err, engine.ErrNotYet) {
		return &hinted{err: fmt.Errorf("there is no log to show: %w, and %w", why, err), hints: []string{"try again in a minute"}}
	}
	if err != nil {
		return errors.Join(why, err)
	}
	r.sheet.begin(bootSource, "console")
	if err := r.sheet.write(text); err != nil {
		return err
	}
	return r.sheet.caughtUp()
}

func (r *logReader) cloudInitLog(ctx context.Context) error {
	for offset := int64(0); ; {
		piece, err := r.machine.CloudInitLog(ctx, r.instance, offset)
		if err != nil {
			return err
		}
		if err := r.sheet.write(piece.Text); err != nil {
			return err
		}
		if piece.Next >= piece.Size || piece.Next <= offset {
			return r.sheet.flush()
		}
		offset = piece.Next
	}
}

// serviceLog shows the log of a service, piece by piece; a follower goes on until it is stopped.
func (r *logReader) serviceLog(ctx context.Context, service string, part compute.LogRange) error {
	log, err := r.machine.ServiceLog(r.instance, service, part)
	if err != nil {
		return err
	}
	r.sheet.begin(service, "machine")
	for {
		var text []byte
		var more bool
		err := r.reach(ctx, func() (err error) {
			text, more, err = log.Next(ctx)
			return err
		})
		if errors.Is(err, engine.ErrNotYet) && ctx.Err() == nil {
			return &hinted{err: errors.New(waitingFor(err)), hints: []string{fmt.Sprintf("`geusemaker logs %s` shows how the boot went", r.sheet.name)}}
		}
		if err != nil {
			return err
		}
		if err := r.sheet.write(string(text)); err != nil {
			return err
		}
		if more {
			continue
		}
		if err := r.sheet.caughtUp(); err != nil || !r.follow {
			return err
		}
		if err := r.clock.Sleep(ctx, followPause); err != nil {
			return err
		}
	}
}
