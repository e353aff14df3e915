package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Prompter asks people.
type Prompter interface {
	// Confirm asks a yes-or-no question; an empty answer means yes when byDefault is true.
	Confirm(ctx context.Context, question string, byDefault bool) (bool, error)
	// Type asks for a text to be typed, as a confirmation that cannot be given by habit. Another text is ErrCancelled.
	Type(ctx context.Context, question, expected string) error
}

// ErrCancelled says that the answer was to stop: the input ended, ctx ended, as Ctrl-C makes it, or no answer fitted.
var ErrCancelled = errors.New("cancelled")

// ErrNotTerminal says that nobody can be asked.
var ErrNotTerminal = errors.New("not a terminal: pass --yes")

// tries is how many answers that make no sense are tolerated.
const tries = 3

// NewPrompter asks on Err and reads lines from In. The terminal stays in its usual mode, so Ctrl-C stays a signal and
// editing keys do what they always do.
func NewPrompter(s *Streams) Prompter { return &linePrompter{streams: s} }

type linePrompter struct {
	streams *Streams
	reader  *bufio.Reader
	// waiting is a read that an earlier, cancelled question left behind. There can be only one reader.
	waiting chan line
}

type line struct {
	text string
	err  error
}

func (p *linePrompter) Confirm(ctx context.Context, question string, byDefault bool) (bool, error) {
	screen := p.streams.ErrScreen()
	choices := screen.sign("[y/N]", "Type yes or no, then Enter; Enter alone means no:")
	if byDefault {
		choices = screen.sign("[Y/n]", "Type yes or no, then Enter; Enter alone means yes:")
	}
	for range tries {
		answer, err := p.ask(ctx, fmt.Sprintf("%s %s ", question, choices))
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return byDefault, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		p.say("please answer y or n\n")
	}
	return false, fmt.Errorf("no answer that means yes or no: %w", ErrCancelled)
}

func (p *linePrompter) Type(ctx context.Context, question, expected string) error {
	for range tries {
		answer, err := p.ask(ctx, question+" ")
		if err != nil {
			return err
		}
		if answer == expected {
			return nil
		}
		p.say(fmt.Sprintf("that is not %q\n", expected))
	}
	return fmt.Errorf("%q was not typed: %w", expected, ErrCancelled)
}

func (p *linePrompter) say(text string) {
	// An answer is awaited whether or not the question can be written.
	_, _ = io.WriteString(p.streams.Err, text)
}

// ask writes a question and reads one line, without spaces around it.
func (p *linePrompter) ask(ctx context.Context, question string) (string, error) {
	question = clean(question)
	if !p.streams.CanPrompt() {
		return "", fmt.Errorf("cannot ask %q: %w", strings.TrimSpace(question), ErrNotTerminal)
	}
	if ctx.Err() != nil {
		return "", ErrCancelled
	}
	p.say(p.streams.ErrScreen().Bold(question))
	select {
	case <-ctx.Done():
		p.say("\n")
		return "", ErrCancelled
	case l := <-p.read():
		p.waiting = nil
		switch {
		case errors.Is(l.err, io.EOF):
			p.say("\n")
			return "", ErrCancelled
		case l.err != nil:
			return "", fmt.Errorf("cannot read the answer: %w", l.err)
		}
		return strings.TrimSpace(l.text), nil
	}
}

// read starts to read a line, unless somebody reads already.
func (p *linePrompter) read() <-chan line {
	if p.waiting != nil {
		return p.waiting
	}
	if p.reader == nil {
		p.reader = bufio.NewReader(p.streams.In)
	}
	p.waiting = make(chan line, 1)
	go func(to chan<- line) {
		text, err := p.reader.ReadString('\n')
		to <- line{text, err}
	}(p.waiting)
	return p.waiting
}
