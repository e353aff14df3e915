package term

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Question is one question of several: with numbered answers, or with a text to be typed.
type Question struct {
	Heading string // where in the row of questions it stands: "3 of 8: access"
	Text    string
	Explain string // what is said on ?
	Options []Option
	// Free lets an answer be typed that is none of the options.
	Free bool
	// Default is the answer of an empty line; "" with Empty set is an answer, too.
	Default string
	Empty   bool
	// Footer stands beneath: what is known so far.
	Footer string
	// First says that there is nothing to go back to.
	First bool
}

// Option is one answer that can be chosen by its number.
type Option struct {
	Value string
	Label string // what is shown of it; Value when empty
	About string
	// Unfit says why it cannot be chosen; it is then shown without a number.
	Unfit string
}

func (o Option) label() string {
	if o.Label != "" {
		return o.Label
	}
	return o.Value
}

// The ways to leave a question without an answer.
var (
	// ErrBack says that the question before is wanted again.
	ErrBack = errors.New("back")
	// ErrStop says that nothing more is wanted.
	ErrStop = fmt.Errorf("stopped: %w", ErrCancelled)
)

// Interviewer asks questions in a row. It is a Prompter, too: there can be only one reader of what is typed.
type Interviewer interface {
	Prompter
	// Ask returns the answer, ErrBack, ErrStop, or what Prompter's questions return.
	Ask(ctx context.Context, q Question) (string, error)
	// Say tells something between two questions.
	Say(text string)
}

// NewInterviewer asks as NewPrompter does, line by line: it needs no cursor, so it is the same on every terminal, in a
// recording and for a screen reader.
func NewInterviewer(s *Streams) Interviewer { return &linePrompter{streams: s} }

func (p *linePrompter) Say(text string) { p.say(text) }

func (p *linePrompter) Ask(ctx context.Context, q Question) (string, error) {
	screen := p.streams.ErrScreen()
	p.say("\n" + screen.question(q))
	for {
		typed, err := p.ask(ctx, q.prompt(screen))
		if err != nil {
			return "", err
		}
		switch strings.ToLower(typed) {
		case "?", "help":
			p.say(screen.explained(q))
			continue
		case "b", "back":
			if q.First {
				p.say("this is the first question\n")
				continue
			}
			return "", ErrBack
		case "q", "quit":
			return "", ErrStop
		}
		answer, problem := q.read(typed)
		if problem == "" {
			return answer, nil
		}
		p.say(screen.Paragraph(problem))
	}
}

// Paragraph is a text in lines that fit the screen, broken between words.
func (s Screen) Paragraph(text string) string { return strings.Join(wrap(text, s.Width), "\n") + "\n" }

// read is what a typed line answers, or what is wrong with it.
func (q Question) read(typed string) (answer, problem string) {
	if typed == "" {
		if q.Default == "" && !q.Empty {
			return "", "please answer; ? explains, q quits"
		}
		return q.Default, ""
	}
	if n, err := strconv.Atoi(typed); err == nil && len(q.Options) > 0 && (!q.Free || n <= len(q.choosable())) {
		if n >= 1 && n <= len(q.choosable()) {
			return q.choosable()[n-1].Value, ""
		}
		return "", "please choose " + q.numbers()
	}
	for _, o := range q.Options {
		if !strings.EqualFold(typed, o.Value) {
			continue
		}
		if o.Unfit != "" {
			return "", o.label() + " " + o.Unfit
		}
		return o.Value, ""
	}
	if q.Free || len(q.Options) == 0 {
		return typed, ""
	}
	return "", "please choose " + q.numbers()
}

// choosable are the options that have a number.
func (q Question) choosable() []Option {
	var all []Option
	for _, o := range q.Options {
		if o.Unfit == "" {
			all = append(all, o)
		}
	}
	return all
}

// prompt is the line on which the answer is typed.
func (q Question) prompt(s Screen) string {
	var ways []string
	if numbers := q.numbers(); numbers != "" {
		if q.Free {
			numbers += " or a value"
		}
		ways = append(ways, numbers)
	}
	if q.Default != "" || q.Empty {
		ways = append(ways, s.sign("Enter: ", "Enter alone means ")+q.usual())
	}
	ways = append(ways, "? explains")
	if !q.First {
		ways = append(ways, "b back")
	}
	ways = append(ways, "q quits")
	return strings.Join(ways, s.sign(" · ", "; ")) + s.sign(" > ", ": ")
}

// numbers are those that can be typed.
func (q Question) numbers() string {
	switch n := len(q.choosable()); n {
	case 0:
		return ""
	case 1:
		return "1"
	default:
		return fmt.Sprintf("1-%d", n)
	}
}

// usual is the answer of an empty line, as people call it.
func (q Question) usual() string {
	for _, o := range q.Options {
		if o.Value == q.Default {
			return o.label()
		}
	}
	if q.Default == "" {
		return "none"
	}
	return q.Default
}

// question is the question as it is shown, without the line for the answer.
func (s Screen) question(q Question) string {
	var b strings.Builder
	b.WriteString(s.Dim(oneLine(q.Heading)) + "\n")
	for _, l := range wrap(q.Text, s.Width) {
		b.WriteString(s.Bold(l) + "\n")
	}
	number := 0
	t := Table{Columns: []Column{{Right: true}, {}, {}}}
	for _, o := range q.Options {
		if o.Unfit != "" {
			t.Rows = append(t.Rows, Row{Cells: []string{s.sign("-", "not to be chosen"), o.label(), o.About}, Why: o.Unfit})
			continue
		}
		number++
		t.Rows = append(t.Rows, Row{Cells: []string{strconv.Itoa(number), o.label()}, Why: o.About})
	}
	b.WriteString(s.options(t))
	if q.Footer != "" {
		for _, l := range wrap(q.Footer, s.Width) {
			b.WriteString(s.Dim(l) + "\n")
		}
	}
	return b.String()
}

// options are the numbered answers, each with what it is about beside it where there is room, or else beneath.
func (s Screen) options(t Table) string {
	width := 0
	for _, r := range t.Rows {
		width = max(width, len([]rune(r.Cells[1])))
	}
	var b strings.Builder
	for _, r := range t.Rows {
		head := fmt.Sprintf("  %2s  %s", r.Cells[0], pad(oneLine(r.Cells[1]), min(width, optionWidth)))
		if s.Accessible {
			head = r.Cells[0] + ", " + oneLine(r.Cells[1])
		}
		indent := 2 + 2 + 2 + min(width, optionWidth) + 2
		lines := wrap(r.Why, s.room(indent))
		if s.Accessible {
			b.WriteString(strings.TrimRight(joined(": ", head, oneLine(r.Why)), " ") + "\n")
			continue
		}
		for i, l := range lines {
			if i == 0 && len([]rune(head)) <= indent-2 {
				b.WriteString(strings.TrimRight(head+"  "+s.Dim(l), " ") + "\n")
				continue
			}
			if i == 0 {
				b.WriteString(strings.TrimRight(head, " ") + "\n")
			}
			b.WriteString(strings.Repeat(" ", indent) + s.Dim(l) + "\n")
		}
	}
	return b.String()
}

// optionWidth is how wide the labels of options are at most before what they are about goes beneath.
const optionWidth = 24

// explained is the answer to ?.
func (s Screen) explained(q Question) string {
	var b strings.Builder
	for _, l := range wrap(q.Explain, s.Width) {
		b.WriteString(l + "\n")
	}
	return b.String()
}
