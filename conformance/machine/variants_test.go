package machine

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

// A variant is a machine that the choices of a user lead to.
type variant struct {
	name    string
	machine stack.Machine
}

// variants are all of them that differ in what is rendered. The processor's architecture is none of these: the machine finds
// out by itself.
func variants() []variant {
	var all []variant
	for _, system := range []string{"ubuntu-24.04", "ubuntu-22.04", "amazon-linux-2023", "amazon-linux-2"} {
		for _, workload := range []string{stack.WorkloadCPU, stack.WorkloadGPU} {
			for _, https := range []string{stack.HTTPSInternal, stack.HTTPSOff, stack.HTTPSACME} {
				for _, access := range []string{stack.AccessDirect, stack.AccessTunnel} {
					m := stack.Machine{
						StackID: "7f3k2q7f3k2q", StackName: "demo", Version: "1.2.3", Region: "us-east-1", Tier: "dev",
						Workload: workload, OSType: system, MemoryMiB: 16384, SecretParameter: "/geusemaker/7f3k2q7f3k2q/stack",
						FileSystemID: "fs-0123456789abcdef0", DataVolume: true, HTTPS: https, Access: access, Backup: "daily",
						Models: []string{"llama3.2:3b"},
						Env:    map[string]map[string]string{"n8n": {"GENERIC_TIMEZONE": "Europe/Berlin", "NOTE": "costs $5, isn't it: #yes"}},
					}
					if https == stack.HTTPSACME {
						m.Domain = "ai.example.com"
					}
					all = append(all, variant{path.Join(system, workload, https, access), m})
				}
			}
		}
	}
	return all
}

// TestCloudInitAcceptsEveryVariant asks cloud-init's own check.
func TestCloudInitAcceptsEveryVariant(t *testing.T) {
	sizes := map[string][]int{}
	var arguments strings.Builder
	folder := filepath.Join(prepared("root"), "tmp", filepath.Base(t.TempDir()))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for i, v := range variants() {
		packed, err := host.UserData(v.machine)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		system, _, _ := strings.Cut(v.name, "/")
		key := path.Join(system, v.machine.Workload)
		sizes[key] = append(sizes[key], len(packed))
		name := filepath.Join(folder, fmt.Sprint(i))
		// A key of Amazon's own cloud-init, which the original does not know (Amazon Linux 2 User Guide, "Using cloud-init").
		text := bytes.Replace(unpack(t, packed), []byte("\nrepo_upgrade: none\n"), []byte("\n"), 1)
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		arguments.WriteString(" " + strings.TrimPrefix(name, prepared("root")))
	}
	// One process for all: the program takes a second to start. What it says of a file that is well is one line.
	check := `import sys
from cloudinit.cmd import main
for name in sys.argv[1:]:
    sys.argv = ["cloud-init", "schema", "-c", name]
    if main.main():
        sys.exit("%s is not accepted" % name)
`
	out, err := exec.Command("chroot", append([]string{prepared("root"), "python3", "-c", check}, strings.Fields(arguments.String())...)...).CombinedOutput()
	if err != nil || strings.Count(string(out), "Valid schema") != len(variants()) {
		t.Errorf("cloud-init does not accept all %d variants: %v\n%s", len(variants()), err, out)
	}
	for key, list := range sizes {
		t.Logf("%-26s %d to %d bytes", key, slices.Min(list), slices.Max(list))
		if slices.Max(list) > 12000 {
			t.Errorf("%s: %d bytes leave too little of 16,384 for the user's settings", key, slices.Max(list))
		}
	}
}

// TestProgramsAcceptEveryVariant has bash, Caddy and compose read the files as they lie on the machine.
func TestProgramsAcceptEveryVariant(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			root := t.TempDir()
			files, err := host.Files(v.machine)
			if err != nil {
				t.Fatal(err)
			}
			var scripts []string
			for _, f := range files {
				target := filepath.Join(root, f.Path)
				if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
					t.Fatal(err)
				}
				content := strings.ReplaceAll(f.Content, "/run/geusemaker/secrets", root)
				if err := os.WriteFile(target, []byte(content), f.Mode); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(f.Content, "#!") || strings.HasSuffix(f.Path, ".sh") || strings.HasSuffix(f.Path, ".env") {
					scripts = append(scripts, target)
				}
			}
			for _, script := range scripts {
				run(t, "bash", "-n", script)
			}
			for _, service := range []string{"postgres", "n8n", "qdrant", "crawl4ai", "gateway"} {
				if err := os.WriteFile(filepath.Join(root, service+".env"), []byte("HASH='$2a$10$abc'\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			environment := machineEnvironment(t, root)
			judge(t, environment, prepared("bin/caddy"), "validate", "--adapter", "caddyfile", "--config", root+"/opt/geusemaker/Caddyfile")
			compose := []string{prepared("bin/docker-compose"), "-f", root + "/opt/geusemaker/compose.yaml", "-f", root + "/opt/geusemaker/compose.user.yaml"}
			if v.machine.Workload == stack.WorkloadGPU {
				compose = append(compose, "-f", root+"/opt/geusemaker/compose.gpu.yaml")
			}
			said := judge(t, environment, append(compose, "config")...)
			for _, want := range []string{"costs $$5, isn''t it: #yes", "HASH: $$2a$$10$$abc"} {
				if !strings.Contains(said, want) {
					t.Errorf("compose does not read %s:\n%s", want, said)
				}
			}
		})
	}
}

// machineEnvironment is what the scripts hand to compose and Caddy.
func machineEnvironment(t *testing.T, root string) []string {
	t.Helper()
	said := run(t, "env", "-i", "PATH="+os.Getenv("PATH"), "bash", "-c", `set -a; . "$0"; PUBLIC_HOST=${DOMAIN:-$1} PUBLIC_URL=$GATEWAY_SCHEME://$1 OLLAMA_TOKEN=token; env`,
		root+"/etc/geusemaker/machine.env", "203.0.113.9")
	return strings.Split(strings.TrimSpace(said), "\n")
}

// judge runs a program in an environment and wants it to succeed.
func judge(t *testing.T, environment []string, words ...string) string {
	t.Helper()
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(environment, "HOME="+t.TempDir())
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
