package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Names of files in the folder of a deployment.
const (
	stateFile  = "state.json"
	lockFile   = "lock"
	holderFile = "lock.json"
	backupDir  = "backups"
	eventsFile = "events.jsonl"
)

// Intent says why a lock is wanted.
type Intent struct {
	Operation string    // deploy or destroy
	Version   string    // of the tool
	At        time.Time // when the operation began
	// Force takes the lock away from a holder that cannot be seen to run or not to run, because it is on another machine.
	// It never takes a lock that is seen to be held.
	Force bool
}

// A lock changes hands in microseconds, so what looks unsettled is looked at again: lockTries times, lockPause apart.
const (
	lockTries = 25
	lockPause = 10 * time.Millisecond
)

// Lock takes the lock of a deployment, which need not exist yet, and reads its state. It does not wait for another
// operation: that is a *LockedError. The lock ends with Release, Archive or the process.
//
// The lock is one of the operating system (flock) on a file that stays where it is. Since a home can lie on a shared disk
// whose machines do not see each other's locks, a second file that is made exclusively names the holder.
func (h Home) Lock(ctx context.Context, name string, in Intent) (*Lease, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	me := self(in)
	for try := 1; ; try++ {
		l, unsettled, err := h.tryLock(name, me, in.Force)
		if !unsettled || try == lockTries {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lockPause):
		}
	}
}

// tryLock tries once. unsettled means that its error may be gone in a moment.
func (h Home) tryLock(name string, me Holder, force bool) (l *Lease, unsettled bool, err error) {
	dir := h.deployment(name)
	if err := makeDir(h.disk, dir); err != nil {
		return nil, false, explain("make", dir, err)
	}
	guard := flock.New(filepath.Join(dir, lockFile))
	held, err := guard.TryLock()
	if err != nil {
		// The folder may have been archived since we made it.
		return nil, errors.Is(err, fs.ErrNotExist), explain("lock", filepath.Join(dir, lockFile), err)
	}
	if !held {
		return h.refused(name)
	}
	l = &Lease{home: h, name: name, dir: dir, guard: guard, me: me}
	if unsettled, err = l.take(force); err == nil {
		err = l.load()
	}
	if err != nil {
		return nil, unsettled, errors.Join(err, guard.Unlock())
	}
	return l, false, nil
}

// refused says who holds the lock. A holder that is not seen to live is one that has just gone or not yet said its name.
func (h Home) refused(name string) (*Lease, bool, error) {
	holder, err := readHolder(h.deployment(name))
	if err != nil {
		return nil, false, err
	}
	locked := &LockedError{Name: name, Running: true}
	if holder != nil {
		locked.Holder = *holder
	}
	return nil, !locked.Holder.alive() && !locked.Holder.elsewhere(), locked
}

// take puts our name on the lock that the operating system gave us, unless somebody is there all the same.
func (l *Lease) take(force bool) (unsettled bool, err error) {
	locked := &LockedError{Name: l.name}
	if !l.stillThere() {
		return true, locked
	}
	old, err := readHolder(l.dir)
	if err != nil {
		return false, err
	}
	path := filepath.Join(l.dir, holderFile)
	if old != nil {
		if locked.Holder = *old; !force && (old.elsewhere() || old.alive() && !old.is(l.me)) {
			return false, locked
		}
		if err := l.home.disk.remove(path); err != nil {
			return false, explain("take over", path, err)
		}
	}
	if l.sign, err = json.Marshal(l.me); err != nil {
		return false, err
	}
	f, err := l.home.disk.create(path)
	if errors.Is(err, fs.ErrExist) {
		return true, locked // somebody on another machine was faster
	}
	if err == nil {
		err = writeAll(f, l.sign)
	}
	if err != nil {
		_ = l.home.disk.remove(path)
		return false, explain("write", path, err)
	}
	l.TookOver = old
	return false, nil
}

// stillThere reports whether the file that we locked is the one that others find: it is not when the folder was archived
// between our opening it and our locking it.
func (l *Lease) stillThere() bool {
	ours, err := l.guard.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(filepath.Join(l.dir, lockFile))
	return err == nil && os.SameFile(ours, theirs)
}
