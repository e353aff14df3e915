package cloud_test

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"geusemaker/internal/cloud/sandbox"
)

// A computer sleeps for longer than any deadline, and than a token is known to count. After that there is no network for a
// while, as where a wireless one is looked for.
const (
	nap     = 30 * time.Hour
	offline = 40 * time.Second
)

// sleeper is a computer that falls asleep at one call, before it is sent or before its answer arrives. No call goes on
// meanwhile and no connection survives, but time and the account go on.
type sleeper struct {
	at   int
	when string

	mu    sync.Mutex
	calls int
	awake chan struct{} // closed when the computer wakes up; nil: it did not sleep yet
	woke  time.Time
}

// meet holds a call while the computer sleeps, and lets it fail where the network is away.
func (s *sleeper) meet(c sandbox.Call) error {
	s.mu.Lock()
	if c.Phase == "before" {
		s.calls++
	}
	slept := s.awake
	if slept == nil && s.calls == s.at && c.Phase == s.when {
		s.awake = make(chan struct{})
		s.mu.Unlock()
		time.Sleep(nap)
		s.woke = time.Now()
		close(s.awake)
		return s.cut("read")
	}
	s.mu.Unlock()
	if slept == nil {
		return nil
	}
	select {
	case <-slept:
	default:
		<-slept
		return s.cut("read")
	}
	if c.Phase == "before" && time.Since(s.woke) < offline {
		return s.cut("dial")
	}
	return nil
}

func (s *sleeper) cut(op string) error {
	return &smithyhttp.RequestSendError{Err: &net.OpError{Op: op, Net: "tcp", Err: errors.New("network is unreachable")}}
}

// TestTheComputerSleeps lets the computer sleep at every call of a deploy and of a destroy. When it wakes up, the operation
// goes on to its good end: what was overslept is no reason to give up, and nothing is made twice.
func TestTheComputerSleeps(t *testing.T) {
	deployCalls, destroyCalls, deployed := reference(t)
	every := 3
	if testing.Short() {
		every = 29
	}
	lives := 0
	for _, when := range []string{"before", "after"} {
		for k := 1; k <= deployCalls; k += every {
			lives++
			t.Run(fmt.Sprintf("deploy/%s %d", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					if _, err := w.state(); err != nil {
						t.Fatal(err)
					}
					w.sleepAt(k, when)
					if err := errors.Join(w.deploy(t.Context()), w.watch(t.Context())); err != nil {
						t.Fatal(err)
					}
					w.asleep = nil
					w.checkWhole(deployed)
					w.destroyAgain(before)
				})
			})
		}
		for k := 1; k <= destroyCalls; k += every {
			lives++
			t.Run(fmt.Sprintf("destroy/%s %d", when, k), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) {
					before := w.pretend.Dump()
					if err := w.deploy(t.Context()); err != nil {
						t.Fatal(err)
					}
					w.sleepAt(k, when)
					w.destroyAgain(before)
				})
			})
		}
	}
	t.Logf("%d lives in which the computer slept for %v", lives, nap)
}

func (w *world) sleepAt(k int, when string) {
	w.begin(0, "")
	w.asleep = &sleeper{at: k, when: when}
}
