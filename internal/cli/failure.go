package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/sandbox"
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

// errorDoc is what a failed command writes with -o json.
type errorDoc struct {
	Error failure `json:"error"`
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

// overtime tells an operation that --timeout has ended from one that the user has stopped or that AWS did not answer.
func (a *app) overtime(err error) error {
	if a.timed == nil || !errors.Is(context.Cause(a.timed), errOvertime) || errors.Is(err, errOvertime) {
		return err
	}
	if errors.Is(err, engine.ErrInterrupted) || errors.Is(err, context.DeadlineExceeded) {
		return &hinted{err: errOvertime, hints: []string{"give it more time, or leave out --timeout"}}
	}
	return err
}

// explain turns an error into words, next steps and an exit code.
func explain(ctx context.Context, err error) failure {
	f := failure{Code: exitFailure, Kind: "failure", Message: err.Error(), Details: map[string]any{}}
	classify(ctx, err, &f)
	if h, ok := errors.AsType[*hinted](err); ok {
		if h.code != 0 {
			f.Code, f.Kind = h.code, h.kind
		}
		f.Hints = append(f.Hints, h.hints...)
		maps.Copy(f.Details, h.details)
	}
	if len(f.Hints) == 0 {
		f.Hints = lastResort(f)
	}
	return f
}

// lastResort is what can be done about an error that nobody foresaw. Errors that are written for people say it themselves,
// after a semicolon.
func lastResort(f failure) []string {
	const look = "run it again with -v to see every AWS call, or with --log-file to keep them; `geusemaker support NAME` bundles what a report needs"
	if strings.Contains(f.Message, "; ") {
		return []string{}
	}
	switch f.Kind {
	case string(api.KindNotFound):
		return []string{"something else may have removed it: run the same command again, which looks anew", look}
	case string(api.KindConflict):
		return []string{"find in the AWS console what uses it and remove that, then run the same command again", look}
	case string(api.KindInvalid), kindOther:
		return []string{look}
	default:
		return []string{}
	}
}

func classify(ctx context.Context, err error, f *failure) {
	var (
		field *stack.FieldError
		use   *usageError
		boot  *engine.BootError
	)
	switch {
	case errors.Is(err, errOvertime):
		f.Kind = "timeout"
	case errors.As(err, &use):
		f.Code, f.Kind, f.Hints = exitUsage, "usage", use.hints
	case errors.As(err, &field):
		f.Code, f.Kind = exitUsage, "config"
	case fromStore(err, f):
	case errors.As(err, &boot):
		f.Code, f.Kind = exitUnhealthy, "unhealthy"
		f.Details["step"] = boot.Step
		if len(boot.Tail) > 0 {
			f.Details[detailLog] = boot.Tail
		}
	case errors.Is(err, term.ErrNotTerminal):
		f.Code, f.Kind = exitUsage, "usage"
	case errors.Is(err, term.ErrCancelled):
		f.Code, f.Kind = exitInterrupted, "cancelled"
	case errors.Is(err, engine.ErrInterrupted), errors.Is(err, context.Canceled), ctx.Err() != nil:
		f.Code, f.Kind = exitInterrupted, "interrupted"
	default:
		fromCloud(err, f)
	}
}

// detailLog is the detail that holds the last lines of the boot log.
const detailLog = "log"

// fromStore finds words for what is wrong with the records on disk.
func fromStore(err error, f *failure) bool {
	_, locked := errors.AsType[*store.LockedError](err)
	_, damaged := errors.AsType[*store.DamagedError](err)
	_, newer := errors.AsType[*store.NewerError](err)
	_, changed := errors.AsType[*store.ChangedError](err)
	switch {
	case locked:
		f.Code, f.Kind = exitLocked, "locked"
	case damaged:
		f.Kind = "damaged"
	case newer:
		f.Kind = "newer"
	case changed:
		f.Kind = "changed"
	case errors.Is(err, store.ErrNotExist):
		f.Code, f.Kind, f.Hints = exitNotFound, "not-found", []string{"`geusemaker list` shows what there is"}
	default:
		return false
	}
	return true
}

// fromCloud finds words for errors of AWS, one line for each resource that failed.
func fromCloud(err error, f *failure) {
	if wrong, ok := errors.AsType[*cloud.WrongAccountError](err); ok {
		f.Code, f.Kind, f.Message = exitPermission, string(api.KindCredentials), wrong.Error()
		f.Hints = []string{"choose the right one with --profile"}
		return
	}
	failed := failedResources(err)
	if unasked, ok := errors.AsType[*unaskedError](err); ok {
		_, f.Hints = words(unasked.err)
		f.Kind, f.Code = codeOf(unasked.err)
		return
	}
	if len(failed) == 0 {
		f.Message, f.Hints = words(err)
		f.Kind, f.Code = codeOf(err)
		return
	}
	for _, one := range failed {
		if f.Kind == kindOther {
			f.Kind, f.Code = codeOf(one)
		}
		message, hints := words(one.Err)
		f.Message = strings.Replace(f.Message, one.Error(), string(one.Key)+": "+message, 1)
		for _, hint := range hints {
			if !slices.Contains(f.Hints, hint) {
				f.Hints = append(f.Hints, hint)
			}
		}
	}
}

// Kinds of failure that are not of AWS.
const (
	kindOther = "failure"
	kindDisk  = "disk"
)

// codeOf is the kind of an error and the exit code that goes with it.
func codeOf(err error) (kind string, code int) {
	switch kind := api.Classify(err); kind {
	case api.KindCredentials, api.KindPermission, api.KindAccount:
		return string(kind), exitPermission
	case api.KindCapacity, api.KindQuota:
		return string(kind), exitCapacity
	case api.KindOther:
		if _, ok := errors.AsType[syscall.Errno](err); ok {
			return kindDisk, exitFailure
		}
		return kindOther, exitFailure
	default:
		return string(kind), exitFailure
	}
}

// words says in one line what went wrong and what can be done about it. Errors that are not of AWS have been written for
// people.
func words(err error) (message string, hints []string) {
	if file, ok := errors.AsType[*sandbox.FileError](err); ok {
		return file.Error(), []string{"make room on that disk and see to it that the folder can be written, or choose another with --home"}
	}
	if api.Classify(err) == api.KindOther && api.Code(err) == "" {
		if _, ok := errors.AsType[*fs.PathError](err); ok { // the store says itself what to do
			hints = []string{"see to it that the folder exists and can be written, or choose another with --home"}
		}
		return err.Error(), hints
	}
	return api.Explain(err)
}

// failedResources lists the errors of single resources that an error is made of.
func failedResources(err error) []*engine.ResourceError {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, node by node
	case *engine.ResourceError:
		return []*engine.ResourceError{e}
	case interface{ Unwrap() []error }:
		var all []*engine.ResourceError
		for _, inner := range e.Unwrap() {
			all = append(all, failedResources(inner)...)
		}
		return all
	case interface{ Unwrap() error }:
		return failedResources(e.Unwrap())
	default:
		return nil
	}
}

// told is an event as people get to see it: the log file has the error as it was.
func told(ev engine.Event) engine.Event {
	if ev.Err == nil {
		return ev
	}
	if one, ok := errors.AsType[*engine.ResourceError](ev.Err); ok {
		message, _ := words(one.Err)
		ev.Err = errors.New(message)
	}
	return ev
}

// fail shows a failure.
func (a *app) fail(f failure) {
	if a.global.output == outputJSON {
		text, err := json.Marshal(errorDoc{f})
		if err == nil {
			fmt.Fprintln(a.streams.Err, string(text))
			return
		}
	}
	var details [][2]string
	if log, ok := f.Details[detailLog].([]string); ok {
		details = [][2]string{{"log", strings.Join(log, "\n")}}
	}
	fmt.Fprint(a.streams.Err, term.ErrorView(a.streams.ErrScreen(), strings.TrimSpace(f.Message), f.Hints, details))
}
