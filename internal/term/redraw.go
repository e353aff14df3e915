package term

import "strings"

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
