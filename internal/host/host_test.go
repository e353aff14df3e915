package host

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"mvdan.cc/sh/v3/syntax"

	"geusemaker/internal/stack"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// machine is a plain deployment, changed by the given functions.
func machine(changes ...func(*stack.Machine)) stack.Machine {
	m := stack.Machine{
		StackID: "gm-7f3k2q", StackName: "demo", Version: "1.2.3", Region: "eu-central-1",
		Tier: "dev", Workload: "cpu", OSType: "ubuntu-24.04", Architecture: "x86_64", MemoryMiB: 16384,
		SecretParameter: "/geusemaker/gm-7f3k2q/secrets", FileSystemID: "fs-0123456789abcdef0", DataVolume: true,
		HTTPS: "internal", Access: "direct", Backup: "daily",
	}
	for _, change := range changes {
		change(&m)
	}
	return m
}

// variants are all machines that the choices of a user lead to, with every list filled.
func variants() map[string]stack.Machine {
	all := map[string]stack.Machine{}
	for _, system := range []string{"ubuntu-24.04", "ubuntu-22.04", "amazon-linux-2023", "amazon-linux-2"} {
		for _, tier := range []string{"dev", "automation", "gpu"} {
			for _, workload := range []string{"cpu", "gpu"} {
				for _, https := range []string{"internal", "off", "acme"} {
					for _, access := range []string{"direct", "tunnel"} {
						all[path.Join(system, tier, workload, https, access)] = machine(func(m *stack.Machine) {
							m.OSType, m.Tier, m.Workload, m.HTTPS, m.Access = system, tier, workload, https, access
							if https == "acme" {
								m.Domain = "ai.example.com"
							}
							m.Models = []string{"llama3.2:3b", "nomic-embed-text", "hf.co/bartowski/Qwen2.5-7B-GGUF:Q4_K_M"}
							m.Images = map[string]string{"n8n": "registry.example.com:5000/team/n8n:2.42.3"}
							m.Env = map[string]map[string]string{"n8n": {"GENERIC_TIMEZONE": "Europe/Berlin"}, "ollama": {"OLLAMA_KEEP_ALIVE": "-1"}}
						})
					}
				}
			}
		}
	}
	return all
}

func unpack(t *testing.T, packed []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUserDataFitsEveryVariant(t *testing.T) {
	largest, name := 0, ""
	for variant, m := range variants() {
		packed, err := UserData(m)
		if err != nil {
			t.Fatalf("%s: %v", variant, err)
		}
		if len(packed) > largest {
			largest, name = len(packed), variant
		}
	}
	t.Logf("largest: %s with %d bytes", name, largest)
	if largest >= 12000 {
		t.Errorf("%s has %d bytes: keep it below 12,000 to leave room for the settings of users", name, largest)
	}
}

func TestUserDataIsTheFilesAndTheCommands(t *testing.T) {
	for variant, m := range variants() {
		packed, err := UserData(m)
		if err != nil {
			t.Fatalf("%s: %v", variant, err)
		}
		text := unpack(t, packed)
		if !strings.HasPrefix(text, "#cloud-config\n") {
			t.Fatalf("%s: begins with %.20q", variant, text)
		}
		var config struct {
			RepoUpgrade string `yaml:"repo_upgrade"`
			WriteFiles  []struct {
				Path, Permissions, Content string
			} `yaml:"write_files"`
			RunCommands []string `yaml:"runcmd"`
		}
		if err := yaml.Unmarshal([]byte(text), &config); err != nil {
			t.Fatalf("%s: %v", variant, err)
		}
		files, err := Files(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(config.WriteFiles) {
			t.Fatalf("%s: %d files, want %d", variant, len(config.WriteFiles), len(files))
		}
		for i, f := range files {
			got := config.WriteFiles[i]
			if got.Permissions == "" {
				got.Permissions = "0644" // cloud-init docs, module write_files
			}
			if diff := cmp.Diff([]string{f.Path, fmt.Sprintf("0%o", f.Mode), f.Content}, []string{got.Path, got.Permissions, got.Content}); diff != "" {
				t.Errorf("%s: %s:\n%s", variant, f.Path, diff)
			}
		}
		want := []string{"systemctl daemon-reload", "systemctl enable geusemaker.service", "systemctl start --no-block geusemaker.service"}
		if diff := cmp.Diff(want, config.RunCommands); diff != "" {
			t.Errorf("%s: commands:\n%s", variant, diff)
		}
		if amazon := strings.HasPrefix(m.OSType, "amazon"); amazon != (config.RepoUpgrade == "none") {
			t.Errorf("%s: repo_upgrade is %q", variant, config.RepoUpgrade)
		}
	}
}

func TestUserDataIsTheSameForTheSameMachine(t *testing.T) {
	m := variants()["amazon-linux-2023/gpu/gpu/acme/tunnel"]
	first, err := UserData(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := UserData(m)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("two renderings of one machine differ")
		}
	}
	if stamp := first[4:8]; !bytes.Equal(stamp, []byte{0, 0, 0, 0}) {
		t.Errorf("the gzip header holds the time % x", stamp)
	}
}

// Everybody who may describe the instance, and every process on it, reads user data. What is made for one machine names no
// secret, and the rest is the same for all machines.
func TestUserDataHoldsNoSecret(t *testing.T) {
	static := map[string]string{}
	for name, m := range variants() {
		files, err := Files(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Path == "/etc/geusemaker/machine.env" || f.Path == "/opt/geusemaker/compose.user.yaml" {
				for _, secret := range secretNames {
					if strings.Contains(f.Content, secret) {
						t.Errorf("%s: %s holds %s", name, f.Path, secret)
					}
				}
				continue
			}
			if before, ok := static[f.Path]; ok && before != f.Content {
				t.Errorf("%s: %s differs between machines", name, f.Path)
			}
			static[f.Path] = f.Content
		}
	}
}

func TestUserDataThatDoesNotFitIsRefused(t *testing.T) {
	long := make([]byte, 20000)
	state := uint32(1)
	for i := range long {
		state = state*1664525 + 1013904223
		long[i] = 'A' + byte(state>>24)%26
	}
	_, err := UserData(machine(func(m *stack.Machine) {
		m.Env = map[string]map[string]string{"n8n": {"LONG": string(long)}}
	}))
	if err == nil || !strings.Contains(err.Error(), "more than EC2 takes") || !strings.Contains(err.Error(), "env") {
		t.Errorf("error is %v, want the size and what to shorten", err)
	}
}

func TestFilesGoWhereTheSystemLooks(t *testing.T) {
	files, err := Files(machine(func(m *stack.Machine) {
		m.Workload = "gpu"
		m.Env = map[string]map[string]string{"n8n": {"A": "b"}}
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range files {
		fmt.Fprintf(&got, "%o %s\n", f.Mode, f.Path)
	}
	golden(t, "files", got.String())
}

func TestOnlyAGPUMachineHasTheGPUFile(t *testing.T) {
	for workload, want := range map[string]bool{"cpu": false, "gpu": true} {
		files, err := Files(machine(func(m *stack.Machine) { m.Workload = workload }))
		if err != nil {
			t.Fatal(err)
		}
		if _, got := content(files, "/opt/geusemaker/compose.gpu.yaml"); got != want {
			t.Errorf("workload %s: compose.gpu.yaml is there: %t", workload, got)
		}
	}
}

func content(files []File, name string) (string, bool) {
	for _, f := range files {
		if f.Path == name {
			return f.Content, true
		}
	}
	return "", false
}

// What is packed must mean the same as what was linted: only comments and indentation may be missing.
func TestPackingDropsNothingButCommentsAndTabs(t *testing.T) {
	files, err := Files(machine(func(m *stack.Machine) { m.Workload = "gpu" }))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := "files/" + strings.TrimPrefix(f.Path, "/opt/geusemaker/")
		original, err := os.ReadFile(name)
		if err != nil {
			continue // a unit, or generated
		}
		switch {
		case isShell(f):
			if diff := cmp.Diff(printed(t, name, string(original)), printed(t, name, f.Content)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		case strings.HasSuffix(name, ".yaml"):
			var want, got any
			if err := yaml.Unmarshal(original, &want); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(f.Content), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	}
}

func isShell(f File) bool {
	return strings.HasSuffix(f.Path, ".sh") || strings.HasPrefix(f.Content, "#!/usr/bin/env bash")
}

// printed is the program in a standard form without comments.
func printed(t *testing.T, name, program string) string {
	t.Helper()
	parsed, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(program), name)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := syntax.NewPrinter(syntax.Minify(true)).Print(&out, parsed); err != nil {
		t.Fatal(err)
	}
	return indentation.ReplaceAllString(out.String(), "")
}

// indentation is also within the programs of awk and the documents that a script holds.
var indentation = regexp.MustCompile(`(?m)^\t+`)

// golden compares got with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := path.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
