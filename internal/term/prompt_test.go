package term

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

var somebody = Facts{InTTY: true, ErrTTY: true}

func prompter(f Facts, input string) (Prompter, *Buffers) {
	streams, buffers := Test(f)
	buffers.In.WriteString(input)
	return NewPrompter(streams), buffers
}

func TestQuestionsAreWordsForAScreenReader(t *testing.T) {
	streams, buffers := Test(somebody)
	streams.MakeAccessible()
	buffers.In.WriteString("\n")
	yes, err := NewPrompter(streams).Confirm(t.Context(), "Create demo?", false)
	if want := "Create demo? Type yes or no, then Enter; Enter alone means no: "; yes || err != nil || buffers.Err.String() != want {
		t.Errorf("%t, %v: %q", yes, err, buffers.Err.String())
	}
}

func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		input     string
		byDefault bool
		want      bool
		err       error
	}{
		{"y\n", false, true, nil},
		{"YES\n", false, true, nil},
		{"n\n", true, false, nil},
		{" no \n", true, false, nil},
		{"\n", true, true, nil},
		{"\n", false, false, nil},
		{"what\ny\n", false, true, nil},
		{"a\nb\nc\ny\n", true, false, ErrCancelled},
		{"", true, false, ErrCancelled},
		{"y", true, false, ErrCancelled}, // Ctrl-D in the midst of an answer
	} {
		p, buffers := prompter(somebody, c.input)
		got, err := p.Confirm(t.Context(), "Deploy?", c.byDefault)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q with default %t: %t, %v; want %t, %v", c.input, c.byDefault, got, err, c.want, c.err)
		}
		hint := map[bool]string{true: "Deploy? [Y/n] ", false: "Deploy? [y/N] "}[c.byDefault]
		if asked := buffers.Err.String(); !strings.HasPrefix(asked, hint) || buffers.Out.Len() > 0 {
			t.Errorf("asked %q on standard error and %q on standard output", asked, buffers.Out.String())
		}
	}
}

func TestType(t *testing.T) {
	for input, want := range map[string]error{
		"demo\n":                nil,
		"dem\ndemo\n":           nil,
		"Demo\nDEMO\ny\ndemo":   ErrCancelled,
		"":                      ErrCancelled,
		"yes\nyes\nyes\ndemo\n": ErrCancelled,
	} {
		p, _ := prompter(somebody, input)
		if err := p.Type(t.Context(), "Type demo to destroy it:", "demo"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", input, err, want)
		}
	}
}

func TestNobodyToAsk(t *testing.T) {
	for _, f := range []Facts{{}, {InTTY: true}, {ErrTTY: true}, {OutTTY: true}} {
		p, buffers := prompter(f, "y\n")
		_, err := p.Confirm(t.Context(), "Deploy?", true)
		if !errors.Is(err, ErrNotTerminal) || !strings.Contains(err.Error(), "not a terminal: pass --yes") {
			t.Errorf("%+v: %v", f, err)
		}
		if err := p.Type(t.Context(), "Type demo:", "demo"); !errors.Is(err, ErrNotTerminal) {
			t.Errorf("%+v: %v", f, err)
		}
		if buffers.Err.Len() > 0 {
			t.Errorf("%+v: asked %q all the same", f, buffers.Err.String())
		}
	}
}

// Ctrl-C ends the context; the read that waits for a line cannot be ended, so the question must not wait for it.
func TestInterruptEndsAQuestion(t *testing.T) {
	streams, _ := Test(somebody)
	in, typed := io.Pipe()
	defer typed.Close()
	streams.In = in
	asked := make(chan struct{})
	streams.Err = signal{asked}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	p := NewPrompter(streams)
	if _, err := p.Confirm(ctx, "Deploy?", true); !errors.Is(err, ErrCancelled) {
		t.Errorf("%v, want ErrCancelled", err)
	}
	if _, err := p.Confirm(ctx, "Deploy?", true); !errors.Is(err, ErrCancelled) {
		t.Errorf("again: %v, want ErrCancelled", err)
	}
}

// signal tells that something was written, once.
type signal struct{ c chan struct{} }

func (s signal) Write(b []byte) (int, error) {
	select {
	case <-s.c:
	default:
		close(s.c)
	}
	return len(b), nil
}
