package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/stack"
)

// logDoc is what `logs` prints.
type logDoc struct {
	Name     string           `json:"name"`
	Service  string           `json:"service"`  // boot, or a service
	Source   string           `json:"source"`   // machine, cloud-init, console or kept
	Complete *bool            `json:"complete"` // of the boot; null where the machine was not asked
	Failed   *bool            `json:"failed"`
	Steps    []stack.BootStep `json:"steps"`
	Lines    []logLine        `json:"lines"`
}

// logLine is one line of a log. With --follow and -o json it is an object of its own, with the name of the deployment and of
// the service.
type logLine struct {
	Name    string `json:"name,omitempty"`
	Service string `json:"service,omitempty"`
	Time    string `json:"time"` // RFC 3339, or "" where the line does not tell
	Text    string `json:"text"`
}

// logSheet takes the pieces of a log, puts lines together again, chooses those that were asked for, and shows them: at once,
// or at the end where a whole document is wanted.
type logSheet struct {
	*app
	name   string
	follow bool
	part   compute.LogRange

	doc      logDoc
	rest     string    // of a line whose end has not come yet
	skipLine bool      // the first line has no beginning
	clock    time.Time // that the lines have told last; zero before the first
	asOf     time.Time // the machine's time, by which ages count
	backlog  []logLine // what is held back until the end is reached, since only the last lines are wanted
	live     bool      // the end was reached once
	shown    bool      // something was shown
}

// begin starts another log.
func (s *logSheet) begin(service, source string) {
	if s.doc.Service != service {
		s.clock, s.live = time.Time{}, false
	}
	s.doc.Name, s.doc.Service, s.doc.Source = s.name, service, source
	s.rest, s.skipLine, s.backlog = "", false, nil
}

// booted notes how far the boot is.
func (s *logSheet) booted(r stack.Report) {
	s.doc.Complete, s.doc.Failed, s.doc.Steps = new(r.Complete), new(r.Failed), r.Steps
	if s.asOf.IsZero() {
		s.asOf = r.Time
	}
}

// write takes the next piece, which may end within a line.
func (s *logSheet) write(piece string) error {
	s.rest += piece
	for {
		line, after, found := strings.Cut(s.rest, "\n")
		if !found {
			return nil
		}
		s.rest = after
		if err := s.line(strings.TrimSuffix(line, "\r")); err != nil {
			return err
		}
	}
}

// line takes one whole line.
func (s *logSheet) line(text string) error {
	if s.skipLine {
		s.skipLine = false
		return nil
	}
	at, words := stamp(text)
	if !at.IsZero() {
		s.clock = at
	}
	if !s.recent() {
		return nil
	}
	one := logLine{Text: text}
	if !at.IsZero() {
		one.Time = at.UTC().Format(time.RFC3339Nano)
		if s.doc.Service != bootSource {
			one.Text = words
		}
	}
	if s.part.Tail >= 0 && !s.live {
		s.backlog = append(s.backlog, one)
		if over := len(s.backlog) - s.part.Tail; over > 0 {
			s.backlog = slices.Delete(s.backlog, 0, over)
		}
		return nil
	}
	return s.show(one)
}

// recent reports whether what is written now is young enough. Docker has chosen by age already; the boot log tells the time
// at the beginning of each step only, and its lines are as old as the last time before them.
func (s *logSheet) recent() bool {
	if s.part.Since == 0 || s.doc.Service != bootSource || s.asOf.IsZero() {
		return true
	}
	return !s.clock.IsZero() && s.asOf.Sub(s.clock) <= s.part.Since
}

// stamp reads the time at the beginning of a line, if there is one, and returns the rest.
func stamp(line string) (time.Time, string) {
	first, rest, _ := strings.Cut(line, " ")
	if len(first) < len("2006-01-02T15:04:05Z") || first[0] < '0' || first[0] > '9' {
		return time.Time{}, line
	}
	at, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return time.Time{}, line
	}
	return at, rest
}

// lacks reports whether fewer lines were read than are wanted.
func (s *logSheet) lacks() bool { return !s.live && len(s.backlog) < s.part.Tail }

// caughtUp says that all that is there has been read: what was held back is shown.
func (s *logSheet) caughtUp() error {
	s.live = true
	held := s.backlog
	s.backlog = nil
	for _, one := range held {
		if err := s.show(one); err != nil {
			return err
		}
	}
	return nil
}

// show shows a line, or keeps it for the document.
func (s *logSheet) show(one logLine) error {
	s.shown = true
	var err error
	switch {
	case s.global.output == outputTable:
		text := one.Text
		if s.doc.Service != bootSource && one.Time != "" {
			text = one.Time[:len("2006-01-02T15:04:05")] + "Z " + text
		}
		_, err = fmt.Fprintln(s.streams.Out, s.streams.OutScreen().LogLine(text))
	case s.follow:
		one.Name, one.Service = s.name, s.doc.Service
		enc := json.NewEncoder(s.streams.Out)
		enc.SetEscapeHTML(false)
		err = enc.Encode(one)
	default:
		s.doc.Lines = append(s.doc.Lines, one)
	}
	return err
}

// flush shows what was read but not shown yet: the last line may have no end.
func (s *logSheet) flush() error {
	if s.rest != "" {
		if err := s.write("\n"); err != nil {
			return err
		}
	}
	return s.caughtUp()
}

// close ends the sheet and prints the document, where one is wanted.
func (s *logSheet) close() error {
	if err := s.flush(); err != nil {
		return err
	}
	if s.global.output == outputTable || s.follow || s.doc.Service == "" {
		return nil
	}
	s.doc.Steps, s.doc.Lines = orEmpty(s.doc.Steps), orEmpty(s.doc.Lines)
	return s.print(s.doc, func() string { return "" })
}
