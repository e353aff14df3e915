package market

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// Ranking is the market as a table: the types that fit, best first.
type Ranking struct {
	Region       string    `json:"region"`
	Architecture string    `json:"architecture"`
	Workload     string    `json:"workload"`
	Preference   string    `json:"preference"`
	Market       string    `json:"market"`
	AsOf         time.Time `json:"as_of"`
	Offers       []Ranked  `json:"offers"`
	Warnings     []string  `json:"warnings"`
}

// Ranked is one type of the ranking.
type Ranked struct {
	Rank         int          `json:"rank"`
	Type         string       `json:"type"`
	Architecture string       `json:"architecture"`
	VCPUs        int          `json:"vcpus"`
	MemoryMiB    int          `json:"memory_mib"`
	GPU          string       `json:"gpu"` // "" where there is none
	GPUs         int          `json:"gpus"`
	GPUMemoryMiB int          `json:"gpu_memory_mib"` // of each
	Market       string       `json:"market"`         // that would be tried first
	Spot         *stack.Money `json:"spot_usd"`       // the lowest of its zones; null where it is not sold or not known
	OnDemand     *stack.Money `json:"on_demand_usd"`
	Saving       int          `json:"saving_percent"` // of spot
	Zones        []ZoneOffer  `json:"zones"`
	Week         *Week        `json:"spot_week"`
	Quotas       []QuotaUse   `json:"quotas"`
	Why          string       `json:"why"`
	Source       string       `json:"source"` // of the on-demand price
	AsOf         time.Time    `json:"as_of,omitzero"`
	Guess        bool         `json:"guess"` // a price is not one of the region
}

// ZoneOffer is a type in a zone.
type ZoneOffer struct {
	Zone  string       `json:"zone"`
	Spot  *stack.Money `json:"spot_usd"`
	Score int          `json:"placement_score,omitempty"` // 1 to 10; 0: not known
}

// Week is the spot price of the last seven days in the zone that is cheapest now.
type Week struct {
	Zone   string        `json:"zone"`
	Low    stack.Money   `json:"low_usd"`
	High   stack.Money   `json:"high_usd"`
	Points []stack.Money `json:"points_usd"` // every twelve hours, the last one now
}

// QuotaUse is how much of a quota of vCPUs is in use.
type QuotaUse struct {
	Market string `json:"market"`
	Bucket string `json:"bucket"`
	Code   string `json:"code"`
	Limit  *int   `json:"limit"` // null: not known
	Used   *int   `json:"used"`
}

// The span and the steps of Week.
const (
	weekSpan = 7 * 24 * time.Hour
	weekStep = 12 * time.Hour
)

// Offers ranks the types that fit the configuration, at most as many as are named, with all that the choice rests on. The
// rank is that of a deploy. What cannot be had is left out and told as a warning.
func (m *Market) Offers(ctx context.Context, c stack.Config, most int) (Ranking, error) {
	out := Ranking{
		Region: c.Region, Architecture: c.Architecture, Workload: c.WorkloadOrDefault(), Preference: c.Preference, Market: c.Market,
		AsOf: m.clock.Now().UTC(), Offers: []Ranked{}, Warnings: []string{},
	}
	if err := m.checkType(c); err != nil {
		return out, err
	}
	wide := scope{asked: max(mostAsked, most), kept: most, before: weekSpan, scored: true}
	prices := m.open(c.Region)
	var s *survey
	var running fleet
	var fleetErr error
	err := together(
		func() (err error) { s, err = m.survey(ctx, c, wide, prices); return err },
		func() error {
			optional, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			running, fleetErr = m.askMachines(optional)
			return nil
		},
	)
	if err != nil {
		return out, err
	}
	prices.close()
	if fleetErr == nil {
		s.used = running.used
	} else {
		out.Warnings = append(out.Warnings, "how many vCPUs are in use is not known ("+because(fleetErr)+")")
	}
	pools, err := s.offers(c)
	if err != nil {
		return out, err
	}
	out.Warnings = append(out.Warnings, s.warnings...)
	out.Offers = s.ranked(c, pools, most, out.AsOf)
	return out, nil
}

// ranked groups pools by type, in the order in which the types come first.
func (s *survey) ranked(c stack.Config, pools []pool, most int, now time.Time) []Ranked {
	var order []string
	byType := map[string][]pool{}
	for _, p := range pools {
		if byType[p.Type] == nil {
			order = append(order, p.Type)
		}
		byType[p.Type] = append(byType[p.Type], p)
	}
	families := map[string]int{}
	all := []Ranked{}
	for i, name := range order[:min(most, len(order))] {
		mine := byType[name]
		r := s.row(c, mine, now)
		r.Rank = i + 1
		families[mine[0].of.family()]++
		r.Why = why(c, mine[0], pools[0], families[mine[0].of.family()])
		all = append(all, r)
	}
	return all
}

// row puts together what is known of a type.
func (s *survey) row(c stack.Config, pools []pool, now time.Time) Ranked {
	t, first := pools[0].of, pools[0]
	list := s.prices.book.list(t)
	r := Ranked{
		Type: t.name, Architecture: t.architecture, VCPUs: t.vcpus, MemoryMiB: t.memoryMiB,
		GPU: t.gpu, GPUs: t.gpus, GPUMemoryMiB: t.gpuMemoryMiB, Market: first.Market,
		Zones: []ZoneOffer{}, Quotas: s.quotas(c, t), Source: list.Source, AsOf: list.AsOf, Guess: list.Guess,
	}
	if list.Amount > 0 {
		r.OnDemand = &list.Amount
	}
	scores := s.named()
	for zone := range s.zones {
		if !s.sold[t.name][zone] {
			continue
		}
		offer := ZoneOffer{Zone: zone, Score: scores[zone]}
		if price, sold := s.prices.spot[place{t.name, zone}]; sold && t.spot {
			offer.Spot = &price.Amount
			if r.Spot == nil || price.Amount < *r.Spot {
				r.Spot = &price.Amount
				r.Week = s.history.week(place{t.name, zone}, now)
			}
		}
		r.Zones = append(r.Zones, offer)
	}
	slices.SortFunc(r.Zones, func(a, b ZoneOffer) int { return strings.Compare(a.Zone, b.Zone) })
	if r.Spot != nil && r.OnDemand != nil {
		r.Saving = int((*r.OnDemand - *r.Spot).Times(100, int64(*r.OnDemand)))
	}
	return r
}

// week is the history of a pool in even steps.
func (h history) week(where place, now time.Time) *Week {
	changes := h[where]
	if len(changes) == 0 {
		return nil
	}
	w := &Week{Zone: where.zone, Low: math.MaxInt64}
	for at := now.Add(weekStep - weekSpan); !at.After(now); at = at.Add(weekStep) {
		price := changes[0].price
		for _, c := range changes {
			if !c.at.After(at) {
				price = c.price
			}
		}
		w.Points = append(w.Points, price)
	}
	for i, c := range changes {
		// Of what was in force before the week only the last counts.
		if i+1 == len(changes) || changes[i+1].at.After(now.Add(-weekSpan)) {
			w.Low, w.High = min(w.Low, c.price), max(w.High, c.price)
		}
	}
	return w
}

// quotas are those under which the type falls, one for each market.
func (s *survey) quotas(c stack.Config, t machineType) []QuotaUse {
	all := []QuotaUse{}
	b, known := bucketOf(t)
	if !known {
		return all
	}
	for _, market := range markets(c) {
		q := QuotaUse{Market: market, Bucket: b.name, Code: b.code(market)}
		if limit, asked := s.limits[q.Code]; asked {
			q.Limit = &limit
		}
		if s.used != nil {
			q.Used = new(s.used[q.Code])
		}
		all = append(all, q)
	}
	return all
}

// why says in words what put a type where it is: p is its best pool, best that of the first type, and nth counts the types
// of its family so far.
func why(c stack.Config, p, best pool, nth int) string {
	var reasons []string
	switch first := p.Type == best.Type; {
	case c.InstanceType != stack.Auto:
		reasons = append(reasons, "you named it")
	case c.Preference == "lowest-cost" && first:
		reasons = append(reasons, "the lowest price")
	case c.Preference == "lowest-cost":
		reasons = append(reasons, (p.Hourly-best.Hourly).Format(4)+" an hour more")
	case c.Preference == "performance" && first:
		reasons = append(reasons, "the most power")
	case c.Preference == "performance" && p.of.power() == best.of.power():
		reasons = append(reasons, "as much power, for a higher price")
	case c.Preference == "performance":
		reasons = append(reasons, fmt.Sprintf("%.0f%% of the first one's power", 100*p.of.power()/best.of.power()))
	case first:
		reasons = append(reasons, "the best price for its power and memory")
	default:
		reasons = append(reasons, dearer(p, best))
	}
	if c.Preference == "highest-availability" && nth > 1 {
		reasons = append(reasons, fmt.Sprintf("no. %d of family %s", nth, p.of.family()))
	}
	if p.Market != best.Market {
		reasons = append(reasons, "not to be had on spot")
	}
	if p.of.burstable() {
		reasons = append(reasons, "burstable: slow under lasting load")
	}
	return strings.Join(reasons, "; ")
}

// dearer compares what one gets for the money.
func dearer(p, best pool) string {
	percent := math.Round(100 * (p.perWorth()/best.perWorth() - 1))
	switch {
	case math.IsInf(percent, 0) || math.IsNaN(percent):
		return "its price is not known"
	case percent < 0: // another market's
		return fmt.Sprintf("%.0f%% cheaper for what it gives", -percent)
	case percent == 0:
		return "as good a price for its power and memory"
	default:
		return fmt.Sprintf("%.0f%% dearer for what it gives", percent)
	}
}
