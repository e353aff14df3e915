package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// LogLine is a line that a machine or a service wrote, as it can be shown. A terminal gets nothing that could move its cursor
// or change its colours; a file or a pipe gets the line as it is.
func (s Screen) LogLine(line string) string {
	if s.Width == 0 && !s.Accessible {
		return line
	}
	return clean(line)
}

// Panel frames a long text of a machine under a title, so that it is told from what the tool itself says. Lines that are too
// long are broken, not cut. Where there is no terminal it is the text as it is.
func (s Screen) Panel(title, text string) string {
	text = strings.TrimRight(text, "\n")
	if s.Accessible {
		return oneLine(title) + ":\n" + clean(text) + "\n"
	}
	if s.Width == 0 {
		return text + "\n"
	}
	room := max(s.Width-2, 20)
	var b strings.Builder
	top := "┌ " + cut(oneLine(title), room-2) + " "
	b.WriteString(s.Dim(top+strings.Repeat("─", max(0, room-ansi.StringWidth(top)))) + "\n")
	for line := range strings.SplitSeq(ansi.Hardwrap(clean(text), room-2, true), "\n") {
		b.WriteString(s.Dim("│ ") + line + "\n")
	}
	b.WriteString(s.Dim("└"+strings.Repeat("─", room-1)) + "\n")
	return b.String()
}
