package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
)

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show or make a configuration"}
	show := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show every key, its value and where the value comes from",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.loadConfig(cmd, args)
			if err != nil {
				return err
			}
			if err := a.region(cmd.Context(), &c); err != nil {
				return err
			}
			if c.Name == "" {
				return a.showConfig(c)
			}
			if err := c.Validate(); err != nil {
				return err
			}
			return a.showConfig(c)
		},
	}
	addConfigFlags(show)
	cmd.AddCommand(show, newConfigInit(a), newConfigSchema(a))
	return cmd
}

// keyDoc is one key as `config show` prints it.
type keyDoc struct {
	Key    string       `json:"key"`
	Value  any          `json:"value"`
	Source stack.Source `json:"source"`
}

func (a *app) showConfig(c stack.Config) error {
	docs := []keyDoc{}
	for _, f := range stack.Fields() {
		docs = append(docs, keyDoc{f.Key, c.Value(f.Key), c.SourceOf(f.Key)})
	}
	return a.print(docs, func() string { return a.configView(c) })
}

// usualConfig is the name of the config file that nobody named.
const usualConfig = "geusemaker.yaml"

func newConfigInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a config file with every key, its meaning and its default",
		Long: `Init writes a config file in which every key stands with its meaning, its values and its default, commented out. What
is uncommented is chosen. A file that exists is never overwritten. The default FILE is ` + usualConfig + `; - writes to the output.`,
		Example: "  geusemaker config init team.yaml\n  geusemaker deploy team --config team.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := usualConfig
			if len(args) > 0 {
				path = args[0]
			}
			return a.initConfig(path)
		},
	}
}

func (a *app) initConfig(path string) error {
	if path == "-" {
		_, err := fmt.Fprint(a.streams.Out, configFile())
		return err
	}
	if err := writeConfig(path, configFile()); err != nil {
		return err
	}
	doc := map[string]string{"file": path}
	return a.print(doc, func() string {
		return fmt.Sprintf("wrote %s\nuncomment what you want to choose, then: geusemaker deploy NAME --config %s --plan\n", path, path)
	})
}

// writeConfig writes a config file that must not exist yet.
func writeConfig(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &usageError{err: fmt.Errorf("%s exists already, and is left as it is", path), hints: []string{"name another file, or remove that one"}}
	}
	if err != nil {
		return &usageError{err: fmt.Errorf("cannot write the config file: %w", err)}
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("cannot write the config file: %w", err), os.Remove(path))
	}
	return nil
}

// configFile is a config file in which every key is explained and commented out.
func configFile() string {
	var b strings.Builder
	b.WriteString("# A configuration of geusemaker. The lines with # and no space after it are the keys and their defaults: remove the # to\n# choose. ")
	b.WriteString("A flag wins over an environment variable, that over this file; `geusemaker config show --config FILE` tells what holds.\n")
	group := ""
	for _, f := range stack.Fields() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n# %s\n", strings.ToUpper(group))
		}
		b.WriteString("\n")
		b.WriteString("# " + f.Help + ".\n")
		if len(f.Values) > 0 {
			fmt.Fprintf(&b, "# One of: %s\n", strings.Join(f.Values, ", "))
		}
		b.WriteString("#" + exampleOf(f) + "\n")
	}
	return b.String()
}

// exampleOf is the key with its default, or of what form it is.
func exampleOf(f stack.Field) string {
	value := f.Default
	switch f.Type {
	case "list":
		value = "[" + f.Default + "]"
	case "map", "env":
		value = "{}"
	case "bool":
		value = "false"
	}
	return strings.TrimSpace(f.Key + ": " + value)
}

func newConfigSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the config file, for editors",
		Long: `Schema prints the JSON schema of the config file, as JSON or, with -o yaml, as YAML. An editor that knows it completes and
checks the keys.`,
		Example: "  geusemaker config schema > geusemaker.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.global.output == outputTable {
				a.global.output = outputJSON // it has no other form for people
			}
			return a.print(configSchema(), nil)
		},
	}
}
