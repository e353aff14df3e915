package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// healthOptions are the flags of health.
type healthOptions struct{ watch, notify string }

// watchDefault is how often --watch asks when it is not said.
const watchDefault = "10s"

// interval reads --watch and checks that the flags fit together; 0 without --watch.
func (o healthOptions) interval() (time.Duration, error) {
	if o.notify != "" {
		if o.watch == "" {
			return 0, &usageError{err: fmt.Errorf("--notify tells of changes"), hints: []string{"pass --watch too"}}
		}
		if u, err := url.Parse(o.notify); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return 0, usage("--notify: that is no URL such as https://hooks.example.com/...")
		}
	}
	if o.watch == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(o.watch)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return 0, usage("--watch: %q is not an interval from 1s to 24h, such as 30s", o.watch)
	}
	return d, nil
}

// watchHealth asks again and again and tells what changes, until it is stopped: by the user, which is no failure, or by
// --timeout, whereafter the last answer counts.
func (v *visit) watchHealth(ctx context.Context, interval time.Duration, notify string) error {
	if v.global.output == outputYAML {
		return usage("--watch writes one object a line: use -o json")
	}
	post := func(notice) {}
	if notify != "" {
		n := newNotifier(ctx, notify, engine.Wall{}, v.warn)
		defer n.close()
		post = n.post
	}
	last := map[string]stack.Health{}
	seen := healthDoc{Healthy: true}
	stopped := func() error {
		if timeIsOver(ctx) != nil {
			return seen.illness()
		}
		return nil
	}
	for {
		doc := v.health(ctx)
		if ctx.Err() != nil {
			return stopped() // what was broken off says nothing
		}
		seen = doc
		changes := changesSince(last, doc)
		if err := v.tellHealth(doc, changes, len(last) == 0); err != nil {
			return err
		}
		if len(changes) > 0 && (len(last) > 0 || !doc.Healthy) {
			post(noticeOf(doc, changes))
		}
		for _, s := range doc.Services {
			last[s.Service] = s.Health
		}
		if v.clock.Sleep(ctx, interval) != nil {
			return stopped()
		}
	}
}

// healthChange is one service whose health has changed.
type healthChange struct {
	Service string       `json:"service"`
	From    stack.Health `json:"from"`
	To      stack.Health `json:"to"`
	Detail  string       `json:"detail"`
}

func changesSince(last map[string]stack.Health, d healthDoc) []healthChange {
	changes := []healthChange{}
	for _, s := range d.Services {
		before, known := last[s.Service]
		if !known {
			before = stack.HealthUnknown
		}
		if before != s.Health {
			changes = append(changes, healthChange{s.Service, before, s.Health, s.Detail})
		}
	}
	return changes
}

// tellHealth shows a round: as one object a line, or at first as a table and then only what has changed.
func (v *visit) tellHealth(d healthDoc, changes []healthChange, first bool) error {
	if v.global.output == outputJSON {
		return json.NewEncoder(v.streams.Out).Encode(d)
	}
	if first {
		_, err := fmt.Fprint(v.streams.Out, v.healthView(d))
		return err
	}
	screen := v.streams.OutScreen()
	for _, c := range changes {
		_, err := fmt.Fprintf(v.streams.Out, "%s  %s  %s, was %s%s\n", d.CheckedAt.Format(time.RFC3339), c.Service,
			screen.Status(string(c.To)), c.From, reasonOf(c.Detail))
		if err != nil {
			return err
		}
	}
	return nil
}

func reasonOf(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

func (a *app) healthView(d healthDoc) string {
	t := &term.Table{Columns: []term.Column{
		{Name: "SERVICE"},
		{Name: "FROM HERE", Paint: term.Screen.Status},
		{Name: "ON THE MACHINE", Paint: term.Screen.Status},
		{Name: "VERSION", Drop: 2},
		{Name: "LATENCY", Right: true, Drop: 3},
		{Name: "DETAIL", Min: 12, Drop: 1},
	}}
	for _, s := range d.Services {
		outside := string(s.Outside)
		if s.Outside == stack.HealthUnknown {
			outside = "-"
		}
		t.Rows = append(t.Rows, term.Row{Cells: []string{s.Service, outside, string(s.Inside), s.Version, latency(s.LatencyMS), s.Detail}})
	}
	screen := a.streams.OutScreen()
	return screen.Heading(d.Name, "", d.Sandbox) + screen.Table(*t) + screen.Warnings(d.Warnings)
}
