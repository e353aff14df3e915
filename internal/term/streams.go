package term

import (
	"bytes"
	"io"
	"os"

	"golang.org/x/term"
)

// Size that is assumed of a terminal that does not tell its own: that of the VT100.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

// Streams are the standard streams of a command and what is known of the terminals behind them. Results go to Out,
// everything else to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	IsInTTY, IsOutTTY, IsErrTTY bool

	colorOut, colorErr bool
	accessible         bool
	dumb               bool // the terminal can neither colour nor move its cursor
	outSize, errSize   func() (width, height int)
}

// NewStreams looks at the files and at the environment. It asks the kernel only, never the terminal, so it costs
// microseconds and nothing can be left behind in the user's input. env is os.Getenv outside of tests.
//
// NO_COLOR turns colour off (no-color.org) and wins over CLICOLOR_FORCE, which turns it on also on a pipe; CLICOLOR=0 and
// TERM=dumb turn it off (bixense.com/clicolors).
func NewStreams(in, out, err *os.File, env func(string) string) *Streams {
	s := &Streams{
		In: in, Out: out, Err: err,
		IsInTTY: isTTY(in), IsOutTTY: isTTY(out), IsErrTTY: isTTY(err),
		dumb:    env("TERM") == "dumb",
		outSize: sizeOf(out), errSize: sizeOf(err),
	}
	s.colorOut, s.colorErr = colored(env, s.IsOutTTY), colored(env, s.IsErrTTY)
	return s
}

func isTTY(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func sizeOf(f *os.File) func() (int, int) {
	return func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return defaultWidth, defaultHeight
		}
		return width, height
	}
}

// colored decides whether a stream gets colour.
func colored(env func(string) string, tty bool) bool {
	force := env("CLICOLOR_FORCE")
	switch {
	case env("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	case !tty, env("TERM") == "dumb", env("CLICOLOR") == "0":
		return false
	default:
		return true
	}
}

// DisableColor turns colour off for both streams, as --no-color asks.
func (s *Streams) DisableColor() { s.colorOut, s.colorErr = false, false }

// MakeAccessible is for people who hear what is written: no line is drawn again, cut or coloured, and words stand for signs.
func (s *Streams) MakeAccessible() {
	s.accessible = true
	s.DisableColor()
}

// CanPrompt reports whether somebody can be asked: questions are written to Err and answers read from In.
func (s *Streams) CanPrompt() bool { return s.IsInTTY && s.IsErrTTY }

// CanRedraw reports whether Err is a terminal on which lines can be drawn again.
func (s *Streams) CanRedraw() bool { return s.IsErrTTY && !s.dumb && !s.accessible }

// CanRedrawOut reports the same of Out.
func (s *Streams) CanRedrawOut() bool { return s.IsOutTTY && !s.dumb && !s.accessible }

// Width is the number of columns of Out, or 0 when it is no terminal and lines may be as long as they need.
func (s *Streams) Width() int { return s.OutScreen().Width }

// OutScreen is the screen on which results are shown.
func (s *Streams) OutScreen() Screen { return s.screen(s.IsOutTTY, s.colorOut, s.outSize) }

// ErrScreen is the screen on which errors and questions are shown.
func (s *Streams) ErrScreen() Screen { return s.screen(s.IsErrTTY, s.colorErr, s.errSize) }

func (s *Streams) screen(tty, color bool, size func() (int, int)) Screen {
	screen := Screen{Color: color, Accessible: s.accessible}
	if tty && !s.accessible {
		screen.Width, _ = size()
	}
	return screen
}

// Facts are what a test pretends about the terminal. The zero value is a pipe.
type Facts struct {
	InTTY, OutTTY, ErrTTY bool
	Color                 bool
	Width, Height         int // 80 x 24 when zero
}

// Buffers are the far ends of the streams of a test.
type Buffers struct{ In, Out, Err bytes.Buffer }

// Test returns streams over buffers, with the chosen facts.
func Test(f Facts) (*Streams, *Buffers) {
	b := &Buffers{}
	size := func() (int, int) {
		if f.Width == 0 || f.Height == 0 {
			return defaultWidth, defaultHeight
		}
		return f.Width, f.Height
	}
	return &Streams{
		In: &b.In, Out: &b.Out, Err: &b.Err,
		IsInTTY: f.InTTY, IsOutTTY: f.OutTTY, IsErrTTY: f.ErrTTY,
		colorOut: f.Color, colorErr: f.Color, outSize: size, errSize: size,
	}, b
}
