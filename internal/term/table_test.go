package term

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

var people = Table{
	Columns: []Column{
		{Name: "NAME", Min: 6}, {Name: "ID"}, {Name: "NOTE", Min: 5, Drop: 1}, {Name: "AGE", Right: true, Drop: 2}, {Name: "EMPTY"},
	},
	Rows: []Row{
		{Cells: []string{"short", "i-0a", "plain", "5m"}},
		{Cells: []string{"a-rather-long-name", "i-0abcdef", "長い名前のノート", "120d"}, Problem: "it failed because of a reason that is told at some length"},
	},
}

func TestTable(t *testing.T) {
	for width, want := range map[int]string{
		0: `
NAME                ID         NOTE               AGE
short               i-0a       plain               5m
a-rather-long-name  i-0abcdef  長い名前のノート  120d
  ✗ it failed because of a reason that is told at some length
`,
		40: `
NAME        ID         NOTE          AGE
short       i-0a       plain          5m
a-rather-…  i-0abcdef  長い名前の…  120d
  ✗ it failed because of a reason that
    is told at some length
`,
		26: `
NAME    ID         NOTE
short   i-0a       plain
a-rat…  i-0abcdef  長い名…
  ✗ it failed because of a
    reason that is told at
    some length
`,
		18: `
NAME     ID
short    i-0a
a-rath…  i-0abcdef
  ✗ it failed because of
    a reason that is
    told at some length
`,
	} {
		if got := (Screen{Width: width}).Table(people); got != want[1:] {
			t.Errorf("at %d:\n%s\nwant:%s", width, got, want)
		}
	}
}

// With colour a table takes the same room: escape sequences are not counted.
func TestColourDoesNotMoveColumns(t *testing.T) {
	table := people
	table.Columns = append([]Column{}, people.Columns...)
	table.Columns[0].Paint = func(s Screen, cell string) string { return s.Red(cell) }
	for _, width := range []int{0, 26, 40, 80} {
		plain := (Screen{Width: width}).Table(table)
		colour := (Screen{Width: width, Color: true}).Table(table)
		if !strings.Contains(colour, "\x1b[31m") {
			t.Errorf("no colour at %d", width)
		}
		if got := ansi.Strip(colour); trimLines(got) != plain {
			t.Errorf("at %d:\n%s\nwant:\n%s", width, got, plain)
		}
	}
}

func trimLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

// A table fits whenever its columns that are never cut fit.
func TestTableFitsAnyWidth(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		table := Table{Columns: []Column{{Name: "KEEP"}}}
		for i := range random.IntN(6) {
			table.Columns = append(table.Columns, Column{Name: fmt.Sprint("C", i), Right: random.IntN(2) == 0, Drop: 1 + random.IntN(3), Min: random.IntN(6)})
		}
		for range 1 + random.IntN(5) {
			var cells []string
			for range table.Columns {
				cells = append(cells, strings.Repeat("長x", random.IntN(8)))
			}
			table.Rows = append(table.Rows, Row{Cells: cells})
		}
		width := 25 + random.IntN(60)
		fits(t, (Screen{Width: width}).Table(table), width)
	}
}

func TestTreeGroupsKeys(t *testing.T) {
	got := (Screen{}).Table(Table{Tree: true, Columns: []Column{{Name: "RESOURCE"}, {Name: "ID"}}, Rows: []Row{
		{Cells: []string{"network/vpc", "vpc-1"}},
		{Cells: []string{"storage/files", "fs-1"}},
		{Cells: []string{"network/gateway", "igw-1"}, Problem: "gone"},
		{Cells: []string{"alone", "x-1"}},
	}})
	const want = `RESOURCE    ID
network
├─ vpc      vpc-1
└─ gateway  igw-1
  ✗ gone
storage
└─ files    fs-1
alone       x-1
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// What explains a row stands beneath it, a line each, in words for a screen reader.
func TestWhyStandsBeneathItsRow(t *testing.T) {
	table := Table{
		Columns: []Column{{Name: "FIT"}, {Name: "NAME"}},
		Rows:    []Row{{Cells: []string{"yes", "office"}}, {Cells: []string{"no", "lab"}, Why: "has no way out of the building\nis full"}},
	}
	want := "FIT  NAME\nyes  office\nno   lab\n  - has no way out of\n    the building\n  - is full\n"
	if got := (Screen{Width: 24}).Table(table); got != want {
		t.Errorf("got\n%s", got)
	}
	want = "fit yes, name office\nfit no, name lab\nreason: has no way out of the building\nreason: is full\n"
	if got := (Screen{Accessible: true}).Table(table); got != want {
		t.Errorf("for a screen reader\n%s", got)
	}
}
