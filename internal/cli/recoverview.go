package cli

import (
	"fmt"

	"geusemaker/internal/term"
)

func (a *app) recoveredView(d recoveredDoc) string {
	source := "the tags in the account"
	if d.Source == "backup" {
		source = fmt.Sprintf("backup %d, %s", d.Serial, d.Backup)
	}
	return term.InspectView(a.streams.OutScreen(), term.InspectInput{
		Title: "Recovered " + d.Name, Status: string(d.Status), Sandbox: a.global.sandbox, Warnings: d.Warnings,
		Sections: []term.Section{
			{Pairs: [][2]string{{"id", d.ID}, {"region", d.Region}, {"from", source}, {"resources", fmt.Sprint(d.Resources)}}},
			{Title: fmt.Sprintf("That the backup did not know (%d)", len(d.Added)), Table: refsTable(d.Added)},
			{Title: fmt.Sprintf("Gone since the backup (%d)", len(d.Dropped)), Table: refsTable(d.Dropped)},
			{Title: "Next", Lines: []string{"geusemaker inspect " + d.Name, "geusemaker destroy " + d.Name}},
		},
	})
}

func (a *app) candidatesView(docs []candidateDoc) string {
	if len(docs) == 0 {
		return "nothing to recover: every record here is good, and the account shows no other deployment\n"
	}
	t := term.Table{Columns: []term.Column{
		{Name: "NAME", Min: 12},
		{Name: "ID", Drop: 3},
		{Name: "WHAT"},
		{Name: "FROM"},
		{Name: "REGION", Drop: 4},
		{Name: "RESOURCES", Right: true, Drop: 5},
		{Name: "MONTHLY", Right: true, Drop: 2},
		{Name: "COMMAND", Drop: 1},
	}}
	for _, d := range docs {
		monthly, resources := "", ""
		if d.Monthly != nil {
			monthly, resources = term.Amount(*d.Monthly, 2, d.Guess), fmt.Sprint(d.Resources)
		}
		t.Rows = append(t.Rows, term.Row{Cells: []string{d.Name, d.ID, d.Standing, d.Source, d.Region, resources, monthly, d.Command}, Problem: d.Detail})
	}
	return a.streams.OutScreen().Table(t)
}

func refsTable(list []resourceRef) *term.Table {
	t := &term.Table{Tree: true, Columns: []term.Column{{}, {}}}
	for _, r := range list {
		t.Rows = append(t.Rows, term.Row{Cells: []string{string(r.Key), r.ID}})
	}
	return t
}

func (a *app) importedView(d importedDoc) string {
	return term.InspectView(a.streams.OutScreen(), term.InspectInput{
		Title: "Imported " + d.Name, Status: string(d.Status), Sandbox: d.Sandbox, Warnings: d.Warnings,
		Sections: []term.Section{
			{Pairs: [][2]string{{"id", d.ID}, {"from", d.Source}, {"account", d.Account}, {"region", d.Region}, {"a month", term.Amount(d.Monthly, 2, d.Guess)}}},
			{Title: fmt.Sprintf("Resources (%d)", len(d.Resources)), Table: resourcesTable(d.Resources)},
			{Title: fmt.Sprintf("That the file does not name (%d)", len(d.Found)), Table: refsTable(d.Found)},
			{Title: fmt.Sprintf("That are gone (%d)", len(d.Gone)), Table: refsTable(d.Gone)},
			{Title: "Next", Lines: []string{"geusemaker inspect " + d.Name, "geusemaker destroy " + d.Name}},
		},
	})
}
