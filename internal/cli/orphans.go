package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

func newOrphans(a *app) *cobra.Command {
	var remove bool
	var ids []string
	cmd := &cobra.Command{
		Use:   "orphans",
		Short: "Find what carries our tags but belongs to no deployment recorded here",
		Long: `Orphans asks the account for everything that carries this tool's tags and belongs to no deployment recorded on this
computer: what was left of a deployment, data that somebody kept, and whole deployments of other computers, each with its
age and its price.

With --delete it deletes what was left, after the name of each was typed, and proves that nothing remains. Data that were
kept and deployments of other computers are deleted only when they are named with --id.`,
		Example: `  geusemaker orphans --region all
  geusemaker orphans --delete
  geusemaker orphans --delete --id k3x2mzq7aw5t --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			switch {
			case !remove && len(ids) > 0:
				return usage("--id says what --delete is to delete; add --delete")
			case remove && a.global.yes && len(ids) == 0:
				return &usageError{err: errors.New("--yes deletes only what is named"), hints: []string{"name each with --id; `geusemaker orphans` shows the IDs"}}
			case remove && !a.global.yes && !a.streams.CanPrompt():
				return &usageError{err: errors.New("what is deleted does not come back, and there is no terminal to ask on"), hints: []string{"pass --yes and name each with --id"}}
			}
			return a.orphans(ctx, remove, ids)
		},
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "delete them, each after its name was typed")
	cmd.Flags().StringArrayVar(&ids, "id", nil, "delete only the one with this `ID` (repeatable)")
	return cmd
}

// orphansDoc is what `orphans` prints.
type orphansDoc struct {
	Regions []string     `json:"regions"` // that were looked at
	Orphans []orphanDoc  `json:"orphans"`
	Hourly  stack.Money  `json:"hourly_usd"`
	Monthly stack.Money  `json:"monthly_usd"`
	Guess   bool         `json:"guess"` // some of it rests on an assumption
	Deleted []destroyDoc `json:"deleted"`
}

// orphanDoc is one deployment that is not recorded here.
type orphanDoc struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Standing  string              `json:"standing"` // remains, kept-data, deployment or unknown
	Region    string              `json:"region"`
	Account   string              `json:"account"`
	CreatedAt *time.Time          `json:"created_at"` // of the oldest resource; null where AWS does not say
	Hourly    stack.Money         `json:"hourly_usd"`
	Monthly   stack.Money         `json:"monthly_usd"`
	Guess     bool                `json:"guess"`
	Resources []orphanResourceDoc `json:"resources"`
	Advice    string              `json:"advice"`
	Sandbox   bool                `json:"sandbox"`
}

type orphanResourceDoc struct {
	Key       stack.Key   `json:"key"`
	Kind      stack.Kind  `json:"kind"`
	ID        string      `json:"id"`
	CreatedAt *time.Time  `json:"created_at"`
	Monthly   stack.Money `json:"monthly_usd"`
	Guess     bool        `json:"guess"`
}

func orphan(s sighting) orphanDoc {
	cost := stack.CostOf(s.Sorted(), s.state.Facts)
	first, _ := s.Span()
	d := orphanDoc{
		ID: s.ID, Name: s.Name, Standing: s.standing(), Region: s.state.Region, Account: s.state.Account, CreatedAt: known(first),
		Hourly: cost.Hourly, Monthly: cost.Monthly, Guess: cost.Guessed(), Resources: []orphanResourceDoc{}, Advice: s.advice(), Sandbox: s.state.Sandbox,
	}
	for _, r := range s.Sorted() {
		part := cost.Of(r.Key)
		d.Resources = append(d.Resources, orphanResourceDoc{r.Key, r.Kind, r.ID, known(r.CreatedAt), part.Monthly, part.Guessed()})
	}
	return d
}

// known is a time, or nil when nobody knows it.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *app) orphans(ctx context.Context, remove bool, ids []string) error {
	all, regions, err := a.survey(ctx, some(a.global.region))
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s sighting) bool { return s.here != "" })
	doc := orphansDoc{Regions: regions, Orphans: []orphanDoc{}, Deleted: []destroyDoc{}}
	for _, s := range all {
		d := orphan(s)
		doc.Orphans = append(doc.Orphans, d)
		doc.Hourly += d.Hourly
		doc.Monthly += d.Monthly
		doc.Guess = doc.Guess || d.Guess
	}
	if !remove {
		return a.print(doc, func() string { return a.orphansView(a.streams.OutScreen(), doc) })
	}
	chosen, err := chosenOrphans(all, ids)
	if err != nil {
		return err
	}
	fmt.Fprint(a.streams.Err, a.orphansView(a.streams.ErrScreen(), doc))
	var errs []error
	for _, s := range chosen {
		gone, err := a.removeOrphan(ctx, s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		doc.Deleted = append(doc.Deleted, gone)
	}
	return errors.Join(a.print(doc, func() string { return a.removedOrphansView(doc) }), errors.Join(errs...))
}

// chosenOrphans are those that --delete is about: those that are named, or all that are remains.
func chosenOrphans(all []sighting, ids []string) ([]sighting, error) {
	if len(ids) == 0 {
		return slices.DeleteFunc(slices.Clone(all), func(s sighting) bool { return s.standing() != standingRemains }), nil
	}
	var chosen []sighting
	for _, id := range ids {
		i := slices.IndexFunc(all, func(s sighting) bool { return s.ID == id })
		switch {
		case i < 0:
			return nil, &hinted{err: fmt.Errorf("there is no orphan with the ID %q", id), code: exitNotFound, kind: "not-found", hints: []string{"`geusemaker orphans --region all` shows what there is"}}
		case all[i].standing() == standingUnknown:
			return nil, &hinted{err: fmt.Errorf("%s may be in use in another region", id), hints: []string{"repeat the command with --region all"}}
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// removeOrphan records what was seen of a deployment and destroys it like any other, so that an interruption loses nothing.
func (a *app) removeOrphan(ctx context.Context, s sighting) (destroyDoc, error) {
	if !a.global.yes {
		if err := a.prompter().Type(ctx, fmt.Sprintf("Type %s to delete the %d resources of %s (%s)", s.Name, len(s.Records), s.Name, s.ID), s.Name); err != nil {
			return destroyDoc{}, err
		}
	}
	clock := s.account.Clock()
	lease, name, err := a.leaseFor(ctx, s, "orphans", clock)
	if err != nil {
		return destroyDoc{}, err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	state := s.state.Clone()
	state.Name, state.Config.Name = name, name
	plan, err := engine.PlanDestroy(state, engine.Removal{})
	if err != nil {
		return destroyDoc{}, err
	}
	r := &removing{app: a, ctx: ctx, account: s.account, clock: clock, lease: lease, state: state}
	return r.remove(engine.Removal{}, plan)
}

// leaseFor locks the name of a deployment that is not recorded here, or where another one has that name, one made from its
// ID.
func (a *app) leaseFor(ctx context.Context, s sighting, operation string, clock engine.Clock) (*store.Lease, string, error) {
	var taken error
	for _, name := range []string{s.Name, "orphan-" + s.ID[:min(12, len(s.ID))]} {
		if !stack.ValidName(name) {
			taken = fmt.Errorf("%q cannot be the name of a deployment", name)
			continue
		}
		lease, err := a.lock(ctx, name, store.Intent{Operation: operation, Version: version, At: clock.Now()})
		if err != nil {
			return nil, "", err
		}
		if _, err := lease.State(); errors.Is(err, store.ErrNotExist) {
			return lease, name, nil
		}
		taken = errors.Join(fmt.Errorf("there is another deployment %s", name), lease.Release())
	}
	return nil, "", taken
}
