package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheBootLogIsKeptForItsOwnerOnly(t *testing.T) {
	h := home(t, "demo")
	if text, at, err := h.BootLog("demo"); text != "" || !at.IsZero() || err != nil {
		t.Errorf("before there is one: %q of %s, %v", text, at, err)
	}
	l := lock(t, h, "demo")
	for _, want := range []string{"first\n", "second, longer\n", "3\n"} {
		if err := l.KeepBootLog(want); err != nil {
			t.Fatal(err)
		}
		if text, at, err := h.BootLog("demo"); text != want || at.IsZero() || err != nil {
			t.Errorf("kept %q of %s, %v", text, at, err)
		}
	}
	info, err := os.Stat(filepath.Join(h.deployment("demo"), "boot.log"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if err := l.KeepBootLog("late"); !errors.Is(err, ErrReleased) {
		t.Errorf("after the lease: %v", err)
	}
}

func TestOfAnEndlessBootLogTheEndIsKept(t *testing.T) {
	h := home(t, "demo")
	l := lock(t, h, "demo")
	if err := l.KeepBootLog(strings.Repeat("a line\n", 2<<20) + "the end\n"); err != nil {
		t.Fatal(err)
	}
	if text, _, err := h.BootLog("demo"); len(text) != maxBootLog || !strings.HasSuffix(text, "a line\nthe end\n") || err != nil {
		t.Errorf("kept %d bytes, %v", len(text), err)
	}
}

func TestABootLogHasTheNameOfADeployment(t *testing.T) {
	if _, _, err := home(t, "demo").BootLog("../demo"); err == nil {
		t.Error("a path was taken for a name")
	}
}
