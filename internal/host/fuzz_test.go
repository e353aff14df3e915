package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"geusemaker/internal/stack"
)

// Whatever a setting of the machine holds, bash reads it back unchanged, or it is refused.
func FuzzMachineEnvironment(f *testing.F) {
	for _, s := range []string{
		"plain", "two words", "$HOME ${HOME} $(id) `id`", `"double"`, `it's`, `'`, `\`, `\'`, `a\nb`, "#c", "a;b&c|d>e", "*?[a]", "~",
		"größe 漢字 🙂", " spaces ", "!event", "=", "a=b", "\x00", "a\nb", "\xff", "\u00a0", "\u2028", "${A:-b}", "$$", "'''",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, domain string) {
		environment, err := machineEnvironment(machine(func(m *stack.Machine) { m.StackName, m.Domain = name, domain }))
		if err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "machine.env")
		if err := os.WriteFile(file, []byte(environment), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("bash", "-c", `set -eu; . "$1"; printf '%s\0%s\0%s\0' "$STACK_NAME" "$DOMAIN" "$REGION"`, "bash", file).CombinedOutput()
		if want := name + "\x00" + domain + "\x00eu-central-1\x00"; err != nil || string(out) != want {
			t.Errorf("bash reads %q, not %q (%v)", out, want, err)
		}
	})
}

// Whatever the parameter holds as a secret, the machine's own script writes it so that compose gives it to the container
// unchanged, or it refuses it.
func FuzzSecretFile(f *testing.F) {
	for _, s := range []string{
		"plain", "pg.Word/1@-$x", "$2a$10$abcdefghijklmnopqrstuu/ABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "key==", `it's`, `a\nb`, "${HOME}", "$$", "#c",
		" a ", `"a"`, "a # b", "größe 漢字 🙂", "`id`", "$(id)", "\xff", "a\rb", "a\nPOSTGRES_PASSWORD=b", "\u2028", "!", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		if strings.Contains(secret, "\x00") || strings.Contains(secret, "\n") {
			return // no variable of a process holds the one, and the other ends the secret
		}
		run := t.TempDir()
		_, err := shell(t, install(t, machine()), "step secrets", `run=$RUN; read_parameter() { values=$SECRETS; }; step_secrets`,
			"RUN="+run, "SECRETS="+strings.ReplaceAll(sampleSecrets, "owner@example.com", secret))
		if err != nil {
			if ordinary.MatchString(secret) {
				t.Errorf("%q is refused", secret)
			}
			return
		}
		project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: "/", Environment: map[string]string{"HOME": "wrong", "x": "wrong"},
			ConfigFiles: []types.ConfigFile{{
				Filename: "compose.yaml", Content: []byte("name: stack\nservices:\n  n8n:\n    image: n8n:1\n    env_file: " + run + "/secrets/n8n.env\n"),
			}},
		})
		if err != nil {
			t.Fatalf("compose cannot read it: %v", err)
		}
		if got := project.Services["n8n"].Environment[stack.SecretN8NOwnerEmail]; got == nil || *got != secret {
			t.Errorf("the container gets %v, not %q", got, secret)
		}
	})
}

// ordinary are secrets and addresses as they are generated and as people have them.
var ordinary = regexp.MustCompile(`^[A-Za-z0-9$./@=_+-]+$`)

// Whatever a user gives a container as its environment, the container gets it unchanged, and no other setting with it; or it
// is refused.
func FuzzUserEnvironment(f *testing.F) {
	for _, s := range []string{
		"plain", "$HOME ${HOME} $$ ${A:-b} $", "a: b", "- a", "|", "\n", "a\nb\n", "\t", "# c", "'", `"`, "yes", "1e3", "null", "~", "*a", "&a",
		"!!binary x", "größe 漢字 🙂", "\u2028", "\ufeff", "\x00", "\xff", "{{ }}", "%", "a\r\nb", " ", "",
	} {
		f.Add("TIMEZONE", s)
		f.Add(s, "value")
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		text, err := userCompose(machine(func(m *stack.Machine) { m.Env = map[string]map[string]string{"n8n": {key: value}} }))
		if err != nil {
			return
		}
		project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: "/", Environment: map[string]string{"HOME": "wrong", "A": "wrong"},
			ConfigFiles: []types.ConfigFile{
				{Filename: "compose.yaml", Content: []byte("name: stack\nservices:\n  n8n:\n    image: n8n:1\n    environment:\n      OURS: ours\n")},
				{Filename: "compose.user.yaml", Content: []byte(text)},
			},
		}, func(o *loader.Options) { o.SkipConsistencyCheck = true })
		if err != nil {
			t.Fatalf("compose cannot read %q: %v", text, err)
		}
		got := project.Services["n8n"].Environment
		if got[key] == nil || *got[key] != value || len(project.Services) != 1 || len(got) != 2 && key != "OURS" {
			t.Errorf("the container gets %v, not %q=%q (valid text: %t)", got, key, value, utf8.ValidString(value))
		}
	})
}
