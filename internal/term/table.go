package term

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Column describes one column of a table.
type Column struct {
	Name  string
	Right bool // aligned to the right, as amounts are
	// Drop is the column's place in the queue of those that are left out when the screen is too narrow: the highest goes
	// first, 0 never.
	Drop int
	// Min lets the column be cut down to this width; 0 means that it is shown in full, as what people copy must be.
	Min int
	// Paint colours a cell, for example Screen.Status.
	Paint func(Screen, string) string
}

// Row is one row of a table.
type Row struct {
	Cells []string
	// Problem is shown in red beneath the row.
	Problem string
	// Why is shown beneath the row, a line each: what explains it and is no failure.
	Why string
}

// Table is shown as aligned columns, the same on a terminal and on a pipe, where nothing is cut or left out. Columns in
// which every cell is empty are not shown.
type Table struct {
	Columns []Column
	Rows    []Row
	// Total is a last row that stands out.
	Total []string
	// Tree draws the first column, whose cells are keys such as "network/vpc", as groups with branches.
	Tree bool
}

// tableGap is the space between two columns.
const tableGap = 2

// Table renders a table. It ends with a line break, unless there are no rows.
func (s Screen) Table(t Table) string { return s.table(t, 0) }

func (s Screen) table(t Table, indent int) string {
	if len(t.Rows) == 0 {
		return ""
	}
	if s.Accessible {
		return s.sentences(t, indent)
	}
	g := newGrid(t)
	if s.Width > 0 {
		g.squeeze(s.Width - indent)
	}
	margin := strings.Repeat(" ", indent)
	var b strings.Builder
	line := func(cells []string, paint func(int, string) string) {
		b.WriteString(strings.TrimRight(margin+g.line(cells, paint), " ") + "\n")
	}
	if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name != "" }) {
		names := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i] = c.Name
		}
		line(names, func(_ int, cell string) string { return s.Dim(cell) })
	}
	for _, r := range g.rows {
		line(r.Cells, func(i int, cell string) string {
			if paint := t.Columns[i].Paint; paint != nil {
				return paint(s, cell)
			}
			return cell
		})
		b.WriteString(s.problem(r.Problem, indent+tableGap) + s.why(r.Why, indent+tableGap))
	}
	if t.Total != nil {
		line(g.total, func(_ int, cell string) string { return s.Bold(cell) })
	}
	return b.String()
}

// problem is the reason of a failure beneath what failed.
func (s Screen) problem(text string, indent int) string {
	if text == "" {
		return ""
	}
	width := s.Width
	if width > 0 {
		width = max(width-indent-2, 20)
	}
	var b strings.Builder
	mark := s.sign("✗ ", "problem: ")
	for _, l := range wrap(text, width) {
		b.WriteString(strings.Repeat(" ", indent) + s.Red(mark+l) + "\n")
		mark = "  "
	}
	return b.String()
}

// sentences tells a table row by row, each cell after the name of its column, for those who cannot see what stands above
// what.
func (s Screen) sentences(t Table, indent int) string {
	margin := strings.Repeat(" ", indent)
	var b strings.Builder
	say := func(cells []string) {
		var parts []string
		for i, cell := range cleaned(cells, len(t.Columns)) {
			if cell != "" {
				parts = append(parts, joined(" ", strings.ToLower(t.Columns[i].Name), cell))
			}
		}
		if len(parts) > 0 {
			b.WriteString(margin + strings.Join(parts, ", ") + "\n")
		}
	}
	for _, r := range t.Rows {
		say(r.Cells)
		b.WriteString(s.problem(r.Problem, indent) + s.why(r.Why, indent))
	}
	say(t.Total)
	return b.String()
}

// why is the explanation beneath what it explains.
func (s Screen) why(text string, indent int) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	for one := range strings.SplitSeq(text, "\n") {
		mark := s.sign("- ", "reason: ")
		for _, l := range wrap(one, s.room(indent+len(mark))) {
			b.WriteString(strings.Repeat(" ", indent) + s.Dim(mark+l) + "\n")
			mark = strings.Repeat(" ", len(mark))
		}
	}
	return b.String()
}

// grid is a table while it is laid out.
type grid struct {
	columns []Column
	rows    []Row
	total   []string
	shown   []int // indices of the columns that are shown
	widths  []int // of all columns
}

func newGrid(t Table) *grid {
	g := &grid{columns: t.Columns, widths: make([]int, len(t.Columns)), total: cleaned(t.Total, len(t.Columns))}
	for _, r := range t.Rows {
		g.rows = append(g.rows, Row{Cells: cleaned(r.Cells, len(t.Columns)), Problem: r.Problem, Why: r.Why})
	}
	if t.Tree {
		g.rows = branches(g.rows)
	}
	for i, c := range t.Columns {
		empty := true
		for _, r := range g.rows {
			empty = empty && r.Cells[i] == ""
			g.widths[i] = max(g.widths[i], ansi.StringWidth(r.Cells[i]))
		}
		g.widths[i] = max(g.widths[i], ansi.StringWidth(c.Name), ansi.StringWidth(g.total[i]))
		if !empty {
			g.shown = append(g.shown, i)
		}
	}
	return g
}

// cleaned returns the cells as safe single lines, n in number.
func cleaned(cells []string, n int) []string {
	all := make([]string, n)
	for i, c := range cells[:min(n, len(cells))] {
		all[i] = oneLine(c)
	}
	return all
}

// branches turns keys into a tree, in which each group appears where its first member stood.
func branches(rows []Row) []Row {
	var groups []string
	members := map[string][]Row{}
	for _, r := range rows {
		group, name, ok := strings.Cut(r.Cells[0], "/")
		if !ok {
			group, name = "", r.Cells[0]
		}
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
		r.Cells[0] = name
		members[group] = append(members[group], r)
	}
	var tree []Row
	for _, group := range groups {
		if group == "" {
			tree = append(tree, members[group]...)
			continue
		}
		heading := make([]string, len(members[group][0].Cells))
		heading[0] = group
		tree = append(tree, Row{Cells: heading})
		for i, r := range members[group] {
			branch := "├─ "
			if i == len(members[group])-1 {
				branch = "└─ "
			}
			r.Cells[0] = branch + r.Cells[0]
			tree = append(tree, r)
		}
	}
	return tree
}

// squeeze makes the table fit: first the columns that can be spared go, then the widest of those that can be cut shrink.
func (g *grid) squeeze(width int) {
	for g.sum(func(i int) int { return g.least(i) }) > width {
		last := -1
		for _, i := range g.shown {
			if d := g.columns[i].Drop; d > 0 && (last < 0 || d >= g.columns[last].Drop) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		g.shown = slices.DeleteFunc(g.shown, func(i int) bool { return i == last })
	}
	for g.sum(func(i int) int { return g.widths[i] }) > width {
		widest := -1
		for _, i := range g.shown {
			if g.widths[i] > g.least(i) && (widest < 0 || g.widths[i] > g.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		g.widths[widest]--
	}
}

// least is the smallest width that a column can have.
func (g *grid) least(i int) int {
	if m := g.columns[i].Min; m > 0 {
		return min(m, g.widths[i])
	}
	return g.widths[i]
}

func (g *grid) sum(width func(int) int) int {
	n := tableGap * max(0, len(g.shown)-1)
	for _, i := range g.shown {
		n += width(i)
	}
	return n
}

func (g *grid) line(cells []string, paint func(int, string) string) string {
	var b strings.Builder
	for n, i := range g.shown {
		if n > 0 {
			b.WriteString(strings.Repeat(" ", tableGap))
		}
		cell := cut(cells[i], g.widths[i])
		gap := strings.Repeat(" ", max(0, g.widths[i]-ansi.StringWidth(cell)))
		if g.columns[i].Right {
			b.WriteString(gap + paint(i, cell))
		} else {
			b.WriteString(paint(i, cell) + gap)
		}
	}
	return b.String()
}
