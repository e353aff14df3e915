package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

const region = "us-east-1"

// errDead is what a process sees that has died: nothing.
var errDead = errors.New("this process is dead")

// world is a pretend account and the disk of somebody who uses it.
type world struct {
	t       *testing.T
	pretend *sandbox.Account
	account *cloud.Account
	disk    *stack.State // as saved last; nil: nothing
	events  []engine.Event

	settings map[string]string // of the deployment, beside those that every test has

	onEach func(sandbox.Call) // is told of each call before the account is; nil: nobody
	asleep *sleeper           // nil: the computer does not sleep

	mu      sync.Mutex // guards what follows: calls come from many goroutines
	calls   int        // of the operation that runs
	dieAt   int        // the call at which the process dies; 0: it lives
	dieWhen string
	dead    bool
}

func newWorld(t *testing.T) *world { return seededWorld(t, 7) }

// seededWorld is a world whose seed decides how late each new thing is seen.
func seededWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t}
	pretend, err := sandbox.Open(sandbox.Options{Speed: 1, Seed: seed, OnCall: w.onCall})
	if err != nil {
		t.Fatal(err)
	}
	w.pretend = pretend
	w.account, err = cloud.Open(t.Context(), cloud.Options{Region: region, Sandbox: pretend, UserData: host.UserData, HashCost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// onCall lets the process die at one call, before or after the account has carried it out.
func (w *world) onCall(_ context.Context, c sandbox.Call) error {
	if w.asleep != nil {
		if err := w.asleep.meet(c); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errDead
	}
	if c.Phase == "before" {
		w.calls++
		if w.onEach != nil {
			w.onEach(c)
		}
	}
	if w.calls == w.dieAt && c.Phase == w.dieWhen {
		w.dead = true
		return errDead
	}
	return nil
}

// save is a disk that the dead cannot write to.
func (w *world) save(s stack.State) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errDead
	}
	w.disk = &s
	return nil
}

func (w *world) engine() engine.Engine {
	return engine.Engine{
		Drivers: w.drivers(), Save: w.save, Clock: w.account.Clock(), Version: "test",
		Sink: func(e engine.Event) { w.events = append(w.events, e) },
	}
}

// begin starts a new process, which may be set to die.
func (w *world) begin(dieAt int, dieWhen string) {
	w.calls, w.dieAt, w.dieWhen, w.dead, w.events = 0, dieAt, dieWhen, false, nil
}

// state is what is on disk, or a new deployment.
func (w *world) state() (stack.State, error) {
	if w.disk != nil {
		return w.disk.Clone(), nil
	}
	c := stack.NewConfig()
	settings := map[string]string{"name": "life", "region": region, "tags": "team=ai"}
	maps.Copy(settings, w.settings)
	for key, value := range settings {
		if err := c.Set(key, value, stack.Source{Kind: "flag"}); err != nil {
			return stack.State{}, err
		}
	}
	facts, err := w.account.Facts(w.t.Context(), c)
	if err != nil {
		return stack.State{}, err
	}
	s := stack.State{
		Version: stack.StateVersion, Config: c, Facts: facts, Records: map[stack.Key]stack.Record{},
		Identity:  stack.Identity{ID: "abcdefghjkmn", Name: "life", Account: facts.Account, Region: region, Tier: c.Tier},
		CreatedAt: w.account.Clock().Now(), UpdatedAt: w.account.Clock().Now(),
	}
	return s, w.save(s)
}

// deploy goes from whatever is on disk to a machine that runs.
func (w *world) deploy(ctx context.Context) error {
	s, err := w.state()
	if err != nil {
		return err
	}
	g, err := stack.Blueprint(s.Identity, s.Config, s.Facts)
	if err != nil {
		return err
	}
	_, err = w.engine().Apply(ctx, g, &s)
	return err
}

// watch follows the boot until the services answer.
func (w *world) watch(ctx context.Context) error {
	m, _ := w.disk.Machine()
	endpoints := host.Endpoints(m.Attrs[stack.AttrPublicIP], w.disk.Config)
	_, err := w.engine().Watch(ctx, w.account.Machine(), w.prober(), m.ID, endpoints)
	return err
}

func (w *world) prober() *host.Prober {
	return host.NewProber(w.account.Transport(), w.account.Clock(), w.disk.Config.HTTPS)
}

// checkServices checks that every service answers once the machine has had the time to boot.
func (w *world) checkServices() {
	if err := w.account.Clock().Sleep(w.t.Context(), 5*time.Minute); err != nil {
		w.t.Fatal(err)
	}
	m, _ := w.disk.Machine()
	for _, e := range w.prober().Probe(w.t.Context(), host.Endpoints(m.Attrs[stack.AttrPublicIP], w.disk.Config)) {
		if e.Health != stack.Healthy {
			w.t.Errorf("%s is %s: %s", e.Service, e.Health, e.Detail)
		}
	}
}

func (w *world) destroy(ctx context.Context) (engine.Removed, error) {
	if w.disk == nil {
		return engine.Removed{Proven: true}, nil
	}
	s := w.disk.Clone()
	out, err := w.engine().Destroy(ctx, &s, engine.Removal{})
	if err == nil && len(s.Records) > 0 {
		err = fmt.Errorf("%d records left", len(s.Records))
	}
	return out, err
}

// census counts what exists by kind.
func (w *world) census() map[string]int {
	counts := map[string]int{}
	for kind, things := range w.pretend.Inventory() {
		counts[kind] = len(things)
	}
	return counts
}

// TestLife takes one deployment from an empty account to an empty account.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.pretend.Dump()
		if err := errors.Join(w.deploy(t.Context()), w.watch(t.Context())); err != nil {
			t.Fatal(err)
		}
		if rest := w.plan(); rest.Changes() {
			t.Errorf("a second deploy would do something:\n%s", rest)
		}
		deployed := w.pretend.Dump()
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(deployed), string(w.pretend.Dump())); diff != "" {
			t.Errorf("a second deploy changed the account (-before +after):\n%s", diff)
		}
		w.checkTags()
		made := len(w.disk.Records)
		out, err := w.destroy(t.Context())
		if err != nil || !out.Proven || len(out.Remaining) > 0 || len(out.Deleted) != made {
			t.Errorf("destroy: %v, proven %v, %d deleted, remaining %v", err, out.Proven, len(out.Deleted), out.Remaining)
		}
		if diff := cmp.Diff(string(before), string(w.pretend.Dump())); diff != "" {
			t.Errorf("the account is not as before (-before +after):\n%s", diff)
		}
	})
}

func (w *world) plan() stack.Plan {
	g, err := stack.Blueprint(w.disk.Identity, w.disk.Config, w.disk.Facts)
	if err != nil {
		w.t.Fatal(err)
	}
	return engine.PlanApply(g, *w.disk, stack.Cost{})
}

// checkTags checks that a scan of the account alone finds every record under its key.
func (w *world) checkTags() {
	found, err := w.engine().Scan(w.t.Context(), w.disk.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	byTags := map[stack.Key]string{}
	for _, r := range found {
		key, _, _ := strings.Cut(string(r.Key), "#")
		byTags[stack.Key(key)] = r.ID
	}
	delete(byTags, "compute/instance/root") // comes and goes with the machine
	recorded := map[stack.Key]string{}
	for _, r := range w.disk.Records {
		if r.Owned {
			recorded[r.Key] = r.ID
		}
	}
	if diff := cmp.Diff(recorded, byTags); diff != "" {
		w.t.Errorf("what the tags say differs from the records (-records +tags):\n%s", diff)
	}
	if n := strings.Count(string(w.pretend.Dump()), `"team"`); n < len(recorded)-4 {
		w.t.Errorf("the user's tag is on %d resources only", n)
	}
}

// reference returns how many calls a deploy and a destroy make and what a deployment consists of.
func reference(t *testing.T) (deployCalls, destroyCalls int, deployed map[string]int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := w.deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		deployCalls, deployed = w.calls, w.census()
		w.begin(0, "")
		if _, err := w.destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		destroyCalls = w.calls
	})
	return deployCalls, destroyCalls, deployed
}

// TestCrash lets the process die at every call of a deploy, and of a destroy, before the call is sent and after AWS has
// carried it out. The next process must find everything: a deploy ends with exactly one of each, a destroy with the account
// as before.
func TestCrash(t *testing.T) {
	deployCalls, destroyCalls, deployed := reference(t)
	every := 1
	if testing.Short() {
		every = 9 // the race detector makes each life many times as long
	}
	for _, when := range []string{"before", "after"} {
		for k := 1; k <= deployCalls; k += every {
			t.Run(fmt.Sprintf("deploy/%s %d/deploy", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) { w.crashDeploy(k, when); w.deployAgain(deployed) })
			})
			t.Run(fmt.Sprintf("deploy/%s %d/destroy", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					w.crashDeploy(k, when)
					w.destroyAgain(before)
				})
			})
		}
		for k := 1; k <= destroyCalls; k += every {
			t.Run(fmt.Sprintf("destroy/%s %d/destroy", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					if err := w.deploy(t.Context()); err != nil {
						t.Fatal(err)
					}
					w.begin(k, when)
					_, _ = w.destroy(t.Context())
					w.destroyAgain(before)
				})
			})
			t.Run(fmt.Sprintf("destroy/%s %d/deploy", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					if err := w.deploy(t.Context()); err != nil {
						t.Fatal(err)
					}
					w.begin(k, when)
					_, _ = w.destroy(t.Context())
					w.begin(0, "")
					if err := w.deploy(t.Context()); err != nil {
						t.Fatalf("deploy again: %v", err)
					}
					w.checkWhole(deployed)
				})
			})
		}
	}
	t.Logf("%d points of death: %d calls of a deploy, %d of a destroy, before and after each", 2*(deployCalls+destroyCalls), deployCalls, destroyCalls)
}

func inWorld(t *testing.T, do func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) { do(t, newWorld(t)) })
}

func (w *world) crashDeploy(k int, when string) {
	w.begin(k, when)
	_ = w.deploy(w.t.Context()) // nobody hears what the dead say
}

func (w *world) deployAgain(deployed map[string]int) {
	w.begin(0, "")
	if err := w.deploy(w.t.Context()); err != nil {
		w.t.Fatalf("deploy again: %v", err)
	}
	if diff := cmp.Diff(deployed, w.census()); diff != "" {
		w.t.Errorf("not exactly one of each (-one +now):\n%s\n%v", diff, w.pretend.Inventory())
	}
	w.checkTags()
	w.checkServices()
}

func (w *world) destroyAgain(before []byte) {
	w.begin(0, "")
	out, err := w.destroy(w.t.Context())
	if err != nil || !out.Proven {
		w.t.Fatalf("destroy: proven %v, %v", out.Proven, err)
	}
	if diff := cmp.Diff(string(before), string(w.pretend.Dump())); diff != "" {
		w.t.Errorf("the account is not as before (-before +after):\n%s", diff)
	}
}
