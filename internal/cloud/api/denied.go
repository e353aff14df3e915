package api

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

// DeniedError is a refusal for want of a permission of which AWS has told the details.
type DeniedError struct {
	Err              error
	Who              string // ARN of who asked
	Action, Resource string
	Forbidden        bool // a policy forbids it; otherwise none allows it
}

func (e *DeniedError) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *DeniedError) Unwrap() error { return e.Err }

// encodedMark stands before the details in a refusal of EC2 (STS API reference, DecodeAuthorizationMessage).
const encodedMark = "Encoded authorization failure message: "

// decodePatience bounds how long the details of a refusal are waited for: the refusal itself is known.
const decodePatience = 5 * time.Second

// Decode makes the clients of cfg ask for the details of each refusal that carries them in code. Who is not allowed to
// (sts:DecodeAuthorizationMessage) gets the refusal as it is.
func Decode(cfg *aws.Config) {
	client := sts.NewFromConfig(*cfg)
	decode := middleware.InitializeMiddlewareFunc("Decode", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if _, encoded, found := strings.Cut(Message(err), encodedMark); found {
			token, _, _ := strings.Cut(strings.TrimSpace(encoded), " ")
			err = detailed(ctx, client, err, token)
		}
		return out, metadata, err
	})
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(decode, middleware.After)
	})
}

// detailed is the refusal with its details, or as it was where they cannot be had.
func detailed(ctx context.Context, client *sts.Client, refusal error, token string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decodePatience)
	defer cancel()
	out, err := client.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &token},
		func(o *sts.Options) { o.RetryMaxAttempts = 1 })
	if err != nil {
		return refusal
	}
	var message struct {
		ExplicitDeny bool `json:"explicitDeny"`
		Context      struct {
			Principal struct {
				ARN string `json:"arn"`
			} `json:"principal"`
			Action   string `json:"action"`
			Resource string `json:"resource"`
		} `json:"context"`
	}
	if json.Unmarshal([]byte(aws.ToString(out.DecodedMessage)), &message) != nil || message.Context.Action == "" {
		return refusal
	}
	return &DeniedError{
		Err: refusal, Who: message.Context.Principal.ARN, Action: message.Context.Action, Resource: message.Context.Resource,
		Forbidden: message.ExplicitDeny,
	}
}

// DeniedOn is the ARN of the resource on which no policy allows a call; "" where AWS does not tell, or where a policy forbids it.
func DeniedOn(err error) string {
	if e, ok := errors.AsType[*DeniedError](err); ok && !e.Forbidden {
		return e.Resource
	}
	text := oneLine(Message(err))
	m := deniedPattern().FindStringSubmatch(text)
	if m == nil || policyPattern().MatchString(text) {
		return ""
	}
	return strings.TrimSuffix(m[3], ".")
}
