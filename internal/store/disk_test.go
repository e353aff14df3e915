package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// faulty is a disk of which one step fails. With death that step and all later ones do nothing at all, as if the process
// had been killed before it.
type faulty struct {
	realDisk
	countdown int // the step that fails; counts from 1
	err       error
	death     bool
	hit       bool
	steps     []string // that were taken, the failed ones too
}

func (d *faulty) step(name string) error {
	d.steps = append(d.steps, name)
	d.countdown--
	if d.countdown == 0 || d.death && d.countdown < 0 {
		d.hit = true
		return d.err
	}
	return nil
}

func (d *faulty) mkdir(path string) error {
	if err := d.step("mkdir"); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return d.realDisk.mkdir(path)
}

func (d *faulty) create(path string) (file, error) {
	if err := d.step("create"); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := d.realDisk.create(path)
	return &faultyFile{f, d}, err
}

func (d *faulty) rename(from, to string) error {
	if err := d.step("rename"); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return d.realDisk.rename(from, to)
}

func (d *faulty) remove(path string) error {
	if err := d.step("remove"); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return d.realDisk.remove(path)
}

func (d *faulty) syncDir(path string) error {
	if err := d.step("sync folder"); err != nil {
		return &fs.PathError{Op: "sync", Path: path, Err: err}
	}
	return d.realDisk.syncDir(path)
}

type faultyFile struct {
	file
	disk *faulty
}

// Write fails after half of it is written, as on a disk that becomes full.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.disk.step("write"); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}

func (f *faultyFile) Sync() error {
	if err := f.disk.step("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

// Close closes in any case; the error is a network disk's that tells late.
func (f *faultyFile) Close() error {
	err := f.disk.step("close")
	return errors.Join(f.file.Close(), err)
}

// atEachStep runs do on fresh homes, each time with another step of the disk failing, until none is left to fail.
func atEachStep(t *testing.T, err error, death bool, prepare func(*testing.T) Home, do func(l *Lease) error, then func(t *testing.T, step int, h Home, l *Lease, got error)) {
	t.Helper()
	for step := 1; ; step++ {
		h := prepare(t)
		l := lock(t, h, "demo")
		d := &faulty{countdown: step, err: err, death: death}
		l.home.disk = d
		got := do(l)
		if !d.hit {
			if got != nil {
				t.Fatalf("without a fault: %v", got)
			}
			if step < 5 {
				t.Fatalf("only %d steps: the disk is not used", step-1)
			}
			return
		}
		l.home.disk = realDisk{}
		if death {
			l.over = true // no Release comes from the dead
			_ = l.guard.Unlock()
		}
		then(t, step, h, l, got)
	}
}

func prepared(names ...string) func(*testing.T) Home {
	return func(t *testing.T) Home { return home(t, names...) }
}

func TestACrashDuringASaveLosesNothing(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T) Home{"first": prepared(), "later": prepared("demo")} {
		t.Run(name, func(t *testing.T) {
			next := 2
			if name == "first" {
				next = 1
			}
			save := func(l *Lease) error { return l.Save(sample(t, "demo", next)) }
			atEachStep(t, errors.New("killed"), true, prepare, save, func(t *testing.T, step int, h Home, _ *Lease, _ error) {
				s, err := h.Load("demo")
				switch {
				case next == 1 && errors.Is(err, ErrNotExist):
				case err != nil:
					t.Fatalf("step %d: the state cannot be read: %v", step, err)
				case s.Serial != next && s.Serial != next-1:
					t.Errorf("step %d: serial %d", step, s.Serial)
				}
				l := lock(t, h, "demo")
				if l.TookOver == nil {
					t.Errorf("step %d: the crash was not noticed", step)
				}
				if err := l.Save(sample(t, "demo", 3)); err != nil {
					t.Errorf("step %d: the next save: %v", step, err)
				}
				noLeftovers(t, h)
			})
		})
	}
}

func noLeftovers(t *testing.T, h Home) {
	t.Helper()
	for _, path := range files(t, h.dir) {
		if strings.HasSuffix(path, tempSuffix) {
			t.Errorf("%s is left", path)
		}
	}
}

func TestAFullDiskLeavesTheOldStateAndNothingElse(t *testing.T) {
	var old string
	prepare := func(t *testing.T) Home {
		h := home(t, "demo")
		old = content(t, filepath.Join(h.deployment("demo"), stateFile))
		return h
	}
	save := func(l *Lease) error { return l.Save(sample(t, "demo", 2)) }
	atEachStep(t, syscall.ENOSPC, false, prepare, save, func(t *testing.T, step int, h Home, l *Lease, got error) {
		if !errors.Is(got, syscall.ENOSPC) {
			t.Fatalf("step %d: got %v, want ENOSPC", step, got)
		}
		mustContain(t, got.Error(), "no space left", "make room", h.dir)
		noLeftovers(t, h)
		next := 2
		if content(t, filepath.Join(h.deployment("demo"), stateFile)) != old {
			// Only the sync of the folder comes after the file was replaced.
			next = 3
			if s, err := l.State(); err != nil || s.Serial != 2 {
				t.Errorf("step %d: the file was replaced, but the lease knows serial %d (%v)", step, s.Serial, err)
			}
		}
		if err := l.Save(sample(t, "demo", next)); err != nil {
			t.Errorf("step %d: the save after room was made: %v", step, err)
		}
	})
}

func TestACrashDuringAnArchiveLosesNothing(t *testing.T) {
	archive := func(l *Lease) error { return l.Archive(sample(t, "demo", 2)) }
	atEachStep(t, errors.New("killed"), true, prepared("demo"), archive, func(t *testing.T, step int, h Home, _ *Lease, _ error) {
		_, err := h.Load("demo")
		archived, globErr := filepath.Glob(filepath.Join(h.dir, "archive", "demo-*", stateFile))
		if globErr != nil || (err == nil) == (len(archived) == 1) {
			t.Errorf("step %d: loading says %v, archived are %q", step, err, archived)
		}
		l := lock(t, h, "demo") // the name can be used in either case
		if err := l.Save(sample(t, "demo", 9)); err != nil {
			t.Errorf("step %d: %v", step, err)
		}
	})
}

func TestACrashDuringARepairLosesNothing(t *testing.T) {
	const damaged = `{"version":1, "name":"demo", damaged`
	prepare := func(t *testing.T) Home {
		h := home(t, "demo")
		write(t, filepath.Join(h.deployment("demo"), stateFile), damaged)
		return h
	}
	repair := func(l *Lease) error { return l.Replace(sample(t, "demo", 1)) }
	atEachStep(t, errors.New("killed"), true, prepare, repair, func(t *testing.T, step int, h Home, _ *Lease, _ error) {
		kept := false
		for _, path := range files(t, h.deployment("demo")) {
			kept = kept || content(t, filepath.Join(h.deployment("demo"), path)) == damaged
		}
		if !kept {
			t.Errorf("step %d: the damaged file is gone", step)
		}
		if err := lock(t, h, "demo").Replace(sample(t, "demo", 1)); err != nil {
			t.Errorf("step %d: repairing again: %v", step, err)
		}
		if _, err := h.Load("demo"); err != nil {
			t.Errorf("step %d: %v", step, err)
		}
	})
}

// What is renamed must be durable before, and the new name after (Linux man-pages, fsync(2)); no crash of a process shows
// that, only one of the machine.
func TestASaveIsDurable(t *testing.T) {
	l := lock(t, home(t, "demo"), "demo")
	d := &faulty{}
	l.home.disk = d
	if err := l.Save(sample(t, "demo", 2)); err != nil {
		t.Fatal(err)
	}
	replace := []string{"create", "write", "sync", "close", "rename", "sync folder"}
	want := slices.Concat([]string{"mkdir", "sync folder"}, replace, replace) // the folder of backups, the backup, the state
	if diff := cmp.Diff(want, d.steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	d.steps = nil
	if err := l.Save(sample(t, "demo", 3)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(replace, d.steps); diff != "" {
		t.Errorf("steps of the second save (-want +got):\n%s", diff)
	}
}

func TestErrorsOfTheDiskSayWhatToDo(t *testing.T) {
	for err, want := range map[syscall.Errno]string{
		syscall.EROFS:   "make the file system writable, or choose another folder with --home",
		syscall.EACCES:  "belongs to you",
		syscall.EDQUOT:  "make room",
		syscall.ENOLCK:  "choose a folder on a local disk",
		syscall.ENOTDIR: "a file is where a folder should be",
	} {
		h := home(t, "demo")
		l := lock(t, h, "demo")
		l.home.disk = &faulty{countdown: 1, err: err}
		got := l.Save(sample(t, "demo", 2))
		if !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
			continue
		}
		mustContain(t, got.Error(), "cannot ", h.dir, err.Error(), want)
	}
}

func TestAHomeThatIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home")
	write(t, path, "")
	h := Open(path)
	_, loadErr := h.Load("demo")
	_, listErr := h.List()
	_, lockErr := h.Lock(t.Context(), "demo", intent())
	for name, err := range map[string]error{"load": loadErr, "list": listErr, "lock": lockErr} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		mustContain(t, err.Error(), path, "a file is where a folder should be", "--home")
	}
}

func TestAPowerCutIsSurvivedByRealProcesses(t *testing.T) {
	h := home(t, "demo")
	for range 3 {
		them := start(t, "save", h, "demo")
		last := ""
		for range 20 {
			last = them.line(t)
		}
		them.kill()
		s, err := h.Load("demo")
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, s.Serial); len(got) < len(last) || len(got) == len(last) && got < last {
			t.Errorf("serial %s was saved, but %s is there", last, got)
		}
		l := lock(t, h, "demo")
		if l.TookOver == nil || l.TookOver.PID != them.Process.Pid {
			t.Errorf("took over from %v, want process %d", l.TookOver, them.Process.Pid)
		}
		noLeftovers(t, h)
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
