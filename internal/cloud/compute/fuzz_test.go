package compute_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/stack"
)

// saying is a Systems Manager through which every machine says the same.
type saying struct {
	compute.SSM
	text string
}

func (saying) SendCommand(context.Context, *ssm.SendCommandInput, ...func(*ssm.Options)) (*ssm.SendCommandOutput, error) {
	return &ssm.SendCommandOutput{Command: &ssmtypes.Command{CommandId: new("c")}}, nil
}

func (s saying) GetCommandInvocation(context.Context, *ssm.GetCommandInvocationInput, ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
	return &ssm.GetCommandInvocationOutput{Status: ssmtypes.CommandInvocationStatusSuccess, StandardOutputContent: &s.text}, nil
}

// hurry is a clock on which nothing takes time.
type hurry struct{}

func (hurry) Now() time.Time { return time.Unix(1e9, 0) }
func (hurry) Sleep(context.Context, time.Duration) error {
	return errors.New("nobody should have to wait")
}

func machineSaying(text string) *compute.Machine {
	return compute.NewMachine(saying{text: text}, hurry{})
}

// Whatever a machine answers when it is asked for its report, what comes of it can be shown and read on from.
func FuzzReport(f *testing.F) {
	f.Add(`{"version":1,"complete":true,"steps":[{"name":"docker","status":"done","seconds":3.5}],"log":{"offset":0,"next":5,"size":5,"text":"line\n"}}`, int64(0))
	f.Add(`{"services":[{"service":"n8n","health":"better than ever"}],"pulls":[{"done":-1,"total":-9}]}`, int64(7))
	f.Add(`{"steps":[{"seconds":1e300},{"seconds":-1}],"log":{"offset":-5,"next":-9,"size":-1}}`, int64(1)<<62)
	f.Add(`{"log":{"next":9223372036854775807,"size":9223372036854775807}}`, int64(0))
	f.Add("{\"log\":{\"text\":\"\\u001b]0;title\\u0007\"", int64(0))
	f.Add("", int64(0))
	f.Fuzz(func(t *testing.T, text string, offset int64) {
		offset = max(offset, 0)
		r, err := machineSaying(text).Report(t.Context(), "i-1", offset)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		for _, s := range r.Steps {
			if took := time.Duration(s.Seconds * float64(time.Second)); took < 0 || s.Seconds < 0 {
				t.Errorf("a step took %v s, %s", s.Seconds, took)
			}
		}
		for _, s := range r.Services {
			switch s.Health {
			case stack.Healthy, stack.Unhealthy, stack.Starting, stack.Unreachable, stack.HealthUnknown:
			default:
				t.Errorf("the health of %q is %q", s.Service, s.Health)
			}
		}
		for _, p := range r.Pulls {
			if p.Done < 0 || p.Total < 0 {
				t.Errorf("%d of %d bytes", p.Done, p.Total)
			}
		}
		if l := r.Log; l.Offset < 0 || l.Next < l.Offset || l.Size < l.Next {
			t.Errorf("the log goes from %d to %d of %d", l.Offset, l.Next, l.Size)
		}
	})
}

// Whatever a machine answers when it is asked for a log, the place to go on from is one that the machine can be asked for.
func FuzzServiceLog(f *testing.F) {
	const now = `{"now":"2026-01-02T03:04:05.000000006Z","text":"`
	f.Add(now+`MjAyNi0wMS0wMlQwMzowNDowNS4wMDAwMDAwMDVaIGhlbGxvCg=="}`, now+`"}`)
	f.Add(now+`MjAyNi0wMS0wMlQwMzowNDowNS4wMDAwMDAwMDVaIGhlbA=="}`, now+`bG8K"}`)
	f.Add(now+`AAAA"}`, `{"now":"later","text":""}`)
	f.Add(`{"now":"2026-01-02T03:04:05.000000006Z; reboot"}`, `[]`)
	f.Fuzz(func(t *testing.T, first, second string) {
		var asked []string
		both := &talking{answers: []string{first, second, second}, asked: &asked}
		log, err := compute.NewMachine(both, hurry{}).ServiceLog("i-1", "n8n", compute.LogRange{Tail: -1})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := log.Next(t.Context()); err != nil {
				return
			}
			if command := asked[len(asked)-1]; !logCommand.MatchString(command) {
				t.Errorf("the machine was asked %q", command)
			}
		}
	})
}

// The log of cloud-init comes as a size and a text in base64.
func FuzzCloudInitLog(f *testing.F) {
	f.Add("5\naGVsbG8=", int64(0))
	f.Add("99999999999999999999\naGVsbG8=", int64(3))
	f.Add("-1\n", int64(-3))
	f.Add("5", int64(0))
	f.Fuzz(func(t *testing.T, text string, offset int64) {
		offset = min(offset, 1<<40)
		piece, err := machineSaying(text).CloudInitLog(t.Context(), "i-1", offset)
		if err == nil && (piece.Offset < 0 || piece.Next < piece.Offset || piece.Size < piece.Next) {
			t.Errorf("the log goes from %d to %d of %d", piece.Offset, piece.Next, piece.Size)
		}
	})
}
