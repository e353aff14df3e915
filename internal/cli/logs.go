package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// logOptions are the flags of logs.
type logOptions struct {
	service, tail, since string
	follow               bool
}

// serviceTail is how many lines of a service's log are shown when nobody says.
const serviceTail = 200

// Pauses of a follower: between questions when nothing was new, and between tries to reach the machine.
const (
	followPause = 3 * time.Second
	reachPause  = 5 * time.Second
)

func newLogs(a *app) *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show the boot log, or what a service writes",
		Long: `Logs shows how the machine came up, or with --service what one of its services writes. It goes through Systems Manager
and needs no open port.

A machine that cannot be asked yet is waited for. Where its own log is not there, that of cloud-init is shown; where
Systems Manager cannot be reached, what EC2 has of the console; and of a machine that is gone, the boot log as it was
kept. A message says which.

With --follow the boot log ends with the boot: exit 0 when it is complete, 9 when it failed. With --service too, the
service's log then goes on until Ctrl-C, which ends with 0.`,
		Example: `  geusemaker logs demo
  geusemaker logs demo --follow
  geusemaker logs demo --service n8n --since 10m
  geusemaker logs demo --service postgres --tail 50 --follow -o json`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			part, err := o.check(a.global.output)
			if err != nil {
				return err
			}
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.logs(ctx, args[0], o, part)
		},
		ValidArgsFunction: a.completeNames,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.service, "service", "", "the log of this service: "+strings.Join(serviceNames(), ", "))
	flags.BoolVarP(&o.follow, "follow", "f", false, "go on with what comes")
	flags.StringVar(&o.tail, "tail", "", fmt.Sprintf("only the last `lines`, or all (default all of the boot log, %d of a service)", serviceTail))
	flags.StringVar(&o.since, "since", "", "only what is not older than this, such as 10m")
	_ = cmd.RegisterFlagCompletionFunc("service", cobra.FixedCompletions(serviceNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func serviceNames() []string {
	var names []string
	for _, s := range stack.Services(stack.HTTPSInternal) {
		names = append(names, s.Name)
	}
	return names
}

// check reads the flags.
func (o logOptions) check(output string) (compute.LogRange, error) {
	part := compute.LogRange{Tail: -1}
	if o.service != "" && !slices.Contains(serviceNames(), o.service) {
		e := &usageError{err: fmt.Errorf("--service: there is no service %q; use one of %s", o.service, strings.Join(serviceNames(), ", "))}
		if near := stack.Nearest(o.service, serviceNames()); near != "" {
			e.hints = []string{fmt.Sprintf("did you mean %q?", near)}
		}
		return part, e
	}
	if o.tail != "" && o.tail != "all" {
		n, err := strconv.Atoi(o.tail)
		if err != nil || n < 0 || n > 1_000_000 {
			return part, usage("--tail: %q is not a number of lines, nor all", o.tail)
		}
		part.Tail = n
	}
	if o.since != "" {
		d, err := time.ParseDuration(o.since)
		if err != nil || d < time.Second {
			return part, usage("--since: %q is not a duration such as 10m or 2h", o.since)
		}
		part.Since = d
	}
	if o.service != "" && o.tail == "" && o.since == "" {
		part.Tail = serviceTail
	}
	if o.follow && output == outputYAML {
		return part, usage("--follow writes one object a line: use -o json")
	}
	return part, nil
}

// logs shows what is asked for.
func (a *app) logs(ctx context.Context, name string, o logOptions, part compute.LogRange) error {
	s, err := a.lookForMachine(ctx, name, o.follow)
	if err != nil || o.follow && ctx.Err() != nil {
		return err
	}
	sheet := &logSheet{app: a, name: name, follow: o.follow, part: part}
	v, err := a.visitState(ctx, s)
	switch {
	case err != nil && o.service == "":
		return a.keptLog(sheet, err)
	case err != nil:
		return err
	}
	if err := v.account.MustBe(ctx, s.Account); err != nil {
		return err
	}
	r := &logReader{
		machine: v.account.Machine(), console: v.account.Console, clock: v.clock, instance: v.instance,
		note: a.note, warn: a.warn, sheet: sheet, follow: o.follow, patience: patience(v, o.follow),
	}
	err = r.read(ctx, o.service, part)
	if ctx.Err() != nil && o.follow {
		err = nil // to stop following is no failure
	}
	if err != nil {
		if err = errors.Join(err, sheet.flush()); o.service == "" && !sheet.shown && ctx.Err() == nil {
			return a.keptLog(sheet, err)
		}
		return err
	}
	return sheet.close()
}

// lookForMachine reads a deployment. A follower waits until the operation that works on it now has made a machine.
func (a *app) lookForMachine(ctx context.Context, name string, follow bool) (stack.State, error) {
	for told := false; ; told = true {
		s, busy, err := a.look(name)
		if m, _ := s.Machine(); err != nil || m.ID != "" || !busy || !follow {
			return s, err
		}
		if !told {
			a.note(name + " has no machine yet; waiting for it")
		}
		if (engine.Wall{}).Sleep(ctx, time.Second) != nil {
			return s, nil
		}
	}
}

// patience is how long a machine that does not answer is waited for. After its first minutes it will not begin to, but one
// that is followed may be starting again.
func patience(v *visit, follow bool) time.Duration {
	m, _ := v.state.Machine()
	if follow || v.clock.Now().Sub(m.CreatedAt) < 10*time.Minute {
		return 6 * time.Minute
	}
	return 20 * time.Second
}

// keptLog shows the boot log of a machine that is gone, or of which nothing can be had, as it was kept on disk. Without one
// the reason is all that there is.
func (a *app) keptLog(sheet *logSheet, why error) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	text, at, err := home.BootLog(sheet.name)
	if err != nil || at.IsZero() {
		return errors.Join(why, err)
	}
	message, _ := words(why)
	a.warn(fmt.Sprintf("%s: this is its boot log as it was kept on %s", message, at.UTC().Format("2006-01-02 15:04 UTC")))
	sheet.begin(bootSource, "kept")
	if err := sheet.write(text); err != nil {
		return err
	}
	return sheet.close()
}

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
