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
	// run does the work. It calls reached with StatusCreated when those who need only the ID may go on; returning nil
	// counts as StatusReady.
	run func(reached func()) error
	// skip tells that the task was not run.
	skip func()
}

// report is what a running task sends to the walk.
type report struct {
	index int
	ended bool
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
			if s.started {
				continue
			}
			ready, hopeless := w.prospects(i)
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

// prospects tells whether the task can start now, or never.
func (w *walker) prospects(i int) (ready, hopeless bool) {
	ready = true
	for _, ref := range w.tasks[i].after {
		j, ok := w.at[ref.Key]
		if !ok {
			continue // not part of this walk: there already
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
	err := w.tasks[i].run(func() { w.reports <- report{index: i} })
	w.reports <- report{index: i, ended: true, err: err}
}

func (w *walker) note(r report, stop func(error) bool) {
	s := &w.state[r.index]
	if !s.created {
		s.created = true
		w.creating--
	}
	if !r.ended {
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
