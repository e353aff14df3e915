package host

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

// install writes the files of m under a root of its own, as cloud-init would, and returns the root.
func install(t *testing.T, m stack.Machine) string {
	t.Helper()
	files, err := Files(m)
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: the path of a socket may have no more than 107 bytes.
	root, err := os.MkdirTemp("", "host") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	for _, f := range files {
		writeUnder(t, root, f.Path, f.Content, f.Mode)
	}
	for _, folder := range []string{"/var/log", "/var/lib/geusemaker", "/run/geusemaker", "/etc/apt/sources.list.d", "/mnt"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func writeUnder(t *testing.T, root, name, content string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func readUnder(t *testing.T, root, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// stub puts a program of the given shell lines first on the PATH of what runs under root. It notes each of its calls.
func stub(t *testing.T, root, name, lines string) {
	t.Helper()
	writeUnder(t, root, "/stubs/"+name, "#!/usr/bin/env bash\nprintf '%s\\n' \""+name+" $*\" >>\""+root+"/calls\"\n"+lines+"\n", 0o755)
}

// environment is that of a program that runs under root.
func environmentOf(root string, extra ...string) []string {
	return append(append(os.Environ(), "GEUSEMAKER_ROOT="+root, "PATH="+root+"/stubs:"+os.Getenv("PATH")), extra...)
}

// shell runs lines after the named libraries were read, with a sleep that takes no time.
func shell(t *testing.T, root, libraries, lines string, extra ...string) (string, error) {
	t.Helper()
	script := "set -Eeuo pipefail\n"
	for library := range strings.FieldsSeq(libraries) {
		script += ". \"$GEUSEMAKER_ROOT/opt/geusemaker/lib/" + library + ".sh\"\n"
	}
	script += "sleep() { SECONDS=$((SECONDS + $1)); }\n" + lines
	command := exec.Command("bash", "-c", script)
	command.Env = environmentOf(root, extra...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// serveOnce answers one connection with the text and returns the port.
func serveOnce(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
			io.WriteString(connection, text)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestScriptsParse(t *testing.T) {
	files, err := Files(machine(func(m *stack.Machine) { m.Workload = "gpu" }))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, f := range files {
		if !isShell(f) {
			continue
		}
		count++
		printed(t, f.Path, f.Content) // fails when the parser does
		command := exec.Command("bash", "-n")
		command.Stdin = strings.NewReader(f.Content)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", f.Path, err, out)
		}
	}
	if count < 10 {
		t.Errorf("only %d scripts were found", count)
	}
}

func TestRetryGoesOnUntilTheTimeIsOver(t *testing.T) {
	root := install(t, machine())
	out, err := shell(t, root, "step", `
		third() { echo try; ((++tries == 3)); }
		tries=0; retry 60 third && echo "ok after $tries"
		never() { return 1; }
		SECONDS=0; retry 60 never || echo "given up after $SECONDS"`)
	if want := "try\ntry\ntry\nok after 3\ngiven up after 62\n"; err != nil || out != want {
		t.Errorf("output is %q (%v), want %q", out, err, want)
	}
}
