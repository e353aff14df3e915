package cli

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// filling is a disk that is full from its nth write of a state on. How often the boot log is written depends on the speed
// of this computer, so it does not count, and its loss is a warning only.
type filling struct {
	from   int64
	writes atomic.Int64
}

func (d *filling) fault(step, path string) error {
	if step != "write" || strings.Contains(path, "boot.log") {
		return nil
	}
	if n := d.writes.Add(1); d.from > 0 && n >= d.from {
		return syscall.ENOSPC
	}
	return nil
}

// on runs a command whose records lie on the disk.
func (d *filling) on(t *testing.T, home string, args ...string) shown {
	t.Helper()
	streams, buffers := term.Test(term.Facts{})
	a := &app{streams: streams, environ: environOf(home), open: func(dir string) store.Home { return store.OpenFaulty(dir, d.fault) }}
	code := a.run(t.Context(), args)
	return shown{buffers.Out.String(), buffers.Err.String(), code}
}

// A disk that fills up at any write of a deploy or a destroy stops it with words, and with room on the disk the same
// command goes on: nothing in the account is forgotten.
func TestAFullDiskLosesNothing(t *testing.T) {
	commands := [][]string{{"deploy", "demo", "--sandbox", "--yes"}, {"destroy", "demo", "--yes"}}
	for i, command := range commands {
		t.Run(command[0], func(t *testing.T) {
			prepared := func() string {
				home := t.TempDir()
				for _, before := range commands[:i] {
					expect(t, run(t, home, before...), 0)
				}
				return home
			}
			roomy := &filling{}
			expect(t, roomy.on(t, prepared(), command...), 0)
			for _, share := range []int64{0, 2, 5, 8} { // tenths of the writes of the command
				home, full := prepared(), &filling{from: max(1, roomy.writes.Load()*share/10)}
				expect(t, full.on(t, home, command...), -1, "make room on that disk")
				for _, again := range commands[i:] {
					expect(t, run(t, home, again...), 0)
				}
				if left := run(t, home, "sandbox", "show"); !strings.Contains(left.out, "the pretend account is empty") {
					t.Errorf("full at %d/10 of the writes of %s: %s", share, command[0], left.out)
				}
			}
		})
	}
}

// A home that cannot be written stops what needs a record before anything is made, with words. What only reads goes on.
func TestAReadOnlyHome(t *testing.T) {
	readOnly := func(t *testing.T, home string, args ...string) shown {
		t.Helper()
		streams, buffers := term.Test(term.Facts{})
		refuse := func(string, string) error { return syscall.EROFS }
		a := &app{streams: streams, environ: environOf(home), open: func(dir string) store.Home { return store.OpenFaulty(dir, refuse) }}
		code := a.run(t.Context(), args)
		return shown{buffers.Out.String(), buffers.Err.String(), code}
	}
	home := t.TempDir()
	expect(t, readOnly(t, home, "deploy", "demo", "--sandbox", "--yes"), exitFailure, "read-only", "--home")
	if left := run(t, home, "sandbox", "show"); !strings.Contains(left.out, "the pretend account is empty") {
		t.Errorf("something was made: %s", left.out)
	}
	expect(t, run(t, home, "deploy", "demo", "--sandbox", "--yes"), exitDone)
	made := run(t, home, "sandbox", "show").out
	for _, reads := range []string{"list", "inspect demo", "health demo", "cost demo", "list --refresh"} {
		expect(t, readOnly(t, home, strings.Fields(reads)...), exitDone)
	}
	expect(t, readOnly(t, home, "destroy", "demo", "--yes"), exitFailure, "read-only", "--home")
	if now := run(t, home, "sandbox", "show").out; now != made {
		t.Errorf("a destroy that could not be recorded changed the account:\n%s\nbefore:\n%s", now, made)
	}
	expect(t, run(t, home, "destroy", "demo", "--yes"), exitDone)
}

// expect checks an exit code, where -1 stands for failure with or without resources, and parts of what was said.
func expect(t *testing.T, got shown, code int, says ...string) {
	t.Helper()
	if fits := got.code == code || code == -1 && (got.code == exitFailure || got.code == exitPartial); !fits {
		t.Fatalf("ended with %d, not %d\n%s", got.code, code, got.err)
	}
	unbroken := strings.Join(strings.Fields(got.err), " ") // lines end where the terminal does
	for _, part := range says {
		if !strings.Contains(got.err, part) && !strings.Contains(unbroken, part) {
			t.Errorf("does not say %q:\n%s", part, got.err)
		}
	}
}
