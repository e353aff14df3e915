package host

import (
	"context"
	"crypto/tls"
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

// Endpoints lists what a machine at the given address serves.
func Endpoints(address string, c stack.Config) []stack.Endpoint {
	var list []stack.Endpoint
	for _, s := range stack.Services(c.HTTPS) {
		if s.Port == 0 {
			continue
		}
		at := address
		if c.Domain != "" {
			at = c.Domain
		}
		list = append(list, stack.Endpoint{Service: s.Name, URL: s.URL(at, c.HTTPS), Port: s.Port, Auth: s.Auth, Health: stack.HealthUnknown})
	}
	return list
}

// Probe asks every endpoint at once and returns them with what was seen.
func (p *Prober) Probe(ctx context.Context, endpoints []stack.Endpoint) []stack.Endpoint {
	seen := make([]stack.Endpoint, len(endpoints))
	var wg sync.WaitGroup
	for i, e := range endpoints {
		wg.Go(func() {
			e.Health, e.Detail = p.probe(ctx, e)
			e.CheckedAt = p.clock.Now().UTC()
			seen[i] = e
		})
	}
	wg.Wait()
	return seen
}

func (p *Prober) probe(ctx context.Context, e stack.Endpoint) (stack.Health, string) {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+healthPath(e.Service), nil)
	if err != nil {
		return stack.HealthUnknown, err.Error()
	}
	start := p.clock.Now()
	resp, err := p.client.Do(req)
	if err != nil {
		return stack.Unreachable, reason(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	took := p.clock.Now().Sub(start).Round(time.Millisecond)
	switch resp.StatusCode {
	case http.StatusOK:
		return stack.Healthy, fmt.Sprintf("answered in %s", took)
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return stack.Starting, "the gateway answers, the service does not yet"
	default:
		return stack.Unhealthy, "answered " + resp.Status
	}
}

func healthPath(service string) string {
	for _, s := range stack.Services(stack.HTTPSInternal) {
		if s.Name == service {
			return s.HealthPath
		}
	}
	return "/"
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
