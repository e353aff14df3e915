package store

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func TestWhatIsSavedIsLoaded(t *testing.T) {
	h := home(t)
	l := lock(t, h, "demo")
	want := sample(t, "demo", 1)
	if err := l.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := h.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	held, err := l.State()
	if err != nil || text(t, held) != text(t, got) {
		t.Errorf("the lease knows another state than the disk (%v)", err)
	}
}

func TestNames(t *testing.T) {
	h := home(t, "demo", "demo2")
	for _, name := range []string{"", ".", "..", "../demo", "a/b", "demo/../demo2", "Demo", "x", "-a", `a\b`, "nul\x00", strings.Repeat("a", 31)} {
		_, loadErr := h.Load(name)
		_, lockErr := h.Lock(t.Context(), name, intent())
		_, backupErr := h.Backups(name)
		_, holderErr := h.Holder(name)
		for call, err := range map[string]error{"load": loadErr, "lock": lockErr, "backups": backupErr, "holder": holderErr, "forget": h.Forget(name)} {
			if _, ok := errors.AsType[*stack.FieldError](err); !ok {
				t.Errorf("%s %q: got %v, want a FieldError", call, name, err)
			}
		}
	}
	_, err := h.Load("dmo")
	if !errors.Is(err, ErrNotExist) {
		t.Fatalf("got %v, want ErrNotExist", err)
	}
	mustContain(t, err.Error(), `there is no deployment "dmo"; did you mean "demo"?`)
	if _, err := h.Load("nothing-like-it"); err == nil || err.Error() != `there is no deployment "nothing-like-it"` {
		t.Errorf("got %v", err)
	}
	names, err := h.Names()
	if diff := cmp.Diff([]string{"demo", "demo2"}, names); diff != "" || err != nil {
		t.Errorf("names (-want +got):\n%s%v", diff, err)
	}
	if names, err := Open(filepath.Join(t.TempDir(), "missing")).Names(); err != nil || names != nil {
		t.Errorf("a home that does not exist has names %v (%v)", names, err)
	}
}

// edited is the file of a good state after some strings in it were replaced.
func edited(t testing.TB, pairs ...string) string {
	t.Helper()
	raw, err := encode(sample(t, "demo", 5))
	if err != nil {
		t.Fatal(err)
	}
	s := string(raw)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%q is not in the file", pairs[i])
		}
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

func TestADamagedStateIsAnErrorInWordsAndStaysAsItIs(t *testing.T) {
	good := edited(t)
	tests := map[string]struct{ file, want string }{
		"empty":             {"", "the file is empty"},
		"blank":             {" \n", "the file is empty"},
		"zeros of a crash":  {strings.Repeat("\x00", 4096), "not JSON from byte 1 on"},
		"cut off":           {good[:len(good)/2], "not JSON"},
		"something behind":  {good + "{}", "not JSON"},
		"a list":            {"[]", "a JSON array, not an object"},
		"null":              {"null", "does not say its version"},
		"another program's": {`{"name":"demo"}`, "does not say its version"},
		"version 0":         {edited(t, `"version":1,"serial"`, `"version":0,"serial"`), "there never was a version 0"},
		"version -1":        {edited(t, `"version":1,"serial"`, `"version":-1,"serial"`), "there never was a version -1"},
		"version in words":  {edited(t, `"version":1,"serial"`, `"version":"one","serial"`), "version cannot be a string"},
		"wrong type":        {edited(t, `"serial":5`, `"serial":"five"`), "serial cannot be a string"},
		"negative serial":   {edited(t, `"serial":5`, `"serial":-5`), "serial is -5"},
		"unknown field":     {edited(t, `"records":`, `"colour":"red","records":`), `"colour" is unknown to this version; geusemaker 1.0.0 saved it`},
		"unknown key":       {edited(t, `"config":{`, `"config":{"colour":"red",`), "configuration cannot be used: colour: there is no such key; geusemaker 1.0.0 saved it"},
		"unknown value":     {edited(t, `"os_type":"ubuntu-24.04","arch`, `"os_type":"beos","arch`), `os_type: "beos" is not known`},
		"another name":      {edited(t, `"name":"demo"`, `"name":"other"`), `it is the state of "other"`},
		"a path as ID":      {edited(t, `"id":"k3v9x2m4q7ta"`, `"id":"../../x"`), `"../../x" cannot be the ID`},
		"no ID":             {edited(t, `"id":"k3v9x2m4q7ta",`, ``), `"" cannot be the ID`},
		"another key":       {edited(t, `"key":"network/vpc"`, `"key":"network/x"`), `resource "network/vpc" calls itself "network/x"`},
		"no key":            {edited(t, `"network/vpc":{"key":"network/vpc"`, `"":{"key":""`), "a resource has no key"},
		"unknown kind":      {edited(t, `"kind":"vpc"`, `"kind":"spaceship"`), `of the kind "spaceship"`},
		"unknown status":    {edited(t, `"status":"ready"`, `"status":"\u001b[2Jhappy"`), `the status "?[2Jhappy"`},
		"a cycle":           {edited(t, `"key":"network/vpc",`, `"key":"network/vpc","needs":["compute/instance"],`), "need each other"},
		"no configuration":  {`{"version":1,"id":"a","name":"demo","records":{}}`, "it holds no configuration"},
		"a list as config":  {`{"version":1,"id":"a","name":"demo","config":[],"records":{}}`, "a JSON array, not an object"},
		"a bad time":        {edited(t, `"created_at":"2026-11-23T09:00:00Z"`, `"created_at":"morning"`), "parsing time"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := home(t)
			path := filepath.Join(h.deployment("demo"), stateFile)
			write(t, path, test.file)

			_, err := h.Load("demo")
			damaged, ok := errors.AsType[*DamagedError](err)
			if !ok {
				t.Fatalf("got %v, want a DamagedError", err)
			}
			if damaged.Path != path || damaged.Err == nil {
				t.Errorf("got %+v", damaged)
			}
			mustContain(t, err.Error(), "the record of demo is damaged", path, test.want, "`geusemaker recover demo` rebuilds it from the tags in the account")

			l := lock(t, h, "demo")
			if _, ok := errors.AsType[*DamagedError](l.Save(sample(t, "demo", 9))); !ok {
				t.Error("a damaged state was saved over")
			}
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
			if content(t, path) != test.file {
				t.Error("the file was changed")
			}
		})
	}
}

func TestWhatIsNoFile(t *testing.T) {
	for name, test := range map[string]struct {
		make func(path string) error
		want string
	}{
		"folder": {func(path string) error { return os.Mkdir(path, 0o700) }, "no file but a folder"},
		"device": {func(path string) error { return os.Symlink("/dev/zero", path) }, "no file but a special file"},
		"huge": {func(path string) error {
			f, err := os.Create(path)
			return errors.Join(err, f.Truncate(maxStateSize+1), f.Close())
		}, "32 MiB, and no state has more"},
	} {
		t.Run(name, func(t *testing.T) {
			h := home(t, "demo")
			path := filepath.Join(h.deployment("demo"), stateFile)
			if err := errors.Join(os.Remove(path), test.make(path)); err != nil {
				t.Fatal(err)
			}
			_, err := h.Load("demo")
			if _, ok := errors.AsType[*DamagedError](err); !ok {
				t.Fatalf("got %v, want a DamagedError", err)
			}
			mustContain(t, err.Error(), test.want)
			if entries, err := h.List(); err != nil || len(entries) != 1 || entries[0].Err == nil {
				t.Errorf("list: %v (%v), want one entry with its error", entries, err)
			}

			// A repair keeps even that.
			l := lock(t, h, "demo")
			if err := l.Replace(sample(t, "demo", 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Load("demo"); err != nil {
				t.Error(err)
			}
			if kept, err := filepath.Glob(filepath.Join(h.deployment("demo"), backupDir, "damaged-*")); err != nil || len(kept) != 1 {
				t.Errorf("kept %q (%v)", kept, err)
			}
		})
	}
}

func TestAStateOfANewerVersionIsRefusedAndStaysAsItIs(t *testing.T) {
	h := home(t)
	path := filepath.Join(h.deployment("demo"), stateFile)
	file := edited(t, `"version":1,"serial"`, `"version":7,"serial"`, `"tool":"1.0.0"`, `"tool":"9.1.0"`, `"records":`, `"things":`)
	write(t, path, file)

	_, err := h.Load("demo")
	newer, ok := errors.AsType[*NewerError](err)
	if !ok || *newer != (NewerError{Path: path, Version: 7, Tool: "9.1.0"}) {
		t.Fatalf("got %#v, want a NewerError", err)
	}
	mustContain(t, err.Error(), "written by geusemaker 9.1.0", "format 7", "up to 1", "use geusemaker 9.1.0")
	entries, err := h.List()
	if err != nil || len(entries) != 1 || !errors.As(entries[0].Err, &newer) {
		t.Errorf("list: %v (%v)", entries, err)
	}
	l := lock(t, h, "demo")
	if _, ok := errors.AsType[*NewerError](l.Save(sample(t, "demo", 9))); !ok {
		t.Error("it was saved over")
	}
	if _, ok := errors.AsType[*NewerError](l.Replace(sample(t, "demo", 9))); !ok {
		t.Error("it was replaced")
	}
	if content(t, path) != file {
		t.Error("the file was changed")
	}
}

func TestAStateThatSomebodyEditedIsReadAsItSays(t *testing.T) {
	h := home(t)
	write(t, filepath.Join(h.deployment("demo"), stateFile), edited(t, `"region":"eu-central-1"`, `"region":"eu-west-1"`, `"workload":"cpu"`, `"workload":"gpu"`))
	s, err := h.Load("demo")
	if err != nil || s.Region != "eu-west-1" {
		t.Errorf("region %q (%v), want the edited one", s.Region, err)
	}
	entries, err := h.List()
	if err != nil || len(entries) != 1 || text(t, entries[0].Summary) != text(t, Summarize(s)) {
		t.Errorf("the list shows a summary that does not fit the state: %v (%v)", entries, err)
	}
}

func TestOlderVersionsAreMigratedStepByStep(t *testing.T) {
	rename := func(from, to string) migration {
		return func(raw []byte) ([]byte, error) {
			if !strings.Contains(string(raw), from) {
				return nil, errors.New(from + " is not there")
			}
			return []byte(strings.ReplaceAll(string(raw), from, to)), nil
		}
	}
	f := format{version: stack.StateVersion, migrations: map[int]migration{
		stack.StateVersion - 2: rename(`"parts":`, `"things":`),
		stack.StateVersion - 1: rename(`"things":`, `"records":`),
	}}
	for version, field := range map[int]string{stack.StateVersion - 2: "parts", stack.StateVersion - 1: "things", stack.StateVersion: "records"} {
		raw := edited(t, `"version":1,"serial"`, `"version":`+strconv.Itoa(version)+`,"serial"`, `"records":`, `"`+field+`":`)
		s, err := f.decode([]byte(raw), "demo")
		if err != nil {
			t.Errorf("version %d: %v", version, err)
			continue
		}
		if want := sample(t, "demo", 5); text(t, s) != text(t, want) {
			t.Errorf("version %d is read as %s", version, text(t, s))
		}
	}
	_, err := f.decode([]byte(edited(t, `"version":1,"serial"`, `"version":-1,"serial"`)), "demo")
	if err == nil {
		t.Fatal("a file that its migration cannot read is read")
	}
	mustContain(t, err.Error(), `cannot be brought from version -1 to 0`, `"parts": is not there`)
}

// The kinds and statuses that a state may hold are those that package stack declares.
func TestAllKindsAndStatusesAreKnown(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "stack", "key.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && (of.Name == "Kind" || of.Name == "Status") {
				value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, value)
			}
		}
		return true
	})
	var known []string
	for _, k := range kinds() {
		known = append(known, string(k))
	}
	for _, s := range statuses() {
		known = append(known, string(s))
	}
	slices.Sort(declared)
	slices.Sort(known)
	if diff := cmp.Diff(declared, known); diff != "" || len(known) < 10 {
		t.Errorf("declared by stack (-), known here (+):\n%s", diff)
	}
}
