package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"geusemaker/internal/cli"
	"geusemaker/internal/cloud/sandbox"
)

// recordFolder is the variable that names the folder where each process writes down what it asks of the pretend account.
// Who sets it for the tests themselves finds the files there afterwards.
const recordFolder = "RECORD_REQUESTS"

// scriptName is the variable that tells a process which script it belongs to.
const scriptName = "RECORD_SCRIPT"

// line is one line of such a file: how the process began, a request, or how the process ended.
type line struct {
	Command  string
	Begun    *beginning
	Request  *sandbox.Request
	ExitCode *int
}

// beginning is what a process was begun with.
type beginning struct {
	Script string
	At     time.Time
	Args   []string
}

// recorded runs the command line of this process and writes down what it asks.
func recorded() int {
	folder := os.Getenv(recordFolder)
	if folder == "" {
		return cli.MainSeen(nil)
	}
	file, err := os.CreateTemp(folder, "*.jsonl")
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	write := func(l line) {
		mu.Lock()
		defer mu.Unlock()
		l.Command = commandOf(os.Args[1:])
		if err := json.NewEncoder(file).Encode(l); err != nil {
			panic(err)
		}
	}
	write(line{Begun: &beginning{os.Getenv(scriptName), time.Now(), os.Args[1:]}})
	code := cli.MainSeen(func(r sandbox.Request) { write(line{Request: &r}) })
	write(line{ExitCode: &code})
	return code
}

// commandOf is the first word that is no flag.
func commandOf(args []string) string {
	i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if i < 0 {
		return ""
	}
	return args[i]
}

// record collects what all scripts asked.
type record struct {
	folder string
	ran    atomic.Int32
}

func newRecord(t *testing.T) *record {
	r := &record{folder: os.Getenv(recordFolder)}
	if r.folder == "" {
		r.folder = t.TempDir()
	}
	t.Cleanup(func() {
		if !t.Failed() {
			all, err := filepath.Glob(filepath.Join(scripts, "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			judge(t, r.processes(t), int(r.ran.Load()) == len(all))
		}
	})
	return r
}

// begun lets the processes of one script write their part.
func (r *record) begun(e *testscript.Env) {
	r.ran.Add(1)
	e.Setenv(recordFolder, r.folder)
	e.Setenv(scriptName, e.WorkDir)
}

// invocation is what one process asked, in order.
type invocation struct {
	command  string
	begun    beginning
	requests []sandbox.Request
	done     bool // it ended by itself, and well
	// lent are the flags by which the policies that its script printed last name what is the user's.
	lent []string
}

// processes are those that asked for something.
func (r *record) processes(t *testing.T) []invocation {
	files, err := filepath.Glob(filepath.Join(r.folder, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []invocation
	for _, name := range files {
		all = append(all, readInvocation(t, name))
	}
	slices.SortFunc(all, func(a, b invocation) int { return a.begun.At.Compare(b.begun.At) })
	lent := map[string][]string{}
	for i := range all {
		p := &all[i]
		if p.command == "iam" && p.done {
			lent[p.begun.Script] = lending(p.begun.Args)
		}
		p.lent = lent[p.begun.Script]
	}
	return slices.DeleteFunc(all, func(p invocation) bool { return len(p.requests) == 0 })
}

func readInvocation(t *testing.T, name string) invocation {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var p invocation
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			break // the process was killed while it wrote
		}
		p.command = l.Command
		if l.Begun != nil {
			p.begun = *l.Begun
		}
		if l.Request != nil {
			p.requests = append(p.requests, *l.Request)
		}
		p.done = l.ExitCode != nil && *l.ExitCode == 0
	}
	return p
}

// lending are the flags of `iam policy` that name what is the user's.
func lending(args []string) []string {
	var lent []string
	for i, arg := range args {
		name, _, whole := strings.Cut(arg, "=")
		switch name {
		case "--add-missing-rules":
			lent = append(lent, arg)
		case "--vpc-id", "--subnet-id", "--security-group-id", "--efs-id", "--key-pair", "--mount-target-group":
			lent = append(lent, arg)
			if !whole {
				lent = append(lent, args[i+1])
			}
		}
	}
	return lent
}
