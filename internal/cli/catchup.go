package cli

import (
	"context"
	"fmt"

	"geusemaker/internal/cloud"
	"geusemaker/internal/stack"
)

// catchUp asks AWS for the machine of a deployment that exists and puts what became of it into the state, so that no plan
// rests on a machine that is gone. It saves nothing. Where AWS cannot be asked, the plan goes on with what is recorded.
func (in *intention) catchUp(ctx context.Context) error {
	m, ok := in.state.Machine()
	if in.fresh || !ok || m.ID == "" || m.Gone() {
		return nil
	}
	n, err := latest(ctx, in.account, in.state, m)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		message, _ := words(err)
		in.unasked = fmt.Sprintf("what became of the machine %s is not known, the plan rests on what is recorded: %s", m.ID, message)
	default:
		in.state = n.of(in.state)
	}
	return nil
}

// latest is what AWS says of the machine of a deployment. One that is not finished may not be shown yet: the deploy looks for
// it itself.
func latest(ctx context.Context, account *cloud.Account, s stack.State, m stack.Record) (news, error) {
	machines, err := account.Machines(ctx, []string{m.ID})
	if err != nil {
		return news{}, err
	}
	if machines[m.ID].ID == "" {
		if m.Status != stack.StatusReady {
			return news{}, nil
		}
		if err := account.MustBe(ctx, s.Account); err != nil {
			return news{}, err
		}
	}
	n, changes := newsOf(m, machines)
	if len(changes) > 0 {
		n.appraise(ctx, account, s)
	}
	return n, nil
}

// standstill is the error of a deploy on a machine that is stopped: it could only wait for services that do not run. Whoever
// stopped it may have had a reason, so it is not started behind their back.
func (in *intention) standstill() *hinted {
	s := in.state
	m, _ := s.Machine()
	if !m.Stopped() {
		return nil
	}
	start := fmt.Sprintf("aws ec2 start-instances --region %s --instance-ids %s", s.Region, m.ID)
	if s.Sandbox {
		start = "geusemaker sandbox start " + s.Name
	}
	if m.Attrs[stack.AttrState] == stack.StateStopping {
		start += "` as soon as it is stopped, then `geusemaker deploy " + s.Name
	} else {
		start += "`, then `geusemaker deploy " + s.Name
	}
	return &hinted{
		err:  fmt.Errorf("the machine %s of %s is %s, so nothing on it can answer", m.ID, s.Name, m.Attrs[stack.AttrState]),
		code: exitUnhealthy, kind: "stopped",
		hints: []string{
			fmt.Sprintf("start it with `%s`, which waits for its services", start),
			fmt.Sprintf("or make another on the same data: `geusemaker destroy %s --keep-data`, then `geusemaker deploy %s`", s.Name, s.Name),
		},
		details: map[string]any{"instance_id": m.ID, "state": m.Attrs[stack.AttrState]},
	}
}

// idle is what a plan says that does nothing although not all is as it should be.
func (in *intention) idle() string {
	if in.standstill() == nil {
		return ""
	}
	return "Nothing to make or change, but the machine does not run."
}
