package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// The command line and the config file at the end say what the answers said.
func TestTheEquivalentsMeanTheSame(t *testing.T) {
	for name, answers := range map[string]map[string]string{
		"quick":    {"name": "team", "region": "us-east-1", "public": "true", "tags": "team=a", "workload": "gpu", "models": "llama3.2:3b,nomic-embed-text"},
		"advanced": {"name": "team", "region": "eu-west-1", "public": "true", "tags": "team=a", "market": "on-demand", "vpc_id": "vpc-0123456789abcdef0", "security_group_id": "sg-0123456789abcdef0", "add_missing_rules": "true", "allow_cidrs": "203.0.113.0/24,my-ip", "key_pair": "my key's", "ssh_cidr": "my-ip", "data_gib": "100", "backup": "off", "budget_monthly": "250.50"},
	} {
		t.Run(name, func(t *testing.T) {
			want := stack.NewConfig()
			for key, value := range answers {
				if err := want.Set(key, value, stack.Source{Kind: "answer"}); err != nil {
					t.Fatal(err)
				}
			}
			meansTheSame(t, want)
		})
	}
}

// So do they where values come from a config file that no flag can hold, and answers put others in the place of the file's.
func TestTheEquivalentsMeanTheSameAsAConfigFile(t *testing.T) {
	for name, text := range map[string]string{
		"plain":         "env:\n  n8n:\n    N8N_LOG_LEVEL: debug\n    TZ: Europe/Vienna\n  ollama:\n    OLLAMA_DEBUG: 1\ntags:\n  team: a\n  cost: '12'\n",
		"commas":        "backup: off\npublic: true\nroot_gib: 50\nenv:\n  n8n:\n    NODES_EXCLUDE: '[\"a\", \"b\"]'\ntags:\n  team: a, b and c\n",
		"several lines": "env:\n  n8n:\n    MOTTO: \"one\\n\\n  two\\n\"\n    NEXT: ' blanks '\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "their file.yaml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			want := stack.NewConfig()
			if err := applyFile(&want, path); err != nil {
				t.Fatal(err)
			}
			for key, value := range map[string]string{"name": "team", "region": "us-east-1", "backup": "daily", "public": "false", "market": "spot"} {
				if err := want.Set(key, value, stack.Source{Kind: "answer"}); err != nil {
					t.Fatal(err)
				}
			}
			meansTheSame(t, want)
			if named := strings.Contains(commandLine(want, globals{}), "--config"); named != (name != "plain") {
				t.Errorf("that the command names the file is %v", named)
			}
		})
	}
}

// meansTheSame holds that the command and the file that are printed lead to a configuration, as somebody takes them from the
// screen.
func meansTheSame(t *testing.T, want stack.Config) {
	t.Helper()
	var printed [2]string
	for i, section := range equivalents(want, globals{}) {
		var lines []string
		for line := range strings.Lines(term.Screen{Width: 80}.Sections(section)) {
			lines = append(lines, strings.TrimPrefix(line, "  "))
		}
		printed[i] = strings.Join(lines[1:], "") // the first is the title
	}
	app := &app{}
	cmd := &cobra.Command{Use: "deploy"}
	addConfigFlags(cmd)
	words := shellWords(t, strings.TrimSpace(printed[0]))
	if diff := cmp.Diff([]string{"geusemaker", "deploy", "team", "--region", want.Region}, words[:5]); diff != "" {
		t.Error(diff)
	}
	if err := cmd.ParseFlags(words[5:]); err != nil {
		t.Fatal(err)
	}
	app.global.region = want.Region
	same(t, app, cmd, want)

	path := filepath.Join(t.TempDir(), "team.yaml")
	if err := os.WriteFile(path, []byte(printed[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = &cobra.Command{Use: "deploy"}
	addConfigFlags(cmd)
	if err := cmd.ParseFlags([]string{"--config", path}); err != nil {
		t.Fatal(err)
	}
	same(t, app, cmd, want)
}

func same(t *testing.T, a *app, cmd *cobra.Command, want stack.Config) {
	t.Helper()
	got, err := a.loadConfig(cmd, []string{want.Name})
	if err != nil {
		t.Fatal(err)
	}
	if different := got.Differences(&want); len(different) > 0 {
		t.Errorf("%v differ", different)
	}
}

// shellWords splits a line as a POSIX shell does that meets single quotes only.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	inQuotes := false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case b == '\'':
			inQuotes = !inQuotes
		case b == '\\' && !inQuotes:
			i++
			word.WriteByte(line[i])
		case b == ' ' && !inQuotes:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteByte(b)
		}
	}
	if inQuotes {
		t.Fatalf("a quote is open in %s", line)
	}
	return append(words, word.String())
}
