package cloud_test

import (
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// TestDeployTakesTheCriticalPath compares a deploy, in virtual time with AWS's usual delays, with the longest path through
// its graph: what no order of the same work could beat.
func TestDeployTakesTheCriticalPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s, err := w.state()
		if err != nil {
			t.Fatal(err)
		}
		g, err := stack.Blueprint(s.Identity, s.Config, s.Facts)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := w.engine().Apply(t.Context(), g, &s); err != nil {
			t.Fatal(err)
		}
		took, path := time.Since(start), criticalPath(g, w.events)
		t.Logf("deploy %v, critical path %v, ratio %.3f", took, path, took.Seconds()/path.Seconds())
		if took > path*105/100 {
			t.Errorf("a deploy takes %v, the longest path of its graph %v", took, path)
		}
	})
}

// criticalPath is when the last resource would be ready if everything started the moment its edges allow, with the
// durations that were seen.
func criticalPath(g stack.Graph, events []engine.Event) time.Duration {
	type span struct{ started, created, ready time.Time }
	seen := map[stack.Key]*span{}
	for _, e := range events {
		if seen[e.Key] == nil {
			seen[e.Key] = &span{}
		}
		switch e.Type {
		case engine.EventStart:
			seen[e.Key].started = e.Time
		case engine.EventCreated:
			seen[e.Key].created = e.Time
		case engine.EventReady:
			seen[e.Key].ready = e.Time
		default:
		}
	}
	type ends struct{ created, ready time.Duration }
	best := map[stack.Key]ends{}
	var last time.Duration
	for _, n := range g.Nodes { // in the order of their needs
		reached := func(late bool) (at time.Duration) {
			for _, ref := range n.Spec.Refs() {
				if ref.Late != late {
					continue
				}
				if ref.Until == stack.StatusReady {
					at = max(at, best[ref.Key].ready)
				} else {
					at = max(at, best[ref.Key].created)
				}
			}
			return at
		}
		s := seen[n.Key]
		created := reached(false) + s.created.Sub(s.started)
		// What was waited for after the create call is not work of this resource: it is counted from the graph.
		settle := s.ready.Sub(s.created)
		if at := reached(true); at > created {
			settle -= min(settle, waited(n, s.created, func(k stack.Key) (time.Time, time.Time) { return seen[k].created, seen[k].ready }))
			created = max(created, at)
		}
		best[n.Key] = ends{created: reached(false) + s.created.Sub(s.started), ready: created + settle}
		last = max(last, best[n.Key].ready)
	}
	return last
}

// waited is how long a resource that was created waited for what it needs late.
func waited(n stack.Node, created time.Time, when func(stack.Key) (time.Time, time.Time)) time.Duration {
	var wait time.Duration
	for _, ref := range n.Spec.Refs() {
		if !ref.Late {
			continue
		}
		at, ready := when(ref.Key)
		if ref.Until == stack.StatusReady {
			at = ready
		}
		wait = max(wait, at.Sub(created))
	}
	return wait
}
