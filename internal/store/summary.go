package store

import (
	"time"

	"geusemaker/internal/stack"
)

// summaryRevision is raised whenever what a Summary says, or how it is computed, changes: older ones are then computed
// anew.
const summaryRevision = 1

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
	Accruals     []Accrual       `json:"accruals"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
}

// Accrual is what has been costing money since some moment.
type Accrual struct {
	Since  time.Time     `json:"since"`
	Hourly []stack.Money `json:"hourly"` // of each component
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
		Hourly: cost.Hourly, Monthly: cost.Monthly, Accruals: accruals(s, cost),
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
	for _, e := range s.Endpoints {
		if e.Service == "n8n" {
			sum.N8NURL = e.URL
		}
	}
	return sum
}

// accruals puts the components that exist together by the moment since which they do.
func accruals(s stack.State, cost stack.Cost) []Accrual {
	var all []Accrual
	at := map[time.Time]int{}
	for _, part := range cost.Components {
		r, ok := s.Records[part.Key]
		if !ok || r.CreatedAt.IsZero() {
			continue
		}
		since := r.CreatedAt.UTC()
		i, known := at[since]
		if !known {
			i = len(all)
			at[since] = i
			all = append(all, Accrual{Since: since})
		}
		all[i].Hourly = append(all[i].Hourly, part.Hourly)
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
		if !now.After(a.Since) {
			continue
		}
		for _, hourly := range a.Hourly {
			sum += hourly.Times(int64(now.Sub(a.Since)/time.Second), 3600)
		}
	}
	return sum
}
