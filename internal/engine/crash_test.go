package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// smallStack has every kind of edge, and an account that answers slowly and shows things late.
func smallStack(t *testing.T) *world {
	w := newWorld(t,
		node("net", plain), node("gateway", plain, late(created("net"))), node("subnet", plain, created("net")), node("files", other), node("role", plain),
		node("machine", other, ready("gateway"), ready("subnet"), ready("role"), created("files")), node("disk", data, outlives("machine")))
	w.scripts = map[stack.Key]script{
		"net":     {create: 600 * time.Millisecond, settle: 2 * time.Second, delete: time.Second},
		"gateway": {create: 200 * time.Millisecond, settle: time.Second, delete: time.Second},
		"subnet":  {create: 500 * time.Millisecond, settle: time.Second, delete: time.Second},
		"files":   {create: 900 * time.Millisecond, settle: 8 * time.Second, delete: 3 * time.Second},
		"role":    {create: 300 * time.Millisecond, delete: time.Second},
		"machine": {create: 2 * time.Second, settle: 5 * time.Second, delete: 20 * time.Second},
		"disk":    {create: time.Second, settle: 4 * time.Second, delete: 2 * time.Second},
	}
	w.lag, w.linger = 5*time.Second, 4*time.Second
	return w
}

// run starts a process that does the work and, with dieAfter, dies right after that save. It returns when the process has
// ended or died, and whether it died; wait lets its last requests come to an end.
func (w *world) run(dieAfter int, work func(engine.Engine) error) (died bool, wait func()) {
	p := w.start()
	p.dieAfter = dieAfter
	w.events = nil
	ended := make(chan error, 1)
	go func() { ended <- work(p.engine()) }()
	select {
	case <-p.died:
		return true, sync.OnceFunc(func() { <-ended })
	case err := <-ended:
		if err != nil && !p.dead() {
			w.t.Errorf("without a crash: %v", err)
		}
		return p.dead(), func() {}
	}
}

// A process may die right after any save, with requests under way that may or may not be carried out. The next one finds
// all there is: a deploy ends with exactly one of each resource, a destroy with none.
func TestCrashAtEverySave(t *testing.T) {
	deploy := func(w *world) func(engine.Engine) error {
		return func(e engine.Engine) error {
			_, err := e.Apply(w.t.Context(), w.graph, w.state())
			return err
		}
	}
	destroy := func(w *world) func(engine.Engine) error {
		return func(e engine.Engine) error {
			removed, err := e.Destroy(w.t.Context(), w.state(), engine.Removal{})
			if err == nil && (!removed.Proven || len(removed.Remaining) > 0) {
				err = fmt.Errorf("not proven: %+v", removed)
			}
			return err
		}
	}
	type work = func(*world) func(engine.Engine) error
	for _, tt := range []struct {
		name           string
		before, crash  work
		after          work
		atOnce         bool // the next process starts while requests of the dead one are under way
		least          int  // saves of the process that dies
		deployed, gone bool
	}{
		{name: "deploy, then deploy", crash: deploy, after: deploy, atOnce: true, least: 21, deployed: true},
		{name: "deploy, then destroy", crash: deploy, after: destroy, atOnce: true, least: 21, gone: true},
		{name: "destroy, then destroy", before: deploy, crash: destroy, after: destroy, atOnce: true, least: 14, gone: true},
		{name: "destroy, then deploy", before: deploy, crash: destroy, after: deploy, least: 14, deployed: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, lands := range []bool{false, true} {
				save := 1
				for died := true; died; save++ {
					synctest.Test(t, func(t *testing.T) {
						w := smallStack(t)
						w.lands = lands
						if tt.before != nil {
							w.run(0, tt.before(w))
							time.Sleep(w.lag)
						}
						var wait func()
						died, wait = w.run(save, tt.crash(w))
						if !tt.atOnce {
							wait()
						}
						w.run(0, tt.after(w))
						w.checkEvents()
						wait()
						if tt.deployed {
							w.checkDeployed()
							w.run(0, destroy(w))
						}
						w.checkGone()
						if t.Failed() {
							t.Errorf("died after save %d, requests under way are carried out: %t", save, lands)
						}
					})
				}
				if saves := save - 2; saves < tt.least {
					t.Errorf("only %d saves, want at least %d", saves, tt.least)
				}
			}
		})
	}
}

// Nor does it matter if the process that goes on dies too.
func TestCrashTwice(t *testing.T) {
	for first := 1; first <= 16; first += 3 {
		for second := 1; second <= 11; second += 2 {
			synctest.Test(t, func(t *testing.T) {
				w := smallStack(t)
				w.lands = (first+second)%4 < 2
				deploy := func(e engine.Engine) error {
					_, err := e.Apply(context.WithoutCancel(t.Context()), w.graph, w.state())
					return err
				}
				_, waitFirst := w.run(first, deploy)
				_, waitSecond := w.run(second, deploy)
				w.run(0, deploy)
				waitFirst()
				waitSecond()
				w.checkDeployed()
				if t.Failed() {
					t.Errorf("died after saves %d and %d", first, second)
				}
			})
		}
	}
}
