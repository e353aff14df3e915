package term

import (
	"bytes"
	"io"

	"github.com/charmbracelet/x/ansi"
)

// canvas keeps a block of lines at the bottom of a terminal and draws it again in place. After each drawing the cursor
// stands at the start of the line below the block, as after any other output.
type canvas struct {
	w     io.Writer
	width int // of the window at the last drawing
	drawn []string
}

// draw writes lines that stay, if any, and beneath them the block, as one write that capable terminals show at once (mode
// 2026, "synchronized output"; others ignore it). Only lines of the block that changed are written.
func (c *canvas) draw(width, height int, above, block []string) {
	moved := c.width != width || len(above) > 0
	same := 0
	if !moved {
		for same < min(len(c.drawn), len(block)) && c.drawn[same] == block[same] {
			same++
		}
		if same == len(block) && same == len(c.drawn) {
			return
		}
	}
	var b bytes.Buffer
	b.WriteString(ansi.SetModeSynchronizedOutput)
	// What a window that became shorter has pushed out at its top cannot be reached any more.
	if up := min(c.rows(width, c.drawn[same:]), height-1); up > 0 {
		b.WriteString(ansi.CursorUp(up))
		if moved {
			wipe(&b, up)
		}
	}
	b.WriteByte('\r')
	if moved {
		c.drawn = nil
	}
	for _, l := range above {
		b.WriteString(l + "\r\n")
	}
	for i := same; i < len(block); i++ {
		if i >= len(c.drawn) || c.drawn[i] != block[i] {
			b.WriteString(block[i] + ansi.EraseLineRight)
		}
		b.WriteString("\r\n")
	}
	if over := len(c.drawn) - len(block); over > 0 {
		wipe(&b, over)
	}
	b.WriteString(ansi.ResetModeSynchronizedOutput)
	_, _ = c.w.Write(b.Bytes())
	c.width, c.drawn = width, block
}

// wipe empties so many rows from that of the cursor on, and goes back. Erasing the rest of the screen with one sequence
// would do the same, but tmux keeps what is erased so from the top of the screen in its history (screen-write.c,
// screen_write_clearendofscreen): a copy of the display for every note.
func wipe(b *bytes.Buffer, rows int) {
	for range rows {
		b.WriteString(ansi.EraseEntireLine + "\r\n")
	}
	b.WriteString(ansi.CursorUp(rows))
}

// rows is how many rows of a window the lines take. When it became narrower the terminal has wrapped those that do not
// fit any more.
func (c *canvas) rows(width int, lines []string) int {
	n := 0
	for _, l := range lines {
		n += 1 + max(0, ansi.StringWidth(l)-1)/max(width, 1)
	}
	return n
}
