package discovery

import (
	"context"
	"errors"
	"slices"
	"sync"

	"geusemaker/internal/cloud/api"
)

// Kind is one part of what a region holds.
type Kind int

// The kinds that can be read. Each is one or a few lists, all asked for at once.
const (
	Networks  Kind = iota // VPCs and subnets with their gateways, routes and network ACLs
	Groups                // security groups
	Files                 // file systems, their mount targets and who may reach those
	Keys                  // key pairs
	Balancers             // load balancers
)

// atOnce bounds how many calls of one kind run at a time where each item takes a call of its own.
const atOnce = 16

// Reader reads one region. It may be used from several goroutines, and answers again what it has read before: it is made for
// one run of a command.
type Reader struct {
	region    string
	clients   Clients
	networks  *memo[networks]
	groups    *memo[[]SecurityGroup]
	files     *memo[files]
	keys      *memo[[]KeyPair]
	balancers *memo[balancers]
	mu        sync.Mutex
	dns       map[string]*memo[DNS]        // by the ID of the VPC
	lists     map[string]*memo[PrefixList] // by ID
}

// New returns the reader of the region that the clients speak to.
func New(region string, clients Clients) *Reader {
	return &Reader{
		region: region, clients: clients, networks: newMemo[networks](), groups: newMemo[[]SecurityGroup](), files: newMemo[files](),
		keys: newMemo[[]KeyPair](), balancers: newMemo[balancers](), dns: map[string]*memo[DNS]{}, lists: map[string]*memo[PrefixList]{},
	}
}

// memo keeps an answer for the run. A failure is not kept. Who asks while another does waits for that one's answer.
type memo[T any] struct {
	turn  chan struct{} // holds one item while somebody asks
	known bool
	value T
}

func newMemo[T any]() *memo[T] { return &memo[T]{turn: make(chan struct{}, 1)} }

func (m *memo[T]) get(ctx context.Context, read func() (T, error)) (T, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if m.known {
		return m.value, nil
	}
	value, err := read()
	if err == nil {
		m.known, m.value = true, value
	}
	return value, err
}

// Read reads the kinds that are named, all at once. The region that it returns is the caller's own.
func (r *Reader) Read(ctx context.Context, kinds ...Kind) (*Region, error) {
	out := &Region{Name: r.region}
	var net networks
	var fs files
	var lb balancers
	ask := map[Kind]func() error{
		Networks: func() (err error) {
			net, err = r.networks.get(ctx, func() (networks, error) { return r.readNetworks(ctx) })
			return err
		},
		Groups: func() (err error) {
			out.Groups, err = r.groups.get(ctx, func() ([]SecurityGroup, error) { return r.readGroups(ctx) })
			return err
		},
		Files: func() (err error) {
			fs, err = r.files.get(ctx, func() (files, error) { return r.readFiles(ctx) })
			return err
		},
		Keys: func() (err error) {
			out.KeyPairs, err = r.keys.get(ctx, func() ([]KeyPair, error) { return r.readKeys(ctx) })
			return err
		},
		Balancers: func() (err error) {
			lb, err = r.balancers.get(ctx, func() (balancers, error) { return r.readBalancers(ctx) })
			return err
		},
	}
	var questions []func() error
	for _, kind := range kinds {
		questions = append(questions, ask[kind])
	}
	if err := together(questions...); err != nil {
		return nil, err
	}
	out.VPCs, out.Subnets = slices.Clone(net.vpcs), net.subnets
	out.FileSystems, out.LoadBalancers = fs.systems, lb.all
	out.Warnings = slices.Concat(net.warnings, fs.warnings, lb.warnings)
	return out, nil
}

// AskDNS asks for the DNS attributes of the VPCs that are named and notes them in the region. It takes two calls a VPC (EC2 API
// reference, DescribeVpcAttribute), so it is for those that are fit otherwise.
func (r *Reader) AskDNS(ctx context.Context, region *Region, vpcs ...string) error {
	slices.Sort(vpcs)
	vpcs = slices.Compact(vpcs)
	found := make([]DNS, len(vpcs))
	err := each(vpcs, func(i int, id string) (err error) {
		found[i], err = memoOf(r, r.dns, id).get(ctx, func() (DNS, error) { return r.readDNS(ctx, id) })
		return err
	})
	if err != nil {
		return err
	}
	for i := range region.VPCs {
		if at, asked := slices.BinarySearch(vpcs, region.VPCs[i].ID); asked {
			region.VPCs[i].DNS = &found[at]
		}
	}
	return nil
}

// Complete asks at once for what matters only of some of what was read: the DNS attributes of those VPCs that are fit
// otherwise, since of the others they change nothing, and the prefix lists in rules of the groups that are named, which are
// those that will be judged.
func (r *Reader) Complete(ctx context.Context, region *Region, n Need, groups ...string) error {
	var fit []string
	for _, v := range region.VPCs {
		if region.FitVPC(v, n).OK() {
			fit = append(fit, v.ID)
		}
	}
	return together(
		func() error { return r.AskDNS(ctx, region, fit...) },
		func() error { return r.AskLists(ctx, region, groups...) },
	)
}

// memoOf is the memo of one ID among those of a kind.
func memoOf[T any](r *Reader, all map[string]*memo[T], id string) *memo[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all[id] == nil {
		all[id] = newMemo[T]()
	}
	return all[id]
}

// together asks the questions at once, waits for all answers and joins the errors in the order of the questions.
func together(questions ...func() error) error {
	errs := make([]error, len(questions))
	var wg sync.WaitGroup
	for i, ask := range questions {
		wg.Go(func() { errs[i] = ask() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// each asks one question an item, atOnce at a time.
func each[T any](items []T, ask func(int, T) error) error {
	errs := make([]error, len(items))
	room := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, item := range items {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			errs[i] = ask(i, item)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// optional turns the failure of a question whose answer only helps into a warning, unless everything is being broken off.
func optional(ctx context.Context, warning *string, consequence string, ask func() error) func() error {
	return func() error {
		err := ask()
		if err == nil || ctx.Err() != nil {
			return err
		}
		message, _ := api.Explain(err)
		*warning = consequence + " (" + message + ")"
		return nil
	}
}

// said are the warnings that there are.
func said(warnings []string) []string {
	return slices.DeleteFunc(warnings, func(w string) bool { return w == "" })
}
