package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// bootLogFile is the machine's boot log as it was read last.
const bootLogFile = "boot.log"

// maxBootLog is the size in bytes of what is kept of a boot log: its end, which says how it went.
const maxBootLog = 8 << 20

// KeepBootLog puts the machine's boot log beside the state, for when the machine cannot be asked any more. An older one is
// replaced.
func (l *Lease) KeepBootLog(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return ErrReleased
	}
	path := filepath.Join(l.dir, bootLogFile)
	if _, err := replaceFile(l.home.disk, path, []byte(text[max(0, len(text)-maxBootLog):])); err != nil {
		return explain("save", path, err)
	}
	return nil
}

// BootLog returns the boot log that was kept of a deployment, and when. Without one, the time is zero.
func (h Home) BootLog(name string) (string, time.Time, error) {
	if err := checkName(name); err != nil {
		return "", time.Time{}, err
	}
	path := filepath.Join(h.deployment(name), bootLogFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, explain("read", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", time.Time{}, explain("read", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxBootLog))
	if err != nil {
		return "", time.Time{}, explain("read", path, err)
	}
	return string(text), info.ModTime(), nil
}
