package term

import "strings"

// ErrorView shows what went wrong, then what is known of it, then what to do about it.
func ErrorView(s Screen, message string, hints []string, details [][2]string) string {
	const mark = "error: "
	arrow := s.sign("  → ", "next: ")
	var b strings.Builder
	prefix := s.Red(mark)
	for _, l := range wrap(message, s.room(len(mark))) {
		b.WriteString(prefix + l + "\n")
		prefix = strings.Repeat(" ", len(mark))
	}
	b.WriteString(s.pairs(details, len(mark)))
	for _, hint := range hints {
		prefix := s.Cyan(arrow)
		for _, l := range wrap(hint, s.room(4)) {
			b.WriteString(prefix + l + "\n")
			prefix = strings.Repeat(" ", 4)
		}
	}
	return b.String()
}
