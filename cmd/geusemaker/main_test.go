package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// asProgram makes the test's own binary be the program.
const asProgram = "GEUSEMAKER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Whoever asks for the version pays for nothing else: no package of ours makes anything when it is imported but its few errors
// and what is made when it is first asked for (package runtime, GODEBUG=inittrace).
func TestNothingHappensAtImport(t *testing.T) {
	const most = 1024 // bytes; a compiled expression takes more
	cmd := exec.CommandContext(t.Context(), os.Args[0], "version")
	cmd.Env = append(os.Environ(), asProgram+"=1", "GODEBUG=inittrace=1", "GEUSEMAKER_HOME="+t.TempDir())
	var said strings.Builder
	cmd.Stderr = &said
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "geusemaker ") {
		t.Fatalf("%q, %v: %s", out, err, said.String())
	}
	traced := regexp.MustCompile(`(?m)^init (geusemaker/\S+) .* (\d+) bytes, \d+ allocs$`).FindAllStringSubmatch(said.String(), -1)
	if len(traced) == 0 {
		t.Fatalf("no package of ours was traced:\n%s", said.String())
	}
	for _, line := range traced {
		if bytes, err := strconv.Atoi(line[2]); err != nil || bytes > most {
			t.Errorf("%s takes %s bytes", line[1], line[2])
		}
	}
}
