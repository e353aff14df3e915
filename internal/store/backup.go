package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"geusemaker/internal/stack"
)

// maxBackups is how many backups of a deployment are kept.
const maxBackups = 10

// Backup is a state as it was before an operation.
type Backup struct {
	Name   string // of the deployment
	Path   string
	Serial int
	At     time.Time // when the operation began that made it, to the second
}

// Load reads the backup. Its errors are those of Home.Load.
func (b Backup) Load() (stack.State, error) {
	raw, err := readFile(b.Path)
	if err == nil {
		var s stack.State
		if s, err = currentFormat().decode(raw, b.Name); err == nil {
			return s, nil
		}
		err = unfitError{err}
	}
	return stack.State{}, unusable(b.Name, b.Path, err, nil)
}

// Backups lists the backups of a deployment, newest first.
func (h Home) Backups(name string) ([]Backup, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	dir := filepath.Join(h.deployment(name), backupDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", dir, err)
	}
	var all []Backup
	for _, f := range files {
		if b, ok := parseBackup(f.Name()); ok {
			b.Name, b.Path = name, filepath.Join(dir, f.Name())
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b Backup) int {
		if a.Serial != b.Serial {
			return b.Serial - a.Serial
		}
		return b.At.Compare(a.At)
	})
	return all, nil
}

// backupName is the name of the file: the serial, so that they sort, and the time.
func backupName(serial int, at time.Time) string {
	return fmt.Sprintf("%08d-%s.json", serial, at.UTC().Format(timeInNames))
}

func parseBackup(name string) (Backup, bool) {
	serial, rest, _ := strings.Cut(name, "-")
	n, err := strconv.Atoi(serial)
	at, timeErr := time.Parse(timeInNames+".json", rest)
	return Backup{Serial: n, At: at}, err == nil && timeErr == nil && n >= 0 && name == backupName(n, at)
}

// secure keeps what is on disk before the first write of an operation, and of the older backups the newest.
func (l *Lease) secure() error {
	_, damaged := errors.AsType[*DamagedError](l.broken)
	if l.secured || l.raw == nil && !damaged {
		return nil
	}
	name := backupName(l.state.Serial, l.me.Since)
	if damaged {
		name = "damaged-" + l.me.Since.Format(timeInNames) + ".json"
	}
	dir := filepath.Join(l.dir, backupDir)
	if err := makeDir(l.home.disk, dir); err != nil {
		return explain("make", dir, err)
	}
	path := filepath.Join(dir, name)
	if err := l.keep(path); err != nil {
		return explain("write the backup", path, err)
	}
	l.secured = true
	backups, err := l.home.Backups(l.name)
	if err != nil {
		return err
	}
	for _, b := range backups[min(maxBackups, len(backups)):] {
		if err := l.home.disk.remove(b.Path); err != nil {
			return explain("remove the old backup", b.Path, err)
		}
	}
	return nil
}

// keep copies the state on disk to path. What is too odd to be read, such as a folder in its place, is moved there.
func (l *Lease) keep(path string) error {
	if l.raw != nil {
		_, err := replaceFile(l.home.disk, path, l.raw)
		return err
	}
	err := l.home.disk.rename(filepath.Join(l.dir, stateFile), path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
