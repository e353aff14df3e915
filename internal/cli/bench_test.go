package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// BenchmarkCommand measures whole processes, as a shell starts them.
func BenchmarkCommand(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "geusemaker")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "geusemaker/cmd/geusemaker")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	run := func(b *testing.B, home string, args ...string) {
		for b.Loop() {
			cmd := exec.CommandContext(b.Context(), binary, append(args, "--home", home)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	}
	b.Run("nothing", func(b *testing.B) { // what starting any process costs here
		for b.Loop() {
			if err := exec.CommandContext(b.Context(), "true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("version", func(b *testing.B) { run(b, b.TempDir(), "version") })
	b.Run("help", func(b *testing.B) { run(b, b.TempDir(), "help") })
	for _, n := range []int{0, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("list/%d", n), func(b *testing.B) { run(b, homeOf(b, n), "list") })
	}
}

// homeOf is a home with n deployments.
func homeOf(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	home := store.Open(dir)
	now := time.Now().UTC()
	for i := range n {
		c := stack.NewConfig()
		name := fmt.Sprintf("team-%d", i)
		for key, value := range map[string]string{"name": name, "region": "us-east-1"} {
			if err := c.Set(key, value, stack.Source{Kind: "flag"}); err != nil {
				b.Fatal(err)
			}
		}
		lease, err := home.Lock(b.Context(), name, store.Intent{Operation: "deploy", At: now})
		if err != nil {
			b.Fatal(err)
		}
		s := stack.State{
			Version: stack.StateVersion, Serial: 1, Identity: stack.Identity{ID: fmt.Sprintf("id%010d", i), Name: name, Region: "us-east-1", Tier: "dev"},
			Config: c, Records: map[stack.Key]stack.Record{stack.KeyInstance: {Key: stack.KeyInstance, Kind: stack.KindInstance, ID: "i-0123456789abcdef0", Status: stack.StatusReady, Owned: true}},
			Operation: stack.Operation{Kind: "deploy", StartedAt: now, EndedAt: now, Outcome: stack.OutcomeDone}, CreatedAt: now, UpdatedAt: now,
		}
		if err := lease.Save(s); err != nil {
			b.Fatal(err)
		}
		if err := lease.Release(); err != nil {
			b.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "deployments")); n > 0 && (err != nil || len(entries) != n) {
		b.Fatalf("%d deployments, %v", len(entries), err)
	}
	return dir
}
