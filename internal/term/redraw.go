package term

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Redraw returns what puts a page into the place of the one before, without flicker: the cursor goes to the corner, each
// line clears what is left of the old one, and what is below goes (ECMA-48, CUP, EL and ED). The first page clears the screen.
func Redraw(page string, first bool) string {
	const corner, restOfLine, rest, all = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[2J"
	start := corner
	if first {
		start = all + corner
	}
	return start + strings.ReplaceAll(page, "\n", restOfLine+"\n") + rest
}

// Fit cuts a page that is to be drawn again to the window of Out, and says how many lines are left out. A page that is taller
// would scroll at each drawing. The line on which the cursor rests has to fit too.
func (s *Streams) Fit(page string) string {
	width, height := s.outSize()
	return firstRows(page, width, max(height-1, 1))
}

// firstRows takes so many rows of a page as the window has, which wraps what is wider.
func firstRows(page string, width, height int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(page, "\n"), "\n")
	taken := make([]int, len(lines)+1) // rows up to each line
	for i, line := range lines {
		taken[i+1] = taken[i] + max(1, (ansi.StringWidth(strings.TrimSuffix(line, "\n"))+width-1)/width)
	}
	if taken[len(lines)] <= height {
		return page
	}
	shown := len(lines)
	for shown > 0 && taken[shown] > height-1 { // a row for what is said of the others
		shown--
	}
	return strings.Join(lines[:shown], "") + ansi.Truncate(fmt.Sprintf("… %d more lines; a taller window shows them", len(lines)-shown), width, "") + "\n"
}
