package cli

import (
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
	flags.Lookup(name).DefValue = "" // the default is in the help text
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
	var raw map[string]any
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return &usageError{err: fmt.Errorf("config file %s is not YAML of the form `key: value`: %s", path, firstLine(err))}
	}
	keys := make([]string, 0, len(raw))
	for k := range raw {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var problems []error
	for _, k := range keys {
		if raw[k] != nil {
			problems = append(problems, c.Set(k, raw[k], stack.Source{Kind: "file", From: path}))
		}
	}
	return errors.Join(problems...)
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
	var problems []error
	for _, f := range stack.Fields() {
		for _, key := range append(slices.Clone(f.Aliases), f.Key) {
			name := "GEUSEMAKER_" + strings.ToUpper(key)
			if v := a.getenv(name); v != "" {
				problems = append(problems, c.Set(key, v, stack.Source{Kind: "environment", From: name}))
			}
		}
	}
	return errors.Join(problems...)
}

func applyFlags(c *stack.Config, flags *pflag.FlagSet) error {
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
		problems = append(problems, c.Set(key, value, stack.Source{Kind: "flag", From: "--" + f.Name}))
	})
	return errors.Join(problems...)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	return line
}
