package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestASessionForwardsAPort(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		start := func(change func(*ssm.StartSessionInput)) (*ssm.StartSessionOutput, error) {
			in := &ssm.StartSessionInput{Target: &id, DocumentName: new("AWS-StartPortForwardingSession"), Parameters: map[string][]string{"portNumber": {"443"}, "localPortNumber": {"5678"}}}
			if change != nil {
				change(in)
			}
			return w.ssm.StartSession(w.ctx, in)
		}
		w.refused("TargetNotConnected")(start(nil))
		time.Sleep(time.Minute)
		w.refused("TargetNotConnected")(start(func(in *ssm.StartSessionInput) { in.Target = new("i-0123456789abcdef0") }))
		w.refused("InvalidDocument")(start(func(in *ssm.StartSessionInput) { in.DocumentName = nil }))
		w.refused("InvalidParameters")(start(func(in *ssm.StartSessionInput) { in.Parameters["portNumber"] = []string{"70000"} }))
		w.refused("InvalidParameters")(start(func(in *ssm.StartSessionInput) { delete(in.Parameters, "portNumber") }))
		first, second := must(start(nil))(w), must(start(nil))(w)
		if *first.SessionId == *second.SessionId || *first.TokenValue == "" || !strings.HasPrefix(*first.StreamUrl, "wss://sandbox.invalid/") {
			w.Errorf("sessions %+v and %+v", first, second)
		}
		if open := w.account.Inventory()["session"]; len(open) != 2 || !strings.Contains(open[0], id+" port 443") {
			w.Errorf("open: %v", open)
		}
		w.ok(w.ssm.TerminateSession(w.ctx, &ssm.TerminateSessionInput{SessionId: first.SessionId}))
		w.refused("DoesNotExistException")(w.ssm.TerminateSession(w.ctx, &ssm.TerminateSessionInput{SessionId: first.SessionId}))
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		time.Sleep(time.Minute)
		if open := w.account.Inventory()["session"]; len(open) != 0 {
			w.Errorf("without the machine: %v", open)
		}
	})
}

func TestServicesWriteLogs(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		read := func(arguments string) (text string, code int32) {
			out := w.shell(id, "/opt/geusemaker/logs "+arguments)
			if out.ResponseCode != 0 {
				return *out.StandardErrorContent, out.ResponseCode
			}
			var piece struct {
				Now  time.Time
				Text []byte
			}
			if err := json.Unmarshal([]byte(*out.StandardOutputContent), &piece); err != nil || piece.Now.IsZero() {
				w.Fatalf("%v in %q", err, *out.StandardOutputContent)
			}
			return string(piece.Text), 0
		}
		time.Sleep(time.Minute)
		if text, code := read("n8n 600s all 0"); code != 1 || !strings.Contains(text, "No such container") {
			w.Errorf("while it boots: %d %q", code, text)
		}
		time.Sleep(10 * time.Minute)
		for _, service := range []string{"n8n", "ollama", "qdrant", "crawl4ai", "postgres", "gateway"} {
			whole, _ := read(service + " 999999999s all 0")
			if strings.Count(whole, "\n") < 25 {
				w.Errorf("%s wrote %q", service, whole)
			}
			if part, _ := read(service + " 999999999s all 100"); !strings.HasPrefix(part, whole[100:200]) {
				w.Errorf("%s from byte 100: %.60q", service, part)
			}
			if last, _ := read(service + " 999999999s 2 0"); strings.Count(last, "\n") != 2 {
				w.Errorf("%s, 2 lines: %q", service, last)
			}
			recent, _ := read(service + " 60s all 0")
			if n := strings.Count(recent, "\n"); n < 2 || n > 4 {
				w.Errorf("%s, a minute: %q", service, recent)
			}
			since, _, _ := strings.Cut(recent, " ")
			if again, _ := read(service + " " + since + " all 0"); !strings.HasPrefix(again, recent) {
				w.Errorf("%s since %s: %q, want it to begin with %q", service, since, again, recent)
			}
		}
		for _, wrong := range []string{"", "n8n", "n8n 1s all", "n8n 1s all x", "n8n $(id) all 0", "mysql 1s all 0"} {
			if text, code := read(wrong); code == 0 {
				w.Errorf("%q: %q", wrong, text)
			}
		}
	})
}
