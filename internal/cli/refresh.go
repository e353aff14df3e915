package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// refreshing is the comparison of what is recorded of machines with what AWS says of them now.
type refreshing struct {
	*app
	ctx  context.Context
	home store.Home

	mu      sync.Mutex
	changed map[string][]string // by deployment: what is not as it was recorded
	errs    []error
}

// place is one region of the real or of the pretend account.
type place struct {
	sandbox bool
	region  string
}

// refresh asks AWS about the machines of all entries, with one call for each region, all at once, and records what changed
// where no operation runs. It returns the changes by deployment. An error means that some could not be asked.
func (a *app) refresh(ctx context.Context, home store.Home, entries []store.Entry) (map[string][]string, error) {
	r := &refreshing{app: a, ctx: ctx, home: home, changed: map[string][]string{}}
	places := map[place][]stack.State{}
	for _, e := range entries {
		if e.Err != nil || e.Holder != nil || a.global.sandbox && !e.Summary.Sandbox {
			continue // unreadable, in motion, or in an account that must not be called
		}
		s, err := home.Load(e.Name)
		if err != nil {
			continue // it went while we looked
		}
		if m, ok := s.Machine(); ok && m.ID != "" && m.Status == stack.StatusReady {
			at := place{s.Sandbox, s.Region}
			places[at] = append(places[at], s)
		}
	}
	var wg sync.WaitGroup
	for at, states := range places {
		account, err := a.accountAt(ctx, at)
		if err != nil {
			r.failed(at, states, err)
			continue
		}
		wg.Go(func() {
			if err := r.region(account, states); err != nil {
				r.failed(at, states, err)
			}
		})
	}
	wg.Wait()
	return r.changed, errors.Join(r.errs...)
}

// accountAt opens the account in which deployments lie.
func (a *app) accountAt(ctx context.Context, at place) (*cloud.Account, error) {
	asked := a.global.sandbox
	a.global.sandbox = at.sandbox
	defer func() { a.global.sandbox = asked }()
	return a.openAccount(ctx, at.region)
}

// unaskedError is a region that could not be asked.
type unaskedError struct {
	place
	count int
	err   error
}

func (e *unaskedError) Error() string {
	message, _ := words(e.err)
	return fmt.Sprintf("what is recorded of %s in %s is shown: %s", countOf(e.count, "deployment"), e.region, message)
}

func (e *unaskedError) Unwrap() error { return e.err }

func (r *refreshing) failed(at place, states []stack.State, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, &unaskedError{at, len(states), err})
}

// region compares the deployments of one region. Who calls matters only when a machine is not found: it may be gone, or lie in
// another account.
func (r *refreshing) region(account *cloud.Account, states []stack.State) error {
	var ids []string
	for _, s := range states {
		m, _ := s.Machine()
		ids = append(ids, m.ID)
	}
	machines, err := account.Machines(r.ctx, ids)
	if err != nil {
		return err
	}
	id := ""
	missing := func(s stack.State) bool {
		m, _ := s.Machine()
		return machines[m.ID].ID == ""
	}
	if slices.ContainsFunc(states, missing) {
		if id, err = account.ID(r.ctx); err != nil {
			return err
		}
	}
	for _, s := range states {
		m, _ := s.Machine()
		if missing(s) && s.Account != id {
			r.note(s.Name, fmt.Sprintf("not asked: it lies in account %s, and these credentials are of %s", s.Account, id))
			continue
		}
		now, changes := newsOf(m, machines)
		if len(changes) > 0 {
			r.note(s.Name, changes...)
			now.appraise(r.ctx, account, s)
			if err := r.record(r.ctx, r.home, account, s.Name, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// newsOf is what is not as it was recorded of a machine, and how it differs in words, after AWS was asked for it.
func newsOf(m stack.Record, machines map[string]engine.Found) (news, []string) {
	if found, exists := machines[m.ID]; exists {
		return news{machine: found}, differences(m, found, nil)
	}
	return news{machine: goneMachine(m), missing: []stack.Key{m.Key}}, []string{fmt.Sprintf("the machine %s is gone", m.ID)}
}

func (r *refreshing) note(name string, changes ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed[name] = append(r.changed[name], changes...)
}

// goneMachine is what a machine is like that does not exist any more.
func goneMachine(m stack.Record) engine.Found {
	attrs := maps.Clone(m.Attrs)
	delete(attrs, stack.AttrPublicIP)
	attrs[stack.AttrState] = stack.StateTerminated
	return engine.Found{ID: m.ID, Attrs: attrs}
}

// differences says which attributes are not as they were recorded, in words. Of attributes that only one side knows, those
// of a machine that come and go count: a stopped one has no public address. What is compared elsewhere is left out.
func differences(rec stack.Record, found engine.Found, elsewhere stack.Traits) []string {
	var all []string
	names := slices.Sorted(maps.Keys(rec.Attrs))
	for _, name := range names {
		was, is := rec.Attrs[name], found.Attrs[name]
		if _, known := found.Attrs[name]; !known && name != stack.AttrPublicIP || was == is || elsewhere[name] != nil {
			continue
		}
		all = append(all, fmt.Sprintf("%s %s → %s", name, orNone(was), orNone(is)))
	}
	if _, known := rec.Attrs[stack.AttrPublicIP]; !known && found.Attrs[stack.AttrPublicIP] != "" {
		all = append(all, fmt.Sprintf("%s none → %s", stack.AttrPublicIP, found.Attrs[stack.AttrPublicIP]))
	}
	return all
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// news is what AWS says of a deployment that is not as it was recorded.
type news struct {
	machine engine.Found // without an ID: nothing new
	missing []stack.Key
	resized []stack.Offer // what the machine was made, at its price
}

// of puts the news into the state. What is missing, and what refers to it, counts as not finished any more: the next deploy
// looks for it and makes it anew. At another address, or after a start, the services are to be asked anew.
func (n news) of(s stack.State) stack.State {
	s.Records = maps.Clone(s.Records)
	if m, ok := s.Machine(); ok && m.ID == n.machine.ID {
		was := m
		m.Attrs = maps.Clone(m.Attrs)
		delete(m.Attrs, stack.AttrPublicIP)
		maps.Copy(m.Attrs, n.machine.Attrs)
		s.Records[m.Key] = m
		s.Facts.Resized = slices.Concat(s.Facts.Resized, n.resized)
		if s.Imported == "" && (was.Stopped() || was.Attrs[stack.AttrPublicIP] != m.Attrs[stack.AttrPublicIP]) {
			s.Endpoints = endpointsOf(m, s.Config)
		}
	}
	for _, key := range n.missing {
		if r, ok := s.Records[key]; ok && r.Owned {
			r.ReadyAt = time.Time{} // unlike what only refers to it, it does not exist any more
			s.Records[key] = r
		}
	}
	unfinished := slices.Clone(n.missing)
	if g, err := stack.Blueprint(s.Identity, s.Config, s.Facts); err == nil {
		for _, node := range g.Nodes {
			if slices.ContainsFunc(node.Spec.Refs(), func(ref stack.Ref) bool { return slices.Contains(n.missing, ref.Key) }) {
				unfinished = append(unfinished, node.Key)
			}
		}
	}
	for _, key := range unfinished {
		if r, ok := s.Records[key]; ok && r.Owned && r.Status == stack.StatusReady {
			r.Status = stack.StatusCreated
			s.Records[key] = r
		}
	}
	return s
}

// endpointsOf are the services of a machine of which nothing is known yet but its address.
func endpointsOf(m stack.Record, c stack.Config) []stack.Endpoint {
	address := m.Attrs[stack.AttrPublicIP]
	all := host.Endpoints(address, c)
	if address != "" || c.Access == stack.AccessTunnel || c.Domain != "" {
		return all
	}
	for i := range all {
		all[i].URL, all[i].Detail = "", "the machine has no public address"
	}
	return all
}

// appraise adds the price of a machine that was made another in the console to the news. Where there is none, the cost goes on
// at the price of what it was.
func (n *news) appraise(ctx context.Context, account *cloud.Account, s stack.State) {
	m, _ := s.Machine()
	m.Attrs = n.machine.Attrs
	if _, known := s.Facts.OfferOf(m); known || n.machine.ID == "" || m.Gone() {
		return
	}
	is := stack.Offer{Type: m.Attrs[stack.AttrType], Zone: m.Attrs[stack.AttrZone], Market: m.Attrs[stack.AttrMarket]}
	if offers, _, err := account.Appraise(ctx, []stack.Offer{is}); err == nil {
		n.resized = offers
	}
}

// record saves news under a short lease. Where an operation runs, that one knows better.
func (a *app) record(ctx context.Context, home store.Home, account *cloud.Account, name string, n news) error {
	now := account.Clock().Now().UTC()
	lease, err := home.Lock(ctx, name, store.Intent{Operation: "refresh", Version: version, At: now})
	if _, locked := errors.AsType[*store.LockedError](err); locked {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	s, err := lease.State()
	if err != nil {
		return err
	}
	s = n.of(s)
	s.Serial++
	s.Tool, s.UpdatedAt = version, now
	s.Meter(now) // a machine that was stopped or started is billed otherwise from now on
	return lease.Save(s)
}
