package cli

import (
	"context"
	"fmt"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// visit is a command's look at the machine of a deployment that exists. It changes nothing and needs no lock.
type visit struct {
	*app
	state    stack.State
	instance string // the id of the machine
	account  *cloud.Account
	clock    engine.Clock
}

// visit opens the way to the machine of a deployment. It makes no call of AWS.
func (a *app) visit(ctx context.Context, name string) (*visit, error) {
	s, _, err := a.look(name)
	if err != nil {
		return nil, err
	}
	return a.visitState(ctx, s)
}

func (a *app) visitState(ctx context.Context, s stack.State) (*visit, error) {
	v := &visit{app: a, state: s}
	if s.Imported != "" {
		return v, &hinted{
			err: fmt.Errorf("%s was imported from %s: what runs on its machine cannot be asked", s.Name, s.Imported), code: exitUsage, kind: "usage",
			hints: []string{fmt.Sprintf("`geusemaker inspect %s` shows what is recorded; open its services in a browser", s.Name)},
		}
	}
	m, ok := s.Machine()
	if !ok || m.ID == "" {
		return v, noMachine(s.Name)
	}
	v.instance = m.ID
	var err error
	if v.clock, err = a.clock(); err != nil {
		return v, err
	}
	v.account, err = a.openAccount(ctx, s.Region)
	return v, err
}

// noMachine is the error of a deployment that has no machine, or not yet.
func noMachine(name string) error {
	return &hinted{
		err: fmt.Errorf("%s has no machine", name), code: exitNotFound, kind: "not-found",
		hints: []string{fmt.Sprintf("`geusemaker inspect %s` shows how far it is", name)},
	}
}

func (a *app) warn(text string) {
	fmt.Fprint(a.streams.Err, a.streams.ErrScreen().Warnings([]string{text}))
}
