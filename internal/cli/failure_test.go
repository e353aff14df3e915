package cli

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

var update = flag.Bool("update", false, "write what is compared with as it is now")

// TestErrorsAsUsersSeeThem lists every kind of error with its exit code, words and next steps, on paper to be read as a
// whole: those of AWS as they come through the SDK from the pretend account, the others as the code makes them.
func TestErrorsAsUsersSeeThem(t *testing.T) {
	var b strings.Builder
	for _, c := range awsRefusals {
		home := t.TempDir()
		if got := run(t, home, append([]string{"sandbox", "fault"}, c.fault...)...); got.code != 0 {
			t.Fatalf("%v: %s", c.fault, got.err)
		}
		shown := run(t, home, "plan", "demo", "--sandbox")
		fmt.Fprintf(&b, "## AWS: %s\nexit %d\n%s\n", c.name, shown.code, shown.err)
	}
	for _, c := range ownErrors() {
		streams, buffers := term.Test(term.Facts{})
		a := &app{streams: streams}
		f := explain(t.Context(), c.err)
		a.fail(f)
		fmt.Fprintf(&b, "## %s\nexit %d, kind %s\n%s\n", c.name, f.Code, f.Kind, buffers.Err.String())
	}
	golden(t, "errors.golden", b.String())
}

// awsRefusals are errors of the first call that `plan` makes, one for each kind of answer.
var awsRefusals = []struct {
	name  string
	fault []string
}{
	{"expired credentials", []string{"STS", "GetCallerIdentity", "--code", "ExpiredToken"}},
	{"unknown access key", []string{"STS", "GetCallerIdentity", "--code", "InvalidClientTokenId"}},
	{"wrong secret key", []string{"STS", "GetCallerIdentity", "--code", "SignatureDoesNotMatch"}},
	{"wrong clock", []string{"STS", "GetCallerIdentity", "--code", "RequestTimeTooSkewed"}},
	{"a missing permission", []string{"EC2", "DescribeImages", "--code", "UnauthorizedOperation"}},
	{"a blocked account", []string{"STS", "GetCallerIdentity", "--code", "Blocked", "--message", "This account is currently blocked."}},
	{"a region that is not enabled", []string{"EC2", "DescribeAvailabilityZones", "--code", "OptInRequired", "--message", "You are not subscribed to this service."}},
	{"throttling", []string{"EC2", "DescribeAvailabilityZones", "--code", "RequestLimitExceeded", "--message", "Request limit exceeded."}},
	{"a fault of AWS", []string{"EC2", "DescribeAvailabilityZones", "--code", "InternalError", "--message", "An internal error has occurred"}},
	{"a request that AWS does not accept", []string{"EC2", "DescribeAvailabilityZones", "--code", "InvalidParameterValue", "--message", "Invalid value."}},
	{"a lost connection", []string{"STS", "GetCallerIdentity", "--effect", "lose-request"}},
}

type ownError struct {
	name string
	err  error
}

func ownErrors() []ownError {
	holder := store.Holder{User: "ann", Host: "laptop", PID: 4711, Operation: "deploy", Since: time.Date(2026, 11, 23, 14, 25, 30, 0, time.UTC)}
	resource := func(key stack.Key, err error) error { return &engine.ResourceError{Key: key, Err: err} }
	full := fmt.Errorf("cannot save the state of demo: %w", fmt.Errorf("cannot save %s: %w; make room on that disk, then repeat the command: what was saved before is intact", "/home/ann/.geusemaker/deployments/demo/state.json", syscall.ENOSPC))
	return []ownError{
		{"a command line that makes no sense", usage("--sort: %q is not known; use %s", "colour", strings.Join(listSorts, ", "))},
		{"values that cannot be", errors.Join(
			&stack.FieldError{Key: "region", Problem: `"mars" is not the name of an AWS region`, Source: stack.Source{Kind: "flag", From: "--region"}},
			&stack.FieldError{Key: "market", Problem: `"sometimes" is not known`, Source: stack.Source{Kind: "environment", From: "GEUSEMAKER_MARKET"}, Fix: "use spot"},
		)},
		{"nobody to ask", fmt.Errorf("cannot ask: %w", term.ErrNotTerminal)},
		{"an answer that means no", term.ErrCancelled},
		{"no such deployment", fmt.Errorf("%w %q", store.ErrNotExist, "demo")},
		{"another operation runs", &store.LockedError{Name: "demo", Holder: holder, Running: true}},
		{"a damaged record", &store.DamagedError{Name: "demo", Path: "/home/ann/.geusemaker/deployments/demo/state.json", Err: errors.New("unexpected end of JSON input"), Backups: make([]store.Backup, 2)}},
		{"a record of a newer version", &store.NewerError{Path: "/home/ann/.geusemaker/deployments/demo/state.json", Version: 99, Tool: "9.9.9"}},
		{"a record that changed meanwhile", &store.ChangedError{Path: "/home/ann/.geusemaker/deployments/demo/state.json", Saw: 4, Want: 5, Detail: "something else changed it"}},
		{"a full disk", resource("network/vpc", full)},
		{"a home that cannot be written", fmt.Errorf("cannot make the folder for records: %w", &fs.PathError{Op: "mkdir", Path: "/home/ann/.geusemaker", Err: syscall.EROFS})},
		{"another account", &cloud.WrongAccountError{Got: "111122223333", Want: "444455556666"}},
		{"over budget", withinBudget(stack.Config{MaxHourly: 1e7}, stack.Cost{Hourly: 7e7}, false)},
		{"a boot that failed", &hinted{
			err:   &engine.BootError{Step: "storage", Detail: "mount.nfs4: Connection timed out", Tail: []string{"14:25:30 mounting", "14:30:30 gave up"}},
			hints: []string{"`geusemaker inspect demo` shows more"},
		}},
		{"interrupted", &hinted{err: fmt.Errorf("%w; 3 resources are recorded", engine.ErrInterrupted), code: exitInterrupted, kind: "interrupted", hints: []string{"`geusemaker deploy demo` goes on from here"}}},
		{"out of time", &hinted{err: errOvertime, hints: []string{"give it more time"}}},
		{"several resources that failed", &hinted{
			err: fmt.Errorf("%w; 3 resources are recorded", errors.Join(resource("network/vpc", errors.New("no room")), resource("storage/files", errors.New("no luck")))), code: exitPartial, kind: "partial",
			hints: []string{"`geusemaker deploy demo` goes on from here"},
		}},
		{"anything else", errors.New("something that nobody thought of")},
	}
}

// shown is what a command left on its streams.
type shown struct {
	out, err string
	code     int
}

// run runs one command in this process, with a home of its own and a pretend account that runs fast.
func run(t *testing.T, home string, args ...string) shown {
	t.Helper()
	return runOn(t, term.Facts{}, home, args...)
}

func runOn(t *testing.T, facts term.Facts, home string, args ...string) shown {
	t.Helper()
	streams, buffers := term.Test(facts)
	code := Run(t.Context(), streams, args, environOf(home))
	return shown{buffers.Out.String(), buffers.Err.String(), code}
}

func environOf(home string) []string {
	return []string{"GEUSEMAKER_HOME=" + home, "HOME=" + home, "GEUSEMAKER_SANDBOX_SPEED=2000"}
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what there is now (go test ./internal/cli -run %s -update):\n%s", path, t.Name(), diff)
	}
}
