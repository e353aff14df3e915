package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"geusemaker/internal/engine"
)

// The operations that make something anew, or fail, each time they are sent, since they take no idempotency token (EC2
// developer guide, "Ensuring idempotency in Amazon EC2 API requests"; the models of EFS, IAM and Systems Manager).
var tokenless = codes{
	"CreateVpc", "CreateSubnet", "CreateInternetGateway", "CreateSecurityGroup", "AllocateAddress", "CreateKeyPair",
	"CreateRole", "CreateInstanceProfile", "CreatePolicy",
	"CreateMountTarget",
	"PutParameter", "SendCommand",
}

// Guard keeps the clients of cfg from doing harm by repeating calls on their own. A call that makes something and takes no
// idempotency token is sent again only when it is known that it had no effect: it was throttled, or never sent. A refusal
// for want of capacity is never sent again, although EC2 answers it with HTTP status 500: the next pool is tried at once.
//
// Guard also remembers for CreateError that an earlier attempt of the same call may have had an effect, and takes
// what cannot be an answer of AWS for the failure that it is. Guarding twice is guarding once.
func Guard(cfg *aws.Config) {
	const inside, outside, wire = "GuardAttempt", "GuardOutcome", "GuardAnswer"
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		if _, done := stack.Finalize.Get(inside); done {
			return nil
		}
		return errors.Join(
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(inside, guardAttempt), "Retry", middleware.After),
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(outside, guardOutcome), "Retry", middleware.Before),
			stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc(wire, refuseForeign), middleware.After),
		)
	})
}

// The creates of whose idempotency token AWS does not say how long it counts. That of a launch counts for a day beyond the life
// of the machine, and that of a file system for the life of it (EC2 API reference, "Ensuring idempotency"; EFS API reference,
// CreateFileSystem).
var forgotten = codes{"CreateVolume", "CreateRouteTable"}

// overslept is how long an attempt lasts only where the computer slept meanwhile: all limits of a request together are
// shorter. Its signature is not accepted after five minutes, either (AWS General Reference, "Signature Version 4").
const overslept = 4 * time.Minute

// The codes by which AWS refuses a signature that is too old (EC2 API reference, "Error codes"; the models of the others).
var staleCodes = codes{"RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"}

// guardAttempt stands inside the SDK's retry loop and sees the error of each attempt before the retryer does.
func guardAttempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	sent := time.Now().Round(0) // a clock that stops while the computer sleeps would not tell
	out, metadata, err := next.HandleFinalize(ctx, in)
	slept := time.Now().Round(0).Sub(sent) > overslept
	switch operation := awsmiddleware.GetOperationName(ctx); {
	case slept && staleCodes.has(Code(err)):
		err = &repeatable{err} // the next attempt is signed anew
	case IsCapacity(err), outcomeUnknown(err) && (tokenless.has(operation) || slept && forgotten.has(operation)):
		err = &unrepeatable{err}
	}
	return out, metadata, err
}

// guardOutcome stands outside of the retry loop and marks an error when any attempt of the call may have had an effect.
func guardOutcome(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleFinalize(ctx, in)
	if err == nil {
		return out, metadata, nil
	}
	attempts, _ := retry.GetAttemptResults(metadata)
	if slices.ContainsFunc(attempts.Results, func(r retry.AttemptResult) bool { return outcomeUnknown(r.Err) }) {
		err = &lost{err}
	}
	return out, metadata, err
}

// unrepeatable marks an error of an attempt after which the SDK must not try again. The SDK's retryers ask for this method
// (aws-sdk-go-v2, aws/retry, RetryableError).
type unrepeatable struct{ err error }

func (e *unrepeatable) Error() string        { return e.err.Error() }
func (e *unrepeatable) Unwrap() error        { return e.err }
func (e *unrepeatable) RetryableError() bool { return false }

// repeatable marks an error of an attempt after which the SDK may try again although it usually would not.
type repeatable struct{ err error }

func (e *repeatable) Error() string        { return e.err.Error() }
func (e *repeatable) Unwrap() error        { return e.err }
func (e *repeatable) RetryableError() bool { return true }

// lost marks the error of a call that may have had an effect in one of its attempts.
type lost struct{ err error }

func (e *lost) Error() string { return e.err.Error() }
func (e *lost) Unwrap() error { return e.err }

// outcomeUnknown reports whether the request may have had an effect although an error came back: it went out and no answer
// came, or the answer says that something broke on the side of AWS.
func outcomeUnknown(err error) bool {
	if err == nil || neverSent(err) {
		return false
	}
	if IsThrottle(err) || IsCapacity(err) {
		return false
	}
	if status := Status(err); status != 0 {
		// A success whose body cannot be read is an effect, too.
		return status >= http.StatusInternalServerError || status < http.StatusMultipleChoices || status == http.StatusRequestTimeout
	}
	_, sending := errors.AsType[*smithyhttp.RequestSendError](err)
	_, reading := errors.AsType[*smithy.DeserializationError](err)
	_, canceled := errors.AsType[*smithy.CanceledError](err)
	_, waiting := errors.AsType[*aws.RequestCanceledError](err)
	return sending || reading || canceled || waiting ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}

// neverSent reports that no request left this computer: there were no credentials, or no connection could be made.
func neverSent(err error) bool {
	_, ok := errors.AsType[*CredentialsError](err)
	return ok || unconnected(err)
}

// CreateError marks the error of a create call with engine.Unsure when the resource may exist all the same: the outcome is
// unknown, or AWS says that there is such a thing already. It returns nil for nil.
func CreateError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*lost](err); ok || outcomeUnknown(err) || IsDuplicate(err) {
		return engine.Unsure{Err: err}
	}
	return err
}
