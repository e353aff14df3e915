package store

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"

	"geusemaker/internal/stack"
)

// Entry is one deployment in a list.
type Entry struct {
	Name    string
	Summary Summary // empty when Err is set
	Err     error   // why the state cannot be read: a *DamagedError, a *NewerError or one of the disk
	Holder  *Holder // who works on it now; nil when nobody does
}

// readers is how many deployments are read at once.
const readers = 16

// List returns all deployments in the order of their names. One that cannot be read is an entry with its error. A home that
// does not exist has none.
func (h Home) List() ([]Entry, error) {
	names, err := h.folders()
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(names))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(readers, len(names)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				entries[i] = h.entry(names[i])
			}
		})
	}
	wg.Wait()
	found := entries[:0]
	for _, e := range entries {
		if !errors.Is(e.Err, ErrNotExist) { // locked for the first time, or archived just now
			found = append(found, e)
		}
	}
	return found, nil
}

func (h Home) entry(name string) Entry {
	e := Entry{Name: name}
	if e.Summary, e.Err = h.summary(name); errors.Is(e.Err, ErrNotExist) {
		return e
	}
	holder, err := h.Holder(name)
	if e.Holder = holder; e.Err == nil {
		e.Err = err
	}
	if e.Err != nil {
		e.Summary = Summary{}
	}
	return e
}

// summary reads the summary of a deployment, or makes it from the whole state.
func (h Home) summary(name string) (Summary, error) {
	raw, err := readFile(filepath.Join(h.deployment(name), stateFile))
	if err == nil {
		if sum, ok := summaryOf(raw, name); ok {
			return sum, nil
		}
	}
	var s stack.State
	if _, s, err = h.read(name); err != nil {
		return Summary{}, err
	}
	return Summarize(s), nil
}
