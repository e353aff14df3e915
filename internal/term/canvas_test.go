package term

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"geusemaker/internal/engine"

	"github.com/google/go-cmp/cmp"
)

// screenModel is a terminal that understands what canvas sends, and nothing else: an unknown sequence is a failure. So is
// the erasure of the screen, of which tmux keeps a copy.
type screenModel struct {
	t      *testing.T
	height int
	lines  []string // scrollback and screen
	top    int      // of the screen, in lines
	row    int      // of the cursor, in lines
	column int
}

func (m *screenModel) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' }) + 2
			m.command(text[2:end], text[end])
			text = text[end+1:]
		case text[0] == '\r':
			m.column, text = 0, text[1:]
		case text[0] == '\n':
			m.feed()
			text = text[1:]
		default:
			n := strings.IndexAny(text, "\x1b\r\n")
			if n < 0 {
				n = len(text)
			}
			m.put(text[:n])
			text = text[n:]
		}
	}
	return len(b), nil
}

func (m *screenModel) feed() {
	m.row++
	for m.row >= len(m.lines) {
		m.lines = append(m.lines, "")
	}
	m.top = max(m.top, m.row-m.height+1)
}

func (m *screenModel) put(text string) {
	line := []rune(m.lines[m.row])
	for _, r := range text {
		for m.column >= len(line) {
			line = append(line, ' ')
		}
		line[m.column] = r
		m.column++
	}
	m.lines[m.row] = string(line)
}

func (m *screenModel) command(args string, final byte) {
	n, _ := strconv.Atoi(args)
	switch {
	case args == "?2026" && (final == 'h' || final == 'l'):
	case final == 'A':
		m.row = max(m.row-max(n, 1), m.top)
	case final == 'K' && n == 0:
		m.lines[m.row] = string([]rune(m.lines[m.row])[:min(m.column, len([]rune(m.lines[m.row])))])
	case final == 'K' && n == 2:
		m.lines[m.row] = ""
	default:
		m.t.Fatalf("unexpected sequence CSI %s %c", args, final)
	}
}

// text is everything on the terminal, without the empty lines at its end.
func (m *screenModel) text() []string {
	lines := slices.Clone(m.lines)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func newModel(t *testing.T, height int) *screenModel {
	return &screenModel{t: t, height: height, lines: []string{""}}
}

// Whatever blocks follow each other, the terminal shows what was to stay and the last block, and nothing else.
func TestCanvasShowsTheLastBlock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		const width, height = 60, 12
		m := newModel(t, height)
		c := canvas{w: m}
		var stay, block []string
		for n := range 30 {
			var above []string
			if random.IntN(4) == 0 {
				above = []string{fmt.Sprintf("note %d", n)}
			}
			block = nil
			for i := range random.IntN(height) {
				block = append(block, fmt.Sprintf("row %d %s", i, strings.Repeat("ab", random.IntN(3)*random.IntN(8))))
			}
			c.draw(width, height, above, block)
			stay = append(stay, above...)
			if diff := cmp.Diff(append(slices.Clone(stay), trimmed(block)...), m.text(), cmp.Transformer("nil", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
				t.Fatalf("after drawing %d (-want +got):\n%s", n, diff)
			}
			if m.row != len(stay)+len(block) || m.column != 0 {
				t.Fatalf("the cursor is at line %d, column %d; want it at the start of the line below the block", m.row, m.column)
			}
		}
	}
}

func trimmed(lines []string) []string {
	all := slices.Clone(lines)
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
	}
	return all
}

func TestCanvasWritesOnlyChanges(t *testing.T) {
	var out bytes.Buffer
	c := canvas{w: &out}
	c.draw(80, 24, nil, []string{"one", "two", "three"})
	out.Reset()
	c.draw(80, 24, nil, []string{"one", "two", "three"})
	if out.Len() != 0 {
		t.Errorf("the same block again wrote %q", out.String())
	}
	c.draw(80, 24, nil, []string{"one", "two", "four"})
	if got := out.String(); strings.Contains(got, "one") || strings.Contains(got, "two") || !strings.Contains(got, "four") {
		t.Errorf("one changed line wrote %q", got)
	}
}

// In a window that became narrower the terminal has wrapped the lines: the cursor has further to go.
func TestCanvasFollowsANarrowedWindow(t *testing.T) {
	var out bytes.Buffer
	c := canvas{w: &out}
	c.draw(80, 24, nil, []string{strings.Repeat("x", 70), "short"})
	out.Reset()
	c.draw(30, 24, nil, []string{"new"})
	if got := out.String(); !strings.Contains(got, "\x1b[4A\x1b[2K\r\n\x1b[2K\r\n\x1b[2K\r\n\x1b[2K\r\n\x1b[4A\rnew") {
		t.Errorf("three rows and one, and the cursor went up otherwise: %q", got)
	}
}

// In a window that became shorter the display starts again at its top, and no empty line is pushed out.
func TestCanvasFollowsAShortenedWindow(t *testing.T) {
	m := newModel(t, 24)
	c := canvas{w: m}
	block := slices.Repeat([]string{"old"}, 20)
	c.draw(80, 24, nil, block)
	m.height = 10
	m.top = m.row - m.height + 1 // what the terminal does when its window shrinks
	c.draw(79, 10, nil, []string{"new", "new"})
	want := append(slices.Repeat([]string{"old"}, 11), "new", "new")
	if diff := cmp.Diff(want, m.text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The whole life of an operation on a terminal: notes and warnings stay, in their order, then how it ended. The display
// itself is gone.
func TestLiveLeavesNotesAndSummary(t *testing.T) {
	streams, _ := Test(Facts{ErrTTY: true})
	m := newModel(t, 24)
	streams.Err = m
	clock := &fakeClock{now: epoch}
	p := NewProgress(streams, ModeAuto, ProgressOptions{Title: "Deploying demo", Clock: clock})
	for _, ev := range append(deployScript(), at(98.5, engine.Event{Type: engine.EventFailed, Text: "of the operation as a whole"})) {
		p.Event(ev)
		p.(*liveProgress).mu.Lock()
		clock.now = ev.Time
		p.(*liveProgress).draw(nil)
		p.(*liveProgress).mu.Unlock()
	}
	p.Close()
	golden(t, "scrollback.txt", strings.Join(m.text(), "\n")+"\n")
}

// A process that dies at any moment leaves a terminal that needs no repair: no mode but synchronized output is ever set,
// and that is reset in the same write.
func TestEveryWriteLeavesTheTerminalSane(t *testing.T) {
	streams, _ := Test(Facts{ErrTTY: true, Color: true})
	w := &writes{}
	streams.Err = w
	p := NewProgress(streams, ModeAuto, ProgressOptions{Title: "Deploying demo", Clock: &fakeClock{now: epoch}})
	for _, ev := range deployScript() {
		p.Event(ev)
	}
	p.Event(engine.Event{Type: engine.EventNote, Text: "still here"})
	if len(w.all) == 0 {
		t.Fatal("nothing was written")
	}
	for _, text := range w.all {
		if strings.Count(text, "\x1b[?") != 2 || !strings.HasPrefix(text, "\x1b[?2026h") || !regexp.MustCompile(`\r\n(\x1b\[\d*A)?\x1b\[\?2026l$`).MatchString(text) {
			t.Errorf("a write that leaves something behind: %q", text)
		}
	}
	p.Close()
}

type writes struct{ all []string }

func (w *writes) Write(b []byte) (int, error) {
	w.all = append(w.all, string(b))
	return len(b), nil
}
