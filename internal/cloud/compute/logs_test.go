package compute_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// container is a machine with one container whose log grows while it is read, as Docker shows it: lines from a time on, in
// the order in which they were written, which is not always that of their times.
type container struct {
	*ssm.Client
	lines    []string
	arriving []string // one more with each question
	piece    int      // bytes at most
	asked    []string
}

func (c *container) SendCommand(_ context.Context, in *ssm.SendCommandInput, _ ...func(*ssm.Options)) (*ssm.SendCommandOutput, error) {
	c.asked = append(c.asked, in.Parameters["commands"][0])
	return &ssm.SendCommandOutput{Command: &ssmtypes.Command{CommandId: new("c-1")}}, nil
}

func (c *container) GetCommandInvocation(context.Context, *ssm.GetCommandInvocationInput, ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
	words := strings.Fields(c.asked[len(c.asked)-1]) // logs SERVICE SINCE TAIL SKIP
	var shown []string
	for _, line := range c.lines {
		if at, _, _ := strings.Cut(line, " "); strings.HasSuffix(words[2], "s") || at >= words[2] {
			shown = append(shown, line)
		}
	}
	if n, err := strconv.Atoi(words[3]); err == nil {
		shown = shown[max(0, len(shown)-n):]
	}
	skip, _ := strconv.Atoi(words[4])
	text := strings.Join(shown, "")
	text = text[min(skip, len(text)):]
	text = text[:min(c.piece, len(text))]
	out, err := json.Marshal(map[string]any{"now": moment(0), "text": []byte(text)})
	if len(c.arriving) > 0 {
		c.lines, c.arriving = append(c.lines, c.arriving[0]), c.arriving[1:]
	}
	return &ssm.GetCommandInvocationOutput{Status: ssmtypes.CommandInvocationStatusSuccess, StandardOutputContent: new(string(out))}, err
}

// moment is a time as Docker writes it.
func moment(n int) string {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Microsecond).Format("2006-01-02T15:04:05.000000000Z")
}

// Pieces of any size give the whole log: lines of one moment, lines longer than a piece, empty ones, and such that begin like
// a time.
func TestServiceLogInPiecesOfAnySize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for n, at := 0, 1; n < 120; n++ {
		if random.IntN(3) > 0 {
			at += random.IntN(5)
		}
		texts := []string{"", fmt.Sprintf("line %d", n), strings.Repeat("long ", 200), moment(at + 50), "größe \xff\xfe"}
		lines = append(lines, moment(at)+" "+texts[random.IntN(len(texts))]+"\n")
	}
	for _, piece := range []int{1, 3, 31, 64, 1000, 4096, 1 << 20} {
		c := &container{lines: slices.Clone(lines[:80]), arriving: slices.Clone(lines[80:]), piece: piece}
		log, err := compute.NewMachine(c, engine.Wall{}).ServiceLog("i-1", "n8n", compute.LogRange{Tail: -1})
		if err != nil {
			t.Fatal(err)
		}
		var read strings.Builder
		for quiet := 0; quiet < 2; {
			text, _, err := log.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			read.Write(text)
			if quiet++; len(text) > 0 || len(c.arriving) > 0 {
				quiet = 0
			}
		}
		if want := strings.Join(lines, ""); read.String() != want {
			t.Errorf("pieces of %d bytes: read %d bytes, want %d", piece, read.Len(), len(want))
		}
	}
}

// A line that Docker wrote late, with an earlier time, does not shift the place from which it is read on.
func TestServiceLogWithALateLine(t *testing.T) {
	lines := []string{moment(5) + " five\n", moment(4) + " four, late\n", moment(5) + " five again\n", moment(7) + " seven\n"}
	for n := 1; n <= len(lines); n++ {
		c := &container{lines: lines[:n], arriving: lines[n:], piece: 1 << 20}
		log, _ := compute.NewMachine(c, engine.Wall{}).ServiceLog("i-1", "n8n", compute.LogRange{Tail: -1})
		var read string
		for range 6 {
			text, _, err := log.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			read += string(text)
		}
		want := strings.Join(lines, "")
		if n == 1 { // what Docker does not show from a time on cannot be read
			want = strings.Replace(want, lines[1], "", 1)
		}
		if read != want {
			t.Errorf("after %d lines: read %q, want %q", n, read, want)
		}
	}
}

func TestServiceLogAsksForARange(t *testing.T) {
	for _, tt := range []struct {
		part compute.LogRange
		want string
		read string
	}{
		{compute.LogRange{Tail: -1}, "/opt/geusemaker/logs n8n 999999999s all 0", "all"},
		{compute.LogRange{Tail: 2}, "/opt/geusemaker/logs n8n 999999999s 2 0", "two"},
		{compute.LogRange{Tail: 0}, "/opt/geusemaker/logs n8n 999999999s 0 0", "new"},
		{compute.LogRange{Since: 10 * time.Minute, Tail: -1}, "/opt/geusemaker/logs n8n 600s all 0", "all"},
		{compute.LogRange{Since: 1500 * time.Millisecond, Tail: 5}, "/opt/geusemaker/logs n8n 2s 5 0", "all"},
	} {
		lines := []string{moment(-9) + " one\n", moment(-8) + " two\n", moment(-7) + " three\n"}
		c := &container{lines: lines, piece: 1 << 20, arriving: []string{moment(9) + " new\n"}}
		log, err := compute.NewMachine(c, engine.Wall{}).ServiceLog("i-1", "n8n", tt.part)
		if err != nil {
			t.Fatal(err)
		}
		var read string
		for range 3 {
			text, _, err := log.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			read += string(text)
		}
		want := map[string]string{
			"all": strings.Join(lines, "") + moment(9) + " new\n",
			"two": lines[1] + lines[2] + moment(9) + " new\n", "new": moment(9) + " new\n",
		}[tt.read]
		if c.asked[0] != tt.want || read != want {
			t.Errorf("%+v: asked %q, read %q, want %q", tt.part, c.asked[0], read, want)
		}
	}
}

// What becomes a word of a command on the machine is checked, whoever asks.
func TestServiceLogTakesNoOtherWords(t *testing.T) {
	m := compute.NewMachine(&container{}, engine.Wall{})
	for _, service := range []string{"", "n8n; reboot", "$(id)", "N8N", "../x", "a b", strings.Repeat("x", 21)} {
		if _, err := m.ServiceLog("i-1", service, compute.LogRange{}); err == nil {
			t.Errorf("service %q was taken", service)
		}
	}
	if _, err := m.ServiceLog("i-1", "n8n", compute.LogRange{Since: -time.Second}); err == nil {
		t.Error("a negative age was taken")
	}
}

func TestServiceLogOfTheSandbox(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Use(compute.Drivers(b.recorder, b.Account.Clock(), func(m stack.Machine) ([]byte, error) {
			m.FileSystemID = "" // there is none that could be mounted
			return render(m)
		}))
		m, id := b.start()
		log, err := m.ServiceLog(id, "postgres", compute.LogRange{Tail: -1})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := log.Next(b.Context()); !errors.Is(err, compute.ErrNotRegistered) {
			t.Errorf("before the agent is there: %v", err)
		}
		time.Sleep(time.Minute)
		if _, _, err := log.Next(b.Context()); !errors.Is(err, engine.ErrNotYet) || !strings.Contains(err.Error(), "no container of postgres") {
			t.Errorf("before there is a container: %v", err)
		}
		time.Sleep(24 * time.Hour)
		var read strings.Builder
		for more := true; more; {
			var text []byte
			if text, more, err = log.Next(b.Context()); err != nil {
				t.Fatal(err)
			}
			read.Write(text)
		}
		lines := slices.Collect(strings.Lines(read.String()))
		if len(lines) < 4000 || !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
			t.Errorf("read %d lines", len(lines))
		}
		time.Sleep(time.Minute)
		if text, more, err := log.Next(b.Context()); err != nil || more || strings.Count(string(text), "\n") < 3 || strings.Count(string(text), "\n") > 4 {
			t.Errorf("a minute later %q, %v, %v", text, more, err)
		}
	})
}

func TestCloudInitLog(t *testing.T) {
	inBubble(t, func(b *bench) {
		m, id := b.start()
		time.Sleep(time.Minute)
		whole, err := m.CloudInitLog(b.Context(), id, 0)
		if err != nil || !strings.Contains(whole.Text, "Cloud-init") || whole.Next != whole.Size || whole.Size != int64(len(whole.Text)) {
			t.Fatalf("%+v, %v", whole, err)
		}
		rest, err := m.CloudInitLog(b.Context(), id, 10)
		if err != nil || rest.Text != whole.Text[10:] || rest.Offset != 10 || rest.Next != whole.Size {
			t.Errorf("%+v, %v", rest, err)
		}
	})
}

// A program that is not there is another matter than a machine that does not answer.
func TestWhyAMachineCannotBeAskedYet(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, id := b.start()
		time.Sleep(time.Minute)
		missing := ssm.GetCommandInvocationOutput{Status: ssmtypes.CommandInvocationStatusFailed, ResponseCode: 127, StandardErrorContent: new("sh: 1: /opt/geusemaker/report: not found")}
		m := compute.NewMachine(answering{ssm.NewFromConfig(b.Config), missing}, b.Account.Clock())
		if _, err := m.Report(b.Context(), id, 0); !errors.Is(err, compute.ErrNoProgram) || !errors.Is(err, engine.ErrNotYet) {
			t.Errorf("without the program: %v", err)
		}
		b.Fault(sandbox.Fault{Service: "SSM", Operation: "GetCommandInvocation", Effect: sandbox.EffectLoseRequest})
		m = compute.NewMachine(ssm.NewFromConfig(b.Config), b.Account.Clock())
		if _, err := m.Report(b.Context(), id, 0); !errors.Is(err, engine.ErrNotYet) || errors.Is(err, compute.ErrNoProgram) {
			t.Errorf("without a connection: %v", err)
		}
	})
}

// console answers as EC2 does for a machine on Xen, which has no latest output.
type console struct {
	output string
	asked  int
}

func (c *console) GetConsoleOutput(_ context.Context, in *ec2.GetConsoleOutputInput, _ ...func(*ec2.Options)) (*ec2.GetConsoleOutputOutput, error) {
	c.asked++
	if in.Latest != nil {
		return nil, &refused{"UnsupportedOperation"}
	}
	return &ec2.GetConsoleOutputOutput{Output: new(c.output)}, nil
}

// refused is an error code of AWS.
type refused struct{ code string }

func (e *refused) Error() string        { return e.code }
func (e *refused) ErrorCode() string    { return e.code }
func (e *refused) ErrorMessage() string { return e.code }
func (e *refused) ErrorFault() smithy.ErrorFault {
	return 0
}

func TestConsoleOutput(t *testing.T) {
	c := &console{output: base64.StdEncoding.EncodeToString([]byte("Linux version 6\n"))}
	if text, err := compute.ConsoleOutput(t.Context(), c, "i-1"); text != "Linux version 6\n" || err != nil || c.asked != 2 {
		t.Errorf("%q after %d questions, %v", text, c.asked, err)
	}
	if _, err := compute.ConsoleOutput(t.Context(), &console{}, "i-1"); !errors.Is(err, engine.ErrNotYet) {
		t.Errorf("without output: %v", err)
	}
	if _, err := compute.ConsoleOutput(t.Context(), &console{output: "%%%"}, "i-1"); err == nil {
		t.Error("nonsense was taken for output")
	}
}

func TestForwardingAPort(t *testing.T) {
	inBubble(t, func(b *bench) {
		m, id := b.start()
		var told []string
		s, err := m.Forward(b.Context(), id, 5678, 443, func(text string) { told = append(told, text) })
		if err != nil || len(told) != 1 {
			t.Fatalf("told %q, %v", told, err)
		}
		var grant struct{ SessionId, TokenValue, StreamUrl string } //nolint:revive // the names are AWS's
		if err := json.Unmarshal(s.Grant, &grant); err != nil || grant.SessionId != s.ID || grant.TokenValue == "" || grant.StreamUrl == "" {
			t.Errorf("grant %s, %v", s.Grant, err)
		}
		want := `{"DocumentName":"AWS-StartPortForwardingSession","Parameters":{"localPortNumber":["5678"],"portNumber":["443"]},"Target":"` + id + `"}`
		if string(s.Request) != want {
			t.Errorf("request %s, want %s", s.Request, want)
		}
		if !strings.Contains(fmt.Sprint(b.Account.Inventory()["session"]), s.ID) {
			t.Errorf("sessions %v", b.Account.Inventory()["session"])
		}
		for range 2 { // a session that has ended is ended
			if err := m.End(b.Context(), s.ID); err != nil {
				t.Error(err)
			}
		}
		if left := b.Account.Inventory()["session"]; len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		start := time.Now()
		if _, err := m.Forward(b.Context(), "i-0123456789abcdef0", 5678, 443, nil); !errors.Is(err, compute.ErrNotRegistered) || time.Since(start) > 2*time.Minute {
			t.Errorf("a machine that is not there: %v after %s", err, time.Since(start))
		}
	})
}
