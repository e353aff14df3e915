package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"geusemaker/internal/cloud/compute"
)

// plugin is the session-manager-plugin of AWS, as it is installed on this computer.
//
// A session of Systems Manager is a web socket with a protocol of its own: sequence numbers, acknowledgements, a handshake
// that may ask for encryption with KMS, and, for ports, many connections in one stream by way of smux. AWS has published the
// program that speaks it (github.com/aws/session-manager-plugin) but no description of it, and changes both ends together.
// So that program is run, as the AWS command line does, rather than spoken for: whoever uses Session Manager has it, it is
// one install otherwise, and a copy of the protocol would be the part of this tool that breaks first.
type plugin struct {
	path string
	// byName says that it reads the grant of a session from an environment variable. Before version 1.2.497.0 it takes the
	// grant, which holds a token, as an argument that every user of this computer can see (aws-cli, customizations,
	// sessionmanager.py).
	byName bool
}

const (
	pluginName     = "session-manager-plugin"
	pluginInstall  = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
	grantVariable  = "AWS_SSM_START_SESSION_RESPONSE"
	pluginDeadline = 30 * time.Second // to open its port, and to tell its version
	pluginGrace    = 3 * time.Second  // to end by itself
)

// lastWithoutVariable is the last version that does not read the variable.
var lastWithoutVariable = []int{1, 2, 497, 0}

// findPlugin looks for the plugin on the PATH.
func findPlugin(ctx context.Context) (plugin, error) {
	path, err := exec.LookPath(pluginName)
	if err != nil {
		return plugin{}, &hinted{
			err: fmt.Errorf("the %s of AWS is not installed: it carries the connection", pluginName), code: exitFailure, kind: "plugin-missing",
			hints: []string{"install it: " + pluginInstall, "then run the same command again"},
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pluginDeadline)
	defer cancel()
	said, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return plugin{}, &hinted{
			err: fmt.Errorf("%s does not run: %w", path, err), code: exitFailure, kind: "plugin-broken",
			hints: []string{"install it again: " + pluginInstall},
		}
	}
	return plugin{path: path, byName: newer(string(said), lastWithoutVariable)}, nil
}

// newer reports whether a version such as "1.2.707.0" is newer than another. What is no version is not.
func newer(version string, than []int) bool {
	var numbers []int
	for part := range strings.SplitSeq(strings.TrimSpace(version), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		numbers = append(numbers, n)
	}
	return slices.Compare(numbers, than) > 0
}

// errPortNotOpened says that the plugin ended, or was ended, before its port was open.
var errPortNotOpened = errors.New("the port was not opened")

// run lets the plugin carry a session until it ends, or until ctx does, which is no error. opened is called when the port
// takes connections. endpoint is the URL of Systems Manager.
func (p plugin) run(ctx context.Context, s compute.Session, region, profile, endpoint string, opened func()) error {
	process, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	grant := string(s.Grant)
	environ := os.Environ()
	if p.byName {
		environ = append(environ, grantVariable+"="+grant)
		grant = grantVariable
	}
	// The same arguments in the same order as the AWS command line gives.
	cmd := exec.CommandContext(process, p.path, grant, region, "StartSession", profile, string(s.Request), endpoint) //nolint:gosec // the path is that of the PATH, and no shell reads the arguments
	cmd.Env = environ
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its session then
	cmd.WaitDelay = pluginGrace
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	said := &sayings{opened: opened}
	var wg sync.WaitGroup
	wg.Go(func() { said.read(reader) })
	late := time.AfterFunc(pluginDeadline, func() {
		if !said.isOpen() {
			stop(fmt.Errorf("%w within %s", errPortNotOpened, pluginDeadline))
		}
	})
	err := cmd.Run()
	late.Stop()
	_ = writer.Close() // of a pipe: never fails
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		return nil
	case process.Err() != nil:
		err = context.Cause(process)
	case err == nil && !said.isOpen():
		err = errPortNotOpened
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w%s", pluginName, err, said.last())
}

// sayings is what the plugin prints.
type sayings struct {
	opened func()

	mu    sync.Mutex
	open  bool
	lines []string // the last ones
}

// read reads to the end. The plugin says that it waits for connections when its port is open (session-manager-plugin,
// sessionmanagerplugin/session/portsession).
func (s *sayings) read(from io.Reader) {
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" {
			continue
		}
		s.mu.Lock()
		first := !s.open && strings.HasPrefix(line, "Waiting for connections")
		s.open = s.open || first
		s.lines = append(s.lines, line)
		s.lines = s.lines[max(0, len(s.lines)-3):]
		s.mu.Unlock()
		if first {
			s.opened()
		}
	}
	_, _ = io.Copy(io.Discard, from) // a line without end must not stop the plugin
}

func (s *sayings) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// last is what was said at the end, in parentheses.
func (s *sayings) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return ""
	}
	return " (" + strings.Join(s.lines, "; ") + ")"
}
