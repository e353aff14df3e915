package cli

import (
	"context"
	"sync"
)

// inquiries are answers of AWS that are waited for only where they matter: each question is asked once, in the background.
// Whoever begins inquiries ends them by their context and waits for asking.
type inquiries[T any] struct {
	mu     sync.Mutex
	runs   map[string]*inquiry[T]
	asking sync.WaitGroup
}

type inquiry[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// begin asks, unless that was asked before.
func (a *inquiries[T]) begin(key string, ask func() (T, error)) *inquiry[T] {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.runs == nil {
		a.runs = map[string]*inquiry[T]{}
	}
	if r := a.runs[key]; r != nil {
		return r
	}
	r := &inquiry[T]{done: make(chan struct{})}
	a.runs[key] = r
	a.asking.Go(func() {
		defer close(r.done)
		r.value, r.err = ask()
	})
	return r
}

// wait returns the answer, if it comes before the context ends.
func (r *inquiry[T]) wait(ctx context.Context) (value T, err error, known bool) {
	select {
	case <-r.done: // it is there already, whether the context has ended or not
		return r.value, r.err, true
	default:
	}
	select {
	case <-r.done:
		return r.value, r.err, true
	case <-ctx.Done():
		return value, nil, false
	}
}

// now is the answer if it is there already and is no failure.
func (r *inquiry[T]) now() (value T) {
	select {
	case <-r.done:
		if r.err == nil {
			value = r.value
		}
	default:
	}
	return value
}
