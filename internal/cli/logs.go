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
