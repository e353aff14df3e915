package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Call is one call of AWS with all its attempts.
type Call struct {
	Time      time.Time // when it began
	Service   string    // as the SDK names it: EC2, EFS, IAM, SSM
	Operation string
	Region    string
	Duration  time.Duration // with the pauses between attempts
	Attempts  int           // 0 when nothing was sent
	RequestID string        // of the last attempt; AWS support asks for it
	Err       error
	Key       stack.Key // the resource that the call was made for, or ""
}

// Observe tells sink of every call that clients of cfg make from now on, once per call, after it ended. Sink may be called
// from several goroutines at once.
func Observe(cfg *aws.Config, clock engine.Clock, sink func(Call)) {
	observe := middleware.InitializeMiddlewareFunc("Observe", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		start := clock.Now()
		out, metadata, err := next.HandleInitialize(ctx, in)
		attempts, _ := retry.GetAttemptResults(metadata)
		sink(Call{
			Time:      start,
			Service:   awsmiddleware.GetServiceID(ctx),
			Operation: awsmiddleware.GetOperationName(ctx),
			Region:    awsmiddleware.GetRegion(ctx),
			Duration:  clock.Now().Sub(start),
			Attempts:  len(attempts.Results),
			RequestID: requestID(metadata, err),
			Err:       err,
			Key:       engine.KeyFrom(ctx),
		})
		return out, metadata, err
	})
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(observe, middleware.After)
	})
}

func requestID(metadata middleware.Metadata, err error) string {
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		return id
	}
	var answer interface{ ServiceRequestID() string }
	if errors.As(err, &answer) {
		return answer.ServiceRequestID()
	}
	return ""
}
