package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofrs/flock"

	"geusemaker/internal/stack"
)

func TestOnlyOneProcessHoldsALock(t *testing.T) {
	h := home(t, "demo")
	them := start(t, "hold", h, "demo")
	them.line(t)

	_, err := h.Lock(t.Context(), "demo", intent())
	locked, ok := errors.AsType[*LockedError](err)
	if !ok {
		t.Fatalf("got %v, want a LockedError", err)
	}
	if locked.Holder.PID != them.Process.Pid || !locked.Running {
		t.Errorf("held by %+v, want process %d, running", locked, them.Process.Pid)
	}
	mustContain(t, err.Error(), "demo is locked", "deploy by", "@"+hostname(), "2026-11-23 09:00:00 UTC", "Ctrl-C")
	if _, err := h.Load("demo"); err != nil {
		t.Errorf("a locked deployment cannot be read: %v", err)
	}
	if holder, err := h.Holder("demo"); err != nil || holder == nil || holder.PID != them.Process.Pid {
		t.Errorf("holder is %v (%v), want the other process", holder, err)
	}

	them.finish(t)
	if holder, err := h.Holder("demo"); err != nil || holder != nil {
		t.Errorf("holder is %v (%v) after the end, want none", holder, err)
	}
	if l := lock(t, h, "demo"); l.TookOver != nil {
		t.Errorf("took over from %v, who had given the lock back", l.TookOver)
	}
}

func TestTheLockOfADeadProcessIsTakenOver(t *testing.T) {
	h := home(t, "demo")
	them := start(t, "hold", h, "demo")
	them.line(t)
	them.kill()

	if holder, err := h.Holder("demo"); err != nil || holder != nil {
		t.Errorf("holder is %v (%v), want none: its process is dead", holder, err)
	}
	l := lock(t, h, "demo")
	if l.TookOver == nil || l.TookOver.PID != them.Process.Pid {
		t.Fatalf("took over from %v, want process %d", l.TookOver, them.Process.Pid)
	}
	mustContain(t, l.TookOver.String(), "deploy by", "since 2026-11-23 09:00:00 UTC")
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if again := lock(t, h, "demo"); again.TookOver != nil {
		t.Errorf("the takeover is reported twice")
	}
}

func TestSavesOfManyProcessesAreNotLost(t *testing.T) {
	h := home(t, "demo")
	before, err := h.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	var all []*other
	for range contenders {
		all = append(all, start(t, "count", h, "demo"))
	}
	for _, o := range all {
		o.finish(t)
	}
	after, err := h.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	want := before.Records[stack.KeyVPC].Attempt + contenders*turns
	if got := after.Records[stack.KeyVPC].Attempt; got != want || after.Serial != before.Serial+contenders*turns {
		t.Errorf("counted to %d with serial %d, want %d with %d", got, after.Serial, want, before.Serial+contenders*turns)
	}
}

func TestAHolderOnAnotherMachine(t *testing.T) {
	h := home(t, "demo")
	elsewhere := Holder{User: "ann", Host: "not-" + hostname(), PID: 4711, Operation: "destroy", Version: "1.0.0", Since: morning}
	path := filepath.Join(h.deployment("demo"), holderFile)
	write(t, path, text(t, elsewhere))

	_, err := h.Lock(t.Context(), "demo", intent())
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || locked.Running || locked.Holder != elsewhere {
		t.Fatalf("got %#v, want a LockedError that names the other machine", err)
	}
	mustContain(t, err.Error(), "destroy by ann@not-", "another machine", "--force-unlock")
	if holder, err := h.Holder("demo"); err != nil || holder == nil || *holder != elsewhere {
		t.Errorf("holder is %v (%v), want the other machine's", holder, err)
	}

	in := intent()
	in.Force = true
	l, err := h.Lock(t.Context(), "demo", in)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if l.TookOver == nil || *l.TookOver != elsewhere {
		t.Errorf("took over from %v, want %v", l.TookOver, elsewhere)
	}
	if _, err := h.Lock(t.Context(), "demo", in); err == nil {
		t.Error("a lock that is seen to be held was taken away")
	}
}

// A live process that left its name holds the deployment even when the operating system gives us the lock, as on a disk
// without locks; a later process with its number does not.
func TestANameOnTheLockCountsOnlyForItsOwnProcess(t *testing.T) {
	h := home(t, "demo", "work")
	them := start(t, "hold", h, "work")
	them.line(t)
	sign := content(t, filepath.Join(h.deployment("work"), holderFile))
	path := filepath.Join(h.deployment("demo"), holderFile)

	write(t, path, sign)
	_, err := h.Lock(t.Context(), "demo", intent())
	if locked, ok := errors.AsType[*LockedError](err); !ok || locked.Running || locked.Holder.PID != them.Process.Pid {
		t.Errorf("got %v, want a LockedError that names process %d", err, them.Process.Pid)
	}

	them.kill()
	reused := Holder{Host: hostname(), PID: os.Getpid(), Life: "an earlier life", Operation: "deploy", Since: morning}
	write(t, path, text(t, reused))
	if l := lock(t, h, "demo"); l.TookOver == nil || *l.TookOver != reused {
		t.Errorf("took over from %v, want the dead process", l.TookOver)
	}
}

func TestALockWithoutANameIsWaitedForOnlyShortly(t *testing.T) {
	for name, sign := range map[string]string{"missing": "", "cut off": `{"user":"a`, "dead": text(t, Holder{Host: hostname(), PID: 1 << 30})} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := home(t, "demo")
				lock(t, h, "demo")
				path := filepath.Join(h.deployment("demo"), holderFile)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				if sign != "" {
					write(t, path, sign)
				}
				start := time.Now()
				_, err := h.Lock(t.Context(), "demo", intent())
				if _, ok := errors.AsType[*LockedError](err); !ok {
					t.Fatalf("got %v, want a LockedError", err)
				}
				if waited := time.Since(start); waited < 100*time.Millisecond || waited > time.Second {
					t.Errorf("waited for %v", waited)
				}
				if name != "dead" {
					mustContain(t, err.Error(), "did not say who", "try again")
				}
				stop := errors.New("stopped")
				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(stop)
				if _, err := h.Lock(ctx, "demo", intent()); !errors.Is(err, stop) {
					t.Errorf("got %v, want the cause of the cancellation", err)
				}
			})
		})
	}
}

// Lists that look at the lock of a dead holder hold it for moments. A takeover at that time waits until they are through.
func TestLooksAtALockDoNotStopATakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := home(t, "demo")
		write(t, filepath.Join(h.deployment("demo"), holderFile), text(t, Holder{Host: hostname(), PID: 1 << 30, Since: morning}))
		look := flock.New(filepath.Join(h.deployment("demo"), lockFile))
		if ok, err := look.TryRLock(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		time.AfterFunc(5*lockPause/2, func() { _ = look.Unlock() })
		if l := lock(t, h, "demo"); l.TookOver == nil {
			t.Error("the takeover is not reported")
		}
	})
}

func TestALeaseWhoseLockWasTakenAwaySavesNothing(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	path := filepath.Join(h.deployment("demo"), holderFile)
	thief := text(t, Holder{User: "bob", Host: "other", PID: 1, Operation: "destroy", Since: morning})
	write(t, path, thief)

	before := content(t, filepath.Join(h.deployment("demo"), stateFile))
	err := l.Save(sample(t, "demo", 2))
	if _, ok := errors.AsType[*LockedError](err); !ok {
		t.Fatalf("got %v, want a LockedError", err)
	}
	mustContain(t, err.Error(), "nothing was saved", "destroy by bob@other")
	if content(t, filepath.Join(h.deployment("demo"), stateFile)) != before {
		t.Error("the state was changed")
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if content(t, path) != thief {
		t.Error("the release removed another's name from the lock")
	}
}

func TestALockOnAFolderThatWasMovedAwayIsNoLock(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	if !l.stillThere() {
		t.Fatal("a lock that was just taken is not seen as ours")
	}
	if err := os.Rename(l.dir, l.dir+"-moved"); err != nil {
		t.Fatal(err)
	}
	if l.stillThere() {
		t.Error("the lock of a folder that is gone counts")
	}
	write(t, filepath.Join(l.dir, lockFile), "")
	if l.stillThere() {
		t.Error("the lock of another folder counts")
	}
}

func TestRelease(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	for range 2 {
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Save(sample(t, "demo", 2)); !errors.Is(err, ErrReleased) {
		t.Errorf("save after release: got %v, want ErrReleased", err)
	}
	if _, err := l.EventLog(); !errors.Is(err, ErrReleased) {
		t.Errorf("event log after release: got %v, want ErrReleased", err)
	}

	// What was locked and never saved leaves nothing.
	fresh := lock(t, h, "fresh")
	if _, err := fresh.State(); !errors.Is(err, ErrNotExist) {
		t.Errorf("state of a new deployment: %v, want ErrNotExist", err)
	}
	if entries, err := h.List(); err != nil || len(entries) != 1 {
		t.Errorf("list shows %d entries (%v), want 1: nothing of the new one is saved", len(entries), err)
	}
	if err := fresh.Release(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(h.deployments())
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestModesAreClosedToOthers(t *testing.T) {
	h := home(t, "demo")
	dir := h.deployment("demo")
	for _, path := range []string{dir, filepath.Join(dir, stateFile)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "state.json.abc"+tempSuffix), "left by a crash")
	l := lock(t, h, "demo")
	if err := l.Save(sample(t, "demo", 2)); err != nil {
		t.Fatal(err)
	}
	log, err := l.EventLog()
	if err != nil {
		t.Fatal(err)
	}
	_ = log.Close()
	err = filepath.WalkDir(h.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		want := os.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		if filepath.Ext(path) == tempSuffix {
			t.Errorf("%s is still there", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhoAProcessIs(t *testing.T) {
	me := self(intent())
	if me.User == "" || me.Host == "" || me.PID != os.Getpid() || !me.alive() || me.elsewhere() {
		t.Errorf("this process is %+v, alive %v, elsewhere %v", me, me.alive(), me.elsewhere())
	}
	if lifeOf(1<<30) != "" {
		t.Error("a process that cannot exist lives")
	}
	hostile := Holder{User: "\x1b[2Jann", Host: "h", PID: 1, Operation: "deploy\n", Since: time.Unix(0, 0)}
	if got, want := hostile.String(), "deploy? by ?[2Jann@h, process 1, since 1970-01-01 00:00:00 UTC"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
