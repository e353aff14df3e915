package term

import (
	"errors"
	"strings"
	"testing"
)

func colours() Question {
	return Question{
		Heading: "2 of 3: colour", Text: "Which colour?", Explain: "It shows on the door.", Default: "red", Footer: "So far: $1",
		Options: []Option{{Value: "red", About: "as fire"}, {Value: "", Label: "no colour"}, {Value: "grey", Unfit: "is sold out"}, {Value: "blue", About: "as the sea"}},
	}
}

func TestAQuestionTakesNumbersAndValues(t *testing.T) {
	for _, c := range []struct {
		input  string
		change func(*Question)
		want   string
		err    error
		said   string
	}{
		{input: "\n", want: "red"},
		{input: "1\n", want: "red"},
		{input: "2\n", want: ""},
		{input: "3\n", want: "blue"}, // what is unfit has no number
		{input: "BLUE\n", want: "blue"},
		{input: "4\n3\n", want: "blue", said: "please choose 1-3"},
		{input: "0\n3\n", want: "blue", said: "please choose 1-3"},
		{input: "green\n3\n", want: "blue", said: "please choose 1-3"},
		{input: "green\n", change: func(q *Question) { q.Free = true }, want: "green"},
		{input: "100\n", change: func(q *Question) { q.Free = true }, want: "100"},
		{input: "grey\n3\n", want: "blue", said: "grey is sold out"},
		{input: "\n3\n", change: func(q *Question) { q.Default = "" }, want: "blue", said: "please answer"},
		{input: "\n", change: func(q *Question) { q.Default, q.Empty = "", true }, want: ""},
		{input: "?\n1\n", want: "red", said: "It shows on the door."},
		{input: "b\n", err: ErrBack},
		{input: "Back\n", err: ErrBack},
		{input: "b\n1\n", change: func(q *Question) { q.First = true }, want: "red", said: "this is the first question"},
		{input: "q\n", err: ErrStop},
		{input: "quit\n", err: ErrCancelled},
		{input: "", err: ErrCancelled},
		{input: "word\n", change: func(q *Question) { q.Options = nil }, want: "word"},
	} {
		streams, buffers := Test(somebody)
		buffers.In.WriteString(c.input)
		q := colours()
		if c.change != nil {
			c.change(&q)
		}
		got, err := NewInterviewer(streams).Ask(t.Context(), q)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v; want %q, %v", c.input, got, err, c.want, c.err)
		}
		if !strings.Contains(buffers.Err.String(), c.said) || buffers.Out.Len() > 0 {
			t.Errorf("%q: said %q, want %q", c.input, buffers.Err.String(), c.said)
		}
	}
}

func TestAQuestionIsNotAskedOfAPipe(t *testing.T) {
	streams, _ := Test(Facts{InTTY: true})
	if _, err := NewInterviewer(streams).Ask(t.Context(), colours()); !errors.Is(err, ErrNotTerminal) {
		t.Errorf("%v, want ErrNotTerminal", err)
	}
}

func TestHowAQuestionLooks(t *testing.T) {
	q := colours()
	q.Options[0].About = "as fire, which is the colour that most people choose for their doors"
	want := `2 of 3: colour
Which colour?
   1  red        as fire, which is the
                 colour that most people
                 choose for their doors
   2  no colour
   -  grey       is sold out
   3  blue       as the sea
So far: $1
`
	if got := (Screen{Width: 42}).question(q); got != want {
		t.Errorf("got\n%s", got)
	}
	heard := (Screen{Accessible: true}).question(q) + q.prompt(Screen{Accessible: true})
	for _, part := range []string{"1, red: as fire", "2, no colour", "not to be chosen, grey: is sold out", "; Enter alone means red; ? explains; b back; q quits: "} {
		if !strings.Contains(heard, part) {
			t.Errorf("a screen reader hears\n%s\nwithout %q", heard, part)
		}
	}
	if strings.ContainsAny(heard, "·→\x1b") {
		t.Errorf("it hears signs: %q", heard)
	}
}

func TestAParagraphBreaksBetweenWords(t *testing.T) {
	text := "use a lower-case letter, then letters, digits and hyphens\n2 to 30 in all"
	for width, want := range map[int]string{
		0:  text + "\n",
		30: "use a lower-case letter, then\nletters, digits and hyphens\n2 to 30 in all\n",
	} {
		if got := (Screen{Width: width}).Paragraph(text); got != want {
			t.Errorf("at %d columns:\n%s", width, got)
		}
	}
}
