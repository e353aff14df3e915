package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
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
	b.Run("nothing", func(b *testing.B) { process(b, "true") }) // what starting any process costs here
	b.Run("version", func(b *testing.B) { process(b, binary, "version", "--home", b.TempDir()) })
	b.Run("help", func(b *testing.B) { process(b, binary, "help", "--home", b.TempDir()) })
	python := os.Getenv("BENCH_PYTHON") // one that has boto3, for what a user would run instead
	if python != "" {
		b.Run("instead/boto3", func(b *testing.B) { process(b, python, "-c", "import boto3") })
	}
	for _, n := range []int{0, 100, 1_000, 10_000} {
		home := homeOf(b, n)
		b.Run(fmt.Sprintf("list/%d", n), func(b *testing.B) { process(b, binary, "list", "--home", home) })
		if python != "" && n > 0 {
			b.Run(fmt.Sprintf("instead/list/%d", n), func(b *testing.B) { process(b, python, "-c", readAll, home) })
		}
	}
}

// readAll is a list of deployments as a script would make it.
const readAll = `import json, pathlib, sys
for path in pathlib.Path(sys.argv[1], "deployments").glob("*/state.json"):
    print(json.loads(path.read_bytes())["summary"]["name"])`

// process measures a command from its start to its end.
func process(b *testing.B, name string, args ...string) {
	b.Helper()
	for b.Loop() {
		if out, err := exec.CommandContext(b.Context(), name, args...).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}

// homeOf is a home with n deployments.
func homeOf(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	home := store.Open(dir)
	numbers := make(chan int)
	var writers sync.WaitGroup
	for range 32 { // a save waits for the disk most of the time
		writers.Go(func() {
			for i := range numbers {
				if err := deployment(b.Context(), home, i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	writers.Wait()
	if entries, err := os.ReadDir(filepath.Join(dir, "deployments")); n > 0 && (err != nil || len(entries) != n) {
		b.Fatalf("%d deployments, %v", len(entries), err)
	}
	return dir
}

// deployment saves one of many deployments.
func deployment(ctx context.Context, home store.Home, i int) error {
	c, now := stack.NewConfig(), time.Now().UTC()
	name := fmt.Sprintf("team-%d", i)
	for key, value := range map[string]string{"name": name, "region": "us-east-1"} {
		if err := c.Set(key, value, stack.Source{Kind: "flag"}); err != nil {
			return err
		}
	}
	lease, err := home.Lock(ctx, name, store.Intent{Operation: "deploy", At: now})
	if err != nil {
		return err
	}
	machine := stack.Record{Key: stack.KeyInstance, Kind: stack.KindInstance, ID: "i-0123456789abcdef0", Status: stack.StatusReady, Owned: true}
	saved := lease.Save(stack.State{
		Version: stack.StateVersion, Serial: 1, Identity: stack.Identity{ID: fmt.Sprintf("id%010d", i), Name: name, Region: "us-east-1", Tier: "dev"},
		Config: c, Records: map[stack.Key]stack.Record{machine.Key: machine},
		Operation: stack.Operation{Kind: "deploy", StartedAt: now, EndedAt: now, Outcome: stack.OutcomeDone}, CreatedAt: now, UpdatedAt: now,
	})
	return errors.Join(saved, lease.Release())
}
