package cli

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// interview is how far somebody has come who is asked for a configuration, question by question. It is a value: it asks
// nobody, reads nothing and changes nothing outside of itself.
type interview struct {
	// base is what flags, environment and config file say. What they say is not asked.
	base    stack.Config
	answers map[string]string // by the ID of the question
	order   []string          // in which the answers came
	// forgotten are the answers that somebody went back over: they are the usual ones when the question comes again.
	forgotten map[string]string
	// check finds what is wrong with a configuration beyond what the configuration itself knows.
	check func(stack.Config) error
}

func newInterview(base stack.Config, check func(stack.Config) error) *interview {
	return &interview{base: base, answers: map[string]string{}, forgotten: map[string]string{}, check: check}
}

// knowledge is what the choices rest on, as far as it is known yet.
type knowledge struct {
	facts    *stack.Facts      // of the market, for the configuration as it is
	region   *discovery.Region // of what could be reused
	why      string            // why there is no region
	zones    []string          // in which the machine can be had
	market   string            // for which the facts are
	unpriced string            // why there is no price
	names    []string          // of the deployments that there are
}

// query is one question of the interview.
type query struct {
	id      string // the key that it answers, or path
	heading string
	text    string
	explain string
	applies func(stack.Config) bool // nil: always
	options func(stack.Config, knowledge) []term.Option
	free    bool
	usual   func(stack.Config, knowledge) string // the answer of an empty line; nil: the value of the key now
	reads   bool                                 // needs known.region
	falls   []string                             // answers that fall when this one changes
	check   func(value string, k knowledge) string
	deep    bool // asked on the advanced path only
}

// pathID is the question how much is asked. It is the only one that answers no key.
const (
	pathID       = "path"
	pathQuick    = "quick"
	pathAdvanced = "advanced"
)

// config is what the answers make of the base.
func (i *interview) config() stack.Config {
	c := i.base
	for _, q := range queries() {
		if value, answered := i.answers[q.id]; answered && q.id != pathID && i.asks(q, c) {
			_ = c.Set(q.id, value, stack.Source{Kind: "answer"}) // it was tried when it was given
		}
	}
	return c
}

// asks reports whether a question has a place in the interview, as the configuration is before it.
func (i *interview) asks(q query, c stack.Config) bool {
	if q.deep && i.answers[pathID] != pathAdvanced {
		return false
	}
	if q.id != pathID && i.base.IsSet(q.id) {
		return false
	}
	return q.applies == nil || q.applies(c)
}

// next is the first question that has no answer yet.
func (i *interview) next() (query, bool) {
	c := i.config()
	for _, q := range queries() {
		if _, answered := i.answers[q.id]; !answered && i.asks(q, c) {
			return q, true
		}
	}
	return query{}, false
}

// place says which question of how many it is, as far as can be seen.
func (i *interview) place(q query) (at, of int) {
	c := i.config()
	for _, one := range queries() {
		if !i.asks(one, c) {
			continue
		}
		of++
		if one.id == q.id {
			at = of
		}
	}
	return at, of
}

// answer takes an answer, or says what is wrong with it. Answers that rested on another one fall with it.
func (i *interview) answer(q query, value string, k knowledge) error {
	if q.check != nil {
		if problem := q.check(value, k); problem != "" {
			return errors.New(problem)
		}
	}
	trial := *i
	trial.answers = maps.Clone(i.answers)
	if old, again := i.last(q.id); again && old != value {
		for _, id := range q.falls {
			delete(trial.answers, id)
			delete(i.forgotten, id)
		}
	}
	trial.answers[q.id] = value
	if q.id != pathID {
		c := i.config()
		if err := c.Set(q.id, value, stack.Source{}); err != nil {
			return unsourced(err)
		}
		if err := problemOf(q.id, trial.config(), i.check); err != nil {
			return err
		}
	}
	i.answers = trial.answers
	i.order = slices.DeleteFunc(slices.Clone(i.order), func(id string) bool {
		_, stands := i.answers[id]
		return id == q.id || !stands
	})
	i.order = append(i.order, q.id)
	return nil
}

// last is the answer that a question has, or had before somebody went back over it.
func (i *interview) last(id string) (string, bool) {
	if value, answered := i.answers[id]; answered {
		return value, true
	}
	value, answered := i.forgotten[id]
	return value, answered
}

// back takes the last answer back, so that it is asked for again.
func (i *interview) back() {
	if len(i.order) > 0 {
		i.forget(len(i.order) - 1)
	}
}

// forget takes back the answers from this one on.
func (i *interview) forget(at int) {
	for _, id := range i.order[at:] {
		i.forgotten[id] = i.answers[id]
		delete(i.answers, id)
	}
	i.order = i.order[:at]
}

// reopen forgets the answers that make the configuration unusable and everything after them, and tells what is wrong. It
// returns nil when all is well.
func (i *interview) reopen() error {
	c := i.config()
	err := c.Validate()
	if err == nil && i.check != nil {
		err = i.check(c)
	}
	if err == nil {
		return nil
	}
	for at, id := range i.order {
		if id != pathID && problemOf(id, c, i.check) != nil {
			i.forget(at)
			return unsourced(err)
		}
	}
	return err // of what was not asked
}

// problemOf is what is wrong with one key of a configuration. A name that is not yet asked for is no problem of another key.
func problemOf(key string, c stack.Config, check func(stack.Config) error) error {
	errs := parts(c.Validate())
	if check != nil {
		errs = append(errs, check(c))
	}
	for _, err := range errs {
		if field, ok := errors.AsType[*stack.FieldError](err); ok && field.Key == key {
			return unsourced(field)
		}
	}
	return nil
}

// unsourced leaves out of a problem where the value came from: it was just typed.
func unsourced(err error) error {
	field, ok := errors.AsType[*stack.FieldError](err)
	if !ok {
		return err
	}
	plain := *field
	plain.Source = stack.Source{}
	return &plain
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
	for _, f := range departures(c) {
		if f.Type == "bool" {
			words = append(words, "--"+f.Flag())
			continue
		}
		words = append(words, "--"+f.Flag(), quoted(c.Text(f.Key)))
	}
	return strings.Join(words, " ")
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
