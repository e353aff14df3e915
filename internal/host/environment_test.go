package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

func TestMachineEnvironment(t *testing.T) {
	got, err := machineEnvironment(machine(func(m *stack.Machine) {
		m.Models = []string{"llama3.2:3b", "nomic-embed-text"}
	}))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "machine.env", got)
}

// Whatever a user names a thing, the scripts read back the same characters.
func TestMachineEnvironmentSurvivesTheShell(t *testing.T) {
	for _, value := range []string{
		"plain", "two words", "$HOME ${HOME} $(id) `id`", `"double"`, `it's`, `''`, `'`, `\`, `\'`, `\n`, "#no comment", "a;b&c|d>e",
		"-n", "*?[a]", "~", "größe 漢字 🙂", " leading and trailing ", "!event",
	} {
		environment, err := machineEnvironment(machine(func(m *stack.Machine) { m.StackName, m.Domain = value, value }))
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		file := filepath.Join(t.TempDir(), "machine.env")
		if err := os.WriteFile(file, []byte(environment), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("bash", "-c", `set -aeu; . "$1"; printenv STACK_NAME; printenv DOMAIN; printenv REGION`, "bash", file).CombinedOutput()
		if want := value + "\n" + value + "\neu-central-1\n"; err != nil || string(out) != want {
			t.Errorf("%q came back as %q (%v)", value, out, err)
		}
	}
}

func TestWhatAMachineCannotHoldIsRefused(t *testing.T) {
	tests := map[string]struct {
		change func(*stack.Machine)
		want   string
	}{
		"line break in a name":   {func(m *stack.Machine) { m.StackName = "a\nEVIL=1" }, "stack_name"},
		"tab in a domain":        {func(m *stack.Machine) { m.Domain = "a\tb" }, "domain"},
		"model with a quote":     {func(m *stack.Machine) { m.Models = []string{`a"b`} }, "models"},
		"model with a space":     {func(m *stack.Machine) { m.Models = []string{"a b"} }, "models"},
		"unknown https":          {func(m *stack.Machine) { m.HTTPS = "on" }, "use internal, off or acme"},
		"acme without a domain":  {func(m *stack.Machine) { m.HTTPS = "acme" }, "set domain"},
		"image without a tag":    {func(m *stack.Machine) { m.Images = map[string]string{"n8n": "n8nio/n8n"} }, "floats"},
		"image that floats":      {func(m *stack.Machine) { m.Images = map[string]string{"n8n": "n8nio/n8n:latest"} }, "floats"},
		"port is no tag":         {func(m *stack.Machine) { m.Images = map[string]string{"n8n": "example.com:5000/n8n"} }, "floats"},
		"image with a space":     {func(m *stack.Machine) { m.Images = map[string]string{"n8n": "n8n:1 --privileged"} }, "no image reference"},
		"image of nothing":       {func(m *stack.Machine) { m.Images = map[string]string{"redis": "redis:8.10.1"} }, "unknown service"},
		"environment of nothing": {func(m *stack.Machine) { m.Env = map[string]map[string]string{"redis": {"A": "b"}} }, "unknown service"},
		"no variable name":       {func(m *stack.Machine) { m.Env = map[string]map[string]string{"n8n": {"A-B": "c"}} }, "no variable name"},
		"a secret in the open": {func(m *stack.Machine) {
			m.Env = map[string]map[string]string{"n8n": {stack.SecretN8NEncryptionKey: "x"}}
		}, "kept in Systems Manager"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := UserData(machine(test.change))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

func TestImagesAreExact(t *testing.T) {
	for service, image := range Images() {
		if _, err := chosenImages(map[string]string{service: image}); err != nil {
			t.Error(err)
		}
	}
	digest := "n8nio/n8n@sha256:" + strings.Repeat("ab", 32)
	images, err := chosenImages(map[string]string{"n8n": digest})
	if err != nil || images["n8n"] != digest || images["qdrant"] != Images()["qdrant"] {
		t.Errorf("images are %v (%v), want the digest for n8n and our pin for the others", images, err)
	}
}

func TestMemoryLimits(t *testing.T) {
	for _, total := range []int{2048, 4096, 8192, 16384, 65536, 786432} {
		for _, share := range memoryShares {
			limit := share.limit(total)
			if limit < share.floor {
				t.Errorf("%d MiB: %s gets %d, less than its floor", total, share.service, limit)
			}
			if total >= 4096 && limit > total-systemMemory {
				t.Errorf("%d MiB: %s gets %d, which leaves the system too little", total, share.service, limit)
			}
			if share.ceiling > 0 && limit > share.ceiling {
				t.Errorf("%d MiB: %s gets %d, more than its ceiling", total, share.service, limit)
			}
		}
	}
}
