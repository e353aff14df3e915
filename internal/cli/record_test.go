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

	"github.com/rogpeppe/go-internal/testscript"

	"geusemaker/internal/cli"
	"geusemaker/internal/cloud/sandbox"
)

// recordFolder is the variable that names the folder where each process writes down what it asks of the pretend account.
// Who sets it for the tests themselves finds the files there afterwards.
const recordFolder = "RECORD_REQUESTS"

// line is one line of such a file: a request, or how the process ended.
type line struct {
	Command  string
	Request  *sandbox.Request
	ExitCode *int
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
}

// invocation is what one process asked, in order.
type invocation struct {
	command  string
	requests []sandbox.Request
	done     bool // it ended by itself, and well
}

func (r *record) processes(t *testing.T) []invocation {
	files, err := filepath.Glob(filepath.Join(r.folder, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []invocation
	for _, name := range files {
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
			if l.Request != nil {
				p.requests = append(p.requests, *l.Request)
			}
			p.done = l.ExitCode != nil && *l.ExitCode == 0
		}
		if len(p.requests) > 0 {
			all = append(all, p)
		}
	}
	return all
}
