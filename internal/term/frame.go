package term

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// spinner turns beside what is being worked on.
var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// maxBeneath bounds the lines beneath a row while the operation runs; the summary at the end has them all.
const maxBeneath = 3

// Widths of the columns at the right of a row, with the gap before them.
const (
	elapsedWidth = 8
	usualWidth   = 15
	// usualFrom is the narrowest screen that shows how long things usually take.
	usualFrom = 72
	// widest is how far the eye follows a row.
	widest = 110
)

// frame draws the board for a window: at most height-1 lines, so that the line on which the cursor rests still fits, and
// at most width-1 columns, so that no terminal wraps a line by itself.
func (b *board) frame(s Screen, height int, now time.Time, tick int) []string {
	f := framer{board: b, screen: s, width: min(max(s.Width-1, 1), widest), now: now, tick: tick}
	f.measure()
	budget := max(height-1, 1)
	f.out = f.fold(budget)
	lines := f.draw()
	return lines[:min(budget, len(lines))]
}

// whole draws every row as it is when the operation has ended, however many there are; the summary has the reasons.
func (b *board) whole(s Screen, now time.Time) []string {
	f := framer{board: b, screen: s, width: min(max(s.Width-1, 1), widest), now: now}
	f.measure()
	return f.draw()[1:]
}

type framer struct {
	*board
	screen  Screen
	width   int
	keys    int  // width of the column of keys
	usual   bool // whether there is a column for how long things usually take
	out     omission
	now     time.Time
	tick    int
	beneath map[*row][]string
}

// omission says what is left out so that the rest fits.
type omission struct {
	ended, waiting, working, bad int // rows, of each phase, that are only counted
	beneath                      int // lines at most beneath a row
}

func (f *framer) measure() {
	f.beneath = map[*row][]string{}
	for _, r := range f.rows {
		f.keys = max(f.keys, ansi.StringWidth(r.key))
		switch r.phase {
		case failed:
			f.beneath[r] = wrap(r.problem, max(f.width-7, 20))
		case running:
			f.beneath[r] = r.tried[max(0, len(r.tried)-maxBeneath):]
			f.usual = f.usual || r.usual > 0 && f.width >= usualFrom
		default: // nothing stands beneath
		}
	}
	f.keys = min(max(f.keys, 12), max(f.width*3/10, 14))
}

// fold finds how much must be left out. First finished rows go, the oldest first; then tries; then rows that wait, from
// the end; then reasons; and only then rows on which work goes on.
func (f *framer) fold(budget int) omission {
	n := f.count()
	out := omission{beneath: maxBeneath}
	shrink := func(counter *int, limit int) {
		for *counter < limit && f.lines(out) > budget {
			*counter++
		}
	}
	shrink(&out.ended, f.finished(n))
	for out.beneath > 1 && f.lines(out) > budget {
		out.beneath--
	}
	shrink(&out.waiting, n[pending])
	for out.beneath > 0 && f.lines(out) > budget {
		out.beneath--
	}
	shrink(&out.working, n[running])
	shrink(&out.bad, n[failed])
	return out
}

// finished counts the rows that ended without a failure.
func (f *framer) finished(n [len(phases)]int) int {
	return n[ready] + n[kept] + n[deleted] + n[skipped]
}

// lines is how many lines the frame has when so much is left out.
func (f *framer) lines(out omission) int {
	lines := 1 + len(f.rows)
	for _, hidden := range []int{out.ended, out.waiting, out.working, out.bad} {
		if hidden > 0 {
			lines -= hidden - 1
		}
	}
	for _, texts := range f.beneath {
		lines += min(len(texts), out.beneath)
	}
	return lines
}

func (f *framer) draw() []string {
	s, out := f.screen, f.out
	lines := []string{f.header()}
	if out.ended > 0 {
		lines = append(lines, " "+s.Green("✓")+" "+s.Dim(f.folded(out.ended)))
	}
	n := f.count()
	left := omission{waiting: n[pending] - out.waiting, working: n[running] - out.working, bad: n[failed] - out.bad}
	hidden := f.oldest(out.ended)
	for _, r := range f.rows {
		switch {
		case r.phase == pending && !take(&left.waiting),
			r.phase == running && !take(&left.working),
			r.phase == failed && !take(&left.bad),
			hidden[r]:
			continue
		}
		lines = append(lines, f.row(r))
		lines = append(lines, f.under(r)...)
	}
	for _, more := range []struct {
		n    int
		text string
	}{{out.bad, "%d more failed"}, {out.working, "%d more under way"}, {out.waiting, "%d more wait"}} {
		if more.n > 0 {
			lines = append(lines, " "+s.Dim("… "+fmt.Sprintf(more.text, more.n)))
		}
	}
	for i := range lines {
		lines[i] = cut(lines[i], f.width)
	}
	return lines
}

func take(n *int) bool {
	*n--
	return *n >= 0
}

// oldest returns the n rows that ended first without a failure.
func (f *framer) oldest(n int) map[*row]bool {
	if n == 0 {
		return nil
	}
	ended := slices.DeleteFunc(slices.Clone(f.rows), func(r *row) bool { return !r.phase.ended() || r.phase == failed })
	slices.SortFunc(ended, func(a, b *row) int { return cmp.Compare(a.rank, b.rank) })
	hidden := map[*row]bool{}
	for _, r := range ended[:min(n, len(ended))] {
		hidden[r] = true
	}
	return hidden
}

// folded counts the rows that are left out because they ended.
func (f *framer) folded(n int) string {
	counts := map[phase]int{}
	for r := range f.oldest(n) {
		counts[r.phase]++
	}
	var parts []string
	for _, p := range []phase{ready, deleted, kept, skipped} {
		if counts[p] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[p], phases[p]))
		}
	}
	return strings.Join(parts, ", ")
}

// header names the operation at the left and says at the right how far it is.
func (f *framer) header() string {
	s := f.screen
	done, total := 0, 0
	for _, r := range f.rows {
		if r.phase != kept {
			total++
			if r.phase.ended() {
				done++
			}
		}
	}
	right := Duration(f.now.Sub(f.start))
	if total > 0 {
		right = fmt.Sprintf("%d/%d  %s", done, total, right)
	}
	if left := f.left(f.now); left > 0 && f.width >= usualFrom {
		what := "resources ready"
		if f.removes() {
			what = "gone"
		}
		right = what + " in ~" + Duration(left.Round(5*time.Second)) + "  " + right
	}
	mark := ""
	if f.sandbox {
		mark = " [sandbox]"
	}
	room := f.width - len(right) - len(mark) - 2
	title := cut(f.title, room)
	gap := strings.Repeat(" ", max(f.width-ansi.StringWidth(title)-len(mark)-len(right), 1))
	return s.Bold(title) + s.Yellow(mark) + gap + right
}

// row draws one row: symbol, key, state, elapsed time and how long it usually takes.
func (f *framer) row(r *row) string {
	room := f.width - 3 - f.keys - 2 - elapsedWidth
	usual := ""
	if f.usual {
		room -= usualWidth
		if r.phase == running && r.usual > 0 {
			usual = f.screen.Dim("  " + usually(r.usual))
		}
	}
	elapsed := ""
	if r.phase == running || r.took > 0 {
		elapsed = Duration(r.elapsed(f.now))
	}
	room = max(room, 8)
	line := strings.TrimRight(fitTail(r.key, f.keys)+"  "+fit(f.doing(r, room), room)+padLeft(elapsed, elapsedWidth), " ")
	switch r.phase {
	case running:
		line += usual
	case failed:
		line = f.screen.Red(line)
	default:
		line = f.screen.Dim(line)
	}
	return " " + f.symbol(r) + " " + line
}

// doing is the state of a row, for a download as a picture.
func (f *framer) doing(r *row, room int) string {
	switch {
	case r.phase == running && r.total > 0:
		return bar(r.done, r.total, room)
	case r.phase == running && r.done > 0:
		return joined(" ", f.state(r), Bytes(r.done))
	case r.phase == failed && f.out.beneath == 0:
		return joined(": ", f.state(r), oneLine(r.problem))
	default:
		return f.state(r)
	}
}

func (f *framer) symbol(r *row) string {
	s := f.screen
	switch r.phase {
	case pending:
		return s.Dim("·")
	case running:
		return s.Cyan(spinner[f.tick%len(spinner)])
	case ready, deleted:
		return s.Green("✓")
	case failed:
		return s.Red("✗")
	default:
		return s.Dim("–")
	}
}

// under draws what stands beneath a row: the reason of a failure, or what was tried before.
func (f *framer) under(r *row) []string {
	texts, limit := f.beneath[r], f.out.beneath
	var lines []string
	if r.phase == failed {
		for _, t := range texts[:min(limit, len(texts))] {
			lines = append(lines, "     "+f.screen.Red(cut(t, f.width-5)))
		}
		return lines
	}
	for _, t := range texts[max(0, len(texts)-limit):] {
		lines = append(lines, "     "+f.screen.Dim(cut("before: "+t, f.width-5)))
	}
	return lines
}

// bar draws how much of a download is done.
func bar(done, total int64, width int) string {
	done = min(max(done, 0), total)
	text := " " + Bytes(done) + " of " + Bytes(total)
	cells := min(width-ansi.StringWidth(text), 20)
	if cells < 4 {
		return fmt.Sprintf("%d%%", done*100/total)
	}
	full := int(done * int64(cells) / total)
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full) + text
}
