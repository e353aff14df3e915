package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"geusemaker/internal/cli"
)

// scripts is where the scripts lie.
const scripts = "../../testdata/script"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"geusemaker": func() { os.Exit(recorded()) }})
}

// TestScripts runs the product as a user types it. The scripts lie where somebody looks who wants to know what it does.
//
// Whatever they ask of the pretend account is written down and judged when all of them are done.
func TestScripts(t *testing.T) {
	record := newRecord(t)
	testscript.Run(t, testscript.Params{
		Dir: scripts,
		Setup: func(e *testscript.Env) error {
			record.begun(e)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GEUSEMAKER_SANDBOX_SPEED", "2000")
			e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ends": ends, "serve": serve, "sleep": sleep, "follows": follows},
	})
}

// sleep waits for some seconds of the wall clock, while a command in the background works.
func sleep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: sleep SECONDS")
	}
	d, err := time.ParseDuration(args[0] + "s")
	ts.Check(err)
	time.Sleep(d)
}

// ends runs a command and checks its exit code: ends 2 geusemaker plan.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("cannot run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%v ended with %d, not %d", args[1:], got, want)
	}
}

// follows holds what was printed last against a published schema: follows connect.
func follows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: follows SCHEMA")
	}
	found, err := cli.Problems(args[0], ts.ReadFile("stdout"))
	ts.Check(err)
	if len(found) > 0 {
		ts.Fatalf("it does not follow docs/schema/%s.json:\n%s", args[0], strings.Join(found, "\n"))
	}
}
