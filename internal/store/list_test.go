package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func TestList(t *testing.T) {
	h := home(t, "beta", "alpha", "gamma", "delta")
	write(t, filepath.Join(h.deployment("gamma"), stateFile), `{"version":1,`)
	write(t, filepath.Join(h.deployments(), ".DS_Store"), "")
	write(t, filepath.Join(h.deployments(), "Not-A-Name", stateFile), "{}")
	l := lock(t, h, "beta")
	dead := Holder{Host: hostname(), PID: 1 << 30, Operation: "deploy", Since: morning}
	write(t, filepath.Join(h.deployment("delta"), holderFile), text(t, dead))
	before := files(t, h.dir)

	entries, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		_, damaged := errors.AsType[*DamagedError](e.Err)
		got = append(got, fmt.Sprintf("%s damaged=%v busy=%v region=%s", e.Name, damaged, e.Holder != nil, e.Summary.Region))
	}
	want := []string{
		"alpha damaged=false busy=false region=eu-central-1",
		"beta damaged=false busy=true region=eu-central-1",
		"delta damaged=false busy=false region=eu-central-1",
		"gamma damaged=true busy=false region=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, files(t, h.dir)); diff != "" {
		t.Errorf("listing made or removed files:\n%s", diff)
	}
	if err := l.Save(sample(t, "beta", 2)); err != nil {
		t.Errorf("listing disturbed the operation that runs: %v", err)
	}
	if entries, err := Open(filepath.Join(t.TempDir(), "missing")).List(); err != nil || len(entries) != 0 {
		t.Errorf("a home that does not exist lists %v (%v)", entries, err)
	}
}

func TestASummarySaysWhatTheStateSays(t *testing.T) {
	states := map[string]func(*stack.State){
		"running":     func(*stack.State) {},
		"never begun": func(s *stack.State) { s.Operation = stack.Operation{} },
		"died":        func(s *stack.State) { s.Operation.EndedAt = time.Time{} },
		"failed":      func(s *stack.State) { s.Operation.Outcome, s.Operation.Error = stack.OutcomeFailed, "no capacity" },
		"destroying":  func(s *stack.State) { s.Operation.Kind = "destroy" },
		"unhealthy":   func(s *stack.State) { s.Operation.Outcome = stack.OutcomeUnhealthy },
		"boot failed": func(s *stack.State) { s.Operation.Outcome, s.Boot.Failed = stack.OutcomeUnhealthy, true },
		"no report":   func(s *stack.State) { s.Operation.Outcome, s.Boot = stack.OutcomeUnhealthy, nil },
		"degraded":    func(s *stack.State) { s.Endpoints[1].Health = stack.Unreachable },
		"no machine":  func(s *stack.State) { delete(s.Records, stack.KeyInstance) },
		"nothing":     func(s *stack.State) { s.Records, s.Endpoints = nil, nil },
		"stopped":     func(s *stack.State) { s.Records[stack.KeyInstance].Attrs[stack.AttrState] = "stopped" },
		"terminated":  func(s *stack.State) { s.Records[stack.KeyInstance].Attrs[stack.AttrState] = "terminated" },
		"stopped once": func(s *stack.State) {
			s.Meter(morning.Add(time.Minute))
			s.Records[stack.KeyInstance].Attrs[stack.AttrState] = "stopped"
			s.Meter(morning.Add(time.Hour))
			s.Records[stack.KeyInstance].Attrs[stack.AttrState] = "running"
			s.Meter(morning.Add(30 * time.Hour))
		},
		"half made": func(s *stack.State) {
			r := s.Records[stack.KeyData]
			r.Status, r.ID, r.CreatedAt = stack.StatusPending, "", time.Time{}
			s.Records[stack.KeyData] = r
		},
	}
	for name, change := range states {
		t.Run(name, func(t *testing.T) {
			h := home(t)
			l := lock(t, h, "demo")
			want := sample(t, "demo", 1)
			change(&want)
			if err := errors.Join(l.Save(want), l.Release()); err != nil {
				t.Fatal(err)
			}
			raw := content(t, filepath.Join(h.deployment("demo"), stateFile))
			if _, fits := summaryOf([]byte(raw), "demo"); !fits {
				t.Error("the summary of a file that was just saved is not used")
			}
			entries, err := h.List()
			if err != nil || len(entries) != 1 || entries[0].Err != nil {
				t.Fatalf("list: %v (%v)", entries, err)
			}
			got := entries[0].Summary
			for _, busy := range []bool{true, false} {
				if got.Phase(busy) != want.Phase(busy) {
					t.Errorf("phase %s, want %s (busy %v)", got.Phase(busy), want.Phase(busy), busy)
				}
			}
			for _, now := range []time.Time{{}, morning, morning.Add(7 * time.Second), morning.Add(1234567 * time.Second)} {
				cost := want.Cost(now)
				if got.CostToDate(now) != cost.ToDate || got.Hourly != cost.Hourly || got.Monthly != cost.Monthly {
					t.Errorf("cost at %v: %v, %v, %v; want %v, %v, %v", now, got.CostToDate(now), got.Hourly, got.Monthly, cost.ToDate, cost.Hourly, cost.Monthly)
				}
			}
			m, _ := want.Machine()
			shown := []string{got.Name, got.ID, got.Account, got.Region, got.Tier, got.Workload, got.InstanceType, got.Market, got.Zone, got.PublicIP, got.Operation.Error}
			expected := []string{
				want.Name, want.ID, want.Account, want.Region, want.Tier, want.Config.WorkloadOrDefault(), m.Attrs[stack.AttrType],
				m.Attrs[stack.AttrMarket], m.Attrs[stack.AttrZone], m.Attrs[stack.AttrPublicIP], want.Operation.Error,
			}
			if diff := cmp.Diff(expected, shown); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
			url := "https://198.51.100.4"
			if name == "stopped" || name == "terminated" || len(want.Endpoints) == 0 {
				url = ""
			}
			if got.N8NURL != url {
				t.Errorf("n8n is at %q, want %q", got.N8NURL, url)
			}
		})
	}
}

// Summaries are saved, so those of an earlier version go on saying what its rules said.
func TestTheRevisionOfSummariesIsRaisedWithTheRules(t *testing.T) {
	sum := Summarize(sample(t, "demo", 1))
	got := fmt.Sprintln(sum.Revision, sum.Busy, sum.Idle, sum.Guess, sum.Hourly.Decimal(), sum.CostToDate(morning.Add(100*time.Hour)).Decimal())
	if want := "5 deploying running true 0.169272265 16.926285946\n"; got != want {
		t.Errorf("a summary says %q, and said %q: raise summaryRevision, so that saved ones are not used any more", got, want)
	}
}

func TestASummaryThatDoesNotFitIsNotUsed(t *testing.T) {
	raw, err := encode(sample(t, "demo", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := summaryOf(raw, "demo"); !ok {
		t.Fatal("a good summary is not used")
	}
	if _, ok := summaryOf(raw, "other"); ok {
		t.Error("the summary of another deployment is used")
	}
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		if _, ok := summaryOf(changed, "demo"); ok {
			t.Errorf("a summary is used although byte %d of the file changed", i)
		}
		if _, ok := summaryOf(raw[:i], "demo"); ok {
			t.Errorf("a summary is used although the file ends after %d bytes", i)
		}
	}
}
