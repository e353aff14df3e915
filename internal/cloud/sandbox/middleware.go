package sandbox

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The services, as the SDK names them.
const (
	serviceEC2     = "EC2"
	serviceEFS     = "EFS"
	serviceIAM     = "IAM"
	serviceSSM     = "SSM"
	serviceSTS     = "STS"
	servicePricing = "Pricing"
	serviceQuotas  = "Service Quotas"
	serviceELB     = "Elastic Load Balancing v2"
)

type inputKey struct{}

// install puts the account under an SDK client: one step keeps the typed input, after the SDK has checked and completed it;
// another answers in place of the network. The latter stands inside the retry loop, so each attempt is a call.
func (a *Account) install(stack *middleware.Stack) error {
	keep := middleware.InitializeMiddlewareFunc("SandboxInput", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
	})
	answer := middleware.FinalizeMiddlewareFunc("SandboxAnswer", func(
		ctx context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler,
	) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
		if err := a.see(ctx, in); err != nil {
			return out, metadata, err
		}
		input := middleware.GetStackValue(ctx, inputKey{})
		var requestID string
		out.Result, requestID, err = a.answer(ctx, input)
		awsmiddleware.SetRequestIDMetadata(&metadata, requestID)
		return out, metadata, err
	})
	if err := stack.Initialize.Add(keep, middleware.After); err != nil {
		return err
	}
	return stack.Finalize.Insert(answer, "Signing", middleware.Before)
}

// answer carries one attempt of a request: the way there, the effect on the account, the way back.
func (a *Account) answer(ctx context.Context, input any) (any, string, error) {
	index, latency, requestID := a.arrive(awsmiddleware.GetOperationName(ctx))
	request := Call{index, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), "before"}
	if err := a.onCall(ctx, request); err != nil {
		return nil, requestID, err
	}
	fault, err := a.meet(request.Service, request.Operation)
	if err != nil {
		return nil, requestID, err
	}
	if fault.Effect == EffectDelay {
		latency += fault.Delay
	}
	if err := a.travel(ctx, latency/2); err != nil {
		return nil, requestID, err
	}
	switch fault.Effect {
	case EffectLoseRequest:
		return nil, requestID, broken("write: broken pipe")
	case EffectError:
		return nil, requestID, wire(request.Service, requestID,
			&refusal{status: fault.HTTPStatus, code: fault.Code, message: fault.Message})
	}
	output, err := a.perform(ctx, request, input)
	request.Phase = "after"
	if hook := a.onCall(ctx, request); hook != nil {
		return nil, requestID, hook
	}
	if err := a.travel(ctx, latency/2); err != nil {
		return nil, requestID, err
	}
	switch fault.Effect {
	case EffectLoseReply:
		return nil, requestID, broken("read: connection reset by peer")
	case EffectTimeOut:
		if err := a.travel(ctx, timeOut); err != nil {
			return nil, requestID, err
		}
		return nil, requestID, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}}
	}
	if err != nil {
		return nil, requestID, wire(request.Service, requestID, err)
	}
	return output, requestID, nil
}

// arrive numbers a call and draws how long its journey takes and its request id.
func (a *Account) arrive(operation string) (index int, latency time.Duration, requestID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	index = a.calls
	a.calls++
	latency = latencyOf(operation, a.jitter)
	id := make([]byte, 16)
	for i := range id {
		id[i] = byte(a.jitter.UintN(256))
	}
	text := hex.EncodeToString(id)
	return index, latency, strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// latencyOf draws the virtual time that an operation takes: a launch was measured at 1.4 s, creates take a few tenths of a
// second, reads a tenth.
func latencyOf(operation string, jitter *rand.Rand) time.Duration {
	between := func(low, high int) time.Duration {
		return time.Duration(low+jitter.IntN(high-low)) * time.Millisecond
	}
	switch {
	case operation == "RunInstances":
		return between(1300, 1500)
	case reads(operation):
		return between(80, 150)
	case strings.HasPrefix(operation, "Create"):
		return between(200, 400)
	}
	return between(150, 300)
}

func reads(operation string) bool {
	return strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "Get") ||
		strings.HasPrefix(operation, "List")
}

func (a *Account) onCall(ctx context.Context, call Call) error {
	if a.options.OnCall == nil {
		return nil
	}
	return a.options.OnCall(ctx, call)
}

// travel waits for part of a journey. A context that ends meanwhile is what the SDK makes of it.
func (a *Account) travel(ctx context.Context, d time.Duration) error {
	if err := a.clock.Sleep(ctx, d); err != nil {
		return &smithy.CanceledError{Err: err}
	}
	return nil
}

// broken is a connection that ended before the reply was read.
func broken(reason string) error {
	return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "tcp", Net: "tcp", Err: errors.New(reason)}}
}

// unreachable is what a client of a region without that service sees: the name of the endpoint does not resolve.
func unreachable(service, region string) error {
	host := strings.ToLower(strings.ReplaceAll(service, " ", "")) + "." + region + ".amazonaws.com"
	return &smithyhttp.RequestSendError{Err: &net.OpError{
		Op: "dial", Net: "tcp",
		Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true},
	}}
}

// meet returns the first fault that acts on a call, and counts the call against all that match.
func (a *Account) meet(service, operation string) (Fault, error) {
	var met Fault
	quiet := false
	err := a.view(func(s *state) { quiet = len(s.Faults) == 0 })
	if quiet || err != nil {
		return met, err
	}
	err = a.update(func(s *state) error {
		for i := range s.Faults {
			if s.Faults[i].hit(service, operation) && met.Effect == "" {
				met = s.Faults[i]
				met.Message = met.says(service, operation, s.Account)
			}
		}
		return nil
	})
	return met, err
}

// perform lets the operation act on the account. A refused call leaves the account, and its file, as they were.
func (a *Account) perform(ctx context.Context, request Call, input any) (output any, err error) {
	op, known := a.operations[request.Service+"."+request.Operation]
	if !known {
		return nil, fmt.Errorf("the sandbox does not know %s %s", request.Service, request.Operation)
	}
	act := func(s *state) error {
		c, err := a.begin(ctx, s, request)
		if err != nil {
			return err
		}
		if wantsDryRun(input) {
			if request.Operation != "RunInstances" { // which still checks its parameters
				return dryRun()
			}
			c.dry = true
		}
		output, err = op(c, input)
		return err
	}
	if reads(request.Operation) {
		unread := a.view(func(s *state) { err = act(s) })
		return output, cmp.Or(unread, err)
	}
	return output, a.update(act)
}

func (a *Account) begin(ctx context.Context, s *state, request Call) (*call, error) {
	c := &call{account: a, state: s, now: a.clock.Now()}
	c.random = rand.New(rand.NewPCG(s.Seed, s.Draws+2))
	if !reads(request.Operation) {
		s.Draws++
	}
	s.prune(c.now) // what is gone by now; a read leaves the file as it is, the next change brings it up to date
	name := awsmiddleware.GetRegion(ctx)
	switch request.Service {
	case serviceIAM, serviceSTS:
		return c, nil // global
	case servicePricing:
		// Price List API reference, "Service endpoints": these three regions only.
		if name != "us-east-1" && name != "eu-central-1" && name != "ap-south-1" {
			return nil, unreachable("api.pricing", name)
		}
		return c, nil
	}
	if c.region = s.Regions[name]; c.region == nil {
		return nil, unreachable(request.Service, name)
	}
	if !reads(request.Operation) {
		c.rememberMounts()
	}
	return c, nil
}

// dryRun is the answer of EC2 to a request that would have succeeded (EC2 API reference, "Common query parameters").
func dryRun() error {
	return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

func wantsDryRun(input any) bool {
	field := reflect.Indirect(reflect.ValueOf(input)).FieldByName("DryRun")
	if !field.IsValid() {
		return false
	}
	wanted, _ := reflect.TypeAssert[*bool](field)
	return wanted != nil && *wanted
}
