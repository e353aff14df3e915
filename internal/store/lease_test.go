package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func TestASaveMustBuildOnWhatIsThere(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	path := filepath.Join(h.deployment("demo"), stateFile)
	before := content(t, path)
	otherLineage := sample(t, "demo", 2)
	otherLineage.ID = "another"
	otherName := sample(t, "other", 2)
	unreadable := sample(t, "demo", 2)
	unreadable.Records["network/vpc"] = stack.Record{Key: "network/vpc", Kind: "spaceship"}
	for name, test := range map[string]struct {
		state stack.State
		want  string
	}{
		"same serial":  {sample(t, "demo", 1), "saved since it was read"},
		"lower serial": {sample(t, "demo", 0), "saved since it was read"},
		"another ID":   {otherLineage, "belongs to deployment k3v9x2m4q7ta, not another"},
		"another name": {otherName, `could not be read again: it is the state of "other"`},
		"unreadable":   {unreadable, `of the kind "spaceship"`},
	} {
		err := l.Save(test.state)
		if err == nil {
			t.Errorf("%s: saved", name)
			continue
		}
		mustContain(t, err.Error(), test.want)
	}
	if content(t, path) != before {
		t.Error("the file was changed")
	}
	if err := l.Save(sample(t, "demo", 2)); err != nil {
		t.Errorf("a good state after bad ones: %v", err)
	}
}

func TestAStateThatSomethingElseChangedIsNotOverwritten(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"saved by another":  func(t *testing.T, path string) { write(t, path, edited(t)) },
		"edited":            func(t *testing.T, path string) { write(t, path, content(t, path)+" ") },
		"replaced by a dir": func(t *testing.T, path string) { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			h := home(t, "demo")
			l := lock(t, h, "demo")
			path := filepath.Join(h.deployment("demo"), stateFile)
			change(t, path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			err = l.Save(sample(t, "demo", 6))
			changed, ok := errors.AsType[*ChangedError](err)
			if !ok {
				t.Fatalf("got %v, want a ChangedError", err)
			}
			if changed.Saw != 1 || changed.Want != 6 {
				t.Errorf("got %+v", changed)
			}
			mustContain(t, err.Error(), path, "nothing was overwritten")
			if after, err := os.Stat(path); err != nil || !os.SameFile(info, after) {
				t.Error("the file was replaced")
			}
			if err := l.Replace(sample(t, "demo", 6)); err == nil {
				t.Error("it was replaced")
			}
		})
	}
}

func TestAStateThatVanishedIsSavedAgain(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	if err := os.Remove(filepath.Join(h.deployment("demo"), stateFile)); err != nil {
		t.Fatal(err)
	}
	if err := l.Save(sample(t, "demo", 2)); err != nil {
		t.Fatal(err)
	}
	if s, err := h.Load("demo"); err != nil || s.Serial != 2 {
		t.Errorf("serial %d (%v)", s.Serial, err)
	}
}

func TestALeaseIsSafeForConcurrentUse(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_ = l.Save(sample(t, "demo", 2+i)) // those that come late are refused
			if s, err := l.State(); err != nil || s.Serial < 1 {
				t.Errorf("serial %d (%v)", s.Serial, err)
			}
		})
	}
	wg.Wait()
	if s, err := h.Load("demo"); err != nil || s.Serial != 9 {
		t.Errorf("serial %d (%v), want 9: the highest is always taken", s.Serial, err)
	}
}

func TestTheFirstSaveOfAnOperationKeepsABackup(t *testing.T) {
	h := home(t, "demo")
	serial := 1
	for i := range 14 {
		at := morning.Add(time.Duration(i) * time.Hour)
		l, err := h.Lock(t.Context(), "demo", Intent{Operation: "deploy", Version: "1.0.0", At: at})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			serial++
			if err := l.Save(sample(t, "demo", serial)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(h.deployment("demo"), backupDir, "notes.txt"), "of the user")
	backups, err := h.Backups("demo")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, b := range backups {
		got = append(got, fmt.Sprint(b.Serial, " ", b.At.Format(time.TimeOnly)))
		s, err := b.Load()
		if err != nil || s.Serial != b.Serial {
			t.Errorf("backup %d holds serial %d (%v)", b.Serial, s.Serial, err)
		}
	}
	for i := 13; i > 3; i-- { // the operation at 9 o'clock and i hours found serial 1+3i
		want = append(want, fmt.Sprint(1+3*i, " ", morning.Add(time.Duration(i)*time.Hour).Format(time.TimeOnly)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("backups (-want +got):\n%s", diff)
	}
}

func TestRestore(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	good := sample(t, "demo", 7)
	good.Operation.Error = "this one"
	for _, s := range []stack.State{good, sample(t, "demo", 8)} {
		if err := l.Save(s); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
		l = lock(t, h, "demo")
	}
	_ = l.Release()
	path := filepath.Join(h.deployment("demo"), stateFile)
	write(t, path, "damaged")

	_, err := h.Load("demo")
	damaged, ok := errors.AsType[*DamagedError](err)
	if !ok || len(damaged.Backups) != 2 {
		t.Fatalf("got %v, want a DamagedError with 2 backups", err)
	}
	mustContain(t, err.Error(), "one of its 2 backups or the tags")

	l = lock(t, h, "demo")
	s, err := l.Restore(damaged.Backups[0])
	if err != nil {
		t.Fatal(err)
	}
	if s.Operation.Error != "this one" || s.Serial <= 7 {
		t.Errorf("restored serial %d, error %q", s.Serial, s.Operation.Error)
	}
	if kept, err := filepath.Glob(filepath.Join(h.deployment("demo"), backupDir, "damaged-*")); err != nil || len(kept) != 1 || content(t, kept[0]) != "damaged" {
		t.Errorf("the damaged file is kept as %q (%v)", kept, err)
	}
	s.Serial++
	if err := l.Save(s); err != nil {
		t.Errorf("a save after the repair: %v", err)
	}

	// A state that is well is kept among the backups when another takes its place.
	again, err := l.Restore(damaged.Backups[1])
	if err != nil {
		t.Fatal(err)
	}
	if again.Serial != s.Serial+1 {
		t.Errorf("serial %d, want %d", again.Serial, s.Serial+1)
	}
	if backups, err := h.Backups("demo"); err != nil || len(backups) != 3 || backups[0].Serial != s.Serial {
		t.Errorf("backups %v (%v), want the replaced one in front", backups, err)
	}

	write(t, damaged.Backups[1].Path, "damaged too")
	if _, err := l.Restore(damaged.Backups[1]); err == nil {
		t.Error("a damaged backup was restored")
	}
	if _, err := h.Load("demo"); err != nil {
		t.Error(err)
	}
}

func TestAMissingStateWithBackupsIsDamagedNotGone(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	if err := errors.Join(l.Save(sample(t, "demo", 2)), l.Release(), os.Remove(filepath.Join(h.deployment("demo"), stateFile))); err != nil {
		t.Fatal(err)
	}
	_, err := h.Load("demo")
	if _, ok := errors.AsType[*DamagedError](err); !ok {
		t.Fatalf("got %v, want a DamagedError", err)
	}
	mustContain(t, err.Error(), "the file is missing", "1 backups")
	l = lock(t, h, "demo")
	if err := l.Save(sample(t, "demo", 1)); err == nil {
		t.Error("a new state was begun over the backups of an old one")
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if backups, err := h.Backups("demo"); err != nil || len(backups) != 1 {
		t.Errorf("backups %v (%v) after the release", backups, err)
	}
}

func TestArchive(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	s := sample(t, "demo", 1) // not raised: a roll-back ends with the state that was saved last
	s.Operation = stack.Operation{Kind: "destroy", StartedAt: morning, EndedAt: morning, Outcome: stack.OutcomeDone}
	s.Records = nil
	if err := l.Archive(s); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(h.dir, "archive", "demo-k3v9x2m4q7ta-20261123T090600Z")
	want := []string{"backups/00000001-20261123T090000Z.json", "state.json"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("archived (-want +got):\n%s", diff)
	}
	archived, err := currentFormat().decode([]byte(content(t, filepath.Join(dir, stateFile))), "demo")
	if err != nil || archived.Operation.Kind != "destroy" || archived.Serial != 2 {
		t.Errorf("archived %v, serial %d (%v)", archived.Operation, archived.Serial, err)
	}
	if _, err := h.Load("demo"); !errors.Is(err, ErrNotExist) {
		t.Errorf("got %v after the archive, want ErrNotExist", err)
	}
	if err := l.Save(sample(t, "demo", 9)); !errors.Is(err, ErrReleased) {
		t.Errorf("a save after the archive: got %v, want ErrReleased", err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if err := lock(t, h, "demo").Save(sample(t, "demo", 1)); err != nil {
		t.Errorf("the name cannot be used again: %v", err)
	}
}

func TestForget(t *testing.T) {
	h := home(t, "demo", "kept")
	l := lock(t, h, "demo")
	if _, ok := errors.AsType[*LockedError](h.Forget("demo")); !ok {
		t.Error("a deployment was forgotten while an operation ran")
	}
	_ = l.Release()
	for range 2 {
		if err := h.Forget("demo"); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(h.deployments())
	if err != nil || len(entries) != 1 || entries[0].Name() != "kept" {
		t.Errorf("left: %v (%v)", entries, err)
	}
}

func TestEventLog(t *testing.T) {
	h := home(t, "demo")
	path := filepath.Join(h.deployment("demo"), eventsFile)
	l := lock(t, h, "demo")
	logged := func(lines ...string) {
		t.Helper()
		w, err := l.EventLog()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if _, err := fmt.Fprint(w, line); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	logged("{\"a\":1}\n", `{"cut of`)
	logged("{\"b\":2}\n")
	if got, want := content(t, path), "{\"a\":1}\n{\"cut of\n{\"b\":2}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	write(t, path, strings.Repeat("x", maxEvents)+"\n")
	logged("{\"c\":3}\n")
	if got := content(t, path); got != "{\"c\":3}\n" {
		t.Errorf("a large log was not put aside: %d bytes", len(got))
	}
	if got := content(t, filepath.Join(h.deployment("demo"), "events.old.jsonl")); len(got) != maxEvents+1 {
		t.Errorf("%d bytes were put aside", len(got))
	}
}
