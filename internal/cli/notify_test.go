package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

// quick is a clock whose sleeps are noted and take no time.
type quick struct {
	mu     sync.Mutex
	pauses []time.Duration
}

func (c *quick) Now() time.Time { return time.Now() }

func (c *quick) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.pauses = append(c.pauses, d)
	c.mu.Unlock()
	return ctx.Err()
}

// hook is a webhook on the loopback that answers with the given statuses, one after the other, then with 204.
func hook(t *testing.T, statuses ...int) (url string, got *[]notice) {
	t.Helper()
	got = &[]notice{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var one notice
		if err := json.Unmarshal(body, &one); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", r.Method, body, err)
		}
		*got = append(*got, one)
		status := http.StatusNoContent
		if len(statuses) > 0 {
			status, statuses = statuses[0], statuses[1:]
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/secret", got
}

func TestNoticesAreDeliveredWithPatience(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name     string
		statuses []int
		attempts int
		pauses   []time.Duration
		warning  string
	}{
		{name: "at once", attempts: 1},
		{name: "busy at first", statuses: []int{503, 429, 500}, attempts: 4, pauses: []time.Duration{s, 2 * s, 4 * s}},
		{name: "down", statuses: []int{500, 500, 500, 500, 502, 500}, attempts: 5, pauses: []time.Duration{s, 2 * s, 4 * s, 8 * s}, warning: "it answered 502"},
		{name: "gone", statuses: []int{404}, attempts: 1, warning: "it answered 404"},
		{name: "moved", statuses: []int{302}, attempts: 1, warning: "it answered 302"},
	} {
		clock := &quick{}
		var warnings []string
		url, got := hook(t, tt.statuses...)
		n := newNotifier(t.Context(), url, clock, func(text string) { warnings = append(warnings, text) })
		want := notice{Event: "health", Text: "geusemaker: demo: n8n is unhealthy (x)", Name: "demo", At: time.Now().UTC(), Changes: []healthChange{{"n8n", "healthy", "unhealthy", "x"}}}
		n.post(want)
		n.close()
		if len(*got) != tt.attempts || len(*got) > 0 && cmp.Diff(want, (*got)[0]) != "" {
			t.Errorf("%s: got %+v", tt.name, *got)
		}
		if !slices.Equal(clock.pauses, tt.pauses) {
			t.Errorf("%s: pauses %v", tt.name, clock.pauses)
		}
		said := strings.Join(warnings, "\n")
		if !strings.Contains(said, tt.warning) || tt.warning == "" && said != "" || strings.Contains(said, "secret") {
			t.Errorf("%s: warned %q", tt.name, said)
		}
	}
}

// A webhook that cannot be reached holds nobody up, and its address, often a secret, is not shown.
func TestNoticesToNobody(t *testing.T) {
	server := httptest.NewServer(nil)
	url := server.URL + "/secret"
	server.Close()
	var warnings []string
	n := newNotifier(t.Context(), url, &quick{}, func(text string) { warnings = append(warnings, text) })
	n.post(notice{Text: "geusemaker: demo: n8n is healthy"})
	n.close()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "was not told that demo: n8n is healthy: ") || strings.Contains(warnings[0], "secret") {
		t.Errorf("warned %q", warnings)
	}
}

func TestChangesOfHealth(t *testing.T) {
	doc := healthDoc{Name: "demo", Services: []serviceHealth{{Service: "n8n", Health: stack.Healthy}, {Service: "qdrant", Health: stack.Unreachable, Detail: "refused"}}}
	changes := changesSince(map[string]stack.Health{"n8n": stack.Healthy, "qdrant": stack.Healthy}, doc)
	if diff := cmp.Diff([]healthChange{{"qdrant", stack.Healthy, stack.Unreachable, "refused"}}, changes); diff != "" {
		t.Error(diff)
	}
	if text := noticeOf(doc, changes).Text; text != "geusemaker: demo: qdrant is unreachable (refused)" {
		t.Errorf("text %q", text)
	}
}

func TestOfTwoViewsTheWorseCounts(t *testing.T) {
	for _, tt := range []struct{ outside, inside, want stack.Health }{
		{stack.Healthy, stack.Healthy, stack.Healthy},
		{stack.Healthy, stack.HealthUnknown, stack.Healthy},
		{stack.HealthUnknown, stack.Unhealthy, stack.Unhealthy},
		{stack.Unreachable, stack.Healthy, stack.Unreachable},
		{stack.Healthy, stack.Starting, stack.Starting},
		{stack.HealthUnknown, stack.HealthUnknown, stack.HealthUnknown},
	} {
		if got := worse(tt.outside, tt.inside); got != tt.want {
			t.Errorf("%s outside, %s inside: %s", tt.outside, tt.inside, got)
		}
	}
}

func TestVersionOfAnImage(t *testing.T) {
	for image, want := range map[string]string{
		"n8nio/n8n:2.46.5": "2.46.5", "qdrant/qdrant:v1.19.2": "1.19.2", "registry:5000/team/n8n": "", "": "",
		"registry:5000/team/n8n:2@sha256:abc": "2", "caddy": "",
	} {
		if got := tag(image); got != want {
			t.Errorf("%q: %q, want %q", image, got, want)
		}
	}
}

func TestWhichPluginReadsTheVariable(t *testing.T) {
	for version, want := range map[string]bool{
		"1.2.497.0\n": false, "1.2.498.0": true, "1.2.707.0\n": true, "1.3": true, "1.2.497": false, "1.2.54.0": false, "": false, "dev": false,
	} {
		if got := newer(version, lastWithoutVariable); got != want {
			t.Errorf("%q: %t", version, got)
		}
	}
}
