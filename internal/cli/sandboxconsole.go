package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/sandbox"
)

// newSandboxConsole returns the commands that do to a machine of the pretend account what somebody may do in the AWS console,
// for those who want to see what the tool makes of it.
func newSandboxConsole(a *app) []*cobra.Command {
	command := func(use, short, hint string, args cobra.PositionalArgs, act func(context.Context, sandbox.Console, string, []string) error) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Args: args, ValidArgsFunction: a.completeNames,
			RunE: func(cmd *cobra.Command, args []string) error { return a.inConsole(cmd, args, hint, act) },
		}
	}
	return []*cobra.Command{
		command("stop NAME", "Stop a machine, as somebody does in the console",
			"EC2 stops what runs on demand; a spot machine of this tool it can only terminate: try one of --market on-demand", oneName,
			func(ctx context.Context, c sandbox.Console, id string, _ []string) error { return c.Stop(ctx, id) }),
		command("start NAME", "Start a machine that was stopped, as somebody does in the console",
			"EC2 starts what is stopped: `geusemaker sandbox stop NAME` stops it", oneName,
			func(ctx context.Context, c sandbox.Console, id string, _ []string) error { return c.Start(ctx, id) }),
		command("terminate NAME", "End a machine, as somebody does in the console",
			"`geusemaker sandbox show` tells what there is", oneName,
			func(ctx context.Context, c sandbox.Console, id string, _ []string) error { return c.Terminate(ctx, id) }),
		command("resize NAME TYPE", "Give a machine that is stopped another type, as somebody does in the console",
			"EC2 changes what is stopped: `geusemaker sandbox stop NAME` stops it; `geusemaker offers` lists types", cobra.ExactArgs(2),
			func(ctx context.Context, c sandbox.Console, id string, rest []string) error {
				return c.Resize(ctx, id, rest[0])
			}),
	}
}

// inConsole acts on the machine of a deployment in the pretend account, past its record.
func (a *app) inConsole(cmd *cobra.Command, args []string, hint string, act func(context.Context, sandbox.Console, string, []string) error) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	s, err := a.load(home, args[0])
	if err != nil {
		return err
	}
	if !s.Sandbox {
		return usage("%s is a real deployment; the sandbox has nothing to do with it", s.Name)
	}
	m, ok := s.Machine()
	if !ok || m.ID == "" {
		return noMachine(s.Name)
	}
	pretend, err := a.openSandbox()
	if err != nil {
		return err
	}
	if err := act(cmd.Context(), pretend.Console(s.Region), m.ID, args[1:]); err != nil {
		return &hinted{err: err, hints: []string{strings.ReplaceAll(hint, "NAME", s.Name)}}
	}
	doc := map[string]string{"name": s.Name, "instance_id": m.ID, "action": cmd.Name()}
	return a.print(doc, func() string {
		return fmt.Sprintf("%s: %s, past the record; `geusemaker list --refresh` sees it\n", m.ID, cmd.Name())
	})
}
