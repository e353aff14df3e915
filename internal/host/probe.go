package host

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// probeDeadline bounds one probe. A service that needs longer to say that it is well is not well.
const probeDeadline = 5 * time.Second

// Prober asks the services from outside, as their users will.
type Prober struct {
	client *http.Client
	clock  engine.Clock
}

// NewProber returns a prober for a gateway with the given TLS setting. A nil transport means the network.
//
// The gateway's own authority cannot be verified from here, so its certificate is not checked: a probe sends no secret and
// only asks whether somebody answers. With a domain the certificate is public and is checked.
func NewProber(transport http.RoundTripper, clock engine.Clock, https string) *Prober {
	if transport == nil {
		transport = &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: https != stack.HTTPSACME}, //nolint:gosec // see above
			DisableKeepAlives: true,
		}
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Prober{client: &http.Client{Transport: transport, CheckRedirect: refuse}, clock: clock}
}

// Endpoints lists what a machine at the given address serves, and where its user finds it: with access tunnel that is the
// near end of the tunnel.
func Endpoints(address string, c stack.Config) []stack.Endpoint {
	var list []stack.Endpoint
	for _, s := range stack.Services(c.HTTPS) {
		if s.Port == 0 {
			continue
		}
		e := stack.Endpoint{Service: s.Name, URL: s.URL(cmp.Or(c.Domain, address), c.HTTPS), Port: s.Port, Auth: s.Auth, Health: stack.HealthUnknown}
		if c.Access == stack.AccessTunnel {
			e.URL, e.Port = s.LocalURL(c.HTTPS), s.LocalPort()
		}
		list = append(list, e)
	}
	return list
}

// Probe asks every endpoint at once and returns them with what was seen.
func (p *Prober) Probe(ctx context.Context, endpoints []stack.Endpoint) []stack.Endpoint {
	seen := make([]stack.Endpoint, len(endpoints))
	var wg sync.WaitGroup
	for i, e := range endpoints {
		wg.Go(func() {
			p.probe(ctx, &e)
			e.CheckedAt = p.clock.Now().UTC()
			seen[i] = e
		})
	}
	wg.Wait()
	return seen
}

// probe fills in what is seen of an endpoint.
func (p *Prober) probe(ctx context.Context, e *stack.Endpoint) {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	e.Version, e.LatencyMS = "", 0
	service := serviceNamed(e.Service)
	start := p.clock.Now()
	status, body, err := p.get(ctx, e.URL+service.HealthPath)
	if err != nil {
		e.Health, e.Detail = stack.Unreachable, reason(err)
		return
	}
	took := p.clock.Now().Sub(start).Round(time.Millisecond)
	e.LatencyMS = took.Milliseconds()
	switch status {
	case http.StatusOK:
		e.Health, e.Detail = stack.Healthy, fmt.Sprintf("answered in %s", took)
		e.Version = p.version(ctx, *e, service, body)
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		e.Health, e.Detail = stack.Starting, "the gateway answers, the service does not yet"
	default:
		e.Health, e.Detail = stack.Unhealthy, fmt.Sprintf("answered %d %s", status, http.StatusText(status))
	}
}

// get asks one page and returns its status and the beginning of its text.
func (p *Prober) get(ctx context.Context, url string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, _ = io.ReadAll(io.LimitReader(resp.Body, 1<<16)) // the status counts
	return resp.StatusCode, body, nil
}

// version is what a service says of itself: in its answer to the health check, or on a page of its own. It is no reason to
// call a service ill that it does not tell.
func (p *Prober) version(ctx context.Context, e stack.Endpoint, service stack.Service, health []byte) string {
	switch service.VersionPath {
	case "":
		return ""
	case service.HealthPath:
	default:
		var err error
		if _, health, err = p.get(ctx, e.URL+service.VersionPath); err != nil {
			return ""
		}
	}
	var said struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(health, &said) != nil || len(said.Version) > 40 {
		return ""
	}
	return said.Version
}

// serviceNamed is what is known of a service; of one that is not known, that it answers somewhere.
func serviceNamed(name string) stack.Service {
	for _, s := range stack.Services(stack.HTTPSInternal) {
		if s.Name == name {
			return s
		}
	}
	return stack.Service{HealthPath: "/"}
}

// reason is why nobody answered, without the parts that only repeat the request.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", probeDeadline)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}
