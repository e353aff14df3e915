package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// snapshotFormat is the version of the snapshot file. A file of another version is refused.
const snapshotFormat = 1

// state is all that the account is: what the snapshot file holds.
type state struct {
	Format  int    `json:"format"`
	Account string `json:"account"`
	Seed    uint64 `json:"seed"`
	Draws   uint64 `json:"draws"` // how many calls have drawn random numbers

	Virtual time.Time `json:"virtual"` // the clock when saved
	Wall    time.Time `json:"wall"`    // the wall clock when saved

	Regions  map[string]*region  `json:"regions"`
	Roles    map[string]*role    `json:"roles"`
	Profiles map[string]*profile `json:"profiles"`

	Faults   []Fault            `json:"faults,omitempty"`
	Capacity []capacity         `json:"capacity,omitempty"`
	Quotas   map[string]float64 `json:"quotas,omitempty"`
}

func newState(o Options, now time.Time) *state {
	s := &state{
		Format: snapshotFormat, Account: o.AccountID, Seed: o.Seed,
		Regions: map[string]*region{}, Roles: map[string]*role{}, Profiles: map[string]*profile{},
	}
	for _, name := range Regions() {
		s.Regions[name] = newRegion(o.Seed, name, now)
	}
	return s
}

// FileError says that the disk refused what the snapshot needs. What was to be done in the account did not happen.
type FileError struct {
	Doing string // write
	Path  string
	Err   error // of the operating system
}

func (e *FileError) Error() string {
	return fmt.Sprintf("cannot %s the sandbox file %s: %v", e.Doing, e.Path, e.Err)
}

// Unwrap gives what the operating system says.
func (e *FileError) Unwrap() error { return e.Err }

func (a *Account) fileError(doing string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the path is said already
	}
	return &FileError{Doing: doing, Path: a.options.Path, Err: err}
}

// fileVersion tells one saved snapshot from the next: each save makes a new file.
type fileVersion struct {
	modified time.Time
	size     int64
	file     os.FileInfo
}

func (v fileVersion) same(info os.FileInfo) bool {
	return v.file != nil && os.SameFile(v.file, info) && v.modified.Equal(info.ModTime()) && v.size == info.Size()
}

// fresh takes the lock between processes and reads the snapshot again when another process has changed it.
func (a *Account) fresh() (release func(), err error) {
	if a.lock == nil {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(a.options.Path), 0o700); err != nil {
		return nil, a.fileError("make the folder of", err)
	}
	if err := a.lock.Lock(); err != nil {
		return nil, a.fileError("lock", err)
	}
	release = func() { _ = a.lock.Unlock() } // unlocking fails only when the lock is already gone
	if err := a.load(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (a *Account) load() error {
	info, err := os.Stat(a.options.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if a.state == nil || a.version.file != nil { // never saved, or reset by another process
			a.state, a.version = newState(a.options, a.clock.Now()), fileVersion{}
		}
		return nil
	case err != nil:
		return a.fileError("read", err)
	case a.state != nil && a.version.same(info):
		return nil
	}
	text, err := os.ReadFile(a.options.Path)
	if err != nil {
		return a.fileError("read", err)
	}
	loaded := &state{}
	if err := json.Unmarshal(text, loaded); err != nil {
		return fmt.Errorf("the sandbox file %s is damaged (%w): `geusemaker sandbox reset` starts over", a.options.Path, err)
	}
	if loaded.Format != snapshotFormat || len(loaded.Regions) == 0 {
		return fmt.Errorf("the sandbox file %s is damaged or of another version (format %d, this tool writes %d): "+
			"`geusemaker sandbox reset` starts over", a.options.Path, loaded.Format, snapshotFormat)
	}
	loaded.restore()
	a.state, a.version = loaded, fileVersion{info.ModTime(), info.Size(), info}
	a.clock.advance(loaded.Virtual.Add(max(0, time.Since(loaded.Wall))))
	return nil
}

// Reset removes the snapshot file, damaged or not, so that the next Open makes a new account. No file is no error.
func Reset(path string) error {
	lock := flock.New(path + ".lock")
	if err := lock.Lock(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot lock the sandbox file %s: %w", path, err)
	}
	defer func() { _ = lock.Close() }() // the lock ends with the process at the latest
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the sandbox file: %w", err)
	}
	return nil
}

// restore gives every region that was empty of a kind its map back, and adds regions that are new in this version.
func (s *state) restore() {
	for _, name := range Regions() {
		if s.Regions[name] == nil {
			s.Regions[name] = newRegion(s.Seed, name, s.Virtual)
		}
		s.Regions[name].fill()
	}
	if s.Roles == nil {
		s.Roles = map[string]*role{}
	}
	if s.Profiles == nil {
		s.Profiles = map[string]*profile{}
	}
}

// save replaces the snapshot file in one step, so a process that is killed leaves the old file or the new one.
func (a *Account) save() error {
	if a.lock == nil {
		return nil
	}
	a.state.Virtual, a.state.Wall = a.clock.Now(), time.Now().Round(0)
	text, err := json.Marshal(a.state)
	if err != nil {
		return fmt.Errorf("cannot write the sandbox file: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(a.options.Path), ".sandbox-*") // mode 0600
	if err != nil {
		return a.fileError("write", err)
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), a.options.Path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return a.fileError("write", err)
	}
	info, err := os.Stat(a.options.Path)
	if err != nil {
		return a.fileError("read", err)
	}
	a.version = fileVersion{info.ModTime(), info.Size(), info}
	return nil
}
