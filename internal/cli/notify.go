package cli

import (
	"bytes"
	"context"
	"encoding/json"
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

// notice is what a webhook is told. Slack and Mattermost show the text.
type notice struct {
	Event   string         `json:"event"`
	Text    string         `json:"text"`
	Name    string         `json:"name"`
	Sandbox bool           `json:"sandbox"`
	Healthy bool           `json:"healthy"`
	At      time.Time      `json:"at"`
	Changes []healthChange `json:"changes"`
}

func noticeOf(d healthDoc, changes []healthChange) notice {
	var parts []string
	for _, c := range changes {
		if c.To == stack.Healthy || c.Detail == "" {
			parts = append(parts, fmt.Sprintf("%s is %s", c.Service, c.To))
		} else {
			parts = append(parts, fmt.Sprintf("%s is %s (%s)", c.Service, c.To, c.Detail))
		}
	}
	return notice{
		Event: "health", Text: "geusemaker: " + d.Name + ": " + strings.Join(parts, ", "),
		Name: d.Name, Sandbox: d.Sandbox, Healthy: d.Healthy, At: d.CheckedAt, Changes: changes,
	}
}

// How a notice is delivered: so many attempts, after pauses that double, each bounded; and at the end so long for those that
// wait.
const (
	noticeAttempts = 5
	noticePause    = time.Second
	noticeDeadline = 10 * time.Second
	noticeGrace    = 5 * time.Second
	noticesWaiting = 100
)

// notifier delivers notices to a webhook in their order, without holding up who posts them.
type notifier struct {
	url    string
	host   string // the rest of the address is often a secret
	client *http.Client
	clock  engine.Clock
	warn   func(string)
	queue  chan notice
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// newNotifier begins to deliver. It goes on for a moment after ctx has ended, until close.
func newNotifier(ctx context.Context, address string, clock engine.Clock, warn func(string)) *notifier {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	n := &notifier{
		url: address, clock: clock, warn: warn, queue: make(chan notice, noticesWaiting), stop: stop,
		// A redirect would turn the POST into a GET.
		client: &http.Client{Timeout: noticeDeadline, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	if u, err := url.Parse(address); err == nil {
		n.host = u.Host
	}
	n.done.Go(func() {
		for one := range n.queue {
			if err := n.deliver(ctx, one); err != nil {
				warn(fmt.Sprintf("%s was not told that %s: %v", n.host, strings.TrimPrefix(one.Text, "geusemaker: "), err))
			}
		}
	})
	return n
}

// post takes a notice for delivery.
func (n *notifier) post(one notice) {
	select {
	case n.queue <- one:
	default:
		n.warn(n.host + " does not take notices as fast as they come: one is left out")
	}
}

// close waits a moment for what was not delivered yet.
func (n *notifier) close() {
	close(n.queue)
	timer := time.AfterFunc(noticeGrace, n.stop)
	n.done.Wait()
	timer.Stop()
	n.stop()
}

// deliver sends a notice until it is taken. What the webhook refuses for good is not sent again.
func (n *notifier) deliver(ctx context.Context, one notice) error {
	body, err := json.Marshal(one)
	if err != nil {
		return err
	}
	pause := noticePause
	for attempt := 1; ; attempt++ {
		again, err := n.send(ctx, body)
		if err == nil || !again || attempt == noticeAttempts {
			return err
		}
		if stopped := n.clock.Sleep(ctx, pause); stopped != nil {
			return err
		}
		pause *= 2
	}
}

// send makes one attempt, and tells whether another could have more success.
func (n *notifier) send(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "geusemaker/"+version)
	resp, err := n.client.Do(req)
	if err != nil {
		if u, ok := err.(*url.Error); ok { //nolint:errorlint // Do returns it itself; its text would show the address
			err = u.Err
		}
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return true, fmt.Errorf("it answered %s", resp.Status)
	default:
		return false, fmt.Errorf("it answered %s", resp.Status)
	}
}
