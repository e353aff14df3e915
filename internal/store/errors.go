package store

import (
	"errors"
	"fmt"
	"strings"

	"geusemaker/internal/stack"
)

// ErrNotExist says that there is no deployment of the name.
var ErrNotExist = errors.New("there is no deployment")

// ErrReleased says that a lease was used after its lock was given back.
var ErrReleased = errors.New("the lock of the deployment was given back already")

// NewerError is a state that a newer version of the tool wrote. It is left as it is.
type NewerError struct {
	Path    string
	Version int    // of the state
	Tool    string // version of the tool that wrote it; empty when it does not say
}

func (e *NewerError) Error() string {
	tool := "a newer version of geusemaker"
	if e.Tool != "" {
		tool = "geusemaker " + printable(e.Tool)
	}
	return fmt.Sprintf("%s was written by %s in format %d, and this version reads formats up to %d; use %s",
		e.Path, tool, e.Version, stack.StateVersion, tool)
}

// DamagedError is a state that cannot be read. It is left as it is.
type DamagedError struct {
	Name    string
	Path    string
	Err     error
	Backups []Backup // newest first
}

func (e *DamagedError) Error() string {
	from := "the tags in the account"
	if len(e.Backups) > 0 {
		from = fmt.Sprintf("one of its %d backups or %s", len(e.Backups), from)
	}
	return fmt.Sprintf("the record of %s is damaged: %s: %v; `geusemaker recover %s` rebuilds it from %s", e.Name, e.Path, e.Err, e.Name, from)
}

// Unwrap gives what is wrong with the file.
func (e *DamagedError) Unwrap() error { return e.Err }

// ChangedError is a state that something else changed while a lease was held. Nothing was overwritten.
type ChangedError struct {
	Path string
	// Saw is the serial that the lease knows, Want the one that was to be saved.
	Saw, Want int
	Detail    string
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s is not what this operation knows: %s (it knows serial %d and was about to save %d); nothing was overwritten: "+
		"look whether another geusemaker uses this folder, then repeat the command", e.Path, e.Detail, e.Saw, e.Want)
}

// checkName refuses what cannot be the name of a deployment, and with it every way out of the home.
func checkName(name string) error {
	if stack.ValidName(name) {
		return nil
	}
	return &stack.FieldError{
		Key: "name", Problem: fmt.Sprintf("%q cannot be the name of a deployment", name),
		Fix: "use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all",
	}
}

// printable shows text from a file that cannot be trusted: short, and without what would steer a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return s
}
