package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newSandbox(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "sandbox", Short: "Look at, reset or upset the pretend AWS account"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show", Short: "Show what the pretend account holds", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				pretend, err := a.openSandbox()
				if err != nil {
					return err
				}
				inventory := pretend.Inventory()
				return a.print(inventory, func() string { return a.inventoryView(inventory) })
			},
		},
		&cobra.Command{
			Use: "reset", Short: "Empty the pretend account and forget its deployments", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return a.resetSandbox() },
		},
	)
	return cmd
}

// resetSandbox removes the pretend account and the records of the deployments in it: without it they would be of nothing.
func (a *app) resetSandbox() error {
	folder, err := a.folder()
	if err != nil {
		return err
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	entries, err := home.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Holder != nil && e.Summary.Sandbox {
			return &hinted{err: fmt.Errorf("an operation works on %s now (%s)", e.Name, e.Holder), code: exitLocked, kind: "locked", hints: []string{"wait for it, or stop it"}}
		}
	}
	forgotten := 0
	for _, e := range entries {
		if e.Err == nil && e.Summary.Sandbox {
			if err := home.Forget(e.Name); err != nil {
				return err
			}
			forgotten++
		}
	}
	for _, suffix := range []string{"", ".lock"} {
		if err := os.Remove(filepath.Join(folder, "sandbox.json"+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	doc := map[string]int{"forgotten": forgotten}
	return a.print(doc, func() string {
		return fmt.Sprintf("the pretend account is empty; %d deployments forgotten\n", forgotten)
	})
}
