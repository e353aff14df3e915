package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// boot is a machine and its services as a function of the time since the launch.
type boot struct {
	start   time.Time
	report  func(age time.Duration) (stack.Report, error)
	health  func(age time.Duration, service string) stack.Health
	offsets []int64
}

func (b *boot) Report(_ context.Context, id string, offset int64) (stack.Report, error) {
	if id != "i-1" {
		return stack.Report{}, fmt.Errorf("asked machine %q", id)
	}
	b.offsets = append(b.offsets, offset)
	return b.report(time.Since(b.start))
}

func (b *boot) Probe(_ context.Context, endpoints []stack.Endpoint) []stack.Endpoint {
	var probed []stack.Endpoint
	for _, e := range endpoints {
		e.Health, e.CheckedAt = b.health(time.Since(b.start), e.Service), time.Now()
		if e.Health != stack.Healthy {
			e.Detail = "refused"
		}
		probed = append(probed, e)
	}
	return probed
}

func allHealthy(time.Duration, string) stack.Health { return stack.Healthy }

// watch follows the boot of a machine with two services and returns the events as text.
func watch(ctx context.Context, b *boot) (engine.Seen, string, error) {
	b.start = time.Now()
	var lines strings.Builder
	e := engine.Engine{Clock: engine.Wall{}, Sink: func(ev engine.Event) {
		fmt.Fprintf(&lines, "%7s %s", ev.Time.Sub(b.start), ev.Type)
		for _, s := range []string{string(ev.Key), ev.Text} {
			if s != "" {
				fmt.Fprintf(&lines, " %s", s)
			}
		}
		if ev.Took > 0 {
			fmt.Fprintf(&lines, ", took %s", ev.Took)
		}
		if ev.Total > 0 {
			fmt.Fprintf(&lines, ", %d of %d bytes", ev.Done, ev.Total)
		}
		lines.WriteByte('\n')
	}}
	seen, err := e.Watch(ctx, b, b, "i-1", []stack.Endpoint{{Service: "n8n", URL: "https://h"}, {Service: "qdrant", URL: "https://h:6333"}})
	return seen, lines.String(), err
}

// goodBoot takes a minute: the agent answers after 9 s, the images are there after 30 s, all is complete after 50 s.
func goodBoot(age time.Duration) (stack.Report, error) {
	step := func(name string, from, to time.Duration) []stack.BootStep {
		switch {
		case age < from:
			return nil
		case age < to:
			return []stack.BootStep{{Name: name, Status: "running", Seconds: (age - from).Seconds(), Detail: fmt.Sprintf("since %s", age-from)}}
		default:
			return []stack.BootStep{{Name: name, Status: "done", Seconds: (to - from).Seconds()}}
		}
	}
	const s = time.Second
	r := stack.Report{Version: 1, Complete: age >= 50*s}
	if age < 9*s {
		return r, fmt.Errorf("no agent: %w", engine.ErrNotYet)
	}
	r.Steps = append(step("docker", 5*s, 15*s), step("images", 15*s, 30*s)...)
	pull := stack.ImagePull{Image: "n8n:2", Status: "waiting", Total: 1000}
	switch {
	case age >= 30*s:
		pull.Status, pull.Done = "done", 1000
	case age >= 15*s:
		pull.Status, pull.Done = "pulling", min(900, int64(age/s)*30)
	}
	r.Pulls = []stack.ImagePull{pull}
	n := int64(age / s)
	r.Log = stack.LogPiece{Next: n, Size: n, Text: fmt.Sprintf("line %d\n", n)}
	return r, nil
}

// Success is that every service answers from outside, and all that happens on the way is told once.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{report: goodBoot, health: func(age time.Duration, service string) stack.Health {
			if service == "qdrant" && age < 58*time.Second {
				return stack.Unreachable
			}
			return stack.Healthy
		}}
		seen, events, err := watch(t.Context(), b)
		if err != nil || time.Since(b.start) != 60*time.Second {
			t.Errorf("after %s: %v", time.Since(b.start), err)
		}
		golden(t, "watch.events", events)
		if seen.Report == nil || !seen.Report.Complete || len(seen.Endpoints) != 2 || seen.Endpoints[1].Health != stack.Healthy {
			t.Errorf("seen %+v", seen)
		}
		if !strings.HasPrefix(seen.Log, "line 12\nline 16\n") || !strings.HasSuffix(seen.Log, "line 56\nline 60\n") {
			t.Errorf("log %q", seen.Log)
		}
		if diff := cmp.Diff([]int64{0, 0, 0, 0, 12, 16}, b.offsets[:6]); diff != "" {
			t.Errorf("offsets (-want +got):\n%s", diff)
		}
	})
}

func TestWatchEnds(t *testing.T) {
	ill := func(time.Duration, string) stack.Health { return stack.Unhealthy }
	for _, tt := range []struct {
		name   string
		report func(time.Duration) (stack.Report, error)
		health func(time.Duration, string) stack.Health
		stop   time.Duration
		err    string
		after  time.Duration
		tail   int
		events []string // that must be among what is told
	}{
		{
			name: "boot fails",
			report: func(time.Duration) (stack.Report, error) {
				return stack.Report{
					Failed: true, Steps: []stack.BootStep{{Name: "docker", Status: "done"}, {Name: "mount", Status: "failed", Detail: "no route"}},
					Log: stack.LogPiece{Text: strings.Repeat("a line\n", 30)},
				}, nil
			},
			health: allHealthy, err: "mount failed: no route", tail: 20, events: []string{"ready boot/docker", "failed boot/mount no route"},
		},
		{
			name: "boot fails without saying where",
			report: func(time.Duration) (stack.Report, error) {
				return stack.Report{Failed: true, Log: stack.LogPiece{Text: "x\n"}}, nil
			},
			health: allHealthy, err: "boot failed: the bootstrap gave up", tail: 1,
		},
		{
			name: "the agent never answers, the services do",
			report: func(time.Duration) (stack.Report, error) {
				return stack.Report{}, fmt.Errorf("offline: %w", engine.ErrNotYet)
			},
			health: allHealthy, after: 5 * time.Minute,
			events: []string{"waiting boot/agent waiting for the machine", "warning the machine cannot be asked how its boot goes (offline: not yet); only the services' answers count"},
		},
		{
			name:   "nobody may ask the machine",
			report: func(time.Duration) (stack.Report, error) { return stack.Report{}, errors.New("access denied") },
			health: func(age time.Duration, _ string) stack.Health {
				if age < 3*time.Minute {
					return stack.Unreachable
				}
				return stack.Healthy
			},
			after: 3 * time.Minute, events: []string{"warning the machine cannot be asked how its boot goes (access denied)", "waiting service/n8n unreachable: refused"},
		},
		{
			name: "complete, but a service does not answer",
			report: func(time.Duration) (stack.Report, error) {
				return stack.Report{Complete: true, Log: stack.LogPiece{Text: "x\n"}}, nil
			},
			health: func(_ time.Duration, service string) stack.Health {
				if service == "qdrant" {
					return stack.Unreachable
				}
				return stack.Healthy
			},
			err: "qdrant failed: healthy on the machine, but unreachable from here: refused", after: 2 * time.Minute, tail: 20,
			events: []string{"ready service/n8n https://h", "waiting service/qdrant unreachable: refused", "failed service/qdrant unreachable: refused"},
		},
		{
			name:   "never complete",
			report: func(time.Duration) (stack.Report, error) { return stack.Report{Log: stack.LogPiece{Text: "x\n"}}, nil },
			health: allHealthy, err: "boot failed: not complete after 25m0s", after: 25*time.Minute + 4*time.Second, tail: 20,
		},
		{name: "interrupted", report: goodBoot, health: ill, stop: 30 * time.Second, err: "interrupted", after: 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.stop > 0 {
					time.AfterFunc(tt.stop, cancel)
				}
				b := &boot{report: tt.report, health: tt.health}
				_, events, err := watch(ctx, b)
				if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if took := time.Since(b.start); took != tt.after {
					t.Errorf("ended after %s, want %s", took, tt.after)
				}
				bootError, ok := errors.AsType[*engine.BootError](err)
				if err != nil && ok == errors.Is(err, engine.ErrInterrupted) || ok && len(bootError.Tail) != tt.tail {
					t.Errorf("error %#v", err)
				}
				for _, want := range tt.events {
					if strings.Count(events, want) != 1 {
						t.Errorf("%q is not told once:\n%s", want, events)
					}
				}
			})
		})
	}
}

// A step that tells how far it is has still begun only once.
func TestWatchTellsProgressOfAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{health: allHealthy, report: func(age time.Duration) (stack.Report, error) {
			step := stack.BootStep{Name: "images", Status: "running", Detail: fmt.Sprintf("%d s", int(age.Seconds()))}
			if age > 10*time.Second {
				step.Status = "done"
			}
			return stack.Report{Complete: age > 10*time.Second, Steps: []stack.BootStep{step}}, nil
		}}
		_, events, err := watch(t.Context(), b)
		if err != nil || strings.Count(events, "start boot/images") != 1 || strings.Count(events, "waiting boot/images") != 2 {
			t.Errorf("%v:\n%s", err, events)
		}
	})
}

// A machine that never answered is no row that waits for ever. When its services do not answer either, they are what is
// named, and there is no log to show.
func TestWatchOfAMuteMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{
			report: func(time.Duration) (stack.Report, error) { return stack.Report{}, engine.ErrNotYet },
			health: func(time.Duration, string) stack.Health { return stack.Unreachable },
		}
		_, events, err := watch(t.Context(), b)
		bootError, ok := errors.AsType[*engine.BootError](err)
		if !ok || bootError.Step != "n8n" || !strings.Contains(bootError.Detail, "unreachable") || len(bootError.Tail) != 0 {
			t.Errorf("error %#v", err)
		}
		if !strings.Contains(events, "skipped boot/agent") {
			t.Errorf("boot/agent has no ending:\n%s", events)
		}
	})
}

// A step that runs on without news says nothing.
func TestWatchIsQuietWithoutNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{health: allHealthy, report: func(age time.Duration) (stack.Report, error) {
			done := age > time.Minute
			step := stack.BootStep{Name: "images", Status: map[bool]string{true: "done", false: "running"}[done], Seconds: age.Seconds()}
			return stack.Report{Complete: done, Steps: []stack.BootStep{step}}, nil
		}}
		_, events, err := watch(t.Context(), b)
		want := "     0s start boot/images\n   1m4s ready boot/images, took 1m4s\n   1m4s start service/n8n\n"
		if err != nil || len(events) < len(want) || events[:len(want)] != want {
			t.Errorf("%v:\n%s", err, events)
		}
	})
}

// An answer of the machine holds a piece of the log only. What explains a failure stands at its end, and is read however far
// behind the watch was; so is the whole log of a good boot.
func TestWatchReadsTheLogToItsEnd(t *testing.T) {
	var whole strings.Builder
	for i := range 500 {
		fmt.Fprintf(&whole, "line %d\n", i)
	}
	log := whole.String()
	for _, size := range []int{7, 100, 1000, len(log)} {
		for _, failed := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				offset := 0
				b := &boot{health: allHealthy}
				b.report = func(time.Duration) (stack.Report, error) {
					offset = int(b.offsets[len(b.offsets)-1])
					next := min(offset+size, len(log))
					return stack.Report{
						Failed: failed, Complete: !failed, Steps: []stack.BootStep{{Name: "images", Status: "failed", Detail: "no space"}},
						Log: stack.LogPiece{Offset: int64(offset), Next: int64(next), Size: int64(len(log)), Text: log[offset:next]},
					}, nil
				}
				seen, _, err := watch(t.Context(), b)
				if seen.Log != log {
					t.Errorf("pieces of %d: read %d of %d bytes", size, len(seen.Log), len(log))
				}
				bootError, ok := errors.AsType[*engine.BootError](err)
				if ok != failed || ok && bootError.Tail[19] != "line 499" {
					t.Errorf("pieces of %d: error %#v", size, err)
				}
			})
		}
	}
}

// A machine that stops answering in the middle of the log, or answers with nothing, holds nobody up.
func TestWatchDoesNotWaitForTheRestOfTheLog(t *testing.T) {
	for name, rest := range map[string]func() (stack.Report, error){
		"error": func() (stack.Report, error) { return stack.Report{}, engine.ErrNotYet },
		"nothing": func() (stack.Report, error) {
			return stack.Report{Failed: true, Log: stack.LogPiece{Next: 2, Size: 9}}, nil
		},
		"slow": func() (stack.Report, error) {
			time.Sleep(90 * time.Second)
			return stack.Report{Failed: true, Log: stack.LogPiece{Next: 3, Size: 9}}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			b := &boot{health: allHealthy, report: func(time.Duration) (stack.Report, error) {
				if calls++; calls > 1 {
					return rest()
				}
				return stack.Report{Failed: true, Log: stack.LogPiece{Next: 2, Size: 9, Text: "x\n"}}, nil
			}}
			seen, _, err := watch(t.Context(), b)
			if _, ok := errors.AsType[*engine.BootError](err); !ok || seen.Log != "x\n" || time.Since(b.start) > 4*time.Minute {
				t.Errorf("%s: after %s: %v, log %q", name, time.Since(b.start), err, seen.Log)
			}
		})
	}
}

// One question that got lost late in a boot does not end the asking.
func TestWatchForgivesALostQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{health: allHealthy, report: func(age time.Duration) (stack.Report, error) {
			if age > 8*time.Minute && age < 12*time.Minute {
				return stack.Report{}, fmt.Errorf("lost: %w", engine.ErrNotYet)
			}
			return stack.Report{Complete: age > 15*time.Minute}, nil
		}}
		seen, events, err := watch(t.Context(), b)
		if err != nil || seen.Report == nil || !seen.Report.Complete || strings.Contains(events, "warning") {
			t.Errorf("%v:\n%s", err, events)
		}
	})
}

// Where the machine cannot be asked and nothing can be known of its services, there is nothing to wait for.
func TestWatchOfAMachineThatNobodyMayAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &boot{
			report: func(time.Duration) (stack.Report, error) { return stack.Report{}, errors.New("access denied") },
			health: func(time.Duration, string) stack.Health { return stack.HealthUnknown },
		}
		_, _, err := watch(t.Context(), b)
		bootError, ok := errors.AsType[*engine.BootError](err)
		if !ok || !strings.Contains(bootError.Detail, "neither the machine nor its services can be asked") || time.Since(b.start) > time.Minute {
			t.Errorf("after %s: %v", time.Since(b.start), err)
		}
	})
}
