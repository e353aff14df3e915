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
		t.Rows = append(t.Rows, term.Row{Cells: []string{name, o.ID, o.Standing, o.Region, fmt.Sprint(len(o.Resources)), age, "~" + o.Monthly.Format(2)}})
		parts := &term.Table{Tree: true, Columns: []term.Column{{}, {}, {Right: true, Drop: 1}}}
		for _, r := range o.Resources {
			monthly := ""
			if r.Monthly != 0 {
				monthly = "~" + r.Monthly.Format(2) + " a month"
			}
			parts.Rows = append(parts.Rows, term.Row{Cells: []string{string(r.Key), r.ID, monthly}})
		}
		sections = append(sections, term.Section{Title: o.Name + " " + o.ID, Table: parts, Notes: []string{o.Advice}})
	}
	if len(d.Orphans) > 1 {
		t.Total = []string{"total", "", "", "", "", "", "~" + d.Monthly.Format(2)}
	}
	note := "Looked " + looked + ". ~ rests on an assumption: of how much is used, or of a price that no price list confirmed."
	return screen.Sections(append([]term.Section{{Table: &t, Notes: []string{note}}}, sections...)...)
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
