package sandbox

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// session is a session of Systems Manager that forwards one port.
type session struct {
	resource
	Instance string `json:"instance"`
	Port     string `json:"port"`
}

// open tells whether the session still is: until it is ended, or its machine. AWS also ends one that nobody uses for 20
// minutes (Systems Manager user guide, "Specify an idle session timeout value"); here nobody can use one.
func (s *session) open(r *region, now time.Time) bool {
	i := r.Instances[s.Instance]
	return i != nil && i.running(now)
}

func registerSessions(all map[string]operation) {
	on(all, serviceSSM, "StartSession", startSession)
	on(all, serviceSSM, "TerminateSession", terminateSession)
}

// startSession opens a session for the forwarding of a port. Its stream leads nowhere: the name of its host is one that is
// reserved for that (RFC 2606).
func startSession(c *call, in *ssm.StartSessionInput) (*ssm.StartSessionOutput, error) {
	if document := deref(in.DocumentName); document != "AWS-StartPortForwardingSession" {
		return nil, refuse("InvalidDocument", "Document %s does not exist in the sandbox: it knows AWS-StartPortForwardingSession only", document)
	}
	port := in.Parameters["portNumber"]
	if len(port) != 1 || len(in.Parameters["localPortNumber"]) > 1 {
		return nil, refuse("InvalidParameters", "Document AWS-StartPortForwardingSession needs one portNumber and takes one localPortNumber")
	}
	if number, err := strconv.Atoi(port[0]); err != nil || number < 1 || number > 65535 {
		return nil, refuse("InvalidParameters", "Parameter portNumber with value %s does not match the allowed pattern", port[0])
	}
	i := c.region.Instances[deref(in.Target)]
	if i == nil || !c.online(i) {
		return nil, refuse("TargetNotConnected", "%s is not connected.", deref(in.Target))
	}
	id := "sandbox-" + c.hex(17)
	c.region.Sessions[id] = &session{resource: resource{ID: id, Born: c.now, Seen: c.now}, Instance: i.ID, Port: port[0]}
	return &ssm.StartSessionOutput{
		SessionId: new(id), TokenValue: new(base64.StdEncoding.EncodeToString([]byte("token of " + id))),
		StreamUrl: new("wss://sandbox.invalid/v1/data-channel/" + id + "?role=publish_subscribe"),
	}, nil
}

func terminateSession(c *call, in *ssm.TerminateSessionInput) (*ssm.TerminateSessionOutput, error) {
	id := deref(in.SessionId)
	if c.region.Sessions[id] == nil {
		return nil, refuse("DoesNotExistException", "Session %s does not exist", id)
	}
	delete(c.region.Sessions, id)
	return &ssm.TerminateSessionOutput{SessionId: new(id)}, nil
}
