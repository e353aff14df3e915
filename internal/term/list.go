package term

// ListRow is one deployment in a list, in words.
type ListRow struct {
	Name, Status, Region, Machine, URL, Age, ToDate, Monthly string
	Error                                                    string // why it failed, shown beneath
	Sandbox                                                  bool
}

// ListView shows deployments. When there are none it teaches the first steps.
func ListView(s Screen, rows []ListRow) string {
	if len(rows) == 0 {
		return firstSteps(s)
	}
	t := Table{Columns: []Column{
		{Name: "NAME", Min: 12},
		{Name: "STATUS", Paint: Screen.Status},
		{Name: "REGION", Drop: 4},
		{Name: "MACHINE", Drop: 5, Min: 10},
		{Name: "URL", Drop: 2},
		{Name: "AGE", Right: true, Drop: 3},
		{Name: "TO DATE", Right: true, Drop: 6},
		{Name: "MONTHLY", Right: true, Drop: 1},
	}}
	for _, r := range rows {
		name := r.Name
		if r.Sandbox {
			name += " (sandbox)"
		}
		t.Rows = append(t.Rows, Row{
			Cells:   []string{name, r.Status, r.Region, r.Machine, r.URL, r.Age, r.ToDate, r.Monthly},
			Problem: r.Error,
		})
	}
	return s.Table(t)
}

// firstSteps is what somebody needs who has just installed the tool.
func firstSteps(s Screen) string {
	return "No deployments yet.\n\n" + s.Sections(
		Section{Title: "Try it in a pretend account: no AWS, no cost", Lines: []string{"geusemaker deploy demo --sandbox"}},
		Section{Title: "See what a real one would create and what it would cost", Lines: []string{"geusemaker plan demo"}},
		Section{Title: "Deploy it", Lines: []string{"geusemaker deploy demo"}},
	)
}
