package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"geusemaker/internal/stack"
)

var morning = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// sample is the state of a deployment that runs, with all its parts, as the engine leaves it.
func sample(t testing.TB, name string, serial int) stack.State {
	t.Helper()
	c := stack.NewConfig()
	for key, value := range map[string]any{"name": name, "region": "eu-central-1", "models": "llama3.2:3b,nomic-embed-text", "tags": "team=ai"} {
		if err := c.Set(key, value, stack.Source{Kind: "flag"}); err != nil {
			t.Fatal(err)
		}
	}
	id := stack.Identity{ID: "k3v9x2m4q7ta", Name: name, Account: "123456789012", Region: "eu-central-1", Tier: "dev"}
	facts := stack.Facts{
		Account: id.Account, Partition: "aws", Region: id.Region, Zones: []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		VPCCIDR: "10.20.0.0/16", CallerCIDR: "203.0.113.7/32",
		Image:   stack.Image{ID: "ami-0123456789abcdef0", Name: "ubuntu-noble", OSType: "ubuntu-24.04", RootGiB: 8, LoginUser: "ubuntu"},
		Prices:  map[string]stack.Price{},
		FoundAt: morning,
	}
	for _, key := range []string{stack.PriceGP3Storage, stack.PriceGP3Throughput, stack.PriceEFSStorage, stack.PriceEFSRead, stack.PriceEFSWrite, stack.PriceEFSBackup, stack.PricePublicIPv4} {
		facts.Prices[key] = stack.Price{Amount: 81_234_567, Unit: "GB-month", Source: "AWS Price List", AsOf: morning}
	}
	for i := range 12 {
		facts.Offers = append(facts.Offers, stack.Offer{
			Type: "m7i.large", Zone: facts.Zones[i%3], Market: []string{"spot", "on-demand"}[i%2],
			Hourly: stack.Money(41_300_001 + i), OnDemand: 121_000_000, VCPUs: 2, MemoryMiB: 8192, Source: "spot price history", AsOf: morning,
		})
	}
	g, err := stack.Blueprint(id, c, facts)
	if err != nil {
		t.Fatal(err)
	}
	s := stack.State{
		Version: stack.StateVersion, Serial: serial, Tool: "1.0.0", Identity: id, Config: c, Facts: facts,
		Records:   map[stack.Key]stack.Record{},
		Operation: stack.Operation{Kind: "deploy", StartedAt: morning, EndedAt: morning.Add(6 * time.Minute), Outcome: stack.OutcomeDone},
		Boot:      &stack.Report{Version: 1, Complete: true, Steps: []stack.BootStep{{Name: "mount", Status: "done", Seconds: 2.5}}},
		Endpoints: []stack.Endpoint{
			{Service: "n8n", URL: "https://198.51.100.4", Port: 443, Auth: "n8n login", Health: stack.Healthy, CheckedAt: morning},
			{Service: "ollama", URL: "https://198.51.100.4:11434", Port: 11434, Auth: "bearer token", Health: stack.Healthy, CheckedAt: morning},
		},
		CreatedAt: morning, UpdatedAt: morning.Add(6 * time.Minute),
	}
	for i, n := range g.Nodes {
		at := morning.Add(time.Duration(i) * time.Second)
		r := stack.Record{
			Key: n.Key, Kind: n.Spec.Kind(), ID: "res-0123456789abcdef0", Owned: true, Status: stack.StatusReady,
			Token: "0123456789abcdef0123456789abcdef", Attempt: 1, BegunAt: at, CreatedAt: at, ReadyAt: at,
			Attrs: map[string]string{stack.AttrARN: "arn:aws:ec2:eu-central-1:123456789012:thing/res-0123456789abcdef0"},
		}
		for _, ref := range n.Spec.Refs() {
			if !ref.Outlives {
				r.Needs = append(r.Needs, ref.Key)
			}
		}
		if r.Kind == stack.KindInstance {
			r.Attrs = map[string]string{
				stack.AttrType: "m7i.large", stack.AttrZone: "eu-central-1b", stack.AttrMarket: "on-demand",
				stack.AttrState: "running", stack.AttrPublicIP: "198.51.100.4",
			}
		}
		s.Records[n.Key] = r
	}
	return s
}

// text is a value as JSON, for comparing.
func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func intent() Intent { return Intent{Operation: "deploy", Version: "1.0.0", At: morning} }

func lock(t testing.TB, h Home, name string) *Lease {
	t.Helper()
	l, err := h.Lock(t.Context(), name, intent())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}

// home returns a home in which the named deployments were saved once.
func home(t testing.TB, names ...string) Home {
	t.Helper()
	h := Open(filepath.Join(t.TempDir(), "home"))
	for _, name := range names {
		l := lock(t, h, name)
		if err := l.Save(sample(t, name, 1)); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files lists what is in a folder, with all below it, by relative path.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func mustContain(t testing.TB, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}

// modeVariable makes the test binary act as another process that uses a home.
const modeVariable = "GEUSEMAKER_STORE_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		os.Exit(actAs(mode, Open(os.Args[1]), os.Args[2]))
	}
	os.Exit(m.Run())
}

// other is another process that uses the same home.
type other struct {
	*exec.Cmd
	stdin io.Closer
	out   *bufio.Scanner
}

func start(t *testing.T, mode string, h Home, name string) *other {
	t.Helper()
	cmd := exec.Command(os.Args[0], h.dir, name)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &other{Cmd: cmd, stdin: stdin, out: bufio.NewScanner(stdout)}
	t.Cleanup(o.kill)
	return o
}

// line is the next line that the process printed.
func (o *other) line(t *testing.T) string {
	t.Helper()
	if !o.out.Scan() {
		t.Fatalf("the other process ended: %v", o.out.Err())
	}
	return o.out.Text()
}

// kill ends the process at once, as a power cut would, and waits until it is gone.
func (o *other) kill() {
	if o.ProcessState == nil {
		_ = o.Process.Kill()
		_ = o.Wait()
	}
}

// finish lets the process end by itself.
func (o *other) finish(t *testing.T) {
	t.Helper()
	_ = o.stdin.Close()
	if err := o.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
}
