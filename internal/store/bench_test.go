package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		h := Open(b.TempDir())
		for i := range n {
			name := fmt.Sprintf("stack-%05d", i)
			raw, err := encode(sample(b, name, 1))
			if err != nil {
				b.Fatal(err)
			}
			write(b, filepath.Join(h.deployment(name), stateFile), string(raw))
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				entries, err := h.List()
				if err != nil || len(entries) != n || entries[0].Err != nil {
					b.Fatalf("%d entries (%v)", len(entries), err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	h := home(b, "demo")
	for b.Loop() {
		if _, err := h.Load("demo"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	h := home(b, "demo")
	l := lock(b, h, "demo")
	s := sample(b, "demo", 1)
	for b.Loop() {
		s.Serial++
		if err := l.Save(s); err != nil {
			b.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(h.deployment("demo"), stateFile)); err == nil {
		b.ReportMetric(float64(info.Size()), "bytes/state")
	}
}
