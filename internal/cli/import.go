package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
)

// maxImportSize bounds a state file of the Python tool; with all its history one takes some hundred thousand bytes.
const maxImportSize = 16 << 20

func newImport(a *app) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take over a deployment of the Python tool from its state file",
		Long: `Import reads a state file of the Python tool (formats 1 and 2), asks the account for every resource in it, and records
what exists, so that list, inspect and destroy work on it. Nothing in the account changes.

What the Python tool reused stays yours: it is never changed or deleted. Everything else is deleted by its recorded ID only,
since the tags of that tool do not prove whose a resource is.`,
		Example: `  geusemaker import ~/.geusemaker/deployments/team.json
  geusemaker import old.json --name team-old`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.importFile(ctx, args[0], name)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "record it under this name")
	return cmd
}

// importedDoc is what `import` prints.
type importedDoc struct {
	Name      string        `json:"name"`
	ID        string        `json:"id"`
	Source    string        `json:"source"`
	Status    stack.Phase   `json:"status"`
	Region    string        `json:"region"`
	Account   string        `json:"account"`
	Monthly   stack.Money   `json:"monthly_usd"`
	Guess     bool          `json:"guess"` // some of it rests on an assumption
	Resources []resourceDoc `json:"resources"`
	Gone      []resourceRef `json:"gone"`  // that the file names and the account does not have
	Found     []resourceRef `json:"found"` // that the file does not name, but come and go with what it names
	Warnings  []string      `json:"warnings"`
	Sandbox   bool          `json:"sandbox"`
}

func (a *app) importFile(ctx context.Context, path, name string) error {
	file, err := readImport(path)
	if err != nil {
		return &usageError{err: fmt.Errorf("cannot import %s: %w", path, err)}
	}
	s := file.State
	if name != "" {
		s.Name, s.Config.Name = name, name
	}
	if !stack.ValidName(s.Name) {
		e := &usageError{err: fmt.Errorf("%q cannot be the name of a deployment", s.Name), hints: []string{"choose one with --name: a lower-case letter, then letters, digits and hyphens, 2 to 30 in all"}}
		if name == "" {
			e.err = fmt.Errorf("its name %q cannot be the name of a deployment here", file.Name)
		}
		return e
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	account, err := a.openAccount(ctx, s.Region)
	if err != nil {
		return err
	}
	lease, err := home.Lock(ctx, s.Name, store.Intent{Operation: "import", Version: version, At: account.Clock().Now()})
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }() // the lock ends with the process at the latest
	if _, err := lease.State(); !errors.Is(err, store.ErrNotExist) {
		return &hinted{err: fmt.Errorf("there is a deployment %s already", s.Name), code: exitUsage, kind: "usage", hints: []string{"choose another name with --name"}}
	}
	i := &importing{app: a, ctx: ctx, account: account, state: s, warnings: file.Warnings}
	if err := i.look(); err != nil {
		return err
	}
	i.state.Serial = 1
	if err := lease.Save(i.state); err != nil {
		return err
	}
	doc := i.document()
	return a.print(doc, func() string { return a.importedView(doc) })
}

func readImport(path string) (store.Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		return store.Imported{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxImportSize+1))
	if err != nil {
		return store.Imported{}, err
	}
	if len(raw) > maxImportSize {
		return store.Imported{}, fmt.Errorf("it is larger than %d MiB", maxImportSize>>20)
	}
	return store.Import(raw)
}

// importing is an import that compares a file with the account.
type importing struct {
	*app
	ctx         context.Context
	account     *cloud.Account
	state       stack.State
	gone, found []resourceRef
	warnings    []string
}

// look asks the account for what the file names, and for what comes and goes with it.
func (i *importing) look() error {
	if err := i.account.MustBe(i.ctx, i.state.Account); err != nil {
		return err
	}
	number, err := i.account.ID(i.ctx)
	if err != nil {
		return err
	}
	s := &i.state
	s.Account, s.Facts.Account, s.Sandbox, s.Tool = number, number, i.global.sandbox, version
	if err := i.confirm(); err != nil {
		return err
	}
	if err := i.widen(); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.Sorted(), func(r stack.Record) bool { return r.Owned }) {
		return &hinted{err: fmt.Errorf("nothing that the Python tool made for %s exists in region %s of account %s", s.Name, s.Region, number), code: exitNotFound, kind: "not-found", hints: []string{"look at --profile; what is gone needs no import"}}
	}
	s.Records = stack.WithNeeds(s.Records)
	var machines []stack.Offer
	if m, ok := s.Machine(); ok {
		machines = append(machines, stack.Offer{Type: m.Attrs[stack.AttrType], Zone: m.Attrs[stack.AttrZone], Market: m.Attrs[stack.AttrMarket]})
	}
	s.Facts.Offers, s.Facts.Prices, err = i.account.Appraise(i.ctx, machines)
	return err
}

// confirm drops what is gone and learns what AWS says of the rest. What carries the tags of another deployment of this tool
// is refused: two records must not own one resource.
func (i *importing) confirm() error {
	known, err := i.recorded()
	if err != nil {
		return err
	}
	if owner, twice := known.names[i.state.ID]; twice {
		return &hinted{err: fmt.Errorf("what the file describes is recorded here as %s", owner), code: exitUsage, kind: "usage", hints: []string{"nothing needs to be imported"}}
	}
	drivers := i.account.Drivers()
	for _, r := range i.state.Sorted() {
		found, err := drivers[r.Kind].Read(i.ctx, engine.Target{Stack: i.state.Identity, Key: r.Key, Record: r})
		owner, taken := known.names[found.Stack]
		switch {
		case errors.Is(err, engine.ErrNotFound):
			i.gone = append(i.gone, resourceRef{r.Key, r.Kind, r.ID})
			delete(i.state.Records, r.Key)
			continue
		case err != nil:
			return fmt.Errorf("cannot tell whether %s exists: %w", r.ID, err)
		case taken && r.Owned:
			return &hinted{err: fmt.Errorf("%s belongs to the deployment %s, which is recorded here already", r.ID, owner), code: exitUsage, kind: "usage", hints: []string{"nothing needs to be imported"}}
		}
		attrs := maps.Clone(orEmptyMap(r.Attrs))
		maps.Copy(attrs, found.Attrs)
		r.Attrs = attrs
		i.state.Records[r.Key] = r
	}
	return nil
}

// widen records what the Python tool made with a VPC and a file system of its own but did not write down: without it neither
// could be deleted.
func (i *importing) widen() error {
	s := i.state
	id := func(key stack.Key) string {
		if r := s.Records[key]; r.Owned {
			return r.ID
		}
		return ""
	}
	more, err := i.account.Within(i.ctx, id(stack.KeyVPC), id(stack.KeyFiles))
	if err != nil {
		return err
	}
	keys := map[stack.Kind]stack.Key{stack.KindGateway: stack.KeyGateway, stack.KindRouteTable: stack.KeyRoutes, stack.KindMountTarget: "storage/mount"}
	for _, r := range more {
		if slices.ContainsFunc(s.Sorted(), func(o stack.Record) bool { return o.Kind == r.Kind && o.ID == r.ID }) {
			continue
		}
		r.Key = keys[r.Kind]
		if _, taken := s.Records[r.Key]; taken {
			r.Key += stack.Key("#" + r.ID)
		}
		r.Owned, r.Status, r.CreatedAt = true, stack.StatusReady, s.CreatedAt
		s.Records[r.Key] = r
		i.found = append(i.found, resourceRef{r.Key, r.Kind, r.ID})
	}
	return nil
}

func (i *importing) document() importedDoc {
	s := i.state
	cost := s.Cost(i.account.Clock().Now())
	d := importedDoc{
		Name: s.Name, ID: s.ID, Source: s.Imported, Status: s.Phase(false), Region: s.Region, Account: s.Account,
		Monthly: cost.Monthly, Guess: cost.Guessed(), Resources: []resourceDoc{}, Gone: orEmpty(i.gone), Found: orEmpty(i.found),
		Warnings: orEmpty(i.warnings), Sandbox: s.Sandbox,
	}
	for _, r := range s.Sorted() {
		d.Resources = append(d.Resources, resourceDoc{Key: r.Key, Kind: r.Kind, ID: r.ID, Owned: r.Owned, Origin: r.Provenance(), Status: r.Status, Attrs: orEmptyMap(r.Attrs)})
	}
	return d
}
