package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

func newRecover(a *app) *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:   "recover [NAME]",
		Short: "Rebuild the record of a deployment from a backup or from the account's tags",
		Long: `Recover rebuilds the record of a deployment that is damaged, was lost, or was made on another computer.

A damaged record is replaced by its newest good backup, brought up to what the account shows. Where there is none, the
record is made from the tags that every resource carries. A record that is good is never touched, and nothing in the
account changes.

Without NAME it shows what could be recovered.`,
		Example: `  geusemaker recover
  geusemaker recover demo
  geusemaker recover team --region eu-central-1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			if len(args) == 0 {
				if id != "" {
					return usage("--id tells deployments of one name apart; name one")
				}
				return a.recoverable(ctx)
			}
			return a.recover(ctx, args[0], id)
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "which of several deployments of that name")
	return cmd
}

// recoveredDoc is what `recover NAME` prints.
type recoveredDoc struct {
	Name      string        `json:"name"`
	ID        string        `json:"id"`
	Recovered bool          `json:"recovered"` // false: the record was good
	Source    string        `json:"source"`    // record, backup or tags
	Backup    string        `json:"backup"`    // path; empty unless the source is a backup
	Serial    int           `json:"serial"`    // of the backup
	Status    stack.Phase   `json:"status"`
	Region    string        `json:"region"`
	Resources int           `json:"resources"`
	Added     []resourceRef `json:"added"`   // that the backup did not know
	Dropped   []resourceRef `json:"dropped"` // that the backup knew and the account does not have
	Warnings  []string      `json:"warnings"`
}

func (a *app) recover(ctx context.Context, name, id string) error {
	if !stack.ValidName(name) {
		return usage("%q cannot be the name of a deployment", name)
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	s, err := home.Load(name)
	if err == nil {
		doc := a.recovered(s, "record")
		return a.print(doc, func() string { return fmt.Sprintf("the record of %s is good; nothing was changed\n", name) })
	}
	damaged, isDamaged := errors.AsType[*store.DamagedError](err)
	if !isDamaged && !errors.Is(err, store.ErrNotExist) {
		return err
	}
	clock, err := a.clock()
	if err != nil {
		return err
	}
	lease, err := home.Lock(ctx, name, store.Intent{Operation: "recover", Version: version, At: clock.Now()})
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	a.noteTakeover(lease)
	r := &recovery{app: a, ctx: ctx, lease: lease}
	if isDamaged {
		for _, b := range damaged.Backups {
			if s, err := b.Load(); err == nil {
				return r.fromBackup(b, s)
			}
		}
	}
	return r.fromTags(name, id)
}

// recovered describes a record.
func (a *app) recovered(s stack.State, source string) recoveredDoc {
	return recoveredDoc{
		Name: s.Name, ID: s.ID, Source: source, Status: s.Phase(false), Region: s.Region, Resources: len(s.Records),
		Recovered: source != "record", Added: []resourceRef{}, Dropped: []resourceRef{}, Warnings: []string{},
	}
}

// recovery is the making of a record that was lost.
type recovery struct {
	*app
	ctx   context.Context
	lease *store.Lease
}

// fromBackup puts the backup in the place of a damaged record, brought up to what the account shows.
func (r *recovery) fromBackup(b store.Backup, s stack.State) error {
	if err := r.needSameAccount(s); err != nil {
		return err
	}
	account, err := r.openAccount(r.ctx, s.Region)
	if err != nil {
		return err
	}
	if err := account.MustBe(r.ctx, s.Account); err != nil {
		return err
	}
	before := s.Clone()
	s, err = r.reconciled(account, s)
	if err != nil {
		return err
	}
	if err := r.lease.Replace(s); err != nil {
		return err
	}
	doc := r.recovered(s, "backup")
	doc.Backup, doc.Serial = b.Path, b.Serial
	doc.Added, doc.Dropped = difference(s, before), difference(before, s)
	doc.Warnings = append(doc.Warnings, fmt.Sprintf("the backup is of %s: what operations did since is known from the account only", b.At.UTC().Format("2006-01-02 15:04 UTC")))
	return r.print(doc, func() string { return r.recoveredView(doc) })
}

// difference lists the resources of one state that another does not know.
func difference(of, from stack.State) []resourceRef {
	list := []resourceRef{}
	for _, rec := range of.Sorted() {
		same := func(o stack.Record) bool { return o.Kind == rec.Kind && o.ID == rec.ID }
		if rec.ID != "" && !slices.ContainsFunc(from.Sorted(), same) {
			list = append(list, resourceRef{rec.Key, rec.Kind, rec.ID})
		}
	}
	return list
}

// reconciled brings an old state up to what the account shows: what bears our tags is added, what is gone is dropped. What
// was not seen is asked for by its ID before that is believed.
func (r *recovery) reconciled(account *cloud.Account, s stack.State) (stack.State, error) {
	e := engine.Engine{Drivers: account.Drivers(), Clock: account.Clock()}
	traces, err := e.Survey(r.ctx, s.ID)
	if err != nil {
		return s, err
	}
	trace := stack.Trace{ID: s.ID, Name: s.Name, Tier: s.Tier}
	if len(traces) > 0 {
		trace = traces[0]
	}
	old := s.Clone()
	fresh := stack.Rebuild(s.Identity, trace, s.Config, s.Facts, account.Clock().Now())
	for _, rec := range old.Sorted() {
		if now, ok := fresh.Records[rec.Key]; ok && now.ID == rec.ID {
			now.Status, now.Attempt, now.Token, now.ReadyAt = rec.Status, rec.Attempt, rec.Token, rec.ReadyAt
			fresh.Records[rec.Key] = now
			continue
		}
		d, ok := e.Drivers[rec.Kind]
		if rec.ID == "" || !ok || slices.ContainsFunc(fresh.Sorted(), func(o stack.Record) bool { return o.ID == rec.ID && o.Kind == rec.Kind }) {
			continue // an intent: had it come to anything it would have been seen
		}
		_, err := d.Read(r.ctx, engine.Target{Stack: s.Identity, Key: rec.Key, Record: rec})
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case err != nil:
			return s, fmt.Errorf("cannot tell whether %s still exists: %w", rec.ID, err)
		case fresh.Records[rec.Key].ID == "":
			fresh.Records[rec.Key] = rec
		default:
			rec.Key += stack.Key("#" + rec.ID)
			fresh.Records[rec.Key] = rec
		}
	}
	s.Records, s.UpdatedAt = fresh.Records, fresh.UpdatedAt
	judged := s.Judged(fresh.UpdatedAt)
	if s.Imported == "" && (judged.Kind != s.Operation.Kind || judged.Outcome != s.Operation.Outcome) {
		s.Operation = judged
	}
	s.Tool = version
	return s, nil
}

// fromTags makes the record from the account alone.
func (r *recovery) fromTags(name, id string) error {
	all, regions, err := r.survey(r.ctx, some(r.global.region))
	if err != nil {
		return err
	}
	fits := func(s sighting) bool {
		return !s.partly && s.Name == name && (s.here == "" || s.here == name) && (id == "" || s.ID == id)
	}
	found := slices.DeleteFunc(all, func(s sighting) bool { return !fits(s) })
	switch {
	case len(found) == 0:
		hints := []string{"look elsewhere with --region R or --region all; `geusemaker recover` shows what could be recovered"}
		if !r.global.sandbox {
			hints = append(hints, "if it was in the pretend account, pass --sandbox")
		}
		return &hinted{err: fmt.Errorf("nothing in %s carries the tags of a deployment %s", strings.Join(regions, ", "), name), code: exitNotFound, kind: "not-found", hints: hints}
	case len(found) > 1:
		var hints []string
		for _, s := range found {
			hints = append(hints, fmt.Sprintf("--id %s --region %s: %d resources, %s", s.ID, s.state.Region, len(s.Records), s.standing()))
		}
		return &hinted{err: fmt.Errorf("there are %d deployments of the name %s; say which", len(found), name), code: exitUsage, kind: "usage", hints: hints}
	}
	s := found[0]
	if err := r.lease.Replace(s.state); err != nil {
		return err
	}
	doc := r.recovered(s.state, "tags")
	doc.Warnings = fromTagsWarnings(s)
	return r.print(doc, func() string { return r.recoveredView(doc) })
}

// lively is how young a resource is that another computer may be making right now.
const lively = 15 * time.Minute

// fromTagsWarnings say what tags do not tell.
func fromTagsWarnings(s sighting) []string {
	warnings := []string{"tags do not tell the whole configuration: addresses that may reach it, TLS, models, images and budgets stand at their defaults; the machine itself is not changed"}
	now := s.account.Clock().Now()
	if _, last := s.Span(); !last.IsZero() && now.Sub(last) < lively {
		warnings = append(warnings, fmt.Sprintf("a part of it was made %s ago: another computer may still work on it", now.Sub(last).Round(time.Second)))
	}
	if s.standing() == standingRemains {
		warnings = append(warnings, "it is not whole: `geusemaker destroy "+s.Name+"` removes what there is")
	}
	return warnings
}

// candidateDoc is one row of `recover` without a name.
type candidateDoc struct {
	Name      string       `json:"name"`
	ID        string       `json:"id"`     // empty where the record is damaged
	Source    string       `json:"source"` // backup or tags
	Standing  string       `json:"standing"`
	Region    string       `json:"region"`
	Resources int          `json:"resources"`
	Monthly   *stack.Money `json:"monthly_usd"`
	Guess     bool         `json:"guess"` // some of it rests on an assumption
	Command   string       `json:"command"`
	Detail    string       `json:"detail"`
}

// recoverable shows what could be recovered. That the account cannot be asked does not hide what is on disk.
func (a *app) recoverable(ctx context.Context) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	entries, err := home.List()
	if err != nil {
		return err
	}
	docs := []candidateDoc{}
	for _, e := range entries {
		damaged, ok := errors.AsType[*store.DamagedError](e.Err)
		if !ok {
			continue
		}
		d := candidateDoc{Name: e.Name, Source: "tags", Standing: "damaged", Command: "geusemaker recover " + e.Name, Detail: damaged.Err.Error()}
		if slices.ContainsFunc(damaged.Backups, func(b store.Backup) bool { _, err := b.Load(); return err == nil }) {
			d.Source = "backup"
		}
		docs = append(docs, d)
	}
	all, _, askErr := a.survey(ctx, some(a.global.region))
	for _, s := range all {
		if s.here != "" || s.partly {
			continue
		}
		cost := stack.CostOf(s.Sorted(), s.state.Facts)
		docs = append(docs, candidateDoc{
			Name: s.Name, ID: s.ID, Source: "tags", Standing: s.standing(), Region: s.state.Region, Resources: len(s.Records),
			Monthly: &cost.Monthly, Guess: cost.Guessed(), Command: fmt.Sprintf("geusemaker recover %s --region %s", s.Name, s.state.Region),
		})
	}
	if askErr != nil && len(docs) == 0 {
		return askErr
	}
	return errors.Join(a.print(docs, func() string { return a.candidatesView(docs) }), askErr)
}
