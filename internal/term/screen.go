package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Screen is what a view must know of the place where it is shown.
type Screen struct {
	// Width is the number of columns; 0 means that lines may be as long as they need.
	Width int
	// Color allows colour and weight. Without it a view holds no escape sequence at all.
	Color bool
	// Accessible is for a screen reader: a row of a table is a sentence, words stand for signs, and nothing is cut.
	Accessible bool
}

// sign is a sign for the eye, or a word in its place.
func (s Screen) sign(sign, word string) string {
	if s.Accessible {
		return word
	}
	return sign
}

// Arrow stands before the next step that is proposed.
func (s Screen) Arrow() string { return s.sign("→ ", "next: ") }

func (s Screen) paint(attr ansi.Attr, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return ansi.NewStyle(attr).Styled(text)
}

// Bold is for headings.
func (s Screen) Bold(text string) string { return s.paint(ansi.AttrBold, text) }

// Dim is for what need not be read.
func (s Screen) Dim(text string) string { return s.paint(ansi.AttrFaint, text) }

// Red is for what failed.
func (s Screen) Red(text string) string { return s.paint(ansi.AttrRedForegroundColor, text) }

// Green is for what is well.
func (s Screen) Green(text string) string { return s.paint(ansi.AttrGreenForegroundColor, text) }

// Yellow is for what deserves a look.
func (s Screen) Yellow(text string) string { return s.paint(ansi.AttrYellowForegroundColor, text) }

// Cyan is for what is under way.
func (s Screen) Cyan(text string) string { return s.paint(ansi.AttrCyanForegroundColor, text) }

// Status colours a text by its first word: the status of a deployment, a resource, a service or a machine. Unknown words
// stay as they are.
func (s Screen) Status(text string) string {
	word, _, _ := strings.Cut(text, " ")
	switch word {
	case "running", "healthy", "ready", "done", "ok":
		return s.Green(text)
	case "deploying", "destroying", "degraded", "interrupted", "starting", "pending", "created", "deleting", "warning":
		return s.Yellow(text)
	case "failed", "unhealthy", "unreachable", "damaged", "error":
		return s.Red(text)
	case "stopped", "unknown":
		return s.Dim(text)
	default:
		return text
	}
}

// Heading is the first line of a view: a title, a status if there is one, and a mark when all of it is pretended.
func (s Screen) Heading(title, status string, sandbox bool) string {
	title, status = oneLine(title), oneLine(status)
	line := joined("  ", s.Bold(title), s.Status(status))
	if !sandbox {
		return line + "\n"
	}
	mark := "[sandbox: nothing here is real or billed]"
	gap := "  "
	if s.Width > 0 && ansi.StringWidth(line)+len(gap)+len(mark) > s.Width {
		mark = "[sandbox]"
	}
	if s.Width > 0 && ansi.StringWidth(line)+len(gap)+len(mark) > s.Width {
		gap = "\n"
	}
	return line + gap + s.Yellow(mark) + "\n"
}
