package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: what stands for the window, and what a process gets as its terminal (pty(7)).
func terminal(t *testing.T) (window, tty *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(window.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(window.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return window, tty
}

// user runs the built command in a home of its own.
type user struct {
	t    *testing.T
	home string
}

func (u user) command(speed int, args ...string) *exec.Cmd {
	cmd := exec.Command("geusemaker", append(args, "--sandbox")...) //nolint:gosec // the command under test
	cmd.Env = append(os.Environ(), "HOME="+u.home, "GEUSEMAKER_SANDBOX_SPEED="+strconv.Itoa(speed))
	return cmd
}

// result runs a command to its end, which must be good.
func (u user) result(args ...string) string {
	u.t.Helper()
	out, err := u.command(2000, args...).Output()
	if err != nil {
		u.t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

func (u user) status() string {
	u.t.Helper()
	var all []struct{ Status string }
	if err := json.Unmarshal([]byte(u.result("list", "-o", "json")), &all); err != nil || len(all) != 1 {
		u.t.Fatalf("%v (%v)", all, err)
	}
	return all[0].Status
}

// finish goes on with the deployment and removes it: nothing may be left.
func (u user) finish() {
	u.t.Helper()
	u.result("deploy", "demo", "--yes")
	if got := u.status(); got != "running" {
		u.t.Errorf("a deploy that goes on ends %s", got)
	}
	u.result("destroy", "demo", "--yes")
	if left := u.result("sandbox", "show"); !strings.Contains(left, "the pretend account is empty") {
		u.t.Errorf("left:\n%s", left)
	}
}

// readUntil reads until the text was seen.
func readUntil(t *testing.T, r io.Reader, text string) {
	t.Helper()
	var seen bytes.Buffer
	piece := make([]byte, 4096)
	for !strings.Contains(seen.String(), text) {
		n, err := r.Read(piece)
		seen.Write(piece[:n])
		if err != nil {
			t.Fatalf("%v after:\n%s", err, seen.String())
		}
	}
}

// skipTo reads up to the end of a text and no further.
func skipTo(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	var seen strings.Builder
	for !strings.HasSuffix(seen.String(), text) {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%v after:\n%s", err, seen.String())
		}
		seen.WriteByte(b)
	}
}

// ended waits for the end of a process and returns its exit code, or -1 when a signal ended it.
func ended(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// TestAClosedTerminal closes the window in the middle of a deploy and of a destroy. The kernel sends a hangup, and nothing
// can be written any more. That is an interrupt like Ctrl-C: what runs is finished and recorded.
func TestAClosedTerminal(t *testing.T) {
	for _, command := range []struct{ name, seen string }{{"deploy", "network/vpc"}, {"destroy", "compute/instance"}} {
		t.Run(command.name, func(t *testing.T) {
			t.Parallel()
			u := user{t, t.TempDir()}
			if command.name == "destroy" {
				u.result("deploy", "demo", "--yes")
			}
			window, tty := terminal(t)
			cmd := u.command(20, command.name, "demo", "--yes")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = tty.Close()
			readUntil(t, window, command.seen)
			_ = window.Close()
			if code := ended(t, cmd); code != 130 {
				t.Errorf("ended with %d, not 130", code)
			}
			if got := u.status(); got != "interrupted" {
				t.Errorf("the deployment is %s, not interrupted", got)
			}
			if command.name == "destroy" {
				u.result("destroy", "demo", "--yes")
			}
			u.finish()
		})
	}
}

// TestAnEndFromOutside asks a deploy to end as systemd, a container or a shutdown does. That, too, is an interrupt like Ctrl-C.
func TestAnEndFromOutside(t *testing.T) {
	t.Parallel()
	u := user{t, t.TempDir()}
	cmd := u.command(20, "deploy", "demo", "--yes")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readUntil(t, stderr, "network/vpc")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	readUntil(t, stderr, "`geusemaker deploy demo` goes on from here")
	if code := ended(t, cmd); code != 130 {
		t.Errorf("ended with %d, not 130", code)
	}
	if got := u.status(); got != "interrupted" {
		t.Errorf("the deployment is %s, not interrupted", got)
	}
	u.finish()
}

// TestAClosedPipe closes the pipe to which a deploy writes, as a pager does that is left. Nobody reads any more, and the
// deploy goes on to its end.
func TestAClosedPipe(t *testing.T) {
	t.Parallel()
	u := user{t, t.TempDir()}
	cmd := u.command(200, "deploy", "demo", "--yes")
	reader, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readUntil(t, reader, "network/vpc")
	_ = reader.Close()
	if code := ended(t, cmd); code != 0 {
		t.Errorf("ended with %d, not 0", code)
	}
	if got := u.status(); got != "running" {
		t.Errorf("the deployment is %s, not running", got)
	}
	u.finish()
}

// TestTheWizardOnATerminal answers its questions in a window, and leaves it with Ctrl-C at one of them and with no at the end.
func TestTheWizardOnATerminal(t *testing.T) {
	for name, talk := range map[string][][2]string{
		"Ctrl-C": {{"how much to ask", "\n"}, {"What shall the deployment", "\x03"}},
		"no": {
			{"how much to ask", "\n"},
			{"What shall the deployment", "team\n"},
			{"In which region", "\n"},
			{"on a GPU", "?\n"},
			{"n8n, Qdrant and Crawl4AI need none", "\n"},
			{"What matters most", "b\n"},
			{"on a GPU", "\n"},
			{"What matters most", "\n"},
			{"How do people", "2\n"},
			{"Which models", "\n"},
			{"geusemaker deploy team --region us-east-1", ""},
			{"Go on to the plan", "\n"},
			{"Create team in us-east-1?", "n\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := user{t, t.TempDir()}
			window, tty := terminal(t)
			defer window.Close()
			cmd := u.command(2000, "deploy")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = tty.Close()
			stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer stuck.Stop()
			page := bufio.NewReader(window) // what was shown beyond a text is there for the next one
			for _, turn := range talk {
				skipTo(t, page, turn[0])
				if _, err := io.WriteString(window, turn[1]); err != nil {
					t.Fatal(err)
				}
			}
			go func() { _, _ = io.Copy(io.Discard, page) }()
			if code := ended(t, cmd); code != 130 {
				t.Errorf("ended with %d, not 130", code)
			}
			if got := u.result("list", "-o", "json"); strings.TrimSpace(got) != "[]" {
				t.Errorf("there is a deployment: %s", got)
			}
			if left := u.result("sandbox", "show"); !strings.Contains(left, "the pretend account is empty") {
				t.Errorf("left:\n%s", left)
			}
		})
	}
}
