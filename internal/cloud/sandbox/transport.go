package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"geusemaker/internal/stack"
)

// dialTimeout is how long a connection is tried for (virtual) when nothing answers and the context has no earlier end.
const dialTimeout = 30 * time.Second

// Transport returns an HTTP transport for the public addresses of the account's machines. A service that is not up yet refuses
// the connection; a port that no security group opens, and an address that nobody has, let it time out. It also answers
// https://checkip.amazonaws.com with CallerAddress. Nothing reaches the network.
func (a *Account) Transport() http.RoundTripper { return transport{a} }

type transport struct{ account *Account }

// RoundTrip answers one probe.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer func() { _ = request.Body.Close() }() // the RoundTripper contract; nothing to do about an error
	}
	host, port := request.URL.Hostname(), portOf(request)
	if host == "checkip.amazonaws.com" {
		return answer(request, http.StatusOK, "text/plain", CallerAddress+"\n"), nil
	}
	if err := t.account.clock.Sleep(request.Context(), 40*time.Millisecond); err != nil {
		return nil, dialError(host, port, err)
	}
	service, outcome := t.account.reach(host, port)
	switch outcome {
	case connected:
		return respond(request, service), nil
	case refused:
		return nil, dialError(host, port, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	default:
		return nil, dialError(host, port, t.account.silence(request.Context()))
	}
}

func portOf(request *http.Request) int {
	if port, err := strconv.Atoi(request.URL.Port()); err == nil {
		return port
	}
	if request.URL.Scheme == "http" {
		return 80
	}
	return 443
}

func dialError(host string, port int, err error) error {
	address := &net.TCPAddr{IP: net.ParseIP(host), Port: port}
	return &net.OpError{Op: "dial", Net: "tcp", Addr: address, Err: err}
}

// silence waits until the caller gives up, and says so as the net package does.
func (a *Account) silence(ctx context.Context) error {
	err := a.clock.Sleep(ctx, dialTimeout)
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		return os.ErrDeadlineExceeded // "i/o timeout"
	}
	return err
}

// reached tells what becomes of a connection.
type reached int

const (
	silent reached = iota
	refused
	connected
)

// reach finds the service that answers at an address, in the account as last known.
func (a *Account) reach(host string, port int) (service stack.Service, outcome reached) {
	_ = a.view(func(s *state) {
		c := &call{account: a, state: s, now: a.clock.Now()}
		s.prune(c.now)
		for _, c.region = range s.Regions {
			for _, e := range c.region.Interfaces {
				if e.PublicIP == host && host != "" {
					service, outcome = c.connect(e, port)
					return
				}
			}
		}
	})
	return service, outcome
}

func (c *call) connect(e *netInterface, port int) (stack.Service, reached) {
	i := c.region.Instances[e.Instance]
	if i == nil || !i.running(c.now) || !c.public(c.region.Subnets[e.Subnet]) || !c.admits(e, port) {
		return stack.Service{}, silent
	}
	m := c.machine(i)
	if m == nil || !m.up("gateway", c.now) {
		return stack.Service{}, refused
	}
	for _, https := range []string{stack.HTTPSOff, "internal"} { // both faces of the gateway
		for _, s := range stack.Services(https) {
			if s.Port == port && s.Port != 0 {
				if !m.up(s.Name, c.now) {
					return stack.Service{}, refused
				}
				return s, connected
			}
		}
	}
	return stack.Service{}, refused
}

func (c *call) admits(e *netInterface, port int) bool {
	return slices.ContainsFunc(e.Groups, func(id string) bool {
		g := c.region.Groups[id]
		return g != nil && slices.ContainsFunc(g.Rules, func(r *rule) bool { return len(c.blocks(r)) > 0 && r.admits(port) })
	})
}

// respond answers as the gateway does: health paths are open, all else needs a login.
func respond(request *http.Request, service stack.Service) *http.Response {
	bodies := map[string]string{
		"n8n": `{"status":"ok"}`, "ollama": `{"version":"0.34.2"}`, "qdrant": `{"title":"qdrant - ready"}`,
		"crawl4ai": `{"status":"ok","version":"0.9.3"}`,
	}
	switch request.URL.Path {
	case service.HealthPath:
		return answer(request, http.StatusOK, "application/json", bodies[service.Name])
	case service.VersionPath:
		return answer(request, http.StatusOK, "application/json", `{"title":"`+service.Name+`","version":"1.19.2"}`)
	}
	if request.Header.Get("Authorization") == "" && request.Header.Get("Api-Key") == "" {
		response := answer(request, http.StatusUnauthorized, "application/json", `{"error":"unauthorized"}`)
		response.Header.Set("WWW-Authenticate", "Bearer")
		return response
	}
	return answer(request, http.StatusOK, "application/json", "{}")
}

func answer(request *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: request,
	}
}
