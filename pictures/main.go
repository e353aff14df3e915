// Command pictures turns what a terminal shows, as `tmux capture-pane -e -p` prints it, into an SVG picture.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

func main() {
	title := flag.String("title", "", "text in the frame of the window")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	err := draw(out, *title, os.Stdin)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}
