package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"geusemaker/internal/stack"
)

// Home is the folder under which all deployments are kept.
type Home struct {
	dir  string
	disk disk
}

// Open returns the home in the folder, which need not exist. The disk is not touched.
func Open(dir string) Home { return Home{dir: dir, disk: realDisk{}} }

func (h Home) deployments() string           { return filepath.Join(h.dir, "deployments") }
func (h Home) deployment(name string) string { return filepath.Join(h.deployments(), name) }

// Load reads the state of a deployment: as it was saved last, even while an operation runs. Its errors are ErrNotExist,
// *NewerError, *DamagedError, *stack.FieldError for what can be no name, or those of the disk.
func (h Home) Load(name string) (stack.State, error) {
	if err := checkName(name); err != nil {
		return stack.State{}, err
	}
	_, s, err := h.read(name)
	if errors.Is(err, ErrNotExist) {
		names, _ := h.Names()
		if near := stack.Nearest(name, names); near != "" {
			return s, fmt.Errorf("%w; did you mean %q?", err, near)
		}
	}
	return s, err
}

// read returns the file of a deployment and the state in it. The file comes with a *DamagedError and a *NewerError too,
// if there is one.
func (h Home) read(name string) ([]byte, stack.State, error) {
	path := filepath.Join(h.deployment(name), stateFile)
	raw, err := readFile(path)
	if err == nil {
		var s stack.State
		if s, err = currentFormat().decode(raw, name); err == nil {
			return raw, s, nil
		}
		err = unfitError{err}
	}
	if errors.Is(err, fs.ErrNotExist) {
		if !h.exists(name) {
			return nil, stack.State{}, fmt.Errorf("%w %q", ErrNotExist, name)
		}
		err = unfitError{errors.New("the file is missing")}
	}
	backups, _ := h.Backups(name) // they are only mentioned
	return raw, stack.State{}, unusable(name, path, err, backups)
}

// unusable gives the error of a state that cannot be read its type.
func unusable(name, path string, err error, backups []Backup) error {
	if newer, ok := errors.AsType[*NewerError](err); ok {
		newer.Path = path
		return newer
	}
	if unfit, ok := errors.AsType[unfitError](err); ok {
		return &DamagedError{Name: name, Path: path, Err: unfit.err, Backups: backups}
	}
	return explain("read", path, err)
}

// Names lists the names of all deployments, sorted. A home that does not exist has none.
func (h Home) Names() ([]string, error) {
	all, err := h.folders()
	var names []string
	for _, name := range all {
		if h.exists(name) {
			names = append(names, name)
		}
	}
	return names, err
}

// exists reports whether something was ever saved of a deployment: a folder alone is only one that was locked.
func (h Home) exists(name string) bool {
	for _, part := range []string{stateFile, backupDir} {
		if _, err := os.Lstat(filepath.Join(h.deployment(name), part)); err == nil {
			return true
		}
	}
	return false
}

// folders lists what can be a deployment.
func (h Home) folders() ([]string, error) {
	entries, err := os.ReadDir(h.deployments())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", h.deployments(), err)
	}
	var names []string
	for _, e := range entries {
		if stack.ValidName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Forget removes what is known of a deployment, without an archive. It is for deployments of the sandbox, and refuses while
// an operation runs. That there is no such deployment is success.
func (h Home) Forget(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	l, _, err := h.tryLock(name, self(Intent{Operation: "forget", At: time.Now()}), false)
	if err != nil {
		return err
	}
	l.over = true
	return l.discard()
}
