package host

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// gateway answers on the loopback as the services do behind theirs, by path.
func gateway(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		switch {
		case !ok:
			w.WriteHeader(http.StatusUnauthorized)
		case page == "502":
			w.WriteHeader(http.StatusBadGateway)
		case page == "302":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			_, _ = w.Write([]byte(page))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProbeSeesHealthAndVersion(t *testing.T) {
	for _, tt := range []struct {
		service string
		pages   map[string]string
		health  stack.Health
		version string
		detail  string
	}{
		{"n8n", map[string]string{"/healthz/readiness": `{"status":"ok"}`}, stack.Healthy, "", "answered in "},
		{"ollama", map[string]string{"/api/version": `{"version":"0.34.2"}`}, stack.Healthy, "0.34.2", "answered in "},
		{"qdrant", map[string]string{"/readyz": "all shards are ready", "/": `{"title":"qdrant","version":"1.19.2"}`}, stack.Healthy, "1.19.2", "answered in "},
		{"qdrant", map[string]string{"/readyz": "all shards are ready"}, stack.Healthy, "", "answered in "},
		{"crawl4ai", map[string]string{"/health": `{"status":"ok","version":"0.9.3"}`}, stack.Healthy, "0.9.3", "answered in "},
		{"crawl4ai", map[string]string{"/health": `{"version":"` + strings.Repeat("9", 100) + `"}`}, stack.Healthy, "", "answered in "},
		{"crawl4ai", map[string]string{"/health": "no JSON"}, stack.Healthy, "", "answered in "},
		{"n8n", map[string]string{"/healthz/readiness": "502"}, stack.Starting, "", "the service does not yet"},
		{"n8n", map[string]string{"/healthz/readiness": "302"}, stack.Unhealthy, "", "answered 302 Found"},
		{"n8n", map[string]string{}, stack.Unhealthy, "", "answered 401 Unauthorized"},
	} {
		url := gateway(t, tt.pages)
		before := []stack.Endpoint{{Service: tt.service, URL: url, Version: "of before", LatencyMS: 7}}
		got := NewProber(nil, engine.Wall{}, stack.HTTPSInternal).Probe(t.Context(), before)[0]
		if got.Health != tt.health || got.Version != tt.version || !strings.Contains(got.Detail, tt.detail) || got.CheckedAt.IsZero() {
			t.Errorf("%s with %v: %+v", tt.service, tt.pages, got)
		}
	}
}

func TestProbeOfNobody(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	got := NewProber(nil, engine.Wall{}, stack.HTTPSInternal).Probe(t.Context(), []stack.Endpoint{{Service: "n8n", URL: server.URL}})[0]
	if got.Health != stack.Unreachable || got.Detail != "connection refused" || got.LatencyMS != 0 {
		t.Errorf("%+v", got)
	}
}

// With access tunnel the services are at the near end of the tunnel, wherever the machine is.
func TestEndpointsAreWhereTheUserFindsThem(t *testing.T) {
	for _, tt := range []struct {
		access, https, domain string
		want                  []string
	}{
		{stack.AccessDirect, stack.HTTPSInternal, "", []string{"https://198.51.100.4", "https://198.51.100.4:11434", "https://198.51.100.4:6333", "https://198.51.100.4:11235"}},
		{stack.AccessDirect, stack.HTTPSACME, "ai.example.com", []string{"https://ai.example.com", "https://ai.example.com:11434", "https://ai.example.com:6333", "https://ai.example.com:11235"}},
		{stack.AccessTunnel, stack.HTTPSInternal, "", []string{"https://localhost:5678", "https://localhost:11434", "https://localhost:6333", "https://localhost:11235"}},
		{stack.AccessTunnel, stack.HTTPSOff, "", []string{"http://localhost:5678", "http://localhost:11434", "http://localhost:6333", "http://localhost:11235"}},
	} {
		c := stack.NewConfig()
		c.Access, c.HTTPS, c.Domain = tt.access, tt.https, tt.domain
		var got []string
		for _, e := range Endpoints("198.51.100.4", c) {
			got = append(got, e.URL)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, %s:\n%s", tt.access, tt.https, diff)
		}
	}
}
