package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// Whatever a config file holds, every mistake in it is one of the configuration, with words; and what is accepted comes back
// the same from the file that `config show -o yaml` would write.
func FuzzConfigFile(f *testing.F) {
	f.Add([]byte("name: team\nregion: eu-central-1\nmarket: spot\nmax_hourly: 0.5\nallow_cidrs: [my-ip, 203.0.113.0/24]\nmodels:\n  - llama3.2:3b\n"))
	f.Add([]byte("env:\n  n8n:\n    GENERIC_TIMEZONE: Europe/Berlin\ntags: {team: a, cost center: \"12\"}\ndata_gib: 100\npublic: true\n"))
	f.Add([]byte("use_spot: true\nkeypair_name: a\nstack_name: b\n"))
	f.Add([]byte("data_gib: 1e3\nmax_hourly: .inf\nmodels: {a: b}\nenv: [1]\ntags: 3\npublic: perhaps\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("a: &a {b: 1}\n<<: *a\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("\xff\xfe"))
	f.Add([]byte("- a\n"))
	f.Add([]byte(configFile()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := fileConfig(t, raw)
		if err == nil {
			err = validConfig(c)
		}
		if err == nil {
			comesBack(t, c)
			return
		}
		for _, one := range stack.Problems(err) {
			if one.Error() == "" || !errors.As(one, new(*usageError)) && !errors.As(one, new(*stack.FieldError)) {
				t.Errorf("%T %q is no mistake of usage", one, one)
			}
		}
	})
}

// comesBack writes a configuration and reads it again.
func comesBack(t *testing.T, c stack.Config) {
	var b bytes.Buffer
	if err := writeYAML(&b, c); err != nil {
		t.Fatal(err)
	}
	again, err := fileConfig(t, b.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
	}
	for _, field := range stack.Fields() {
		if diff := cmp.Diff(c.Value(field.Key), again.Value(field.Key)); diff != "" {
			t.Errorf("%s differs when it is read again:\n%s\n%s", field.Key, diff, b.String())
		}
	}
}

// fileConfig reads a configuration from a file that holds raw.
func fileConfig(t *testing.T, raw []byte) (stack.Config, error) {
	path := filepath.Join(t.TempDir(), "team.yaml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c := stack.NewConfig()
	return c, applyFile(&c, path)
}
