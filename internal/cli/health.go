package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/engine"
	"geusemaker/internal/host"
	"geusemaker/internal/stack"
)

// askDeadline bounds the question to the machine, by the clock on the wall.
const askDeadline = 45 * time.Second

// endOfLog is an offset behind the end of any log: what asks from there gets a report without log.
const endOfLog = int64(999_999_999_999_999)

func newHealth(a *app) *cobra.Command {
	var o healthOptions
	cmd := &cobra.Command{
		Use:   "health NAME",
		Short: "Probe every service now; exit 0 only if all are healthy",
		Long: `Health asks every service twice: from here, through the gateway as its users do, and from the machine, where Docker
checks the containers. It ends with 0 if all are healthy and with 9 if one is not, and explains the first that is not.

With --watch it asks again and again and tells what changes, until Ctrl-C. With --notify every change is also sent to a
URL as a JSON object with a "text", which Slack and Mattermost show as it is.`,
		Example: `  geusemaker health demo
  geusemaker health demo --watch 30s
  geusemaker health demo --watch --notify https://hooks.slack.com/services/...`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && cmd.Flags().Changed("watch") && o.watch == watchDefault {
				o.watch, args = args[1], args[:1] // --watch 30s, not only --watch=30s
			}
			return oneName(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			interval, err := o.interval()
			if err != nil {
				return err
			}
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			v, err := a.visit(ctx, args[0])
			if err != nil {
				return err
			}
			if o.watch != "" {
				return v.watchHealth(ctx, interval, o.notify)
			}
			doc := v.health(ctx)
			if err := a.print(doc, func() string { return a.healthView(doc) }); err != nil {
				return err
			}
			return doc.illness()
		},
		ValidArgsFunction: a.completeNames,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.watch, "watch", "", "ask again after this `interval` and tell what changes, until Ctrl-C (default "+watchDefault+")")
	flags.Lookup("watch").NoOptDefVal = watchDefault
	flags.StringVar(&o.notify, "notify", "", "with --watch: POST every change to this `URL` as JSON")
	return cmd
}

// healthDoc is what `health` prints.
type healthDoc struct {
	Name      string           `json:"name"`
	Sandbox   bool             `json:"sandbox"`
	Healthy   bool             `json:"healthy"`
	CheckedAt time.Time        `json:"checked_at"`
	Services  []serviceHealth  `json:"services"`
	Endpoints []stack.Endpoint `json:"endpoints"`
	Problem   string           `json:"problem"` // the first service that is not well, explained
	Hints     []string         `json:"hints"`
	Warnings  []string         `json:"warnings"`
}

// serviceHealth is one service as it is seen from both sides.
type serviceHealth struct {
	Service   string       `json:"service"`
	Health    stack.Health `json:"health"`
	Outside   stack.Health `json:"outside"` // unknown where it cannot be reached from outside by design
	Inside    stack.Health `json:"inside"`  // unknown where the machine could not be asked
	Version   string       `json:"version"`
	LatencyMS int64        `json:"latency_ms"`
	URL       string       `json:"url"`
	Detail    string       `json:"detail"`
}

// health asks everything once, both sides at the same time.
func (v *visit) health(ctx context.Context) healthDoc {
	var (
		wg     sync.WaitGroup
		report *stack.Report
		asked  error
		seen   []stack.Endpoint
	)
	m, _ := v.state.Machine()
	endpoints := host.Endpoints(m.Attrs[stack.AttrPublicIP], v.state.Config)
	tunnel := v.state.Config.Access == stack.AccessTunnel
	wg.Go(func() { report, asked = v.askMachine(ctx) })
	if !tunnel {
		wg.Go(func() { seen = outsideProber(v.account, v.clock, v.state.Config).Probe(ctx, endpoints) })
	}
	wg.Wait()
	if tunnel {
		seen = insideHealth(endpoints, report, asked, v.clock.Now())
	}
	return v.healthDoc(seen, report, asked)
}

// askMachine asks for the report. With credentials of another account the machine would only seem to be absent.
func (v *visit) askMachine(ctx context.Context) (*stack.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, askDeadline)
	defer cancel()
	if err := v.account.MustBe(ctx, v.state.Account); err != nil {
		return nil, err
	}
	r, err := v.account.Machine().Report(ctx, v.instance, endOfLog)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// healthDoc puts both sides together.
func (v *visit) healthDoc(seen []stack.Endpoint, report *stack.Report, asked error) healthDoc {
	d := healthDoc{
		Name: v.state.Name, Sandbox: v.state.Sandbox, CheckedAt: v.clock.Now().UTC(), Healthy: true,
		Services: []serviceHealth{}, Endpoints: orEmpty(seen), Hints: []string{}, Warnings: []string{},
	}
	tunnel := v.state.Config.Access == stack.AccessTunnel
	var ill []serviceHealth
	if asked != nil {
		message, _ := words(asked)
		d.Warnings = append(d.Warnings, "the machine cannot be asked, so only what answers here counts: "+message)
	}
	for _, service := range stack.Services(v.state.Config.HTTPS) {
		one := serviceHealth{Service: service.Name, Outside: stack.HealthUnknown, Inside: stack.HealthUnknown}
		if report != nil {
			c := container(*report, service.Name)
			one.Inside, one.Detail, one.Version = c.Health, c.Detail, tag(c.Image)
		}
		if n := slices.IndexFunc(seen, func(e stack.Endpoint) bool { return e.Service == service.Name }); n >= 0 {
			e := seen[n]
			one.URL, one.LatencyMS = e.URL, e.LatencyMS
			if e.Version != "" {
				one.Version = e.Version
			}
			if !tunnel {
				one.Outside, one.Detail = e.Health, e.Detail
			}
		}
		one.Health = worse(one.Outside, one.Inside)
		d.Services = append(d.Services, one)
		// Of a service that only the machine sees, nothing is known when the machine cannot be asked.
		hidden := asked != nil && one.Health == stack.HealthUnknown && (!tunnel || service.Port == 0)
		if one.Health != stack.Healthy && !hidden {
			ill = append(ill, one)
		}
	}
	if len(ill) > 0 {
		d.Healthy = false
		d.Problem, d.Hints = v.diagnosis(ill, report, asked)
	}
	return d
}

// worse is the health of a service of which two views exist. One that is not known does not count.
func worse(outside, inside stack.Health) stack.Health {
	order := []stack.Health{stack.HealthUnknown, stack.Healthy, stack.Starting, stack.Unhealthy, stack.Unreachable}
	return order[max(slices.Index(order, outside), slices.Index(order, inside), 0)]
}

// diagnosis explains why services are not well: a boot that failed, or else the first of them; and what to do.
func (v *visit) diagnosis(ill []serviceHealth, report *stack.Report, asked error) (problem string, hints []string) {
	if report != nil && report.Failed {
		boot := bootFailure(*report)
		return "the boot failed: " + boot.Error(), bootAdvice(v.state.Name, boot.Step)
	}
	problem, hints = v.ailment(ill[0], asked)
	if len(ill) > 1 {
		problem += fmt.Sprintf("; %d services are not well", len(ill))
	}
	return problem, hints
}

// ailment explains why one service is not well.
func (v *visit) ailment(s serviceHealth, asked error) (problem string, hints []string) {
	name := v.state.Name
	logs := fmt.Sprintf("`geusemaker logs %s --service %s` shows what it says", name, s.Service)
	switch {
	case s.Outside == stack.Unreachable && s.Inside == stack.Healthy:
		return fmt.Sprintf("%s runs well on the machine, but this computer does not reach it (%s)", s.Service, s.Detail), []string{
			fmt.Sprintf("it is open to %s only: has your address changed?", strings.Join(access(v.state, stack.Record{}).AllowCIDRs, ", ")),
			fmt.Sprintf("`geusemaker connect %s` reaches it without an open port", name),
		}
	case s.Outside == stack.Unreachable && asked != nil:
		return fmt.Sprintf("%s is unreachable (%s), and the machine cannot be asked", s.Service, s.Detail), []string{
			fmt.Sprintf("`geusemaker inspect %s --refresh` tells whether the machine still runs", name),
		}
	case s.Health == stack.Starting:
		return fmt.Sprintf("%s is starting", s.Service), []string{"ask again in a minute", logs}
	case s.Health == stack.HealthUnknown:
		return fmt.Sprintf("how %s is cannot be told", s.Service), []string{fmt.Sprintf("`geusemaker logs %s` shows how the boot went", name)}
	default:
		return fmt.Sprintf("%s is %s (%s)", s.Service, s.Health, s.Detail), []string{logs}
	}
}

// illness is the error of a deployment of which a service is not well.
func (d healthDoc) illness() error {
	if d.Healthy {
		return nil
	}
	return &hinted{err: errors.New(d.Problem), code: exitUnhealthy, kind: "unhealthy", hints: d.Hints}
}

// outsideProber asks the services from this computer.
func outsideProber(account *cloud.Account, clock engine.Clock, c stack.Config) engine.Prober {
	return host.NewProber(account.Transport(), clock, c.HTTPS)
}

// prober is who tells whether the services are well: this computer asks them, but for a deployment with access tunnel, which
// nobody reaches from outside. There Docker's word on the machine counts.
func prober(account *cloud.Account, clock engine.Clock, c stack.Config, instanceID string) engine.Prober {
	if c.Access == stack.AccessTunnel {
		return insideProber{account.Machine(), clock, instanceID}
	}
	return outsideProber(account, clock, c)
}

// insideProber asks the machine for the health of its containers.
type insideProber struct {
	machine    engine.Machine
	clock      engine.Clock
	instanceID string
}

// Probe implements engine.Prober.
func (p insideProber) Probe(ctx context.Context, endpoints []stack.Endpoint) []stack.Endpoint {
	r, err := p.machine.Report(ctx, p.instanceID, endOfLog)
	return insideHealth(endpoints, &r, err, p.clock.Now())
}

// insideHealth fills in what the machine says of its containers. A service is well when the gateway in front of it is, too.
func insideHealth(endpoints []stack.Endpoint, r *stack.Report, asked error, now time.Time) []stack.Endpoint {
	seen := slices.Clone(endpoints)
	for i := range seen {
		e := &seen[i]
		e.CheckedAt = now.UTC()
		switch {
		case errors.Is(asked, engine.ErrNotYet):
			e.Health, e.Detail = stack.Starting, asked.Error()
			continue
		case asked != nil:
			e.Health, e.Detail = stack.HealthUnknown, asked.Error()
			continue
		}
		c := container(*r, e.Service)
		e.Health, e.Detail, e.Version = c.Health, "on the machine: "+c.Detail, tag(c.Image)
		if gate := container(*r, "gateway"); gate.Health != stack.Healthy && c.Health == stack.Healthy {
			e.Health, e.Detail = gate.Health, "the gateway in front of it: "+gate.Detail
		}
	}
	return seen
}

// container is what the report says of a service. That it says nothing means that there is no container.
func container(r stack.Report, service string) stack.ServiceReport {
	for _, s := range r.Services {
		if s.Service == service {
			if s.Detail == "" {
				s.Detail = string(s.Health)
			}
			return s
		}
	}
	return stack.ServiceReport{Service: service, Health: stack.Unhealthy, Detail: "it has no container"}
}

// tag is the version in the name of an image.
func tag(image string) string {
	_, after, found := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	if !found {
		return ""
	}
	version, _, _ := strings.Cut(after, "@")
	return strings.TrimPrefix(version, "v")
}

// latency is a time in milliseconds in words, to two figures.
func latency(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.Duration(math.Round(float64(ms)) * float64(time.Millisecond)).String()
}
