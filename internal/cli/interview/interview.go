// Package interview is what somebody is asked who wants a deployment: which questions there are, which answers are offered
// with which price, and what follows from an answer. It is pure: it asks nobody and reads nothing.
package interview

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// Interview is how far somebody has come who is asked for a configuration, question by question. It is a value: it asks
// nobody, reads nothing and changes nothing outside of itself.
type Interview struct {
	// base is what flags, environment and config file say. What they say is not asked.
	base    stack.Config
	answers map[string]string // by the ID of the question
	order   []string          // in which the answers came
	// forgotten are the answers that somebody went back over: they are the usual ones when the question comes again.
	forgotten map[string]string
	// check finds what is wrong with a configuration beyond what the configuration itself knows.
	check func(stack.Config) error
}

// New begins an interview about what base does not say. Check may be nil.
func New(base stack.Config, check func(stack.Config) error) *Interview {
	return &Interview{base: base, answers: map[string]string{}, forgotten: map[string]string{}, check: check}
}

// Knowledge is what the choices rest on, as far as it is known yet.
type Knowledge struct {
	Markets  map[string]stack.Facts // what is known of them, by MarketOf
	Unpriced string                 // why the market of the configuration is not known
	Region   *discovery.Region      // what could be reused
	Why      string                 // why that is not known
	Zones    []string               // in which the machine can be had
	Names    []string               // of the deployments that there are
	Regions  []string               // that AWS has
}

// facts are those of the market of a configuration, where they are known.
func (k Knowledge) facts(c stack.Config) (stack.Facts, bool) {
	f, known := k.Markets[MarketOf(c)]
	return f, known
}

// Query is one question of the interview.
type Query struct {
	ID      string // the key that it answers, or path
	heading string
	text    string
	explain string
	applies func(stack.Config) bool // nil: always
	options func(stack.Config, Knowledge) []term.Option
	free    bool
	usual   func(stack.Config, Knowledge) string // the answer of an empty line; nil: the value of the key now
	Reads   bool                                 // needs Knowledge.Region
	falls   []string                             // answers that fall when this one changes
	check   func(value string, k Knowledge) string
	deep    bool // asked on the advanced path only
	// compares are answers that lead to other markets, and differ so much in price that they are worth asking those for it.
	compares []string
}

// Priced reports whether the price depends on what was asked before, so that it is worth waiting for.
func (q Query) Priced() bool { return q.ID != pathID && q.ID != "name" && q.ID != "region" }

// Compared are the configurations, besides this one, whose prices stand beside the answers.
func (q Query) Compared(c stack.Config) []stack.Config {
	var all []stack.Config
	for _, value := range q.compares {
		if other := with(c, q.ID, value); MarketOf(other) != MarketOf(c) {
			all = append(all, other)
		}
	}
	return all
}

// pathID is the question how much is asked. It is the only one that answers no key.
const (
	pathID       = "path"
	pathQuick    = "quick"
	pathAdvanced = "advanced"
)

// Config is what the answers make of the base.
func (i *Interview) Config() stack.Config {
	c := i.base
	for _, q := range queries() {
		if value, answered := i.answers[q.ID]; answered && q.ID != pathID && i.asks(q, c) {
			_ = c.Set(q.ID, value, stack.Source{Kind: "answer"}) // it was tried when it was given
		}
	}
	return c
}

// asks reports whether a question has a place in the interview, as the configuration is before it.
func (i *Interview) asks(q Query, c stack.Config) bool {
	if q.deep && !i.Advanced() {
		return false
	}
	if q.ID != pathID && i.base.IsSet(q.ID) {
		return false
	}
	return q.applies == nil || q.applies(c)
}

// Next is the first question that has no answer yet.
func (i *Interview) Next() (Query, bool) {
	c := i.Config()
	for _, q := range queries() {
		if _, answered := i.answers[q.ID]; !answered && i.asks(q, c) {
			return q, true
		}
	}
	return Query{}, false
}

// place says which question of how many it is, as far as can be seen.
func (i *Interview) place(q Query) (at, of int) {
	c := i.Config()
	for _, one := range queries() {
		if !i.asks(one, c) {
			continue
		}
		of++
		if one.ID == q.ID {
			at = of
		}
	}
	return at, of
}

// Advanced reports whether everything is asked, not only what nobody can guess.
func (i *Interview) Advanced() bool { return i.answers[pathID] == pathAdvanced }

// Question is a question as it is put, with what is known.
func (i *Interview) Question(q Query, k Knowledge) term.Question {
	c := i.Config()
	at, of := i.place(q)
	out := term.Question{
		Heading: fmt.Sprintf("%d of %d: %s", at, of, q.heading), Text: q.text, Explain: q.explain, Free: q.free,
		First: len(i.order) == 0, Footer: PriceLine(c, k),
	}
	if _, known := k.facts(c); q.ID == pathID || q.ID == "name" && !known {
		out.Footer = ""
	}
	if q.options != nil {
		out.Options = q.options(c, k)
	}
	before, answered := i.last(q.ID)
	switch {
	case answered:
		out.Default = before
	case q.usual != nil:
		out.Default = q.usual(c, k)
	default:
		out.Default = c.Text(q.ID)
	}
	for _, o := range out.Options {
		out.Empty = out.Empty || o.Value == ""
	}
	return out
}

// Answer takes an answer, or says what is wrong with it. Answers that rested on another one fall with it.
func (i *Interview) Answer(q Query, value string, k Knowledge) error {
	if q.check != nil {
		if problem := q.check(value, k); problem != "" {
			return errors.New(problem)
		}
	}
	trial := *i
	trial.answers = maps.Clone(i.answers)
	if old, again := i.last(q.ID); again && old != value {
		for _, id := range q.falls {
			delete(trial.answers, id)
			delete(i.forgotten, id)
		}
	}
	trial.answers[q.ID] = value
	if q.ID != pathID {
		c := i.Config()
		if err := c.Set(q.ID, value, stack.Source{}); err != nil {
			return unsourced(err)
		}
		if err := problemOf(q.ID, trial.Config(), i.check); err != nil {
			return err
		}
	}
	i.answers = trial.answers
	i.order = slices.DeleteFunc(slices.Clone(i.order), func(id string) bool {
		_, stands := i.answers[id]
		return id == q.ID || !stands
	})
	i.order = append(i.order, q.ID)
	return nil
}

// last is the answer that a question has, or had before somebody went back over it.
func (i *Interview) last(id string) (string, bool) {
	if value, answered := i.answers[id]; answered {
		return value, true
	}
	value, answered := i.forgotten[id]
	return value, answered
}

// Back takes the last answer back, so that it is asked for again.
func (i *Interview) Back() {
	if len(i.order) > 0 {
		i.forget(len(i.order) - 1)
	}
}

// forget takes back the answers from this one on.
func (i *Interview) forget(at int) {
	for _, id := range i.order[at:] {
		i.forgotten[id] = i.answers[id]
		delete(i.answers, id)
	}
	i.order = i.order[:at]
}

// Reopen forgets the answers that make the configuration unusable and everything after them, and tells what is wrong. It
// returns nil when all is well.
func (i *Interview) Reopen() error {
	c := i.Config()
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
	errs := stack.Problems(c.Validate())
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
