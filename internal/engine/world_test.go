package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; run with -update when that is meant (-want +got):\n%s", path, diff)
	}
}

// part is a resource of the tests: any kind, any edges.
type part struct {
	kind stack.Kind
	refs []stack.Ref
}

func (p part) Kind() stack.Kind { return p.kind }

func (p part) Refs() []stack.Ref { return p.refs }

// Kinds of the tests, and one that holds data.
const (
	plain stack.Kind = "plain"
	other stack.Kind = "other"
	data             = stack.KindVolume
)

func ready(key stack.Key) stack.Ref { return stack.Ref{Key: key, Until: stack.StatusReady} }

func created(key stack.Key) stack.Ref { return stack.Ref{Key: key, Until: stack.StatusCreated} }

func late(r stack.Ref) stack.Ref { r.Late = true; return r }

func outlives(key stack.Key) stack.Ref {
	return stack.Ref{Key: key, Until: stack.StatusCreated, Outlives: true}
}

func node(key stack.Key, kind stack.Kind, refs ...stack.Ref) stack.Node {
	return stack.Node{Key: key, Spec: part{kind, refs}}
}

func graph(t *testing.T, nodes ...stack.Node) stack.Graph {
	t.Helper()
	g, err := stack.NewGraph(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// script says how the account behaves towards one resource. Durations are of virtual time.
type script struct {
	create, settle, delete time.Duration

	answers   []answer // to the first calls of Create, in order; the later ones succeed
	vanish    int      // so many of the first that were made are gone when they are to be settled
	settleErr error
	deleteErr error
}

// answer is what Create replies, and whether the resource was made all the same.
type answer struct {
	err  error
	made bool
}

// thing is a resource in the account.
type thing struct {
	kind        stack.Kind
	key         stack.Key
	id          string
	since, gone time.Time
	foreign     bool // somebody else's: without our tags, so that no list shows it
}

// world is a pretend account with one process that works on it: drivers that follow scripts, a disk and a screen. It holds
// at every call that the disk knows of it.
type world struct {
	t       *testing.T
	graph   stack.Graph
	scripts map[stack.Key]script
	lag     time.Duration // until Read and List show what was made
	linger  time.Duration // for which List goes on showing what was deleted
	listErr error         // of the kind plain

	mu       sync.Mutex
	things   []*thing
	calls    []string
	asked    map[string]int // calls by name, such as "create a"
	creating int
	most     int // creates that ran at once

	lands bool // requests that were on their way when a process died are carried out

	disk   *stack.State
	saves  int
	onSave func(n int) error // may refuse the n-th save
	events []engine.Event
}

// process is one run of the tool. A dead one can neither call nor save, and nobody sees what it says.
type process struct {
	*world
	dieAfter int // saves; 0: never
	died     chan struct{}
	shown    int // not guarded: the engine shows one event at a time
}

var identity = stack.Identity{ID: "0123456789abcdef", Name: "demo", Account: "123456789012", Region: "eu-central-1", Tier: stack.TierDev}

func newWorld(t *testing.T, nodes ...stack.Node) *world {
	return &world{t: t, graph: graph(t, nodes...), scripts: map[stack.Key]script{}, asked: map[string]int{}}
}

func (w *world) start() *process { return &process{world: w, died: make(chan struct{})} }

func (w *world) engine() engine.Engine { return w.start().engine() }

func (p *process) engine() engine.Engine {
	e := engine.Engine{Drivers: map[stack.Kind]engine.Driver{}, Save: p.save, Sink: p.show, Clock: engine.Wall{}, Version: "v1"}
	for _, n := range p.graph.Nodes {
		e.Drivers[n.Spec.Kind()] = driver{p, n.Spec.Kind()}
	}
	return e
}

func (p *process) dead() bool {
	select {
	case <-p.died:
		return true
	default:
		return false
	}
}

func (p *process) show(ev engine.Event) {
	p.shown++
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead() {
		p.events = append(p.events, ev)
	}
}

// state is what a new process reads from the disk.
func (w *world) state() *stack.State {
	w.t.Helper()
	s := &stack.State{Version: stack.StateVersion, Identity: identity, Config: stack.NewConfig(), Records: map[stack.Key]stack.Record{}}
	if w.disk == nil {
		return s
	}
	text, err := json.Marshal(w.disk)
	if err == nil {
		s = &stack.State{}
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// recorded is what the disk says of a resource.
func (w *world) recorded(key stack.Key) stack.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.disk == nil {
		return stack.Record{}
	}
	return w.disk.Records[key]
}

// apply runs a new process that deploys, and holds that its events make sense.
func (w *world) apply(ctx context.Context) ([]stack.Key, error) {
	w.t.Helper()
	w.events = nil
	began, err := w.engine().Apply(ctx, w.graph, w.state())
	w.checkEvents()
	return began, err
}

// destroy runs a new process that destroys.
func (w *world) destroy(ctx context.Context, what engine.Removal) (engine.Removed, error) {
	w.t.Helper()
	w.events = nil
	removed, err := w.engine().Destroy(ctx, w.state(), what)
	w.checkEvents()
	return removed, err
}

func (w *world) mustApply() {
	w.t.Helper()
	if _, err := w.apply(w.t.Context()); err != nil {
		w.t.Fatalf("apply: %v", err)
	}
}

var errDead = errors.New("the process is dead")

func (p *process) save(s stack.State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead() {
		return errDead
	}
	if p.onSave != nil {
		if err := p.onSave(p.saves + 1); err != nil {
			return err
		}
	}
	p.disk = &s
	p.saves++
	if p.dieAfter > 0 {
		if p.dieAfter--; p.dieAfter == 0 {
			close(p.died)
		}
	}
	return nil
}

// begin notes a call and holds that what it is about was saved before.
func (p *process) begin(name string, t engine.Target) (script, error) {
	rec := p.recorded(t.Key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead() {
		return script{}, errDead
	}
	call := name + " " + string(t.Key)
	p.calls = append(p.calls, call)
	p.asked[call]++
	key, _, duplicate := strings.Cut(string(t.Key), "#")
	if name != "read" { // the user's own resources are read before they are recorded
		want := map[string]stack.Status{"create": stack.StatusPending, "settle": stack.StatusCreated, "delete": stack.StatusDeleting}[name]
		if rec.Status != want || (rec.ID == "") != (name == "create") || rec.ID != t.Record.ID || rec.Token != t.Record.Token || !rec.Owned {
			p.t.Errorf("at %s the disk says %+v", call, rec)
		}
		if rec.Token == "" && !duplicate {
			p.t.Errorf("%s without a token", call)
		}
	}
	if t.Tags[stack.TagKey] != string(t.Key) || t.Tags[stack.TagStack] != identity.ID || t.Stack != identity {
		p.t.Errorf("%s for %v with tags %v", call, t.Stack, t.Tags)
	}
	return p.scripts[stack.Key(key)], nil
}

// count is how often a call was made for a resource.
func (w *world) count(name string, key stack.Key) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[name+" "+string(key)]
}

// living are the resources that exist, sorted by ID.
func (w *world) living() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := []string{}
	for _, th := range w.things {
		if th.gone.IsZero() {
			ids = append(ids, th.id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (w *world) make(kind stack.Kind, key stack.Key) *thing {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 1
	for _, th := range w.things {
		if th.key == key {
			n++
		}
	}
	th := &thing{kind: kind, key: key, id: fmt.Sprintf("%s-%d", key, n), since: time.Now()}
	w.things = append(w.things, th)
	return th
}

// vanish removes a resource behind the back of everybody.
func (w *world) vanish(key stack.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, th := range w.things {
		if th.key == key {
			th.gone = time.Now().Add(-time.Hour)
		}
	}
}

// checkEvents holds that each resource has one ending, after one start if anything was tried, and that time goes forward.
func (w *world) checkEvents() {
	w.t.Helper()
	var last time.Time
	seen := map[stack.Key]string{}
	for _, ev := range w.events {
		if ev.Time.Before(last) {
			w.t.Errorf("event %s %s comes before its time", ev.Type, ev.Key)
		}
		last = ev.Time
		if ev.Key == "" || ev.Kind == "" {
			w.t.Errorf("event %+v has no key or no kind", ev)
		}
		seen[ev.Key] += " " + string(ev.Type)
		if (ev.Type == engine.EventFailed) != (ev.Err != nil) {
			w.t.Errorf("event %s %s has the error %v", ev.Type, ev.Key, ev.Err)
		}
	}
	for key, types := range seen {
		types = strings.ReplaceAll(types, " waiting", "")
		for strings.Contains(types, " created created") { // it was made anew
			types = strings.ReplaceAll(types, " created created", " created")
		}
		switch types {
		case " start created ready", " start created failed", " start created skipped", " start failed", " start skipped", " kept", " skipped",
			" start deleted", " start kept":
		case " start ready": // it outlived what it belongs to
			if w.state().Records[key].Attempt > 1 {
				w.t.Errorf("%s was made anew and nobody said so", key)
			}
		default:
			w.t.Errorf("events of %s:%s", key, types)
		}
	}
}

// endings is the last event of each resource, such as "ready".
func (w *world) endings() map[stack.Key]engine.EventType {
	ends := map[stack.Key]engine.EventType{}
	for _, ev := range w.events {
		ends[ev.Key] = ev.Type
	}
	return ends
}

// at is when, counted from start, an event happened; -1 when it did not.
func (w *world) at(start time.Time, typ engine.EventType, key stack.Key) time.Duration {
	for _, ev := range w.events {
		if ev.Type == typ && ev.Key == key {
			return ev.Time.Sub(start)
		}
	}
	return -1
}

// checkDeployed holds that exactly one resource of each key exists, and that the disk knows it as ready.
func (w *world) checkDeployed() {
	w.t.Helper()
	records := w.state().Records
	var ids []string
	for _, n := range w.graph.Nodes {
		rec := records[n.Key]
		if rec.Status != stack.StatusReady || rec.ReadyAt.IsZero() || rec.CreatedAt.IsZero() {
			w.t.Errorf("%s is recorded as %+v", n.Key, rec)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(rec.Needs)))) != len(rec.Needs) {
			w.t.Errorf("%s needs %v", n.Key, rec.Needs)
		}
		ids = append(ids, rec.ID)
	}
	slices.Sort(ids)
	if diff := cmp.Diff(ids, w.living()); diff != "" || len(records) != len(w.graph.Nodes) {
		w.t.Errorf("%d records of %d resources (-recorded +existing):\n%s", len(records), len(w.graph.Nodes), diff)
	}
}

// checkGone holds that nothing is left, in the account or on the disk.
func (w *world) checkGone() {
	w.t.Helper()
	if left := w.living(); len(left) > 0 {
		w.t.Errorf("%v are left", left)
	}
	if records := w.state().Records; len(records) > 0 {
		w.t.Errorf("%v are still recorded", slices.Sorted(maps.Keys(records)))
	}
}
