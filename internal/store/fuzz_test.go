package store

import (
	"os"
	"path/filepath"
	"testing"
)

// quickDisk does not make anything durable.
type quickDisk struct{ realDisk }

type quickFile struct{ file }

func (quickFile) Sync() error { return nil }

func (quickDisk) syncDir(string) error { return nil }

func (d quickDisk) create(path string) (file, error) {
	f, err := d.realDisk.create(path)
	return quickFile{f}, err
}

// Whatever lies in the place of a state: nothing panics, nothing is overwritten that cannot be read, list and load agree,
// and what can be read can be saved and read again.
func FuzzLoad(f *testing.F) {
	good := edited(f)
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)/2]))
	f.Add([]byte(""))
	f.Add([]byte(`{"version":2,"tool":"9"}`))
	f.Add([]byte(`{"version":1,"id":"a","name":"demo","records":{"a":{"key":"a","kind":"vpc","status":"ready","needs":["a"]}}}`))
	f.Add([]byte(`{"version":1,"id":"a","name":"demo","records":{"a":{"key":"a","kind":"vpc","status":"ready","needs":["b"]}},"config":{}}`))
	f.Add([]byte(`{"version":1,"id":"a","name":"demo","config":{"max_hourly":1e9,"tags":{"a":"b"},"allow_cidrs":[]},"records":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := Home{dir: t.TempDir(), disk: quickDisk{}}
		path := filepath.Join(h.deployment("demo"), stateFile)
		write(t, path, string(raw))
		s, loadErr := h.Load("demo")
		entries, err := h.List()
		if err != nil || len(entries) != 1 {
			t.Fatalf("list: %v (%v)", entries, err)
		}
		if (entries[0].Err == nil) != (loadErr == nil) {
			t.Fatalf("load says %v, list %v", loadErr, entries[0].Err)
		}
		l := lock(t, h, "demo")
		if loadErr != nil {
			if l.Save(sample(t, "demo", 1<<40)) == nil {
				t.Error("saved over what cannot be read")
			}
		} else if s.Serial < 1<<40 {
			s.Serial++
			if err := l.Save(s); err != nil {
				t.Fatalf("what was read cannot be saved: %v", err)
			}
			again, err := h.Load("demo")
			if err != nil || text(t, again.Records) != text(t, s.Records) || again.Identity != s.Identity {
				t.Errorf("read again it differs (%v)", err)
			}
			return
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(raw) {
			t.Error("the file was changed")
		}
	})
}
