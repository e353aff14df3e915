package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// narrowest is the least room that an explanation gets beside its word; with less it goes beneath.
const narrowest = 30

// Help lays a text of help out within the width: a paragraph with a line too long is broken anew, an explanation is continued
// in its own column, and an indented line without one, such as an example, stays whole so that it can be copied.
func (s Screen) Help(text string) string {
	if s.Width == 0 {
		return text
	}
	var out strings.Builder
	var paragraph []string
	flush := func() {
		for _, l := range s.paragraph(paragraph) {
			out.WriteString(l + "\n")
		}
		paragraph = nil
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" && !strings.HasPrefix(line, " ") {
			paragraph = append(paragraph, line)
			continue
		}
		flush()
		for _, l := range s.entry(line) {
			out.WriteString(l + "\n")
		}
	}
	flush()
	return out.String()
}

func (s Screen) paragraph(lines []string) []string {
	for _, l := range lines {
		if ansi.StringWidth(l) > s.Width {
			return wrap(strings.Join(lines, " "), s.Width)
		}
	}
	return lines
}

// entry is an indented line: a word, a wide gap, and what explains the word.
func (s Screen) entry(line string) []string {
	body := strings.TrimLeft(line, " ")
	word, rest, explained := strings.Cut(body, "  ")
	if !explained || ansi.StringWidth(line) <= s.Width {
		return []string{line}
	}
	text := strings.TrimLeft(rest, " ")
	indent, head := len(line)-len(body), strings.TrimSuffix(line, text)
	var lines []string
	margin := ansi.StringWidth(head)
	if s.Width-margin < narrowest {
		margin = indent + 2*tableGap
		lines, head = append(lines, line[:indent]+word), strings.Repeat(" ", margin)
	}
	for _, l := range wrap(text, s.room(margin)) {
		lines = append(lines, head+l)
		head = strings.Repeat(" ", margin)
	}
	return lines
}
