package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

var atTerminal = term.Facts{InTTY: true, OutTTY: true, ErrTTY: true}

// typed runs a command for somebody who types these lines.
func typed(t *testing.T, facts term.Facts, home string, lines []string, args ...string) shown {
	t.Helper()
	streams, buffers := term.Test(facts)
	for _, line := range lines {
		buffers.In.WriteString(line + "\n")
	}
	code := Run(t.Context(), streams, args, environOf(home))
	return shown{buffers.Out.String(), buffers.Err.String(), code}
}

// traces are the files that a command has left, but for those of the pretend account itself.
func traces(t *testing.T, home string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), "sandbox.json") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheWizardLeadsToThePlanAndTheDeployment(t *testing.T) {
	home := t.TempDir()
	answers := []string{"", "team", "", "", "2", "2", "2", "", "y"}
	got := typed(t, atTerminal, home, answers, "deploy", "--sandbox")
	expect(t, got, 0,
		"A new deployment", "1 of 7: how much to ask", "So far: ~$", "The same without questions",
		"geusemaker deploy team --region us-east-1 --sandbox", "--preference lowest-cost", "--access tunnel", "--models llama3.2:3b",
		"Plan for team", "Create team in us-east-1?")
	again := run(t, home, "inspect", "team", "-o", "json")
	doc := as[inspectDoc](t, again)
	if doc.Status != "running" || doc.Config.Preference != "lowest-cost" || doc.Access.Mode != "tunnel" || !slices.Equal(doc.Config.Models, []string{"llama3.2:3b"}) {
		t.Errorf("%+v", doc)
	}
}

// Whoever leaves at any question, by q, by the end of the input or by saying no, leaves nothing behind.
func TestTheWizardLeavesNoTraceUntilYes(t *testing.T) {
	path := []string{"2", "team", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""}
	for at := range path {
		end := []string{"q"}
		if at%2 == 0 {
			end = nil // the end of the input
		}
		home := t.TempDir()
		if at%3 == 0 {
			expect(t, run(t, home, "sandbox", "reset", "--with", "networks"), 0)
		}
		before := run(t, home, "sandbox", "show").out
		got := typed(t, atTerminal, home, slices.Concat(path[:at], end), "deploy", "--sandbox")
		expect(t, got, exitInterrupted, "nothing was made or saved")
		if left := traces(t, home); len(left) > 0 {
			t.Errorf("%d answers left %v", at, left)
		}
		if after := run(t, home, "sandbox", "show").out; after != before {
			t.Errorf("%d answers changed the account:\n%s", at, after)
		}
	}
}

func TestTheWizardSavesAConfigFileOnRequest(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	taken := filepath.Join(t.TempDir(), "taken.yaml")
	if err := os.WriteFile(taken, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := typed(t, atTerminal, home, []string{"", "team", "", "", "", "2", "", "2", taken, file, "q"}, "deploy", "--sandbox")
	expect(t, got, exitInterrupted, "taken.yaml exists already, and is left as it is", "wrote "+file)
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "region: us-east-1\nworkload: cpu\naccess: tunnel\n" {
		t.Errorf("%q, %v", text, err)
	}
	expect(t, run(t, home, "plan", "team", "--config", file, "--sandbox"), 0)
}

func TestTheWizardGoesBack(t *testing.T) {
	home := t.TempDir()
	got := typed(t, atTerminal, home, []string{"1", "team", "b", "crew", "eu-west-1", "b", "b", "", "", "", "", "", "", "b", "b", "2", "", "q"}, "deploy", "--sandbox")
	expect(t, got, exitInterrupted, "Enter: crew", "Enter: eu-west-1", "geusemaker deploy crew --region eu-west-1 --sandbox", "--access tunnel")
}

// What the command line says is not asked, and what cannot be is said at once.
func TestTheWizardAsksOnlyWhatIsNotSaid(t *testing.T) {
	home := t.TempDir()
	got := typed(t, atTerminal, home, []string{"", "team", "", "", "", "q"}, "deploy", "--sandbox", "--region", "eu-west-1", "--access", "tunnel")
	expect(t, got, exitInterrupted, "1 of 5", "--access tunnel")
	if strings.Contains(got.err, "In which region") || strings.Contains(got.err, "How do people reach") {
		t.Error(got.err)
	}
	file := filepath.Join(t.TempDir(), "team.yaml")
	if err := os.WriteFile(file, []byte("name: team\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got = typed(t, atTerminal, home, []string{"n"}, "deploy", "--sandbox", "--config", file)
	expect(t, got, exitInterrupted, "Create team in us-east-1?", "nothing was changed")
	if strings.Contains(got.err, "how much to ask") {
		t.Error(got.err)
	}
	expect(t, run(t, home, "deploy", "there", "--sandbox", "--yes"), 0)
	got = typed(t, atTerminal, home, []string{"", "there", "Not Good", "q"}, "deploy", "--sandbox")
	expect(t, got, exitInterrupted, "there exists already", "cannot be the name of a deployment")
}

// On a pipe, and with --yes, nobody is asked.
func TestTheWizardNeverAsksAPipe(t *testing.T) {
	for _, facts := range []term.Facts{{}, {InTTY: true}, {ErrTTY: true}, {OutTTY: true}} {
		got := typed(t, facts, t.TempDir(), []string{"", "team"}, "deploy", "--sandbox")
		expect(t, got, exitUsage, "name one deployment")
		if strings.Contains(got.err, "how much to ask") {
			t.Error(got.err)
		}
	}
	expect(t, typed(t, atTerminal, t.TempDir(), nil, "deploy", "--sandbox", "--yes"), exitUsage, "name one deployment")
}

// Without credentials the questions go on, and say why there is no price.
func TestTheWizardSaysWhyThereIsNoPrice(t *testing.T) {
	home := t.TempDir()
	expect(t, run(t, home, "sandbox", "fault", "EC2", "DescribeAvailabilityZones", "--code", "UnauthorizedOperation"), 0)
	got := typed(t, atTerminal, home, []string{"", "team", "", "", "q"}, "deploy", "--sandbox")
	expect(t, got, exitInterrupted, "The price is not known: ")
}

// What was asked in the background ends before the questions do: nothing of it reads or writes after the command has returned.
func TestTheWizardLeavesNothingRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w, ended := &wizard{}, 0
		asked := func() {
			<-ctx.Done()
			time.Sleep(time.Second) // what cannot be broken off, such as a file being written
			ended++
		}
		w.facts.begin("", func() (stack.Facts, error) { asked(); return stack.Facts{}, nil })
		w.hush(stop)
		w.regions.begin("", func() (*discovery.Region, error) { asked(); return nil, nil })
		w.hush(stop)
		w.zones.begin("", func() ([]string, error) { asked(); return nil, nil })
		w.hush(stop)
		if ended != 3 {
			t.Errorf("%d of 3 had ended", ended)
		}
	})
}

func TestTheWizardSpeaksToScreenReaders(t *testing.T) {
	got := typed(t, atTerminal, t.TempDir(), []string{"", "team", "", "q"}, "deploy", "--sandbox", "--accessible")
	expect(t, got, exitInterrupted, "1, quick: a few questions, good defaults", "Enter alone means quick; ? explains; q quits: ")
	if strings.ContainsAny(got.err, "\x1b\r·→✓─") {
		t.Errorf("%q", got.err)
	}
}
