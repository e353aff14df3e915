package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

type listOptions struct {
	statuses, regions, tiers []string
	sort                     string
	descending               bool
	remote                   bool
	refresh                  bool
	watch                    time.Duration // 0: once
}

var listSorts = []string{"created", "name", "cost", "status"}

func newList(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Show all deployments",
		Long: `List shows what is recorded on this computer, the newest first, and asks nobody. --refresh asks AWS once a region what became
of the machines and points out what differs; --remote adds what other computers have deployed in the account. ~ marks a cost that
rests on an assumption: ` + "`geusemaker cost NAME`" + ` shows which.`,
		Example: `  geusemaker list --status running --status degraded --sort cost --desc
  geusemaker list --refresh
  geusemaker list --watch 10s
  geusemaker list --remote --region all`,
		Args: o.watchArg,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.list(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.statuses, "status", nil, "only these statuses (repeatable, or all)")
	// In the place of the global flag of that name: a list is made from what is on this machine.
	flags.StringSliceVar(&o.regions, "region", nil, "only these regions (repeatable, or all)")
	flags.StringSliceVar(&o.tiers, "tier", nil, "only these tiers (repeatable, or all)")
	flags.StringVar(&o.sort, "sort", "created", "order: "+strings.Join(listSorts, ", "))
	flags.BoolVar(&o.descending, "desc", false, "largest or latest first (created always is, unless --desc=false)")
	flags.BoolVar(&o.remote, "remote", false, "ask the account too: also what other computers deployed, by its tags (in the regions of --region, or all)")
	flags.BoolVar(&o.refresh, "refresh", false, "ask AWS what became of the machines, and record it")
	flags.DurationVar(&o.watch, "watch", 0, "show the list again and again, every `interval`")
	flags.Lookup("watch").NoOptDefVal = watchInterval.String()
	complete(cmd, "status", func() []string { return append(texts(phases()), "all") })
	complete(cmd, "region", func() []string { return append(cloud.RegionNames(), allRegions) })
	complete(cmd, "tier", func() []string { return append(tiers(), "all") })
	complete(cmd, "sort", func() []string { return listSorts })
	return cmd
}

// phases are the statuses that a deployment can have.
func phases() []stack.Phase {
	return []stack.Phase{
		stack.PhaseDeploying, stack.PhaseRunning, stack.PhaseDegraded, stack.PhaseStopped, stack.PhaseFailed, stack.PhaseInterrupted,
		stack.PhaseDestroying, stack.PhaseUnknown,
	}
}

func tiers() []string { return []string{stack.TierDev, stack.TierAutomation, stack.TierGPU} }

func (o listOptions) check() error {
	if !slices.Contains(listSorts, o.sort) {
		return usage("--sort: %q is not known; use %s", o.sort, strings.Join(listSorts, ", "))
	}
	known := append([]string{"all"}, texts(phases())...)
	for _, status := range o.statuses {
		if !slices.Contains(known, status) {
			return usage("--status: %q is not known; use %s", status, strings.Join(known, ", "))
		}
	}
	known = append([]string{"all"}, tiers()...)
	for _, tier := range o.tiers {
		if !slices.Contains(known, tier) {
			return usage("--tier: %q is not known; use %s", tier, strings.Join(known, ", "))
		}
	}
	for _, region := range o.regions {
		if region != allRegions {
			if err := validRegion(region); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) list(ctx context.Context, o listOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.watch == 0 {
		return a.listOnce(ctx, o)
	}
	return a.watch(ctx, o.watch, func() error { return a.listOnce(ctx, o) })
}

// listOnce shows the list. What could not be asked is shown as it was recorded, and is the error.
func (a *app) listOnce(ctx context.Context, o listOptions) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	entries, err := home.List()
	if err != nil {
		return err
	}
	var changed map[string][]string
	var unasked error
	if o.refresh {
		if changed, unasked = a.refresh(ctx, home, entries); len(changed) > 0 {
			if entries, err = home.List(); err != nil {
				return err
			}
		}
	}
	var rows []listDoc
	for _, e := range entries {
		row := a.row(e)
		row.Changed = append(row.Changed, changed[e.Name]...)
		rows = append(rows, row)
	}
	if o.remote {
		more, err := a.remoteRows(ctx, o.regions)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	docs := []listDoc{}
	for _, doc := range rows {
		if o.wants(doc) {
			docs = append(docs, doc)
		}
	}
	o.order(docs)
	if err := a.print(docs, func() string { return a.listView(docs, len(rows)) }); err != nil {
		return err
	}
	return unasked
}

// row makes the row of an entry; a file that cannot be read is a row with its error.
func (a *app) row(e store.Entry) listDoc {
	if e.Err != nil {
		return listDoc{Name: e.Name, Status: stack.PhaseUnknown, LastError: e.Err.Error(), Changed: []string{}}
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
