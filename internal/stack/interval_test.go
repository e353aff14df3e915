package stack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// metered is a deployment whose records are changed and metered step by step.
type metered struct {
	stack.State
	now time.Time
}

func newMetered() *metered {
	return &metered{now: day, State: stack.State{Identity: demo, Config: goodConfig(), Facts: goodFacts(), Records: map[stack.Key]stack.Record{}}}
}

// at moves on to a time after day and looks at what there is then.
func (m *metered) at(after time.Duration, change func(records map[stack.Key]stack.Record)) {
	m.now = day.Add(after)
	change(m.Records)
	m.UpdatedAt = m.now
	m.Meter(m.now)
	m.Meter(m.now)
}

func (m *metered) machine(id, state, market string, created time.Time) stack.Record {
	zone := map[string]string{stack.Spot: "eu-central-1b", stack.MarketOnDemand: "eu-central-1a"}[market]
	return stack.Record{
		Key: stack.KeyInstance, Kind: stack.KindInstance, ID: id, Owned: true, CreatedAt: created,
		Attrs: map[string]string{stack.AttrType: "m7i.large", stack.AttrZone: zone, stack.AttrMarket: market, stack.AttrState: state},
	}
}

func (m *metered) story() string {
	var lines []string
	for _, i := range m.Intervals {
		line := string(i.Key) + " " + i.ID + " " + i.From.Sub(day).String() + " to "
		if i.To.IsZero() {
			line += "now"
		} else {
			line += i.To.Sub(day).String()
		}
		if i.Stopped {
			line += " stopped"
		}
		if i.Market != "" {
			line += " " + i.Type + " " + i.Market + " " + i.Hourly.Decimal()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// A machine that is launched, stopped, started, made anew on another market and removed is billed for what it did, and
// what is gone goes on counting.
func TestMeterFollowsTheMachine(t *testing.T) {
	m := newMetered()
	put := func(r stack.Record) func(map[stack.Key]stack.Record) {
		return func(all map[stack.Key]stack.Record) { all[r.Key] = r }
	}
	m.at(0, put(stack.Record{Key: stack.KeyInstance, Kind: stack.KindInstance, Owned: true, Status: stack.StatusPending}))
	m.at(time.Hour, put(m.machine("i-1", "pending", "spot", day.Add(time.Hour))))
	m.at(2*time.Hour, put(m.machine("i-1", "running", "spot", day.Add(time.Hour))))
	m.at(5*time.Hour, put(m.machine("i-1", "stopped", "spot", day.Add(time.Hour))))
	m.at(9*time.Hour, put(m.machine("i-1", "running", "spot", day.Add(time.Hour))))
	m.at(10*time.Hour, put(m.machine("i-1", "terminated", "spot", day.Add(time.Hour))))
	m.at(11*time.Hour, put(m.machine("i-2", "running", stack.MarketOnDemand, day.Add(11*time.Hour))))
	m.at(12*time.Hour, put(stack.Record{Key: stack.KeyData, Kind: stack.KindVolume, ID: "vol-1", Owned: true, CreatedAt: day.Add(12 * time.Hour)}))
	m.at(13*time.Hour, func(all map[stack.Key]stack.Record) { delete(all, stack.KeyInstance) })
	m.at(14*time.Hour, func(all map[stack.Key]stack.Record) { delete(all, stack.KeyData) })
	want := `compute/instance i-1 1h0m0s to 5h0m0s m7i.large spot 0.04
compute/instance i-1 5h0m0s to 9h0m0s stopped m7i.large spot 0.04
compute/instance i-1 9h0m0s to 10h0m0s m7i.large spot 0.04
compute/instance i-2 11h0m0s to 13h0m0s m7i.large on-demand 0.12
storage/data vol-1 12h0m0s to 14h0m0s`
	if diff := cmp.Diff(want, m.story()); diff != "" {
		t.Fatalf("intervals (-want +got):\n%s", diff)
	}
	c := m.Cost(day.Add(1000 * time.Hour))
	spent := map[string]string{}
	for _, part := range c.Components {
		if part.Key != stack.KeyFiles {
			spent[part.Name] = part.ToDate.Format(4)
		}
	}
	// 5 hours of spot and 2 on demand; the address for the same 7; the root volume also while the machine was stopped.
	wantSpent := map[string]string{
		"m7i.large spot": "$0.4400", "public IPv4 address": "$0.0350",
		"transfer to the internet": "$0.0000",
		"root volume":              "$0.0603", "root volume throughput": "$0.0942", "data volume": "$0.0110", "data volume throughput": "$0.0171",
	}
	if diff := cmp.Diff(wantSpent, spent); diff != "" {
		t.Errorf("to date (-want +got):\n%s", diff)
	}
	m.Operation.Kind = "destroy"
	if gone := m.Cost(day.Add(1000 * time.Hour)); gone.ToDate != c.ToDate || len(gone.Components) != 0 || gone.Hourly != 0 {
		t.Errorf("after its removal it costs %s an hour and %s to date, not %s", gone.Hourly, gone.ToDate, c.ToDate)
	}
}

// A record that was never metered ran from its creation until it was seen in another state.
func TestWhatWasNeverMeteredCounts(t *testing.T) {
	for state, want := range map[string]stack.Money{"running": 24, "": 24, "stopped": 10, "terminated": 10, "shutting-down": 10} {
		m := newMetered()
		m.Records[stack.KeyInstance] = m.machine("i-1", state, "spot", day)
		m.UpdatedAt = day.Add(10 * time.Hour)
		var machine stack.Money
		for _, a := range m.Accruals() {
			if a.Name == "m7i.large spot" {
				machine += a.Between(time.Time{}, day.Add(24*time.Hour))
			}
		}
		if want *= 4 * stack.Dollar / 100; machine != want {
			t.Errorf("%q: %s, want %s", state, machine, want)
		}
		if m.Intervals != nil {
			t.Errorf("pricing changed the state")
		}
	}
}

func TestAccrualBetween(t *testing.T) {
	hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	open, closed := stack.Accrual{From: hour(2), Hourly: 10}, stack.Accrual{From: hour(2), To: hour(6), Hourly: 10}
	for _, tt := range []struct {
		a        stack.Accrual
		from, to time.Time
		want     stack.Money
	}{
		{open, time.Time{}, hour(10), 80},
		{closed, time.Time{}, hour(10), 40},
		{open, hour(4), hour(10), 60},
		{closed, hour(4), hour(10), 20},
		{closed, hour(4), hour(5), 10},
		{open, time.Time{}, hour(1), 0},
		{closed, hour(7), hour(9), 0},
	} {
		if got := tt.a.Between(tt.from, tt.to); got != tt.want {
			t.Errorf("%+v from %v to %v: %d, want %d", tt.a, tt.from, tt.to, got, tt.want)
		}
	}
}
