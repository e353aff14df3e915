package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// connectOptions are the flags of connect.
type connectOptions struct {
	service string
	port    int
}

func newConnect(a *app) *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect NAME",
		Short: "Forward the services to localhost through Systems Manager",
		Long: `Connect brings the services of a deployment to ports of this computer, through Systems Manager: no port of the machine
needs to be open. It runs until Ctrl-C, and opens a session again that ends before.

It needs the session-manager-plugin of AWS on the PATH:
` + pluginInstall,
		Example: "  geusemaker connect demo\n  geusemaker connect demo --service n8n --port 8443",
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags().Changed("port")); err != nil {
				return err
			}
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			return a.connect(ctx, args[0], o)
		},
		ValidArgsFunction: a.completeNames,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.service, "service", "", "only this service: "+strings.Join(forwardable(), ", "))
	flags.IntVar(&o.port, "port", 0, "with --service: the port of this computer")
	_ = cmd.RegisterFlagCompletionFunc("service", cobra.FixedCompletions(forwardable(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// forwardable are the services that the gateway answers for.
func forwardable() []string {
	var names []string
	for _, s := range stack.Services(stack.HTTPSInternal) {
		if s.Port != 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

func (o connectOptions) check(portGiven bool) error {
	if o.service != "" && !slices.Contains(forwardable(), o.service) {
		e := &usageError{err: fmt.Errorf("--service: %q cannot be forwarded; use one of %s", o.service, strings.Join(forwardable(), ", "))}
		if near := stack.Nearest(o.service, forwardable()); near != "" {
			e.hints = []string{fmt.Sprintf("did you mean %q?", near)}
		}
		return e
	}
	switch {
	case !portGiven:
	case o.service == "":
		return usage("--port: name the service that it is for with --service")
	case o.port < 1 || o.port > 65535:
		return usage("--port: %d is no port from 1 to 65535", o.port)
	}
	return nil
}

// forward is one port of this computer that leads to a service.
type forward struct {
	Service    string `json:"service"`
	URL        string `json:"url"`
	Auth       string `json:"auth"`
	LocalPort  int    `json:"local_port"`
	RemotePort int    `json:"remote_port"`
	SessionID  string `json:"session_id"`
}

// connectDoc is what `connect` prints when all ports are open.
type connectDoc struct {
	Name       string    `json:"name"`
	InstanceID string    `json:"instance_id"`
	Sandbox    bool      `json:"sandbox"`
	Forwards   []forward `json:"forwards"`
}

// forwards lists what is to be forwarded.
func (o connectOptions) forwards(c stack.Config) []forward {
	var all []forward
	for _, s := range stack.Services(c.HTTPS) {
		if s.Port == 0 || o.service != "" && s.Name != o.service {
			continue
		}
		f := forward{Service: s.Name, URL: s.LocalURL(c.HTTPS), Auth: s.Auth, LocalPort: s.LocalPort(), RemotePort: s.Port}
		if o.port != 0 {
			f.URL = strings.TrimSuffix(f.URL, strconv.Itoa(f.LocalPort)) + strconv.Itoa(o.port)
			f.LocalPort = o.port
		}
		all = append(all, f)
	}
	return all
}

func (a *app) connect(ctx context.Context, name string, o connectOptions) error {
	v, err := a.visit(ctx, name)
	if err != nil {
		return err
	}
	p, err := findPlugin(ctx)
	if err != nil {
		return err
	}
	all := o.forwards(v.state.Config)
	for _, f := range all {
		if err := portFree(ctx, f); err != nil {
			return err
		}
	}
	if err := v.account.MustBe(ctx, v.state.Account); err != nil {
		return err
	}
	endpoint, err := v.account.ManagerEndpoint(ctx)
	if err != nil {
		return err
	}
	t := &tunnel{visit: v, plugin: p, machine: v.account.Machine(), endpoint: endpoint, forwards: all, missing: len(all)}
	return t.keep(ctx)
}

// portFree makes sure that nothing listens where a service is to come.
func portFree(ctx context.Context, f forward) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("localhost", strconv.Itoa(f.LocalPort)))
	if err == nil {
		return l.Close()
	}
	return portTaken(f, err)
}

func portTaken(f forward, err error) error {
	return &hinted{
		err: fmt.Errorf("port %d of this computer cannot be had for %s: %w", f.LocalPort, f.Service, err), code: exitFailure, kind: "port-in-use",
		hints: []string{fmt.Sprintf("end what uses it, or choose another: --service %s --port %d", f.Service, f.LocalPort+10000)},
	}
}

// tunnel is a set of ports that are kept open.
type tunnel struct {
	*visit
	plugin   plugin
	machine  sessions
	endpoint string

	mu       sync.Mutex
	forwards []forward
	missing  int // ports that were not open yet
}

// sessions opens and ends sessions of Systems Manager.
type sessions interface {
	Forward(ctx context.Context, instanceID string, local, remote int, tell func(string)) (compute.Session, error)
	End(ctx context.Context, sessionID string) error
}

// keep opens every port and keeps it open until ctx ends, which is no failure. One that cannot be opened ends all.
func (t *tunnel) keep(ctx context.Context) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(t.forwards))
	var wg sync.WaitGroup
	for i := range t.forwards {
		wg.Go(func() {
			if errs[i] = t.keepPort(inner, i); errs[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// How a session that ended is opened again, since an idle one ends by itself (Systems Manager user guide, "Specify an idle
// session timeout value"): after pauses that double while it does not open, and so often in a row. The pauses are of the wall
// clock, as the plugin is a real program.
const (
	reopenPause = time.Second
	reopenLimit = 30 * time.Second
	reopenTries = 8
)

// keepPort keeps one port open.
func (t *tunnel) keepPort(ctx context.Context, i int) error {
	service := t.forwards[i].Service
	pause, failures, everOpen := reopenPause, 0, false
	for {
		opened, err := t.session(ctx, i)
		everOpen = everOpen || opened
		// Ctrl-C reaches the plugin as soon as it reaches us: only after a moment it is known why the session ended.
		if (engine.Wall{}).Sleep(ctx, pause) != nil {
			return nil
		}
		pause = min(pause*2, reopenLimit)
		failures++
		if opened {
			pause, failures = reopenPause, 0
		}
		if err == nil {
			err = errors.New("it ended by itself")
		}
		if !everOpen || failures >= reopenTries {
			return fmt.Errorf("cannot forward %s: %w", service, err)
		}
		t.note(fmt.Sprintf("the session of %s is over (%v); opening another", service, err))
	}
}

// session opens one session, lets the plugin carry it, and ends it.
func (t *tunnel) session(ctx context.Context, i int) (opened bool, err error) {
	f := t.forwards[i]
	s, err := t.machine.Forward(ctx, t.instance, f.LocalPort, f.RemotePort, t.note)
	if err != nil {
		if errors.Is(err, compute.ErrNotRegistered) {
			err = &hinted{err: err, hints: []string{fmt.Sprintf("`geusemaker logs %s` shows whether the machine came up", t.state.Name)}}
		}
		return false, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if ended := t.machine.End(ctx, s.ID); ended != nil {
			t.warn(fmt.Sprintf("session %s could not be ended, it ends by itself: %v", s.ID, ended))
		}
	}()
	var printing error
	err = t.plugin.run(ctx, s, t.state.Region, t.global.profile, t.endpoint, func() {
		opened = true
		printing = t.open(i, s.ID)
	})
	return opened, errors.Join(err, printing)
}

// open notes that a port is open and, after the last one, says what is where.
func (t *tunnel) open(i int, sessionID string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := t.forwards[i].SessionID != ""
	t.forwards[i].SessionID = sessionID
	if again {
		t.note(t.forwards[i].Service + " is back")
		return nil
	}
	if t.missing--; t.missing > 0 {
		return nil
	}
	doc := connectDoc{Name: t.state.Name, InstanceID: t.instance, Sandbox: t.state.Sandbox, Forwards: t.forwards}
	return t.print(doc, func() string { return t.connectView(doc) })
}

func (a *app) connectView(d connectDoc) string {
	table := term.Table{Columns: []term.Column{{Name: "SERVICE"}, {Name: "URL"}, {Name: "AUTH", Drop: 1}}}
	for _, f := range d.Forwards {
		table.Rows = append(table.Rows, term.Row{Cells: []string{f.Service, f.URL, f.Auth}})
	}
	screen := a.streams.OutScreen()
	return screen.Heading(d.Name, "", d.Sandbox) + screen.Table(table) +
		screen.Sections(term.Section{Notes: []string{"Ctrl-C ends it. Logins and tokens: geusemaker inspect " + d.Name + " --show-secrets"}})
}
