package store

import (
	"time"

	"geusemaker/internal/stack"
)

// summaryRevision is raised whenever what a Summary says, or how it is computed, changes: older ones are then computed
// anew.
const summaryRevision = 5

// Summary is what a list shows of a deployment. It is saved in front of the state, because reading a thousand whole states
// takes many times as long.
type Summary struct {
	Revision int `json:"revision"`
	Version  int `json:"version"` // of the state
	stack.Identity
	Sandbox      bool            `json:"sandbox"`
	Workload     string          `json:"workload"`
	InstanceType string          `json:"instance_type"`
	Market       string          `json:"market"`
	Zone         string          `json:"zone"`
	PublicIP     string          `json:"public_ip"`
	N8NURL       string          `json:"n8n_url"`
	Operation    stack.Operation `json:"operation"` // the last one
	Busy         stack.Phase     `json:"busy"`      // the status while an operation holds the lock
	Idle         stack.Phase     `json:"idle"`      // the status otherwise
	Hourly       stack.Money     `json:"hourly"`
	Monthly      stack.Money     `json:"monthly"`
	Guess        bool            `json:"guess"` // some of the cost rests on an assumption
	Accruals     []Accrual       `json:"accruals"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
}

// Accrual is what costs money over a span of time.
type Accrual struct {
	Since  time.Time     `json:"since"`
	Until  time.Time     `json:"until,omitzero"` // zero: it goes on
	Hourly []stack.Money `json:"hourly"`         // of each component
}

// Summarize computes the summary of a state.
func Summarize(s stack.State) Summary {
	cost := s.Cost(s.UpdatedAt)
	m, _ := s.Machine()
	sum := Summary{
		Revision: summaryRevision, Version: s.Version,
		Identity: s.Identity, Sandbox: s.Sandbox, Workload: s.Config.WorkloadOrDefault(),
		InstanceType: m.Attrs[stack.AttrType], Market: m.Attrs[stack.AttrMarket], Zone: m.Attrs[stack.AttrZone],
		PublicIP:  m.Attrs[stack.AttrPublicIP],
		Operation: s.Operation, Busy: s.Phase(true), Idle: s.Phase(false),
		Hourly: cost.Hourly, Monthly: cost.Monthly, Guess: cost.Guessed(), Accruals: accruals(s),
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
	for _, e := range s.Reach() {
		if e.Service == "n8n" {
			sum.N8NURL = e.URL
		}
	}
	return sum
}

// accruals puts the components together that cost money over the same span of time.
func accruals(s stack.State) []Accrual {
	type span struct{ since, until time.Time }
	var all []Accrual
	at := map[span]int{}
	for _, a := range s.Accruals() {
		over := span{a.From, a.To}
		i, known := at[over]
		if !known {
			i = len(all)
			at[over] = i
			all = append(all, Accrual{Since: a.From, Until: a.To})
		}
		all[i].Hourly = append(all[i].Hourly, a.Hourly)
	}
	return all
}

// Phase is the status of the deployment; busy says that an operation holds its lock now.
func (s Summary) Phase(busy bool) stack.Phase {
	if busy {
		return s.Busy
	}
	return s.Idle
}

// CostToDate is what the deployment has cost until now, to the nano-dollar what State.Cost says.
func (s Summary) CostToDate(now time.Time) stack.Money {
	var sum stack.Money
	for _, a := range s.Accruals {
		for _, hourly := range a.Hourly {
			sum += stack.Accrual{From: a.Since, To: a.Until, Hourly: hourly}.Between(time.Time{}, now)
		}
	}
	return sum
}
