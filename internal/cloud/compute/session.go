package compute

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"geusemaker/internal/cloud/api"
)

// forwardDocument is the document of Systems Manager that forwards one port (Systems Manager user guide, "Start a session
// (port forwarding)").
const forwardDocument = "AWS-StartPortForwardingSession"

// channelBudget is how long the agent's message channel may take after the agent has registered.
const channelBudget = time.Minute

// Session is a session of Systems Manager that forwards one port. Whoever has its token can use it until it ends.
type Session struct {
	ID string
	// Grant is the answer of StartSession and Request what was asked for, both as the session-manager-plugin wants them.
	Grant, Request []byte
}

// Forward opens a session that forwards a port of this computer to one on the machine itself. The forwarding is done by
// whoever is given the session. A machine whose agent cannot be reached for a minute is ErrNotRegistered.
func (m *Machine) Forward(ctx context.Context, instanceID string, local, remote int, tell func(string)) (Session, error) {
	in := &ssm.StartSessionInput{
		Target: new(instanceID), DocumentName: new(forwardDocument),
		Parameters: map[string][]string{"portNumber": {strconv.Itoa(remote)}, "localPortNumber": {strconv.Itoa(local)}},
	}
	var out *ssm.StartSessionOutput
	wait := api.Wait{Clock: m.clock, For: "the machine's agent", Budget: channelBudget, First: time.Second, Tell: tell}
	err := api.Retry(ctx, wait, notConnected, func(ctx context.Context) (err error) {
		out, err = m.ssm.StartSession(ctx, in)
		return err
	})
	if notConnected(err) {
		return Session{}, ErrNotRegistered
	}
	if err != nil {
		return Session{}, err
	}
	s := Session{ID: text(out.SessionId)}
	s.Grant, err = json.Marshal(map[string]string{"SessionId": s.ID, "TokenValue": text(out.TokenValue), "StreamUrl": text(out.StreamUrl)})
	if err == nil {
		s.Request, err = json.Marshal(map[string]any{"Target": instanceID, "DocumentName": forwardDocument, "Parameters": in.Parameters})
	}
	return s, err
}

// notConnected reports that the agent has no message channel: it is too young, or the machine is gone (SSM API reference,
// StartSession).
func notConnected(err error) bool { return api.Code(err) == "TargetNotConnected" }

// End ends a session. That it has ended already is success.
func (m *Machine) End(ctx context.Context, sessionID string) error {
	_, err := m.ssm.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: new(sessionID)})
	if api.Code(err) == "DoesNotExistException" {
		return nil
	}
	return err
}
