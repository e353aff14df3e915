package cli

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// version is set by the linker at release; a build from a checkout says so.
var version = "0.1.0-dev"

// garbagePercent lets the heap grow fivefold between collections (package runtime, GOGC). A command that lives for a moment
// need not collect what it leaves behind: a list of a thousand deployments takes a quarter less processor time.
const garbagePercent = 400

// Main runs the command line of this process and returns its exit code.
func Main() int { return mainSeen(nil) }

// mainSeen is Main for tests that want to see what the pretend account is asked.
func mainSeen(see func(sandbox.Request)) int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	streams := term.NewStreams(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	return (&app{streams: streams, environ: os.Environ(), open: store.Open, see: see}).run(ctx, os.Args[1:])
}

// interruptible returns a context that ends on the first interrupt or termination; the second one ends the process at once.
// A closed terminal counts as an interrupt too.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
				if n > 0 {
					os.Exit(exitInterrupted)
				}
				cancel()
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

// outlivePipe keeps the process alive when whoever reads its output goes away, as `| head` does. Otherwise the next write would
// end it (package os/signal, "SIGPIPE"), in the middle of what it does in AWS.
func outlivePipe() (stop func()) {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}

// Run runs one command with the given arguments and environment and returns its exit code. Errors go to the error stream,
// in words or, when JSON is asked for, as one JSON object.
func Run(ctx context.Context, streams *term.Streams, args, environ []string) int {
	return (&app{streams: streams, environ: environ, open: store.Open}).run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	refuseUnknown(root)
	err := root.ExecuteContext(ctx)
	a.close()
	if err == nil {
		return exitDone
	}
	f := explain(ctx, a.overtime(err))
	a.fail(f)
	return f.Code
}
