package cli

import (
	"context"

	"github.com/spf13/cobra"

	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

func newInspect(a *app) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect NAME",
		Short: "Show everything about one deployment",
		Long: `Inspect shows what is recorded of a deployment. It asks nobody, unless it is told to: --refresh compares every resource
with what AWS has, --health-check probes the services, --show-secrets fetches the logins and tokens.`,
		Example: "  geusemaker inspect team\n  geusemaker inspect team --refresh\n  geusemaker inspect team --show-secrets -o json --yes",
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.inspect(ctx, args[0], o)
		},
		ValidArgsFunction: a.completeNames,
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.probe, "health-check", false, "probe every service now")
	flags.BoolVar(&o.refresh, "refresh", false, "ask AWS what became of every resource: missing, changed or extra")
	flags.BoolVar(&o.secrets, "show-secrets", false, "fetch the logins and tokens and show them; they are stored nowhere")
	return cmd
}

type inspectOptions struct{ probe, refresh, secrets bool }

func (a *app) inspect(ctx context.Context, name string, o inspectOptions) error {
	s, busy, err := a.look(name)
	if err != nil {
		return err
	}
	if o.secrets {
		if err := a.confirmSecrets(ctx, name); err != nil {
			return err
		}
	}
	var seen drift
	var secrets []secretDoc
	if o.refresh || o.secrets {
		account, err := a.openAccount(ctx, s.Region)
		if err != nil {
			return err
		}
		if o.refresh {
			if seen, s, err = a.driftAndRecord(ctx, account, s, busy); err != nil {
				return err
			}
		}
		if o.secrets {
			if secrets, err = a.secrets(ctx, account, s); err != nil {
				return err
			}
		}
	}
	if o.probe {
		if s, err = a.probe(ctx, s); err != nil {
			return err
		}
	}
	doc := inspect(s, busy, a.now(s.Sandbox), host.LogPath)
	seen.tell(&doc)
	doc.Secrets = secrets
	return a.print(doc, func() string { return a.inspectView(doc) })
}

// look reads a deployment and whether an operation works on it now.
func (a *app) look(name string) (stack.State, bool, error) {
	home, err := a.home()
	if err != nil {
		return stack.State{}, false, err
	}
	s, err := a.load(home, name)
	if err != nil {
		return s, false, err
	}
	holder, err := home.Holder(name)
	return s, holder != nil, err
}

// probe asks the services of a deployment. What was seen is shown, not saved: another operation may hold the record.
func (a *app) probe(ctx context.Context, s stack.State) (stack.State, error) {
	v, err := a.visitState(ctx, s)
	if err != nil {
		return s, err
	}
	m, _ := s.Machine()
	endpoints := host.Endpoints(m.Attrs[stack.AttrPublicIP], s.Config)
	s.Endpoints = prober(v.account, v.clock, s.Config, v.instance).Probe(ctx, endpoints)
	return s, nil
}
