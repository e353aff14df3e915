package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// What a shell completes comes from this computer alone, but for the names of what can be reused: see completereuse.go.

// completeNames completes the names of deployments.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if err := a.prepare(cmd); err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	home, err := a.home()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, err := home.Names()
	if err != nil && !errors.Is(err, store.ErrNotExist) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// complete completes the values of a flag.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

// openValues are the values worth offering for keys that have no closed set of them.
func openValues() map[string]func() []string {
	return map[string]func() []string{
		"instance_type": func() []string { return slices.Insert(cloud.InstanceTypeNames(), 0, stack.Auto) },
		"allow_cidrs":   func() []string { return []string{stack.MyIP} },
		"ssh_cidr":      func() []string { return []string{stack.Nowhere, stack.MyIP} },
		"vpc_cidr":      func() []string { return []string{stack.Auto} },
	}
}
