package stack_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"geusemaker/internal/stack"
)

func TestPhase(t *testing.T) {
	type op = stack.Operation
	deployed := op{Kind: "deploy", StartedAt: day, EndedAt: day.Add(time.Hour), Outcome: stack.OutcomeDone}
	ended := func(kind string, o stack.Outcome) op { return op{Kind: kind, StartedAt: day, EndedAt: day, Outcome: o} }
	healths := func(list ...stack.Health) (e []stack.Endpoint) {
		for _, h := range list {
			e = append(e, stack.Endpoint{Health: h})
		}
		return e
	}
	for _, tt := range []struct {
		name    string
		busy    bool
		op      op
		machine string // state of the machine, "none" for no machine
		boot    *stack.Report
		ends    []stack.Endpoint
		want    stack.Phase
	}{
		{"never begun", false, op{}, "none", nil, nil, stack.PhaseUnknown},
		{"deploy runs", true, op{Kind: "deploy", StartedAt: day}, "none", nil, nil, stack.PhaseDeploying},
		{"deploy runs again", true, deployed, "running", nil, nil, stack.PhaseDeploying},
		{"destroy runs", true, op{Kind: "destroy", StartedAt: day}, "running", nil, nil, stack.PhaseDestroying},
		{"process died", false, op{Kind: "deploy", StartedAt: day}, "running", nil, nil, stack.PhaseInterrupted},
		{"destroy died", false, op{Kind: "destroy", StartedAt: day}, "running", nil, nil, stack.PhaseInterrupted},
		{"interrupted", false, ended("deploy", stack.OutcomeInterrupted), "running", nil, nil, stack.PhaseInterrupted},
		{"failed", false, ended("deploy", stack.OutcomeFailed), "running", nil, nil, stack.PhaseFailed},
		{"destroy failed", false, ended("destroy", stack.OutcomeFailed), "none", nil, nil, stack.PhaseFailed},
		{"data kept", false, ended("destroy", stack.OutcomeDone), "none", nil, nil, stack.PhaseStopped},
		{"machine gone", false, deployed, "none", nil, healths(stack.Healthy), stack.PhaseUnknown},
		{"running", false, deployed, "running", nil, healths(stack.Healthy, stack.Healthy), stack.PhaseRunning},
		{"not asked yet", false, deployed, "", nil, healths(stack.HealthUnknown, stack.Starting), stack.PhaseRunning},
		{"stopped", false, deployed, "stopped", nil, healths(stack.Unreachable), stack.PhaseStopped},
		{"stopping", false, deployed, "stopping", nil, nil, stack.PhaseStopped},
		{"terminated", false, deployed, "terminated", nil, nil, stack.PhaseFailed},
		{"going", false, deployed, "shutting-down", nil, nil, stack.PhaseFailed},
		{"stopped after a bad boot", false, ended("deploy", stack.OutcomeUnhealthy), "stopped", nil, nil, stack.PhaseStopped},
		{"boot failed", false, ended("deploy", stack.OutcomeUnhealthy), "running", &stack.Report{Failed: true}, nil, stack.PhaseFailed},
		{"service missing", false, ended("deploy", stack.OutcomeUnhealthy), "running", &stack.Report{Complete: true}, nil, stack.PhaseDegraded},
		{"never reported", false, ended("deploy", stack.OutcomeUnhealthy), "running", nil, nil, stack.PhaseDegraded},
		{"one unhealthy", false, deployed, "running", nil, healths(stack.Healthy, stack.Unhealthy), stack.PhaseDegraded},
		{"one unreachable", false, deployed, "running", nil, healths(stack.Unreachable, stack.Healthy), stack.PhaseDegraded},
	} {
		s := stack.State{Operation: tt.op, Boot: tt.boot, Endpoints: tt.ends, Records: map[stack.Key]stack.Record{
			stack.KeyFiles: {Key: stack.KeyFiles, Kind: stack.KindFileSystem, Owned: true, Attrs: map[string]string{stack.AttrState: "stopped"}},
		}}
		if tt.machine != "none" {
			s.Records[stack.KeyInstance] = stack.Record{Key: stack.KeyInstance, Kind: stack.KindInstance, Attrs: map[string]string{stack.AttrState: tt.machine}}
		}
		if got := s.Phase(tt.busy); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// fullState has something in every field.
func fullState(t *testing.T) stack.State {
	t.Helper()
	c := goodConfig()
	for key, raw := range map[string]any{"name": demo.Name, "region": demo.Region, "max_hourly": "0.25", "env": "n8n.A=1"} {
		if err := c.Set(key, raw, stack.Source{Kind: "saved"}); err != nil {
			t.Fatal(err)
		}
	}
	f := goodFacts()
	f.Warnings = []string{"spot is dear today"}
	return stack.State{
		Version: stack.StateVersion, Serial: 7, Tool: "v1.2.3", Identity: demo, Sandbox: true, Config: c, Facts: f,
		Records: map[stack.Key]stack.Record{
			stack.KeyVPC: {
				Key: stack.KeyVPC, Kind: stack.KindVPC, ID: "vpc-1", Owned: true, Status: stack.StatusReady, Token: "t", Attempt: 1,
				Attrs: map[string]string{stack.AttrARN: "arn:aws:ec2:::vpc/vpc-1"}, BegunAt: day, CreatedAt: day.Add(time.Second), ReadyAt: day.Add(1500 * time.Millisecond),
			},
			stack.KeyGateway: {Key: stack.KeyGateway, Kind: stack.KindGateway, Owned: true, Status: stack.StatusPending, Needs: []stack.Key{stack.KeyVPC}, Attempt: 2, BegunAt: day},
		},
		Intervals: []stack.Interval{
			{Key: stack.KeyInstance, ID: "i-1", From: day, To: day.Add(time.Hour), Type: "m7i.large", Zone: "eu-central-1b", Market: "spot", Hourly: 40_000_000, Stopped: true},
			{Key: stack.KeyData, ID: "vol-1", From: day},
		},
		Operation: stack.Operation{Kind: "deploy", StartedAt: day, EndedAt: day.Add(time.Minute), Error: "network/gateway: no", Outcome: stack.OutcomeFailed},
		Boot: &stack.Report{
			Version: 1, Time: day, Failed: true, Steps: []stack.BootStep{{Name: "docker", Status: "failed", Seconds: 1.5, Detail: "no"}},
			Services: []stack.ServiceReport{{Service: "n8n", Health: stack.Starting}}, Pulls: []stack.ImagePull{{Image: "n8n", Status: "pulling", Done: 1, Total: 2}},
			Disks: []stack.Disk{{Mount: "/", Kind: "root", Size: 2, Used: 1}}, Log: stack.LogPiece{Next: 2, Size: 3, Text: "hi"},
		},
		Endpoints: []stack.Endpoint{{Service: "n8n", URL: "https://203.0.113.9", Port: 443, Auth: "n8n login", Health: stack.Unreachable, Detail: "refused", CheckedAt: day}},
		CreatedAt: day, UpdatedAt: day.Add(time.Minute),
	}
}

// The state file of this version, to the letter: later versions must read it.
func TestStateJSON(t *testing.T) {
	s := fullState(t)
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "state.json", string(text)+"\n")
	var back stack.State
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmpopts.IgnoreUnexported(stack.Config{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("state changed on its way through JSON (-before +after):\n%s", diff)
	}
	again, err := json.MarshalIndent(back, "", "  ")
	if err != nil || string(again) != string(text) {
		t.Errorf("written again: %v (-first +second):\n%s", err, cmp.Diff(string(text), string(again)))
	}
}

func TestCloneSharesNoRecords(t *testing.T) {
	s := fullState(t)
	clone := s.Clone()
	delete(s.Records, stack.KeyVPC)
	s.Records[stack.KeyGateway] = stack.Record{}
	if len(clone.Records) != 2 || clone.Records[stack.KeyGateway].Attempt != 2 {
		t.Errorf("the clone changed with the original: %v", clone.Records)
	}
	sorted := clone.Sorted()
	if len(sorted) != 2 || sorted[0].Key != stack.KeyGateway || sorted[1].Key != stack.KeyVPC {
		t.Errorf("sorted: %v", sorted)
	}
}
