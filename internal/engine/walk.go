package engine

import (
	"context"

	"geusemaker/internal/stack"
)

// maxCreating bounds how many resources are being created at once. Waiting does not count: it costs AWS little, and the
// network alone has more parts that wait than this.
const maxCreating = 8

// task is one resource's work in a walk.
type task struct {
	key   stack.Key
	after []stack.Ref
	// run does the work. It calls created when the resource has an ID: those who need only that may go on then, and created
	// returns when what is needed late has got far enough too, or with ErrInterrupted when it never will. That run returns
	// nil counts as StatusReady.
	run func(created func() error) error
	// skip tells that the task was not run.
	skip func()
}

// report is what a running task sends to the walk: that it has ended, or that its resource has an ID, with the channel on
// which it waits for leave to go on.
type report struct {
	index int
	leave chan bool
	err   error
}

// walk runs every task when what it comes after has got far enough, and returns the errors of those that failed. A task
// whose predecessor failed or was skipped is skipped. When ctx ends, or stop says so after a failure, no further task is
// started; those that run are waited for. One goroutine decides, so no lock is needed.
func walk(ctx context.Context, tasks []task, stop func(error) bool) []error {
	w := walker{tasks: tasks, at: map[stack.Key]int{}, state: make([]taskState, len(tasks)), reports: make(chan report)}
	for i, t := range tasks {
		w.at[t.key] = i
	}
	done := ctx.Done()
	for {
		if ctx.Err() != nil {
			w.stopped, done = true, nil
		}
		w.startAll()
		if w.running == 0 {
			return w.errs
		}
		select {
		case <-done:
		case r := <-w.reports:
			w.note(r, stop)
		}
	}
}

type taskState struct {
	started, created, ended, bad bool
	leave                        chan bool // on which the task waits for what it needs late; nil when it does not wait
}

type walker struct {
	tasks    []task
	at       map[stack.Key]int
	state    []taskState
	reports  chan report
	running  int
	creating int
	stopped  bool
	errs     []error
}

// startAll starts what can start and skips what never will, until neither changes anything.
func (w *walker) startAll() {
	for again := true; again; {
		again = false
		for i := range w.tasks {
			s := &w.state[i]
			if s.leave != nil {
				w.giveLeave(i)
			}
			if s.started {
				continue
			}
			ready, hopeless := w.prospects(i, false)
			switch {
			case hopeless || w.stopped:
				*s = taskState{started: true, ended: true, bad: true}
				w.tasks[i].skip()
				again = true
			case ready && w.creating < maxCreating:
				s.started = true
				w.running++
				w.creating++
				go w.work(i)
			}
		}
	}
}

// giveLeave lets a task go on after its create call, or tells it that it cannot.
func (w *walker) giveLeave(i int) {
	ready, hopeless := w.prospects(i, true)
	if ready || hopeless || w.stopped {
		w.state[i].leave <- ready && !w.stopped
		w.state[i].leave = nil
	}
}

// prospects tells whether the task can start now, or go on after its create call, or never.
func (w *walker) prospects(i int, late bool) (ready, hopeless bool) {
	ready = true
	for _, ref := range w.tasks[i].after {
		j, ok := w.at[ref.Key]
		if !ok || ref.Late != late {
			continue // not part of this walk: there already; or needed at another time
		}
		p := w.state[j]
		if p.bad {
			return false, true
		}
		if !p.ended && !(p.created && ref.Until == stack.StatusCreated) {
			ready = false
		}
	}
	return ready, false
}

func (w *walker) work(i int) {
	err := w.tasks[i].run(func() error {
		leave := make(chan bool)
		w.reports <- report{index: i, leave: leave}
		if !<-leave {
			return ErrInterrupted
		}
		return nil
	})
	w.reports <- report{index: i, err: err}
}

func (w *walker) note(r report, stop func(error) bool) {
	s := &w.state[r.index]
	if !s.created {
		s.created = true
		w.creating--
	}
	if r.leave != nil {
		s.leave = r.leave
		return
	}
	s.ended = true
	w.running--
	if r.err != nil {
		s.bad = true
		w.errs = append(w.errs, r.err)
		w.stopped = w.stopped || stop(r.err)
	}
}
