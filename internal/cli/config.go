package cli

import (
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
	cmd.AddCommand(show)
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
