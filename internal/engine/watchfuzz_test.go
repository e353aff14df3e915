package engine_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Whatever a machine says of its boot, again and again, the watch ends in time, and what it tells can be shown.
func FuzzWatch(f *testing.F) {
	f.Add([]byte(`{"complete":true,"steps":[{"name":"docker","status":"done","seconds":2}]}`), true)
	f.Add([]byte(`{"failed":true,"steps":[{"name":"docker","status":"failed","detail":"no"}],"log":{"next":1,"size":9,"text":"x"}}`), false)
	f.Add([]byte(`{"steps":[{"name":"","status":""},{"name":"","status":"done","seconds":9e99}]}`), true)
	f.Add([]byte(`{"pulls":[{"image":"a","status":"pulling","done":9,"total":3}],"log":{"offset":5,"next":5,"size":9}}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, healthy bool) {
		var report stack.Report
		if json.Unmarshal(raw, &report) != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			b := &boot{
				start:  start,
				report: func(time.Duration) (stack.Report, error) { return report.Sane(0), nil },
				health: func(time.Duration, string) stack.Health {
					if healthy {
						return stack.Healthy
					}
					return stack.Unreachable
				},
			}
			e := engine.Engine{Clock: engine.Wall{}, Sink: func(ev engine.Event) {
				if ev.Took < 0 || ev.Done < 0 || ev.Total < 0 {
					t.Errorf("%s %s took %s, %d of %d", ev.Type, ev.Key, ev.Took, ev.Done, ev.Total)
				}
			}}
			_, err := e.Watch(t.Context(), b, b, "i-1", []stack.Endpoint{{Service: "n8n", URL: "https://h"}})
			if took := time.Since(start); took > time.Hour {
				t.Errorf("the watch took %s", took)
			}
			if !healthy && err == nil {
				t.Error("a service that nobody reaches was taken for success")
			}
			for _, offset := range b.offsets {
				if offset < 0 {
					t.Errorf("the log was asked for from %d", offset)
				}
			}
		})
	})
}
