package cli

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

type listOptions struct {
	statuses, regions, tiers []string
	sort                     string
	descending               bool
}

var listSorts = []string{"created", "name", "cost", "status"}

func newList(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Show all deployments",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// The global --region is a filter here: a list is made from what is on this machine.
			if a.global.region != "" {
				o.regions = append(o.regions, a.global.region)
			}
			return a.list(o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.statuses, "status", nil, "only these statuses (repeatable, or all)")
	flags.StringSliceVar(&o.tiers, "tier", nil, "only these tiers (repeatable, or all)")
	flags.StringVar(&o.sort, "sort", "created", "order: "+strings.Join(listSorts, ", "))
	flags.BoolVar(&o.descending, "desc", false, "largest or latest first (created always is, unless --desc=false)")
	return cmd
}

func (o listOptions) check() error {
	if !slices.Contains(listSorts, o.sort) {
		return usage("--sort: %q is not known; use %s", o.sort, strings.Join(listSorts, ", "))
	}
	phases := []string{"all"}
	for _, p := range []stack.Phase{stack.PhaseDeploying, stack.PhaseRunning, stack.PhaseDegraded, stack.PhaseStopped, stack.PhaseFailed, stack.PhaseInterrupted, stack.PhaseDestroying, stack.PhaseUnknown} {
		phases = append(phases, string(p))
	}
	for _, s := range o.statuses {
		if !slices.Contains(phases, s) {
			return usage("--status: %q is not known; use %s", s, strings.Join(phases, ", "))
		}
	}
	return nil
}

func (a *app) list(o listOptions) error {
	if err := o.check(); err != nil {
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
	docs := []listDoc{}
	for _, e := range entries {
		if doc := a.row(e); o.wants(doc) {
			docs = append(docs, doc)
		}
	}
	o.order(docs)
	return a.print(docs, func() string { return a.listView(docs, len(entries)) })
}

// row makes the row of an entry; a file that cannot be read is a row with its error.
func (a *app) row(e store.Entry) listDoc {
	if e.Err != nil {
		return listDoc{Name: e.Name, Status: stack.PhaseUnknown, LastError: e.Err.Error()}
	}
	return describe(e.Summary, e.Holder != nil, a.now(e.Summary.Sandbox))
}

// now is the time by the clock of the account that a deployment lives in.
func (a *app) now(inSandbox bool) time.Time {
	if inSandbox {
		if pretend, err := a.openSandbox(); err == nil {
			return pretend.Clock().Now()
		}
	}
	return time.Now()
}

func (o listOptions) wants(d listDoc) bool {
	match := func(wanted []string, value string) bool {
		return len(wanted) == 0 || slices.Contains(wanted, "all") || slices.Contains(wanted, value)
	}
	return match(o.statuses, string(d.Status)) && match(o.regions, d.Region) && match(o.tiers, d.Tier)
}

// order sorts the rows: by default the newest first.
func (o listOptions) order(docs []listDoc) {
	slices.SortStableFunc(docs, func(x, y listDoc) int {
		var n int
		switch o.sort {
		case "name":
			n = cmp.Compare(x.Name, y.Name)
		case "status":
			n = cmp.Compare(x.Status, y.Status)
		case "cost":
			n = cmp.Compare(amount(x.Monthly), amount(y.Monthly))
		default:
			n = created(x).Compare(created(y))
		}
		if o.descending || o.sort == "created" {
			n = -n
		}
		return cmp.Or(n, cmp.Compare(x.Name, y.Name))
	})
}

func amount(m *stack.Money) stack.Money {
	if m == nil {
		return 0
	}
	return *m
}

func created(d listDoc) time.Time {
	if d.CreatedAt == nil {
		return time.Time{}
	}
	return *d.CreatedAt
}

// completeNames completes the names of deployments.
func (a *app) completeNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	home, err := a.home()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, err := home.Names()
	if err != nil && !errors.Is(err, store.ErrNotExist) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
