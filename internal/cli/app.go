package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// app is one invocation: its streams, its environment, its global flags, and what it has opened.
type app struct {
	streams *term.Streams
	environ []string
	global  globals
	timed   context.Context         // ends with --timeout; nil without
	open    func(string) store.Home // store.Open, but for tests of a disk that fails
	see     func(sandbox.Request)   // sees what the pretend account is asked, in tests; else nil

	logMu  sync.Mutex
	log    *os.File
	shown  *shownProgress   // of the operation that runs; nil when none does
	events io.WriteCloser   // the log of events of the deployment that is worked on; nil when none is
	asker  term.Interviewer // who has asked the questions of deploy; nil without
	mortal func()           // lets a broken pipe end the process again; nil while it can

	opening sync.Mutex // guards sandbox, since the questions of deploy are looked up in the background
	sandbox *sandbox.Account
}

func (a *app) getenv(name string) string {
	for _, pair := range a.environ {
		if k, v, ok := strings.Cut(pair, "="); ok && k == name {
			return v
		}
	}
	return ""
}

func (a *app) close() {
	if a.mortal != nil {
		a.mortal()
	}
	if a.sandbox != nil {
		_ = a.sandbox.Close()
	}
	if a.log != nil {
		_ = a.log.Close()
	}
	if a.events != nil {
		_ = a.events.Close()
	}
}

// folder is where everything of ours lies on this machine.
func (a *app) folder() (string, error) {
	if a.global.home != "" {
		return filepath.Abs(a.global.home)
	}
	home := a.getenv("HOME")
	if home == "" {
		return "", usage("HOME is not set; say with --home where the records of deployments lie")
	}
	return filepath.Join(home, ".geusemaker"), nil
}

func (a *app) home() (store.Home, error) {
	folder, err := a.folder()
	if err != nil {
		return store.Home{}, err
	}
	return a.open(folder), nil
}

// clock is the clock of the account that is spoken to: the sandbox has its own.
func (a *app) clock() (engine.Clock, error) {
	if !a.global.sandbox {
		return engine.Wall{}, nil
	}
	pretend, err := a.openSandbox()
	if err != nil {
		return nil, err
	}
	return pretend.Clock(), nil
}

// openSandbox opens the pretend account that this home has.
func (a *app) openSandbox() (*sandbox.Account, error) {
	a.opening.Lock()
	defer a.opening.Unlock()
	if a.sandbox != nil {
		return a.sandbox, nil
	}
	folder, err := a.folder()
	if err != nil {
		return nil, err
	}
	o := sandbox.Options{Path: filepath.Join(folder, "sandbox.json"), OnRequest: a.see}
	if v := a.getenv("GEUSEMAKER_SANDBOX_SPEED"); v != "" {
		o.Speed, err = strconv.ParseFloat(v, 64)
		if err != nil || o.Speed < 0.1 || o.Speed > 1e6 {
			return nil, usage("GEUSEMAKER_SANDBOX_SPEED: %q is not a speed between 0.1 and 1000000", v)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder for records: %w", err)
	}
	a.sandbox, err = sandbox.Open(o)
	return a.sandbox, err
}

// openAccount opens the account and region that a command works on. It makes no call.
func (a *app) openAccount(ctx context.Context, region string) (*cloud.Account, error) {
	o, err := a.accountOptions(region)
	if err != nil {
		return nil, err
	}
	return cloud.Open(ctx, o)
}

func (a *app) accountOptions(region string) (cloud.Options, error) {
	o := cloud.Options{Region: region, Profile: a.global.profile, UserData: host.UserData, Observe: a.observe(), Tell: a.away}
	folder, err := a.folder()
	if err != nil {
		return o, err
	}
	prices := priceCache{folder: folder}
	if a.global.sandbox {
		// Nobody answers for a region that the pretend account lacks, and calls to it would be tried again for minutes.
		if known := sandbox.Regions(); !slices.Contains(known, region) {
			return o, &stack.FieldError{Key: "region", Problem: fmt.Sprintf("the pretend account has no region %q", region), Fix: "use one of " + strings.Join(known, ", ")}
		}
		pretend, err := a.openSandbox()
		if err != nil {
			return o, err
		}
		o.Sandbox, prices.prefix = pretend, "sandbox-"
	}
	o.Prices = prices
	return o, nil
}

// region fills in the region where nobody chose one: the AWS settings', then us-east-1.
func (a *app) region(ctx context.Context, c *stack.Config) error {
	if c.Region != "" {
		return nil
	}
	region, from := "us-east-1", stack.Source{Kind: "default"}
	if !a.global.sandbox {
		found, err := cloud.DefaultRegion(ctx, a.global.profile)
		if err != nil {
			return err
		}
		if found != "" {
			region, from = found, stack.Source{Kind: "environment", From: "AWS settings"}
		}
	}
	return c.Set("region", region, from)
}

// needSameAccount refuses to work on a deployment of the sandbox without it, and the other way round.
func (a *app) needSameAccount(s stack.State) error {
	switch {
	case s.Sandbox && !a.global.sandbox:
		a.global.sandbox = true // nothing can be spent or lost there
	case !s.Sandbox && a.global.sandbox:
		return usage("%s is a real deployment in account %s; leave out --sandbox", s.Name, s.Account)
	}
	return nil
}

// openLog opens --log-file.
func (a *app) openLog() error {
	if a.global.logFile == "" {
		return nil
	}
	f, err := os.OpenFile(a.global.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return usage("--log-file: %v", err)
	}
	a.log = f
	return nil
}

// lock takes the lock of a deployment for an operation in AWS. From then on the process outlives its audience: what it begins is recorded.
func (a *app) lock(ctx context.Context, name string, in store.Intent) (*store.Lease, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	lease, err := home.Lock(ctx, name, in)
	if err == nil && a.mortal == nil {
		a.mortal = outlivePipe()
	}
	return lease, err
}

// keepEvents lets the events of an operation be kept beside the record. Nothing rests on them, so an operation goes on
// without where that is not possible.
func (a *app) keepEvents(l *store.Lease) {
	if w, err := l.EventLog(); err == nil {
		a.events = w
	}
}

// logLine appends one JSON object to the log file. Lines of calls that run at once do not mix.
func (a *app) logLine(v any) {
	if a.log != nil {
		a.appendLine(a.log, v)
	}
}

func (a *app) appendLine(w io.Writer, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		return
	}
	a.logMu.Lock()
	defer a.logMu.Unlock()
	_, _ = w.Write(append(text, '\n'))
}

// callLine is the line of one AWS call in the log file.
type callLine struct {
	Time       time.Time `json:"time"`
	Msg        string    `json:"msg"`
	Service    string    `json:"service"`
	Operation  string    `json:"operation"`
	Region     string    `json:"region"`
	DurationMS int64     `json:"duration_ms"`
	Attempts   int       `json:"attempts"`
	RequestID  string    `json:"request_id"`
	Error      string    `json:"error"`
	Key        stack.Key `json:"key,omitempty"` // the resource for which it was made
}

// observe returns what is to see every AWS call: the log file, and the screen when verbose.
func (a *app) observe() func(api.Call) {
	if a.log == nil && !a.global.verbose {
		return nil
	}
	return func(c api.Call) {
		line := callLine{
			Time: c.Time, Msg: "aws", Service: c.Service, Operation: c.Operation, Region: c.Region,
			DurationMS: c.Duration.Milliseconds(), Attempts: c.Attempts, RequestID: c.RequestID, Key: c.Key,
		}
		if c.Err != nil {
			line.Error = c.Err.Error()
		}
		a.logLine(line)
		if a.global.verbose {
			a.logMu.Lock()
			defer a.logMu.Unlock()
			fmt.Fprintf(a.streams.Err, "aws %s %s %s %s\n", c.Service, c.Operation, c.Duration.Round(time.Millisecond), line.Error)
		}
	}
}

// eventLine is the line of one event in the log file.
type eventLine struct {
	Time  time.Time        `json:"time"`
	Msg   string           `json:"msg"`
	Type  engine.EventType `json:"type"`
	Key   stack.Key        `json:"key,omitempty"`
	ID    string           `json:"id,omitempty"`
	Text  string           `json:"text,omitempty"`
	Error string           `json:"error,omitempty"`
}

// logged lets the log file and the log of the deployment see the events before they are shown.
func (a *app) logged(next engine.Sink) engine.Sink {
	return func(ev engine.Event) {
		if a.log != nil || a.events != nil {
			line := eventLine{Time: ev.Time, Msg: "event", Type: ev.Type, Key: ev.Key, ID: ev.ID, Text: ev.Text}
			if ev.Err != nil {
				line.Error = ev.Err.Error()
			}
			a.logLine(line)
			if a.events != nil {
				a.appendLine(a.events, line)
			}
		}
		next(told(ev))
	}
}

// withTimeout bounds an operation when the user wants it bounded.
func (a *app) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.global.timeout == 0 {
		return context.WithCancel(ctx)
	}
	timed, cancel := context.WithTimeoutCause(ctx, a.global.timeout, errOvertime)
	a.timed = timed
	return timed, cancel
}

// errOvertime is the cause of a context that --timeout has ended.
var errOvertime = errors.New("the time given with --timeout is over")

// timeIsOver returns the error of a time limit that was reached, or nil.
func timeIsOver(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return nil
}

func (a *app) progress(title string, clock engine.Clock) term.Progress {
	mode := term.Mode(a.global.progress)
	if a.global.quiet && mode == term.ModeAuto {
		mode = term.ModeQuiet
	}
	return a.show(term.NewProgress(a.streams, mode, term.ProgressOptions{Title: title, Sandbox: a.global.sandbox, Clock: clock}))
}

// showsRows reports whether the display of an operation leaves a row for each resource where results are shown too.
func (a *app) showsRows() bool {
	mode := term.Mode(a.global.progress)
	return a.streams.CanRedrawOut() && a.streams.CanRedraw() && !a.global.quiet && (mode == term.ModeAuto || mode == term.ModeTTY)
}

// prompter asks people. Who has asked before goes on reading: what was typed ahead lies with them.
func (a *app) prompter() term.Prompter {
	if a.asker != nil {
		return a.asker
	}
	return term.NewPrompter(a.streams)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
