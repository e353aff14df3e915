package term

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// summary is what stays when an operation has ended: how it ended, every failure with its reason and what was tried
// before, and what was not done. The lines may be longer than the screen is wide; it wraps them.
func (b *board) summary(s Screen, now time.Time) []string {
	n := b.count()
	symbol := s.Green("✓")
	switch {
	case n[failed] > 0, b.broken:
		symbol = s.Red("✗")
	case n[running]+n[pending]+n[skipped] > 0:
		symbol = s.Yellow("!")
	}
	name := s.Bold(b.title)
	if b.sandbox {
		name += s.Yellow(" [sandbox]")
	}
	took := Duration(now.Sub(b.start))
	lines := []string{symbol + " " + joined(" · ", name, b.counted(), took)}
	if s.Width > 0 && ansi.StringWidth(lines[0]) > s.Width {
		lines = []string{symbol + " " + joined(" · ", name, took)}
		for _, l := range wrap(b.counted(), s.room(2)) {
			lines = append(lines, "  "+l)
		}
	}
	for _, r := range b.in(failed) {
		lines = append(lines, "  "+s.Red("✗ "+r.key)+"  "+joined(" ", r.id, Duration(r.took)))
		for _, l := range wrap(r.problem, s.room(4)) {
			lines = append(lines, "    "+l)
		}
		for _, t := range r.tried {
			lines = append(lines, "    "+s.Dim("before: "+t))
		}
	}
	for _, r := range b.in(running) {
		lines = append(lines, "  "+s.Yellow("! "+r.key)+"  "+joined(" ", "unfinished:", b.state(r)))
	}
	var missed []string
	for _, r := range b.in(skipped) {
		missed = append(missed, r.key)
	}
	if len(missed) > 0 {
		mark := "– skipped: "
		for _, l := range wrap(strings.Join(missed, ", "), s.room(2+len("- skipped: "))) {
			lines = append(lines, "  "+s.Dim(mark+l))
			mark = strings.Repeat(" ", len("- skipped: "))
		}
	}
	return lines
}
