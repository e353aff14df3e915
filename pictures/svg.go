package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Sizes in pixels of a cell of the terminal, of its text and of the frame around all.
const (
	cellWidth  = 8.4
	cellHeight = 18
	textSize   = 14
	margin     = 16
	titleBar   = 30
)

// style is the sheet of the picture. The classes are those of run.class; the fonts are those that systems have.
const style = `<style>
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:14px;fill:#d8dee9}
.b{font-weight:bold;fill:#fff}.d{fill:#7b8794}.f1{fill:#ff6b6b}.f2{fill:#7ddc8c}.f3{fill:#f2c55c}.f6{fill:#62d0e0}
</style>`

// draw writes the picture of a screen.
func draw(w io.Writer, title string, screen io.Reader) error {
	text, err := io.ReadAll(screen)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n "), "\n")
	columns := 0
	for _, line := range lines {
		columns = max(columns, ansi.StringWidth(line))
	}
	width, height := float64(columns)*cellWidth+2*margin, len(lines)*cellHeight+titleBar+margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(w, "<title>%s</title>\n%s\n", escape(title), style)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" rx="8" fill="#1b2028"/>`+"\n")
	for i, color := range []string{"#ff5f56", "#ffbd2e", "#27c93f"} {
		fmt.Fprintf(w, `<circle cx="%d" cy="15" r="5" fill="%s"/>`, 18+16*i, color)
	}
	fmt.Fprintf(w, "\n"+`<text x="50%%" y="20" text-anchor="middle" class="d">%s</text>`+"\n", escape(title))
	for i, line := range lines {
		y := titleBar + i*cellHeight + textSize
		for _, r := range runs(line) {
			// The length holds the columns together whatever the font.
			fmt.Fprintf(w, `<text x="%.1f" y="%d" textLength="%.1f"%s>%s</text>`+"\n",
				margin+float64(r.column)*cellWidth, y, float64(ansi.StringWidth(r.text))*cellWidth, r.class(), escape(r.text))
		}
	}
	_, err = io.WriteString(w, "</svg>\n")
	return err
}

// run is a piece of a line in one style.
type run struct {
	column    int
	text      string
	bold, dim bool
	color     int // of ECMA-48, 1 to 7; 0: none
}

func (r run) class() string {
	var names []string
	if r.bold {
		names = append(names, "b")
	}
	if r.dim {
		names = append(names, "d")
	}
	if r.color > 0 {
		names = append(names, fmt.Sprintf("f%d", r.color))
	}
	if len(names) == 0 {
		return ""
	}
	return ` class="` + strings.Join(names, " ") + `"`
}

// runs takes a line apart where its style changes (ECMA-48, SGR), and where columns do: spaces that follow each other are not
// drawn alike everywhere.
func runs(line string) []run {
	var all []run
	var now run
	for line != "" {
		start := strings.IndexByte(line, '\x1b')
		if start < 0 {
			start = len(line)
		}
		for part := range strings.SplitSeq(line[:start], "  ") {
			piece := now
			piece.text = strings.TrimSpace(part)
			piece.column += len(part) - len(strings.TrimLeft(part, " "))
			if piece.text != "" {
				all = append(all, piece)
			}
			now.column += ansi.StringWidth(part) + len("  ")
		}
		now.column -= len("  ")
		line = line[start:]
		if end := strings.IndexByte(line, 'm'); end > 0 {
			now.restyle(strings.TrimPrefix(line[:end], "\x1b["))
			line = line[end+1:]
		} else {
			return all
		}
	}
	return all
}

// restyle takes the parameters of one SGR sequence in.
func (r *run) restyle(parameters string) {
	for p := range strings.SplitSeq(parameters, ";") {
		switch {
		case p == "" || p == "0":
			r.bold, r.dim, r.color = false, false, 0
		case p == "1":
			r.bold = true
		case p == "2":
			r.dim = true
		case p == "22":
			r.bold, r.dim = false, false
		case p == "39":
			r.color = 0
		case len(p) == 2 && p[0] == '3':
			r.color = int(p[1] - '0')
		}
	}
}

func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
