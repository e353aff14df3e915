package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// allRegions is the value of --region that means every region of the account.
const allRegions = "all"

// sighting is one deployment as the tags in the account tell of it.
type sighting struct {
	stack.Trace
	account *cloud.Account
	state   stack.State // made from the trace, with prices
	here    string      // the name under which it is recorded on this computer; "" when it is not
	// partly says that it may have more resources in regions that were not looked at.
	partly bool
}

// records are the deployments that this computer has a record of: by ID, and those whose record is damaged.
type records struct {
	names   map[string]string
	damaged []string
}

// of returns the name under which a deployment is recorded here. A damaged record does not tell its ID, so it counts as that
// of everything with its name.
func (r records) of(t stack.Trace) (string, bool) {
	if name, ok := r.names[t.ID]; ok {
		return name, true
	}
	return t.Name, slices.Contains(r.damaged, t.Name)
}

func (a *app) recorded() (records, error) {
	known := records{names: map[string]string{}}
	home, err := a.home()
	if err != nil {
		return known, err
	}
	entries, err := home.List()
	for _, e := range entries {
		if e.Err != nil {
			known.damaged = append(known.damaged, e.Name)
		} else {
			known.names[e.Summary.ID] = e.Name
		}
	}
	return known, err
}

// survey looks for deployments by their tags: in the regions that are wanted, in all, or in the default one. It also
// returns the regions in which it looked. One that cannot be looked at makes it fail: what it may hold is not known.
func (a *app) survey(ctx context.Context, wanted []string) ([]sighting, []string, error) {
	regions, err := a.surveyed(ctx, wanted)
	if err != nil {
		return nil, nil, err
	}
	known, err := a.recorded()
	if err != nil {
		return nil, nil, err
	}
	found := make([][]sighting, len(regions))
	errs := make([]error, len(regions))
	atOnce := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i, region := range regions {
		account, err := a.openAccount(ctx, region)
		if err != nil {
			return nil, nil, err
		}
		wg.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			if found[i], errs[i] = a.surveyRegion(ctx, account, region); errs[i] != nil {
				errs[i] = fmt.Errorf("region %s: %w", region, errs[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	all := together(slices.Concat(found...), len(regions) > 1)
	for i := range all {
		if name, ok := known.of(all[i].Trace); ok {
			all[i].here = name
		}
	}
	return all, regions, nil
}

// surveyed are the regions to look at: those that are wanted, all that the account has, or the default one.
func (a *app) surveyed(ctx context.Context, wanted []string) ([]string, error) {
	everywhere := slices.Contains(wanted, allRegions)
	if len(wanted) > 0 && !everywhere {
		for _, region := range wanted {
			if err := validRegion(region); err != nil {
				return nil, err
			}
		}
		return slices.Compact(slices.Sorted(slices.Values(wanted))), nil
	}
	c := stack.NewConfig()
	if err := errors.Join(a.region(ctx, &c), c.ValidateRegion()); err != nil {
		return nil, err
	}
	if !everywhere {
		return []string{c.Region}, nil
	}
	account, err := a.openAccount(ctx, c.Region)
	if err != nil {
		return nil, err
	}
	return account.Regions(ctx)
}

// validRegion refuses what cannot be the name of a region.
func validRegion(region string) error {
	c := stack.NewConfig()
	if err := c.Set("region", region, stack.Source{Kind: "flag", From: "--region"}); err != nil {
		return err
	}
	return c.ValidateRegion()
}

// surveyRegion looks at one region.
func (a *app) surveyRegion(ctx context.Context, account *cloud.Account, region string) ([]sighting, error) {
	id, err := account.ID(ctx)
	if err != nil {
		return nil, err
	}
	traces, err := engine.Engine{Drivers: account.Drivers(), Clock: account.Clock()}.Survey(ctx, "")
	if err != nil {
		return nil, err
	}
	var machines []stack.Offer
	for _, t := range traces {
		if m, ok := t.Machine(); ok {
			machines = append(machines, stack.Offer{Type: m.Attrs[stack.AttrType], Zone: m.Attrs[stack.AttrZone], Market: m.Attrs[stack.AttrMarket]})
		}
	}
	offers, prices, err := account.Appraise(ctx, machines)
	if err != nil {
		return nil, err
	}
	var all []sighting
	for _, t := range traces {
		facts := t.Facts(id, region)
		facts.Offers, facts.Prices = offers, prices
		all = append(all, sighting{Trace: t, account: account, state: a.rebuilt(t, t.Name, facts, account.Clock().Now()), partly: t.Global()})
	}
	return all, nil
}

// rebuilt is the state of a deployment as far as its trace tells.
func (a *app) rebuilt(t stack.Trace, name string, f stack.Facts, now time.Time) stack.State {
	c := t.Config(name, f.Region)
	s := stack.Rebuild(stack.Identity{ID: t.ID, Name: name, Account: f.Account, Region: f.Region, Tier: c.Tier}, t, c, f, now)
	s.Tool, s.Sandbox = version, a.global.sandbox
	if m, ok := s.Machine(); ok && m.Attrs[stack.AttrPublicIP] != "" {
		s.Endpoints = host.Endpoints(m.Attrs[stack.AttrPublicIP], c)
	}
	return s
}

// together joins what was seen of one deployment in several regions. What belongs to no region is seen in each: it stays
// where the rest is, and where there is no rest it stays once, and is known to be all when every region was looked at.
func together(all []sighting, everywhere bool) []sighting {
	var kept []sighting
	for _, s := range all {
		same := func(o sighting) bool { return o.ID == s.ID }
		rest := func(o sighting) bool { return same(o) && !o.Global() }
		if s.Global() && (slices.ContainsFunc(all, rest) || slices.ContainsFunc(kept, same)) {
			continue
		}
		s.partly = s.partly && !everywhere
		kept = append(kept, s)
	}
	return kept
}

// standing says in one word what a deployment that is not recorded here is: a whole one of another computer, the data that
// somebody kept, or what was left of one.
func (s sighting) standing() string {
	switch {
	case s.DataOnly():
		return standingKept
	case s.partly:
		return standingUnknown
	case s.state.Operation.Outcome == stack.OutcomeDone:
		return standingWhole
	default:
		return standingRemains
	}
}

// The standings.
const (
	standingWhole   = "deployment"
	standingKept    = "kept-data"
	standingRemains = "remains"
	standingUnknown = "unknown"
)

// advice is what can be done about a deployment that is not recorded here.
func (s sighting) advice() string {
	region := " --region " + s.state.Region
	switch s.standing() {
	case standingWhole:
		return fmt.Sprintf("`geusemaker recover %s%s` takes over its record", s.Name, region)
	case standingKept:
		id := "FILE_SYSTEM"
		for _, r := range s.Sorted() {
			if r.Kind == stack.KindFileSystem {
				id = r.ID
			}
		}
		return fmt.Sprintf("`geusemaker deploy %s --efs-id %s%s` attaches it to a new machine", s.Name, id, region)
	case standingUnknown:
		return "only parts that belong to no region are seen; `geusemaker orphans --region all` tells whether they are in use"
	default:
		return fmt.Sprintf("`geusemaker recover %s%s` takes it over, `geusemaker orphans --delete --id %s%s` removes it", s.Name, region, s.ID, region)
	}
}

// remoteRows are the rows of deployments that the account holds and this computer has no record of.
func (a *app) remoteRows(ctx context.Context, regions []string) ([]listDoc, error) {
	all, _, err := a.survey(ctx, regions)
	if err != nil {
		return nil, err
	}
	var rows []listDoc
	for _, s := range all {
		if s.here != "" || s.partly {
			continue
		}
		cost := stack.CostOf(s.Sorted(), s.state.Facts) // the whole may never have been made
		row := describe(store.Summarize(s.state), false, s.account.Clock().Now())
		row.Hourly, row.Monthly, row.Guess = &cost.Hourly, &cost.Monthly, cost.Guessed()
		row.Remote, row.UpdatedAt = true, nil // when it was changed last, nobody knows
		rows = append(rows, row)
	}
	return rows, nil
}
