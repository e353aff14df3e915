package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"geusemaker/internal/cli/interview"
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
	c := w.interview.Config()
	w.asker.Say("\n" + w.streams.ErrScreen().Sections(equivalents(c, w.global)...))
	k := w.known(ctx, interview.Query{})
	for {
		answer, err := w.asker.Ask(ctx, term.Question{
			Heading: "the end", Text: "Go on to the plan?", Footer: interview.PriceLine(c, k), Default: endPlan,
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

// equivalents are the command line and the config file that say what the answers say.
func equivalents(c stack.Config, g globals) []term.Section {
	return []term.Section{
		{Title: "The same without questions", Lines: []string{commandLine(c, g)}},
		{Title: "Or with a config file", Lines: strings.Split(strings.TrimSpace(configText(c)), "\n")},
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
		w.asker.Say(w.streams.ErrScreen().Paragraph(err.Error()))
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

// departures are the keys on which the configuration differs from the defaults, in the order of help.
func departures(c stack.Config) []stack.Field {
	defaults := stack.NewConfig()
	different := c.Differences(&defaults)
	return slices.DeleteFunc(stack.Fields(), func(f stack.Field) bool {
		return f.Key == "name" || f.Key == "region" || !slices.Contains(different, f.Key)
	})
}

// commandLine is the command that does without questions what the answers say.
func commandLine(c stack.Config, g globals) string {
	words := []string{"geusemaker", "deploy", c.Name, "--region", c.Region}
	if g.sandbox {
		words = append(words, "--sandbox")
	}
	if g.profile != "" {
		words = append(words, "--profile", quoted(g.profile))
	}
	flags := departures(c)
	if path := unspoken(c, flags); path != "" {
		words, flags = append(words, "--config", quoted(path)), beside(c, flags)
	}
	for _, f := range flags {
		switch text := c.Text(f.Key); {
		case f.Type != "bool":
			words = append(words, "--"+f.Flag(), quoted(text))
		case text == "true":
			words = append(words, "--"+f.Flag())
		default:
			words = append(words, "--"+f.Flag()+"="+text)
		}
	}
	return strings.Join(words, " ")
}

// unspoken is the config file that holds a value which no flag can, as one with a comma in a map, or which no line can; ""
// where there is none. Such a value comes from nowhere else.
func unspoken(c stack.Config, fields []stack.Field) string {
	for _, f := range fields {
		from, text := c.SourceOf(f.Key), c.Text(f.Key)
		typed := stack.NewConfig()
		err := typed.Set(f.Key, text, from)
		same := err == nil && reflect.DeepEqual(typed.Value(f.Key), c.Value(f.Key)) && strings.IndexFunc(text, unicode.IsControl) < 0
		if from.Kind == "file" && !same {
			return from.From
		}
	}
	return ""
}

// beside are the fields that a command line names beside a config file: those that the file does not set, or not so.
func beside(c stack.Config, different []stack.Field) []stack.Field {
	said := func(key string) bool {
		return slices.ContainsFunc(different, func(f stack.Field) bool { return f.Key == key }) || c.IsSet(key)
	}
	return slices.DeleteFunc(stack.Fields(), func(f stack.Field) bool {
		return f.Key == "name" || f.Key == "region" || !said(f.Key) || c.SourceOf(f.Key).Kind == "file"
	})
}

// quoted is a word as a POSIX shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,=@%+", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
