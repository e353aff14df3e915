package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"geusemaker/internal/engine"
)

// How long calls wait for a network that was there and went away, as it does when a computer sleeps or changes networks,
// and the pauses between their attempts.
const (
	reconnectPatience = 2 * time.Minute
	reconnectPause    = time.Second
	reconnectMax      = 5 * time.Second
)

// Reconnect lets calls of cfg wait for a network that went away: a connection that cannot be made has no effect in AWS and
// says nothing about it. Where AWS was never reached, only the SDK's own attempts are made. tell hears of an absent network
// once, from any goroutine.
func Reconnect(cfg *aws.Config, tell func(string)) {
	r := &reconnection{tell: tell}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Reconnect", r.attempt), "Retry", middleware.After)
	})
}

// reconnection is what the clients of a configuration know of the network.
type reconnection struct {
	tell func(string)

	mu      sync.Mutex
	reached bool // AWS has answered
	told    bool // that it does not any more
}

func (r *reconnection) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	patience, pause := engine.NewPatience(engine.Wall{}), reconnectPause
	for {
		out, metadata, err = next.HandleFinalize(ctx, in)
		if !unconnected(err) {
			r.connected()
			return out, metadata, err
		}
		if !r.missed(awsmiddleware.GetServiceID(ctx), err) {
			return out, metadata, err
		}
		if patience.Spent() >= reconnectPatience {
			return out, metadata, &unrepeatable{err}
		}
		if cut := (engine.Wall{}).Sleep(ctx, pause); cut != nil {
			return out, metadata, err
		}
		pause = min(2*pause, reconnectMax)
		if stream, ok := in.Request.(interface{ RewindStream() error }); ok {
			if cannot := stream.RewindStream(); cannot != nil {
				return out, metadata, errors.Join(err, cannot)
			}
		}
	}
}

func (r *reconnection) connected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reached, r.told = true, false
}

// missed tells of a connection that cannot be made, and reports whether it is worth waiting for.
func (r *reconnection) missed(service string, err error) (wait bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told && r.tell != nil {
		r.tell(fmt.Sprintf("cannot reach the endpoint of %s (%s); trying again", service, unconnectedFor(err)))
	}
	r.told = true
	return r.reached
}

// unconnected reports that no connection could be made.
func unconnected(err error) bool { return unconnectedFor(err) != "" }

// unconnectedFor is why no connection could be made, or "".
func unconnectedFor(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return op.Error()
	}
	return ""
}
