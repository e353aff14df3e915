package term

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// jsonFormat is the version of the lines that jsonProgress writes. It rises when a key goes or changes its meaning, not
// when one comes.
const jsonFormat = 1

// jsonProgress writes one JSON object a line. The first has the type "version", the last the type "summary", those between
// are events.
type jsonProgress struct {
	w      io.Writer
	board  *board
	clock  Clock
	open   bool
	closed bool
}

type jsonVersion struct {
	Time      time.Time `json:"time"`
	Type      string    `json:"type"`
	Format    int       `json:"format"`
	Operation string    `json:"operation,omitempty"`
	Sandbox   bool      `json:"sandbox,omitempty"`
}

type jsonEvent struct {
	Time    time.Time        `json:"time"`
	Type    engine.EventType `json:"type"`
	Key     stack.Key        `json:"key,omitempty"`
	Kind    stack.Kind       `json:"kind,omitempty"`
	ID      string           `json:"id,omitempty"`
	Text    string           `json:"text,omitempty"`
	Error   string           `json:"error,omitempty"`
	Seconds float64          `json:"seconds,omitempty"`
	Usual   float64          `json:"usual_seconds,omitempty"`
	Done    int64            `json:"done_bytes,omitempty"`
	Total   int64            `json:"total_bytes,omitempty"`
	Steps   []stack.Step     `json:"steps,omitempty"`
}

type jsonSummary struct {
	Time    time.Time      `json:"time"`
	Type    string         `json:"type"`
	Text    string         `json:"text"`
	Seconds float64        `json:"seconds"`
	Counts  map[string]int `json:"counts"`
}

func (p *jsonProgress) Event(ev engine.Event) {
	if p.closed {
		return
	}
	if ev.Time.IsZero() {
		ev.Time = p.clock.Now()
	}
	if !p.open {
		p.open = true
		p.write(jsonVersion{
			Time: p.board.start.UTC(), Type: "version", Format: jsonFormat,
			Operation: p.board.title, Sandbox: p.board.sandbox,
		})
	}
	p.board.apply(ev)
	out := jsonEvent{
		Time: ev.Time.UTC(), Type: ev.Type, Key: ev.Key, Kind: ev.Kind, ID: ev.ID, Text: ev.Text,
		Seconds: seconds(ev.Took), Usual: seconds(ev.Usual), Done: ev.Done, Total: ev.Total,
	}
	if ev.Err != nil {
		out.Error = ev.Err.Error()
	}
	if ev.Plan != nil {
		out.Steps = ev.Plan.Steps
	}
	p.write(out)
}

// seconds is a duration to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

func (p *jsonProgress) write(v any) {
	// Of what is written here nothing can fail to be encoded.
	b, _ := json.Marshal(v)
	_, _ = p.w.Write(append(b, '\n'))
}

func (p *jsonProgress) Close() {
	if p.closed || !p.open {
		p.closed = true
		return
	}
	p.closed = true
	now := p.clock.Now()
	counts := map[string]int{}
	for phase, n := range p.board.count() {
		if n > 0 {
			counts[phases[phase]] = n
		}
	}
	p.write(jsonSummary{
		Time: now.UTC(), Type: "summary", Text: p.board.counted(),
		Seconds: seconds(now.Sub(p.board.start)), Counts: counts,
	})
}
