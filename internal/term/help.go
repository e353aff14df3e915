package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// narrowest is the least room that an explanation gets beside its word; with less it goes beneath.
const narrowest = 30

// Help lays a text of help out within the width: a paragraph with a line too long is broken anew, an explanation is continued
// in its own column, and what is to be typed, under Usage and Examples, stays whole so that it can be copied.
func (s Screen) Help(text string) string {
	if s.Width == 0 {
		return text
	}
	var out, paragraph []string
	typed := false
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" && !strings.HasPrefix(line, " ") {
			paragraph = append(paragraph, line)
			typed = line == "Usage:" || line == "Examples:"
			continue
		}
		out = append(out, s.paragraph(paragraph)...)
		paragraph = nil
		if typed {
			out = append(out, line)
		} else {
			out = append(out, s.entry(line)...)
		}
	}
	return strings.Join(append(out, s.paragraph(paragraph)...), "\n") + "\n"
}

func (s Screen) paragraph(lines []string) []string {
	for _, l := range lines {
		if ansi.StringWidth(l) > s.Width {
			return wrap(strings.Join(lines, " "), s.Width)
		}
	}
	return lines
}

// entry is an indented line: a word and what explains it, as a rule with a wide gap between them.
func (s Screen) entry(line string) []string {
	if ansi.StringWidth(line) <= s.Width {
		return []string{line}
	}
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	word, rest, apart := strings.Cut(body, "  ")
	if !apart {
		word, rest, _ = strings.Cut(body, " ")
	}
	text := strings.TrimLeft(rest, " ")
	head := strings.TrimSuffix(line, text)
	var lines []string
	if s.Width-ansi.StringWidth(head) < narrowest {
		lines = []string{indent + word}
		head = indent + strings.Repeat(" ", 2*tableGap)
	}
	margin := ansi.StringWidth(head)
	for _, l := range wrap(text, s.room(margin)) {
		lines = append(lines, head+l)
		head = strings.Repeat(" ", margin)
	}
	return lines
}
