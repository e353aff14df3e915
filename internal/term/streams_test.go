package term

import (
	"os"
	"path/filepath"
	"testing"
)

func environment(pairs ...string) func(string) string {
	vars := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return vars[name] }
}

func TestColorDecision(t *testing.T) {
	for _, c := range []struct {
		name string
		env  func(string) string
		tty  bool
		want bool
	}{
		{"terminal", environment("TERM", "xterm-256color"), true, true},
		{"pipe", environment("TERM", "xterm-256color"), false, false},
		{"NO_COLOR", environment("NO_COLOR", "1"), true, false},
		{"NO_COLOR of any value", environment("NO_COLOR", "0"), true, false},
		{"empty NO_COLOR", environment("NO_COLOR", ""), true, true},
		{"dumb terminal", environment("TERM", "dumb"), true, false},
		{"CLICOLOR=0", environment("CLICOLOR", "0"), true, false},
		{"forced on a pipe", environment("CLICOLOR_FORCE", "1"), false, true},
		{"forced on a dumb terminal", environment("CLICOLOR_FORCE", "1", "TERM", "dumb"), true, true},
		{"not forced", environment("CLICOLOR_FORCE", "0"), false, false},
		{"NO_COLOR beats force", environment("CLICOLOR_FORCE", "1", "NO_COLOR", "1"), true, false},
	} {
		if got := colored(c.env, c.tty); got != c.want {
			t.Errorf("%s: colour %t, want %t", c.name, got, c.want)
		}
	}
}

func TestNewStreamsOfFiles(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := NewStreams(file, file, file, environment("TERM", "xterm"))
	if s.IsInTTY || s.IsOutTTY || s.IsErrTTY || s.CanPrompt() || s.CanRedraw() {
		t.Errorf("a file is taken for a terminal: %+v", s)
	}
	if got := s.OutScreen(); got != (Screen{}) {
		t.Errorf("the screen of a file is %+v, want no limit and no colour", got)
	}
	if w, h := s.errSize(); w != 80 || h != 24 {
		t.Errorf("size %dx%d, want 80x24 where none is known", w, h)
	}
	s = NewStreams(file, file, file, environment("CLICOLOR_FORCE", "1"))
	if !s.OutScreen().Color || !s.ErrScreen().Color {
		t.Error("CLICOLOR_FORCE has no effect")
	}
	s.DisableColor()
	if s.OutScreen().Color || s.ErrScreen().Color {
		t.Error("DisableColor has no effect")
	}
}

func TestScreensFollowTheTerminal(t *testing.T) {
	s, _ := Test(Facts{OutTTY: true, Color: true, Width: 101, Height: 30})
	if got := s.OutScreen(); got != (Screen{Width: 101, Color: true}) {
		t.Errorf("out: %+v", got)
	}
	if got := s.ErrScreen(); got.Width != 0 {
		t.Errorf("err is a pipe, but has a width: %+v", got)
	}
	if s.Width() != 101 {
		t.Errorf("Width() = %d", s.Width())
	}
}

func TestStatusColours(t *testing.T) {
	s := Screen{Color: true}
	for text, want := range map[string]string{
		"running": s.Green("running"), "healthy": s.Green("healthy"),
		"deploying": s.Yellow("deploying"), "degraded (n8n)": s.Yellow("degraded (n8n)"), "interrupted": s.Yellow("interrupted"),
		"failed": s.Red("failed"), "unreachable": s.Red("unreachable"),
		"stopped": s.Dim("stopped"), "i-0abc": "i-0abc", "": "",
	} {
		if got := s.Status(text); got != want {
			t.Errorf("Status(%q) = %q, want %q", text, got, want)
		}
	}
	if got := (Screen{}).Status("failed"); got != "failed" {
		t.Errorf("without colour: %q", got)
	}
}
