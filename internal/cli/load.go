package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"geusemaker/internal/stack"
)

// maxConfigSize bounds a config file; ours are a page long.
const maxConfigSize = 1 << 20

// addConfigFlags gives the command --config and one flag a key: of the named keys, or of all.
func addConfigFlags(cmd *cobra.Command, keys ...string) {
	flags := cmd.Flags()
	flags.String("config", "", "read keys from this YAML `file`")
	for _, f := range stack.Fields() {
		if f.Key == "name" || f.Key == "region" || len(keys) > 0 && !slices.Contains(keys, f.Key) {
			continue // positional, and global
		}
		for i, key := range append([]string{f.Key}, f.Aliases...) {
			name := strings.ReplaceAll(key, "_", "-")
			addKeyFlag(flags, name, f)
			if i > 0 {
				_ = flags.MarkHidden(name)
			}
			if values, ok := openValues()[f.Key]; ok {
				complete(cmd, name, values)
			}
			if len(f.Values) > 0 {
				_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(f.Values, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
}

func addKeyFlag(flags *pflag.FlagSet, name string, f stack.Field) {
	help := f.Help
	if len(f.Values) > 0 {
		help += ": " + strings.Join(f.Values, ", ")
	}
	if f.Default != "" {
		help += " (default " + f.Default + ")"
	}
	switch f.Type {
	case "bool":
		flags.Bool(name, false, help)
	case "list", "map", "env":
		flags.StringArray(name, nil, help)
	default:
		flags.String(name, "", help)
	}
	if name == "use-spot" {
		flags.Lookup(name).NoOptDefVal = "true"
	}
}

// loadConfig puts a configuration together: defaults, then the file, the environment, and the flags. All mistakes are
// reported at once.
func (a *app) loadConfig(cmd *cobra.Command, args []string) (stack.Config, error) {
	c := stack.NewConfig()
	var problems []error
	if path, _ := cmd.Flags().GetString("config"); path != "" {
		problems = append(problems, applyFile(&c, path))
	}
	problems = append(problems, a.applyEnvironment(&c), applyFlags(&c, cmd.Flags()))
	if len(args) > 0 {
		problems = append(problems, c.Set("name", args[0], stack.Source{Kind: "flag", From: "NAME"}))
	}
	if a.global.region != "" {
		problems = append(problems, c.Set("region", a.global.region, stack.Source{Kind: "flag", From: "--region"}))
	}
	return c, errors.Join(problems...)
}

func applyFile(c *stack.Config, path string) error {
	text, err := readBounded(path)
	if err != nil {
		return &usageError{err: fmt.Errorf("cannot read the config file: %w", err)}
	}
	raw, err := onlyDocument(text)
	switch {
	case errors.Is(err, errSeveral):
		return &usageError{err: fmt.Errorf("config file %s: %w", path, err), hints: []string{"put them into files of their own, without a line of ---"}}
	case err != nil:
		return &usageError{err: fmt.Errorf("config file %s is not YAML of the form `key: value`: %s", path, firstLine(err))}
	}
	keys := make([]string, 0, len(raw))
	for k := range raw {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	said := level{}
	var problems []error
	for _, k := range keys {
		if raw[k] != nil {
			problems = append(problems, said.set(c, k, raw[k], k, stack.Source{Kind: "file", From: path}))
		}
	}
	return errors.Join(problems...)
}

// errSeveral is more than one YAML document in a file: which of them was meant, nobody can know.
var errSeveral = errors.New("there are several YAML documents in it")

// onlyDocument reads the one YAML document of a text. An empty text is an empty one.
func onlyDocument(text []byte) (map[string]any, error) {
	var raw map[string]any
	in := yaml.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return nil, err
	}
	var more any
	switch err := in.Decode(&more); {
	case errors.Is(err, io.EOF):
		return raw, nil
	case err != nil:
		return nil, err
	}
	return nil, errSeveral
}

// level is what one place says of the keys: the file, the environment or the flags. One place wins over another, but within
// one nobody can know which of two spellings of a key was meant.
type level map[string]saying

// saying is the spelling under which a key was given, and its value.
type saying struct{ as, value string }

// set gives the key a value unless the same level has said something else of it.
func (l level) set(c *stack.Config, key string, raw any, as string, from stack.Source) error {
	if err := c.Set(key, raw, from); err != nil {
		return err
	}
	f, err := stack.FieldFor(key)
	if err != nil {
		return err
	}
	now := saying{as, c.Text(f.Key)}
	before, known := l[f.Key]
	l[f.Key] = now
	if known && before.value != now.value {
		return &stack.FieldError{Key: f.Key, Problem: fmt.Sprintf("%s says %q, and %s says %q", before.as, before.value, now.as, now.value), Fix: "leave one of them out"}
	}
	return nil
}

// readBounded reads a file unless it is larger than any config file is.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigSize+1))
	if err == nil && len(text) > maxConfigSize {
		return nil, fmt.Errorf("%s is larger than %d KiB", path, maxConfigSize>>10)
	}
	return text, err
}

func (a *app) applyEnvironment(c *stack.Config) error {
	said := level{}
	var problems []error
	for _, f := range stack.Fields() {
		for _, key := range append(slices.Clone(f.Aliases), f.Key) {
			name := "GEUSEMAKER_" + strings.ToUpper(key)
			if v := a.getenv(name); v != "" {
				problems = append(problems, said.set(c, key, v, name, stack.Source{Kind: "environment", From: name}))
			}
		}
	}
	return errors.Join(problems...)
}

func applyFlags(c *stack.Config, flags *pflag.FlagSet) error {
	said := level{}
	var problems []error
	flags.Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if _, err := stack.FieldFor(key); err != nil || key == "region" {
			return
		}
		value := f.Value.String()
		if many, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(many.GetSlice(), ",")
		}
		problems = append(problems, said.set(c, key, value, "--"+f.Name, stack.Source{Kind: "flag", From: "--" + f.Name}))
	})
	return errors.Join(problems...)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	return line
}
