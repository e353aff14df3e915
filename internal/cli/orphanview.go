package cli

import (
	"fmt"
	"strings"

	"geusemaker/internal/term"
)

// orphansView shows what is not recorded here: a table of it, and for each what it consists of and what can be done.
func (a *app) orphansView(screen term.Screen, d orphansDoc) string {
	looked := fmt.Sprintf("in %d regions", len(d.Regions))
	if len(d.Regions) == 1 {
		looked = "in " + d.Regions[0] + "; --region all looks everywhere"
	}
	if len(d.Orphans) == 0 {
		return "no orphans " + looked + "\n"
	}
	t := term.Table{Columns: []term.Column{
		{Name: "NAME", Min: 12},
		{Name: "ID"},
		{Name: "WHAT"},
		{Name: "REGION", Drop: 3},
		{Name: "RESOURCES", Right: true, Drop: 2},
		{Name: "AGE", Right: true, Drop: 1},
		{Name: "MONTHLY", Right: true},
	}}
	var sections []term.Section
	for _, o := range d.Orphans {
		name, age := o.Name, ""
		if o.Sandbox {
			name += " (sandbox)"
		}
		if o.CreatedAt != nil {
			age = term.Age(a.now(o.Sandbox).Sub(*o.CreatedAt))
		}
		t.Rows = append(t.Rows, term.Row{Cells: []string{name, o.ID, o.Standing, o.Region, fmt.Sprint(len(o.Resources)), age, term.Amount(o.Monthly, 2, o.Guess)}})
		parts := &term.Table{Tree: true, Columns: []term.Column{{}, {}, {Right: true, Drop: 1}}}
		for _, r := range o.Resources {
			monthly := ""
			if r.Monthly != 0 {
				monthly = term.Amount(r.Monthly, 2, r.Guess) + " a month"
			}
			parts.Rows = append(parts.Rows, term.Row{Cells: []string{string(r.Key), r.ID, monthly}})
		}
		sections = append(sections, term.Section{Title: o.Name + " " + o.ID, Table: parts, Notes: []string{o.Advice}})
	}
	if len(d.Orphans) > 1 {
		t.Total = []string{"total", "", "", "", "", "", term.Amount(d.Monthly, 2, d.Guess)}
	}
	found := term.Section{Table: &t, Notes: []string{"Looked " + looked + "."}}
	if d.Guess {
		found.Notes = append(found.Notes, term.GuessNote)
	}
	return screen.Sections(append([]term.Section{found}, sections...)...)
}

func (a *app) removedOrphansView(d orphansDoc) string {
	switch {
	case len(d.Deleted) > 0:
	case len(d.Orphans) > 0:
		return "nothing was deleted: what is shown is a whole deployment or data that were kept; name what is to go with --id\n"
	default:
		return "nothing was deleted\n"
	}
	var views []string
	for _, gone := range d.Deleted {
		views = append(views, a.destroyView(gone, a.global.sandbox, 0))
	}
	return strings.Join(views, "\n")
}
