package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/sandbox"
)

func newSandbox(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "sandbox", Short: "Look at, reset or upset the pretend AWS account"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show", Short: "Show what the pretend account holds", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				pretend, err := a.openSandbox()
				if err != nil {
					return err
				}
				inventory := pretend.Inventory()
				return a.print(inventory, func() string { return a.inventoryView(inventory) })
			},
		},
		newSandboxReset(a),
		newSandboxFault(a),
	)
	cmd.AddCommand(newSandboxConsole(a)...)
	return cmd
}

// withNetworks is what the pretend account can be given beside what every account has.
const withNetworks = "networks"

func newSandboxReset(a *app) *cobra.Command {
	var with string
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Empty the pretend account and forget its deployments",
		Long: `Reset empties the pretend account and forgets the deployments in it.

With --with networks the account then holds, in the region of --region (us-east-1 without it), the networks of a company:
VPCs and subnets that can be reused and some that lack something each, security groups, prefix lists, file systems, key
pairs and load balancers, for ` + "`geusemaker discover`" + ` and for deployments into what exists.`,
		Example: `  geusemaker sandbox reset
  geusemaker sandbox reset --with networks --region eu-west-1`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if with != "" && with != withNetworks {
				return usage("--with: %q is not known; use %s", with, withNetworks)
			}
			region := cmp.Or(a.global.region, "us-east-1")
			if with != "" && !slices.Contains(sandbox.Regions(), region) {
				return usage("--region: the pretend account has no region %q; it has %s", region, strings.Join(sandbox.Regions(), ", "))
			}
			return a.resetSandbox(with, region)
		},
	}
	cmd.Flags().StringVar(&with, "with", "", "what the account holds afterwards: "+withNetworks)
	complete(cmd, "with", func() []string { return []string{withNetworks} })
	return cmd
}

// newSandboxFault sets what goes wrong in later commands, for those who want to see what the tool makes of it.
func newSandboxFault(a *app) *cobra.Command {
	var f sandbox.Fault
	var empty, clear bool
	cmd := &cobra.Command{
		Use:   "fault [SERVICE OPERATION]",
		Short: "Let calls of the pretend account fail, or its pools be empty",
		Example: `  geusemaker sandbox fault EC2 RunInstances --effect lose-reply --count 1
  geusemaker sandbox fault machine storage --effect boot-fails
  geusemaker sandbox fault --no-capacity
  geusemaker sandbox fault --clear`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			pretend, err := a.openSandbox()
			if err != nil {
				return err
			}
			switch {
			case clear:
				err = errors.Join(pretend.ClearFaults(), pretend.SetCapacity(sandbox.Pool{}, true))
			case empty:
				err = pretend.SetCapacity(sandbox.Pool{}, false)
			case len(args) == 2:
				f.Service, f.Operation = args[0], args[1]
				if f, err = faultOf(f, cmd.Flags().Changed("effect")); err != nil {
					return err
				}
				err = pretend.AddFault(f)
			case len(args) == 1:
				return usage("name a service and an operation, such as EC2 RunInstances")
			}
			if err != nil {
				return err
			}
			all := slices.Concat([]sandbox.Fault{}, pretend.Faults(), closedPools(pretend.Closed()))
			return a.print(all, func() string { return a.faultsView(all) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Effect, "effect", sandbox.EffectError, "error, lose-request, lose-reply, time-out, delay, vanish, boot-fails")
	flags.StringVar(&f.Code, "code", "InternalError", "AWS error code of effect error")
	flags.StringVar(&f.Message, "message", "", "its text")
	flags.DurationVar(&f.Delay, "delay", 0, "how much longer a call takes; without --effect that is the effect")
	flags.IntVar(&f.Skip, "skip", 0, "let this many calls pass first")
	flags.IntVar(&f.Count, "count", 0, "then let this many fail; 0: all")
	flags.BoolVar(&empty, "no-capacity", false, "let every pool of machines be empty")
	flags.BoolVar(&clear, "clear", false, "let everything work again")
	return cmd
}

// faultOf completes a fault as the flags ask for it. A delay by itself is the effect; a code goes with errors only.
func faultOf(f sandbox.Fault, effectNamed bool) (sandbox.Fault, error) {
	if f.Delay != 0 && !effectNamed {
		f.Effect = sandbox.EffectDelay
	}
	if f.Delay != 0 && f.Effect != sandbox.EffectDelay {
		return f, usage("--delay goes with --effect %s, not %s", sandbox.EffectDelay, f.Effect)
	}
	if f.Effect != sandbox.EffectError {
		f.Code = ""
	}
	if err := f.Validate(); err != nil {
		return f, &usageError{err: err}
	}
	return f, nil
}

// closedPools are pools without machines in the form of faults, so that one list tells all that is set to fail.
func closedPools(pools []sandbox.Pool) []sandbox.Fault {
	var all []sandbox.Fault
	for _, p := range pools {
		all = append(all, sandbox.Fault{
			Service: sandbox.ServiceMachine, Operation: "launch", Effect: "no-capacity",
			Message: fmt.Sprintf("no room: type %s, zone %s, market %s", cmp.Or(p.Type, "*"), cmp.Or(p.Zone, "*"), cmp.Or(p.Market, "*")),
		})
	}
	return all
}

// resetSandbox removes the pretend account and the records of the deployments in it: without it they would be of nothing.
func (a *app) resetSandbox(with, region string) error {
	folder, err := a.folder()
	if err != nil {
		return err
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	entries, err := home.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Holder != nil && e.Summary.Sandbox {
			return &hinted{err: fmt.Errorf("an operation works on %s now (%s)", e.Name, e.Holder), code: exitLocked, kind: "locked", hints: []string{"wait for it, or stop it"}}
		}
	}
	forgotten := 0
	for _, e := range entries {
		if e.Err == nil && e.Summary.Sandbox {
			if err := home.Forget(e.Name); err != nil {
				return err
			}
			forgotten++
		}
	}
	if err := sandbox.Reset(filepath.Join(folder, "sandbox.json")); err != nil {
		return err
	}
	holds := "is empty"
	if with == withNetworks {
		pretend, err := a.openSandbox()
		if err != nil {
			return err
		}
		if err := pretend.AddNetworks(region); err != nil {
			return err
		}
		holds = "holds the networks of a company in " + region
	}
	doc := map[string]int{"forgotten": forgotten}
	return a.print(doc, func() string {
		return fmt.Sprintf("the pretend account %s; %d deployments forgotten\n", holds, forgotten)
	})
}
