package term

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// clean removes escape sequences and control characters: much of what is shown was written by a machine or by a service,
// and must not be able to move the cursor or to rename the window. Line breaks stay, tabs become spaces.
func clean(s string) string {
	if strings.IndexFunc(s, hostile) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case hostile(r):
			return -1
		default:
			return r
		}
	}, ansi.Strip(s))
}

func hostile(r rune) bool {
	return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// oneLine is a cleaned text without line breaks.
func oneLine(s string) string {
	s = strings.TrimSpace(clean(s))
	if !strings.Contains(s, "\n") {
		return s
	}
	var parts []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// cut shortens a text to at most width columns, with … for what is gone.
func cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, "…")
}

// fitTail makes a key exactly width columns wide. What is cut is its beginning: keys differ at their ends.
func fitTail(s string, width int) string {
	if over := ansi.StringWidth(s) - width; over > 0 {
		s = ansi.TruncateLeft(s, over+1, "…")
	}
	return fit(s, width)
}

// fit makes a text exactly width columns wide.
func fit(s string, width int) string { return pad(cut(s, width), width) }

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

// wrap breaks a text into lines of at most width columns, between words only: an ID, an address or a command that is too
// long stays whole, so that it can be copied. A width of 0 keeps the lines as they are.
func wrap(s string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(clean(s)), "\n") {
		line = strings.TrimRight(line, " ")
		if width <= 0 || ansi.StringWidth(line) <= width {
			lines = append(lines, line)
			continue
		}
		var now string
		for word := range strings.FieldsSeq(line) {
			if now != "" && ansi.StringWidth(now)+1+ansi.StringWidth(word) > width {
				lines = append(lines, now)
				now = ""
			}
			if now != "" {
				now += " "
			}
			now += word
		}
		lines = append(lines, now)
	}
	return lines
}

// joined puts the texts that are not empty together.
func joined(sep string, texts ...string) string {
	var parts []string
	for _, t := range texts {
		if t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, sep)
}
