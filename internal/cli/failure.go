package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// Exit codes, as `geusemaker help exit-codes` explains them.
const (
	exitDone        = 0
	exitFailure     = 1
	exitUsage       = 2
	exitPartial     = 3
	exitPermission  = 4
	exitNotFound    = 5
	exitLocked      = 6
	exitCapacity    = 7
	exitBudget      = 8
	exitUnhealthy   = 9
	exitInterrupted = 130
)

// failure is an error as people and scripts get to see it.
type failure struct {
	Code    int            `json:"code"`
	Kind    string         `json:"kind"`
	Message string         `json:"message"`
	Hints   []string       `json:"hints"`
	Details map[string]any `json:"details"`
}

// usageError is a command line that cannot be understood.
type usageError struct {
	err   error
	hints []string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &usageError{err: fmt.Errorf(format, args...)} }

// hinted gives an error next steps of its own, and an exit code and kind where those of its cause do not tell enough.
type hinted struct {
	err     error
	code    int
	kind    string
	hints   []string
	details map[string]any
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// explain turns an error into words, next steps and an exit code.
func explain(ctx context.Context, err error) failure {
	f := classify(ctx, err)
	if h, ok := errors.AsType[*hinted](err); ok {
		if h.code != 0 {
			f.Code, f.Kind = h.code, h.kind
		}
		f.Hints = append(f.Hints, h.hints...)
		f.Details = h.details
	}
	if f.Hints == nil {
		f.Hints = []string{}
	}
	if f.Details == nil {
		f.Details = map[string]any{}
	}
	return f
}

func classify(ctx context.Context, err error) failure {
	var (
		field  *stack.FieldError
		use    *usageError
		locked *store.LockedError
		boot   *engine.BootError
	)
	f := failure{Code: exitFailure, Kind: "failure", Message: err.Error()}
	switch {
	case errors.As(err, &use):
		f.Code, f.Kind, f.Hints = exitUsage, "usage", use.hints
	case errors.As(err, &field):
		f.Code, f.Kind = exitUsage, "config"
	case errors.As(err, &locked):
		f.Code, f.Kind = exitLocked, "locked"
	case errors.Is(err, store.ErrNotExist):
		f.Code, f.Kind, f.Hints = exitNotFound, "not-found", []string{"`geusemaker list` shows what there is"}
	case errors.As(err, &boot):
		f.Code, f.Kind = exitUnhealthy, "unhealthy"
		f.Hints = boot.Tail
	case errors.Is(err, term.ErrNotTerminal):
		f.Code, f.Kind = exitUsage, "usage"
	case errors.Is(err, term.ErrCancelled):
		f.Code, f.Kind = exitInterrupted, "cancelled"
	case errors.Is(err, engine.ErrInterrupted), errors.Is(err, context.Canceled), ctx.Err() != nil:
		f.Code, f.Kind = exitInterrupted, "interrupted"
	default:
		fromCloud(err, &f)
	}
	return f
}

// fromCloud finds words for an error of AWS. In front of them stays what we were doing.
func fromCloud(err error, f *failure) {
	kind := api.Classify(err)
	if kind == api.KindOther {
		return
	}
	f.Kind = string(kind)
	switch kind {
	case api.KindCredentials, api.KindPermission:
		f.Code = exitPermission
	case api.KindCapacity, api.KindQuota:
		f.Code = exitCapacity
	default:
	}
	message, hints := api.Explain(err)
	if resource, ok := errors.AsType[*engine.ResourceError](err); ok {
		message = string(resource.Key) + ": " + message
	}
	f.Message, f.Hints = message, hints
}

// fail shows a failure.
func (a *app) fail(f failure) {
	if a.global.output == outputJSON {
		text, err := json.Marshal(map[string]failure{"error": f})
		if err == nil {
			fmt.Fprintln(a.streams.Err, string(text))
			return
		}
	}
	fmt.Fprint(a.streams.Err, term.ErrorView(a.streams.ErrScreen(), strings.TrimSpace(f.Message), f.Hints, nil))
}
