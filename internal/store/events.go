package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// maxEvents is the size in bytes from which on the events of earlier operations are put aside, as events.old.jsonl.
const maxEvents = 4 << 20

// EventLog opens the deployment's log of events, to which one JSON object a line is appended. It is for people who look into
// what happened; nothing is decided by it, so it is not synced.
func (l *Lease) EventLog() (io.WriteCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil, ErrReleased
	}
	path := filepath.Join(l.dir, eventsFile)
	if info, err := os.Stat(path); err == nil && info.Size() > maxEvents {
		if err := os.Rename(path, filepath.Join(l.dir, "events.old.jsonl")); err != nil {
			return nil, explain("put aside", path, err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		if err = endLine(f); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		return nil, explain("open", path, err)
	}
	return f, nil
}

// endLine ends the last line of a file, which a process that died may have left in its middle.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err = f.Write([]byte{'\n'})
	return err
}
