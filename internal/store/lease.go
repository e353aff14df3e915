package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"geusemaker/internal/stack"
)

// Lease is the right to change one deployment. It is safe for concurrent use.
type Lease struct {
	// TookOver is who held the lock before and died without giving it back; nil when nobody did.
	TookOver *Holder

	home  Home
	name  string
	dir   string
	guard *flock.Flock
	me    Holder
	sign  []byte // what our lock.json says

	mu      sync.Mutex
	over    bool
	raw     []byte // of the state as we know it to be on disk; nil when there is none
	state   stack.State
	broken  error // why the state on disk cannot be used
	secured bool  // the state before this operation has its backup
}

// load reads the state as it is when the lease begins.
func (l *Lease) load() error {
	tidy(l.dir)
	raw, s, err := l.home.read(l.name)
	_, damaged := errors.AsType[*DamagedError](err)
	_, newer := errors.AsType[*NewerError](err)
	if err != nil && !damaged && !newer && !errors.Is(err, ErrNotExist) {
		return errors.Join(err, l.unsign())
	}
	l.raw, l.state, l.broken = raw, s, err
	return nil
}

// State returns the state as it is on disk: as it was when the lease began, or as it was saved last. Its errors are those of
// Home.Load.
func (l *Lease) State() (stack.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Clone(), l.broken
}

// Save makes the state durable before it returns. Its serial must be higher than that of the state on disk and its ID the
// same; a state that something else changed meanwhile is not overwritten. After an error the file is as it was, but for one:
// a folder that cannot be synced leaves the new state, which a power cut might undo.
//
// The first save of a lease keeps the state before it as a backup.
func (l *Lease) Save(s stack.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.save(s)
}

func (l *Lease) save(s stack.State) error {
	if err := l.mayWrite(s.Serial); err != nil {
		return err
	}
	switch {
	case errors.Is(l.broken, ErrNotExist):
	case l.broken != nil:
		return l.broken
	case s.ID != l.state.ID:
		return l.changed(s.Serial, fmt.Sprintf("it belongs to deployment %s, not %s", l.state.ID, s.ID))
	case s.Serial <= l.state.Serial:
		return l.changed(s.Serial, "it was saved since it was read")
	}
	return l.write(s)
}

// Replace puts a state in the place of whatever is there, be it damaged, and gives it the next serial. What was there is
// kept among the backups. Only a newer version's state is not replaced.
func (l *Lease) Replace(s stack.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if newer, ok := errors.AsType[*NewerError](l.broken); ok {
		return newer
	}
	backups, err := l.home.Backups(l.name)
	if err != nil {
		return err
	}
	s.Serial = l.state.Serial + 1
	if len(backups) > 0 {
		s.Serial = max(s.Serial, backups[0].Serial+1)
	}
	if err := l.mayWrite(s.Serial); err != nil {
		return err
	}
	l.secured = false
	return l.write(s)
}

// Restore puts a backup in the place of the state and returns it.
func (l *Lease) Restore(b Backup) (stack.State, error) {
	s, err := b.Load()
	if err != nil {
		return s, err
	}
	if err := l.Replace(s); err != nil {
		return s, err
	}
	return l.State()
}

// mayWrite makes sure that the lock is still ours and the file the one that we know.
func (l *Lease) mayWrite(serial int) error {
	if l.over {
		return ErrReleased
	}
	if sign, err := os.ReadFile(filepath.Join(l.dir, holderFile)); err == nil && !bytes.Equal(sign, l.sign) {
		e := &LockedError{Name: l.name}
		if err := json.Unmarshal(sign, &e.Holder); err != nil {
			e.Holder = Holder{}
		}
		return fmt.Errorf("the lock was taken from this operation, and nothing was saved: %w", e)
	}
	path := filepath.Join(l.dir, stateFile)
	raw, err := readFile(path)
	switch _, unfit := errors.AsType[unfitError](err); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // what this operation knows is all that is known
	case unfit && l.raw != nil:
		return l.changed(serial, err.Error())
	case unfit:
		return nil
	case err != nil:
		return explain("read", path, err)
	case !bytes.Equal(raw, l.raw):
		return l.changed(serial, "something else changed it")
	}
	return nil
}

func (l *Lease) changed(serial int, detail string) error {
	return &ChangedError{Path: filepath.Join(l.dir, stateFile), Saw: l.state.Serial, Want: serial, Detail: detail}
}

// write puts the state on disk. It refuses what could not be read again.
func (l *Lease) write(s stack.State) error {
	s.Version, s.Tool = stack.StateVersion, cmp.Or(l.me.Version, s.Tool)
	raw, err := encode(s)
	if err == nil {
		s, err = currentFormat().decode(raw, l.name)
	}
	if err != nil {
		return fmt.Errorf("the state of %s is not saved, since it could not be read again: %w", l.name, err)
	}
	if err := l.secure(); err != nil {
		return err
	}
	path := filepath.Join(l.dir, stateFile)
	replaced, err := replaceFile(l.home.disk, path, raw)
	if replaced {
		l.raw, l.state, l.broken = raw, s, nil
	}
	if err != nil {
		return explain("save", path, err)
	}
	return nil
}

// Archive saves the state for the last time and puts the folder of the deployment away, with all that is in it. A serial
// that is not higher than the last is raised. The lock is given back.
func (l *Lease) Archive(s stack.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Serial = max(s.Serial, l.state.Serial+1)
	if err := l.save(s); err != nil {
		return err
	}
	shelf := filepath.Join(l.home.dir, "archive")
	if err := makeDir(l.home.disk, shelf); err != nil {
		return explain("make", shelf, err)
	}
	at := s.UpdatedAt
	if at.IsZero() {
		at = l.me.Since
	}
	dest := filepath.Join(shelf, fmt.Sprintf("%s-%s-%s", l.name, s.ID, at.UTC().Format(timeInNames)))
	if err := l.home.disk.rename(l.dir, dest); err != nil {
		return explain("archive", l.dir, err)
	}
	// Nobody comes to this name for the lock any more.
	_ = os.Remove(filepath.Join(dest, holderFile))
	_ = os.Remove(filepath.Join(dest, lockFile))
	l.over = true
	err := errors.Join(l.home.disk.syncDir(shelf), l.home.disk.syncDir(filepath.Dir(l.dir)), l.guard.Unlock())
	if err != nil {
		return explain("archive", l.dir, err)
	}
	return nil
}

// timeInNames is a moment in the name of a file, to the second.
const timeInNames = "20060102T150405Z"

// Release gives the lock back. A deployment of which nothing was saved leaves nothing. More than one Release is one.
func (l *Lease) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil
	}
	l.over = true
	if errors.Is(l.broken, ErrNotExist) && l.signed() && !l.home.exists(l.name) {
		return l.discard()
	}
	return errors.Join(l.unsign(), l.guard.Unlock())
}

// unsign takes our name off the lock, unless another's stands there.
func (l *Lease) unsign() error {
	path := filepath.Join(l.dir, holderFile)
	if !l.signed() {
		return nil
	}
	if err := l.home.disk.remove(path); err != nil {
		return explain("remove", path, err)
	}
	return nil
}

// signed reports whether our name stands on the lock.
func (l *Lease) signed() bool {
	sign, err := os.ReadFile(filepath.Join(l.dir, holderFile))
	return err == nil && bytes.Equal(sign, l.sign)
}

// discard removes the folder of the deployment, in one step for those who look at it, and gives the lock back.
func (l *Lease) discard() error {
	bin, err := os.MkdirTemp(filepath.Dir(l.dir), ".discarded-")
	if err == nil {
		err = errors.Join(os.Rename(l.dir, filepath.Join(bin, l.name)), os.RemoveAll(bin))
	}
	if err != nil {
		err = explain("remove", l.dir, err)
	}
	return errors.Join(err, l.guard.Unlock())
}
