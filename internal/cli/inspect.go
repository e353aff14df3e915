package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

func newInspect(a *app) *cobra.Command {
	var probe bool
	cmd := &cobra.Command{
		Use:   "inspect NAME",
		Short: "Show everything about one deployment",
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, busy, err := a.look(args[0])
			if err != nil {
				return err
			}
			if probe {
				if s, err = a.probe(cmd.Context(), s); err != nil {
					return err
				}
			}
			doc := inspect(s, busy, a.now(s.Sandbox), host.LogPath)
			return a.print(doc, func() string { return a.inspectView(doc) })
		},
		ValidArgsFunction: a.completeNames,
	}
	cmd.Flags().BoolVar(&probe, "health-check", false, "probe every service now")
	return cmd
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

// probe asks the services of a deployment from outside. What was seen is shown, not saved: another operation may hold the
// record.
func (a *app) probe(ctx context.Context, s stack.State) (stack.State, error) {
	m, ok := s.Machine()
	if !ok || m.Attrs[stack.AttrPublicIP] == "" {
		return s, &hinted{err: fmt.Errorf("%s has no machine with a public address to probe", s.Name), hints: []string{fmt.Sprintf("`geusemaker inspect %s` shows how far it is", s.Name)}}
	}
	clock, err := a.clock()
	if err != nil {
		return s, err
	}
	account, err := a.openAccount(ctx, s.Region)
	if err != nil {
		return s, err
	}
	endpoints := host.Endpoints(m.Attrs[stack.AttrPublicIP], s.Config)
	s.Endpoints = host.NewProber(account.Transport(), clock, s.Config.HTTPS).Probe(ctx, endpoints)
	return s, nil
}

func newHealth(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "health NAME",
		Short: "Probe every service now; exit 0 only if all are healthy",
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, _, err := a.look(args[0])
			if err != nil {
				return err
			}
			if s, err = a.probe(cmd.Context(), s); err != nil {
				return err
			}
			doc := map[string]any{"name": s.Name, "endpoints": s.Endpoints}
			if err := a.print(doc, func() string { return a.endpointsView(s.Endpoints) }); err != nil {
				return err
			}
			return illness(s)
		},
		ValidArgsFunction: a.completeNames,
	}
}

// illness is the error of a deployment of which a service is not healthy.
func illness(s stack.State) error {
	var problems []error
	for _, e := range s.Endpoints {
		if e.Health != stack.Healthy {
			problems = append(problems, &engine.BootError{Step: e.Service, Detail: string(e.Health) + ": " + e.Detail})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.Join(problems...)
}
