package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// Answers to what is to be done with the answers.
const (
	endPlan = "plan"
	endSave = "save"
)

// accept shows what the answers come to, and asks whether they are good. It saves them as a config file for those who want
// that. ErrBack means that they are not.
func (w *wizard) accept(ctx context.Context) (stack.Config, error) {
	c := w.interview.config()
	w.asker.Say("\n" + w.streams.ErrScreen().Sections(
		term.Section{Title: "The same without questions", Lines: []string{commandLine(c, w.global)}},
		term.Section{Title: "Or with a config file", Lines: strings.Split(strings.TrimSpace(configText(c)), "\n")},
	))
	k := w.known(ctx, query{})
	for {
		answer, err := w.asker.Ask(ctx, term.Question{
			Heading: "the end", Text: "Go on to the plan?", Footer: priceLine(c, k), Default: endPlan,
			Explain: "The plan lists everything that would be made, with its price. It asks once more before anything is.",
			Options: []term.Option{
				{Value: endPlan, Label: "yes", About: "show the plan and ask"},
				{Value: endSave, Label: "save", About: "write the config file first"},
			},
		})
		if err != nil || answer == endPlan {
			return c, err
		}
		if err := w.save(ctx, c); err != nil && !errors.Is(err, term.ErrBack) {
			return c, err
		}
	}
}

// save writes the answers to a file that does not exist yet.
func (w *wizard) save(ctx context.Context, c stack.Config) error {
	usual := c.Name + ".yaml"
	for {
		path, err := w.asker.Ask(ctx, term.Question{
			Heading: "the end", Text: "To which file?", Default: usual, Free: true,
			Explain: "A file that exists is never overwritten. `geusemaker deploy NAME --config FILE` reads it.",
		})
		if err != nil {
			return err
		}
		if err = writeConfig(path, configText(c)); err == nil {
			w.asker.Say(fmt.Sprintf("wrote %s; `geusemaker deploy %s --config %s` reads it\n", path, c.Name, quoted(path)))
			return nil
		}
		w.asker.Say(err.Error() + "\n")
	}
}

// configText is a config file with what differs from the defaults.
func configText(c stack.Config) string {
	var b bytes.Buffer
	values := map[string]any{"region": c.Region}
	order := []string{"region"}
	for _, f := range departures(c) {
		values[f.Key] = c.Value(f.Key)
		order = append(order, f.Key)
	}
	for _, key := range order {
		text, err := json.Marshal(map[string]any{key: values[key]})
		if err == nil {
			var raw json.RawMessage = text
			err = writeYAML(&b, raw)
		}
		if err != nil {
			return "" // a value that JSON has no form for; Config has none
		}
	}
	return b.String()
}
