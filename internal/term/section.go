package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Section is a titled part of a view. Of its contents any may be empty; a section without any is not shown.
type Section struct {
	Title string
	// Pairs are names and values. Those without a value are not shown; a status, state or health is coloured.
	Pairs [][2]string
	Table *Table
	// Lines are shown as they are, however long, so that commands and addresses can be copied.
	Lines []string
	// Notes are sentences that explain, wrapped to the width.
	Notes []string
}

// sectionIndent is how far the contents of a section stand to the right of its title.
const sectionIndent = 2

// Sections renders the sections with an empty line between them.
func (s Screen) Sections(sections ...Section) string {
	var parts []string
	for _, section := range sections {
		if text := s.section(section); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n")
}

func (s Screen) section(section Section) string {
	indent := 0
	if section.Title != "" {
		indent = sectionIndent
	}
	var body strings.Builder
	body.WriteString(s.pairs(section.Pairs, indent))
	if section.Table != nil {
		body.WriteString(s.table(*section.Table, indent))
	}
	margin := strings.Repeat(" ", indent)
	for _, l := range section.Lines {
		blanks := len(l) - len(strings.TrimLeft(l, " ")) // which say in YAML what belongs to what
		body.WriteString(margin + l[:blanks] + oneLine(l) + "\n")
	}
	for _, note := range section.Notes {
		for _, l := range wrap(note, s.room(indent)) {
			body.WriteString(margin + s.Dim(l) + "\n")
		}
	}
	if body.Len() == 0 || section.Title == "" {
		return body.String()
	}
	return s.Bold(oneLine(section.Title)) + "\n" + body.String()
}

// room is the width that is left to the right of an indentation; 0 when there is no limit.
func (s Screen) room(indent int) int {
	if s.Width == 0 {
		return 0
	}
	return max(s.Width-indent, 20)
}

// pairs renders names and values in two columns.
func (s Screen) pairs(pairs [][2]string, indent int) string {
	width := 0
	for _, p := range pairs {
		if strings.TrimSpace(p[1]) != "" {
			width = max(width, ansi.StringWidth(oneLine(p[0])))
		}
	}
	var b strings.Builder
	for _, p := range pairs {
		if strings.TrimSpace(p[1]) == "" {
			continue
		}
		name := oneLine(p[0])
		label := pad(name, width)
		for _, l := range wrap(p[1], s.room(indent+width+tableGap)) {
			switch name {
			case "status", "state", "health":
				l = s.Status(l)
			}
			b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+s.Dim(label)+strings.Repeat(" ", tableGap)+l, " ") + "\n")
			label = strings.Repeat(" ", width)
		}
	}
	return b.String()
}

// Warnings renders what deserves a look, each under its own mark.
func (s Screen) Warnings(warnings []string) string {
	var b strings.Builder
	const mark = "warning: "
	for _, w := range warnings {
		prefix := s.Yellow(mark)
		for _, l := range wrap(w, s.room(len(mark))) {
			b.WriteString(prefix + l + "\n")
			prefix = strings.Repeat(" ", len(mark))
		}
	}
	return b.String()
}

// blocks puts the parts of a view that are not empty together, with an empty line between them.
func blocks(parts ...string) string { return joined("\n", parts...) }
