package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/term"
)

// TestReference compares the generated pages of the documentation with what the commands say; -update writes them.
func TestReference(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs") // golden begins in testdata
	for page, file := range map[string]string{
		"commands": "commands.md", "configuration": "configuration.md", "man": filepath.Join("man", "geusemaker.1"), "operations": "aws-operations.md",
	} {
		got := run(t, t.TempDir(), "reference", page)
		expect(t, got, 0)
		golden(t, filepath.Join(docs, file), got.out)
	}
	expect(t, run(t, t.TempDir(), "reference", "novel"), exitUsage)
}

// TestEveryCommandHelps holds the help of every command against what people need of it.
func TestEveryCommandHelps(t *testing.T) {
	root := newRoot(&app{})
	for _, c := range documented(root) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: %q", c.CommandPath(), c.Short)
		}
		if c.Runnable() && !c.HasSubCommands() {
			expect(t, run(t, t.TempDir(), append(strings.Fields(c.CommandPath())[1:], "--help")...), 0)
		}
	}
}

// TestHelpFitsTheWindow reads the help of every command in a narrow window. Only commands and addresses are longer, and stay
// whole.
func TestHelpFitsTheWindow(t *testing.T) {
	const width = 60
	for _, c := range documented(newRoot(&app{})) {
		streams, buffers := term.Test(term.Facts{OutTTY: true, Width: width, Height: 24})
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		if code := Run(t.Context(), streams, args, environOf(t.TempDir())); code != exitDone || buffers.Out.Len() == 0 {
			t.Errorf("%v: exit %d, %s", args, code, buffers.Err.String())
		}
		for line := range strings.SplitSeq(buffers.Out.String(), "\n") {
			word := strings.TrimSpace(line)
			if len([]rune(line)) > width && !strings.HasPrefix(word, "geusemaker ") && !strings.HasPrefix(word, "https://") {
				t.Errorf("%v: %q", args, line)
			}
		}
	}
}

// TestDocumentsNameOnlyWhatExists finds commands and flags in the documents that the program does not have.
func TestDocumentsNameOnlyWhatExists(t *testing.T) {
	root := newRoot(&app{})
	root.InitDefaultCompletionCmd()
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = append(files, filepath.Join("..", "..", "README.md"))
	typed := regexp.MustCompile("(?m)(?:^ +|`)(?:bin/)?geusemaker ([a-z][^`\n#|>]*)")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range typed.FindAllStringSubmatch(string(text), -1) {
			words := strings.Fields(strings.TrimPrefix(m[1], "help "))
			cmd, rest, err := root.Find(words)
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command `geusemaker %s`", filepath.Base(file), m[1])
				continue
			}
			for _, word := range rest {
				name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
				if !strings.HasPrefix(word, "--") || name == "" || name == "help" {
					continue
				}
				if cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: `geusemaker %s`: there is no flag --%s", filepath.Base(file), m[1], name)
				}
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	home := deployed(t, "demo")
	for _, c := range []struct {
		typed []string
		want  string
	}{
		{[]string{"inspect", ""}, "demo"},
		{[]string{"destroy", ""}, "demo"},
		{[]string{"deploy", ""}, "demo"},
		{[]string{"deploy", "x", "--region", ""}, "eu-central-1"},
		{[]string{"plan", "x", "--instance-type", "m7i."}, "m7i.large"},
		{[]string{"plan", "x", "--os-type", ""}, "ubuntu-24.04"},
		{[]string{"list", "--status", ""}, "degraded"},
	} {
		got := run(t, home, append([]string{"__complete"}, c.typed...)...)
		if lines := strings.Split(got.out, "\n"); !slices.Contains(lines, c.want) {
			t.Errorf("%v offers no %s:\n%s%s", c.typed, c.want, got.out, got.err)
		}
	}
	if got := run(t, home, "__complete", "inspect", "demo", ""); strings.Contains(got.out, "demo") {
		t.Errorf("a second name is offered:\n%s", got.out)
	}
}
