package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Check is something that was looked at, and what was found.
type Check struct {
	Status string // ok, warning or error
	Name   string
	Found  string
	Next   string // what to do about it
}

// Checks renders checks, one below the other, with what to do about them. Of several in a row that ask for the same, the last
// one says it.
func (s Screen) Checks(checks []Check) string {
	statuses, names := 0, 0
	for _, c := range checks {
		statuses, names = max(statuses, ansi.StringWidth(c.Status)), max(names, ansi.StringWidth(oneLine(c.Name)))
	}
	margin := strings.Repeat(" ", statuses+names+2*tableGap)
	gap := strings.Repeat(" ", tableGap)
	if s.Accessible {
		statuses, names, margin, gap = 0, 0, "", " "
	}
	var b strings.Builder
	for i, c := range checks {
		head := s.Status(c.Status) + pad("", statuses-len(c.Status)) + gap + pad(oneLine(c.Name), names) + gap
		for _, l := range wrap(c.Found, s.room(len(margin))) {
			b.WriteString(head + l + "\n")
			head = margin
		}
		if c.Next == "" || i+1 < len(checks) && checks[i+1].Next == c.Next {
			continue
		}
		for _, l := range wrap(s.Arrow()+c.Next, s.room(len(margin))) {
			b.WriteString(margin + l + "\n")
		}
	}
	return b.String()
}
