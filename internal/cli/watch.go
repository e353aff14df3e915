package cli

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/engine"
	"geusemaker/internal/term"
)

// watchInterval is how often --watch looks when nobody says, and leastWatch the fastest that makes sense.
const (
	watchInterval = 5 * time.Second
	leastWatch    = time.Second
)

// watchArg takes the interval of --watch also as a word of its own: --watch 10s.
func (o *listOptions) watchArg(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
	case len(args) > 1 || o.watch == 0:
		return &usageError{
			err:   fmt.Errorf("%s takes no names, and got %q", cmd.CommandPath(), args[0]),
			hints: []string{"`geusemaker inspect NAME` shows one deployment"},
		}
	default:
		every, err := time.ParseDuration(args[0])
		if err != nil {
			return usage("--watch: %q is not a duration such as 10s", args[0])
		}
		o.watch = every
	}
	if cmd.Flags().Changed("watch") && o.watch < leastWatch {
		return usage("--watch: %s is too often; use %s or more", o.watch, leastWatch)
	}
	return nil
}

// watch shows something again and again until it is stopped. On a terminal each time is drawn over the one before;
// elsewhere they follow each other. What goes wrong is shown and does not end the watch.
func (a *app) watch(ctx context.Context, every time.Duration, show func() error) error {
	out, errs := a.streams.Out, a.streams.Err
	defer func() { a.streams.Out, a.streams.Err = out, errs }()
	for first := true; ; first = false {
		var page bytes.Buffer
		if a.streams.CanRedrawOut() {
			a.streams.Out, a.streams.Err = &page, &page
		}
		if err := show(); err != nil && ctx.Err() == nil {
			a.fail(explain(ctx, err))
		}
		a.streams.Out, a.streams.Err = out, errs
		if a.streams.CanRedrawOut() {
			if _, err := out.Write([]byte(term.Redraw(a.streams.Fit(page.String()), first))); err != nil {
				return err
			}
		}
		if err := (engine.Wall{}).Sleep(ctx, every); err != nil {
			if a.streams.CanRedrawOut() {
				fmt.Fprintln(a.streams.Err) // the terminal shows ^C on the last line
			}
			return nil // being stopped is the way in which a watch ends
		}
	}
}
