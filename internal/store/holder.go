package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who holds, or held, the lock of a deployment, and why.
type Holder struct {
	User      string    `json:"user"`
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	Life      string    `json:"life,omitempty"` // tells the process from a later one with the same number
	Operation string    `json:"operation"`      // deploy or destroy
	Version   string    `json:"version"`        // of the tool
	Since     time.Time `json:"since"`
}

// String is "deploy by ann@laptop, process 4711, since 2026-11-23 14:25:30 UTC".
func (h Holder) String() string {
	if h == (Holder{}) {
		return "an operation that did not say who it is"
	}
	return fmt.Sprintf("%s by %s@%s, process %d, since %s", printable(h.Operation), printable(h.User), printable(h.Host), h.PID,
		h.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// self describes this process.
func self(in Intent) Holder {
	h := Holder{Host: hostname(), PID: os.Getpid(), Life: lifeOf(os.Getpid()), Operation: in.Operation, Version: in.Version, Since: in.At.UTC()}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	h.User = cmp.Or(h.User, os.Getenv("USER"), "somebody")
	return h
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown host"
	}
	return name
}

// elsewhere reports whether the holder is on another machine, where we cannot see whether it lives.
func (h Holder) elsewhere() bool { return h.Host != "" && h.Host != hostname() }

// alive reports whether the holder's process is seen to run on this machine. False may also mean that it cannot be seen.
func (h Holder) alive() bool { return !h.elsewhere() && h.Life != "" && h.Life == lifeOf(h.PID) }

// is reports whether both are the same process.
func (h Holder) is(other Holder) bool {
	return h.Host == other.Host && h.PID == other.PID && h.Life == other.Life
}

// readHolder reads who says that it holds the lock of the deployment in the folder; nil when nobody does. A file that
// breaks off, as after a power cut, gives the empty Holder.
func readHolder(dir string) (*Holder, error) {
	raw, err := os.ReadFile(filepath.Join(dir, holderFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", filepath.Join(dir, holderFile), err)
	}
	var h Holder
	if json.Unmarshal(raw, &h) != nil {
		h = Holder{}
	}
	return &h, nil
}

// Holder returns who works on the deployment now; nil when nobody does. Who left without a word, because its process died,
// does not count. It makes no file and is never in the way of a Lock.
func (h Home) Holder(name string) (*Holder, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	dir := h.deployment(name)
	holder, err := readHolder(dir)
	if err != nil || holder == nil || holder.elsewhere() || holder.alive() {
		return holder, err
	}
	// The process is dead, or hidden from us as in another container: the lock itself knows. A shared lock, for a moment,
	// is only in the way of a Lock that takes over, and that one tries again.
	guard := flock.New(filepath.Join(dir, lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := guard.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("look at", filepath.Join(dir, lockFile), err)
	}
	if !free {
		return holder, nil
	}
	return nil, guard.Unlock()
}

// LockedError says that another operation holds the deployment.
type LockedError struct {
	Name   string
	Holder Holder
	// Running says that the lock is seen to be held. Otherwise the holder only left its name: it may run on another machine
	// whose locks this one does not see, and Intent.Force takes the lock away from it.
	Running bool
}

func (e *LockedError) Error() string {
	s := fmt.Sprintf("%s is locked: %s", e.Name, e.Holder)
	switch {
	case e.Holder.elsewhere() && e.Running:
		return s + "; wait for it, or stop it on " + printable(e.Holder.Host)
	case e.Holder.elsewhere():
		return s + "; that is another machine: wait for it, or repeat the command with --force-unlock if you know that it does not run any more"
	case !e.Running:
		return s + "; wait for it, or repeat the command with --force-unlock if that process is not geusemaker"
	case e.Holder.PID == 0:
		return s + "; try again in a moment"
	default:
		return s + "; wait for it, or stop it with Ctrl-C where it runs"
	}
}
