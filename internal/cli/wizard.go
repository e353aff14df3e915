package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cli/interview"
	"geusemaker/internal/cloud"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// wizard asks somebody at a terminal for a configuration. Until the plan is shown it only reads: from AWS in the background,
// and nothing of it is kept.
type wizard struct {
	*app
	interview *interview.Interview
	names     []string // of the deployments that there are
	facts     inquiries[stack.Facts]
	regions   inquiries[*discovery.Region]
	zones     inquiries[[]string]
}

// How long a question waits for what would be shown beside it.
const (
	patienceForPrice  = 1500 * time.Millisecond
	patienceForRegion = 20 * time.Second
)

// canInterview reports whether deploy may ask for what it was not told.
func (a *app) canInterview() bool { return a.streams.CanPrompt() && !a.global.yes }

// interviewed asks for a configuration and puts the answers into the flags of the command, as if they had been typed there. It
// returns the name.
func (a *app) interviewed(ctx context.Context, cmd *cobra.Command) (string, error) {
	base, err := a.loadConfig(cmd, nil)
	if err != nil {
		return "", err
	}
	typed := base.IsSet("region")
	if err := a.region(ctx, &base); err != nil {
		return "", err
	}
	home, err := a.home()
	if err != nil {
		return "", err
	}
	a.asker = term.NewInterviewer(a.streams)
	w := &wizard{app: a}
	w.names, _ = home.Names() // none yet, or the deploy will say why they cannot be read
	if !typed {
		base = unset(base, "region")
	}
	w.interview = interview.New(base, w.check)
	c, err := w.interrogate(ctx)
	if err != nil {
		return "", abandoned(err)
	}
	a.global.region = c.Region
	for _, f := range departures(c) {
		if !base.IsSet(f.Key) {
			if err := cmd.Flags().Set(f.Flag(), c.Text(f.Key)); err != nil {
				return "", err
			}
		}
	}
	return c.Name, nil
}

// unset lets a key be asked for although it has a value, which is then the usual answer.
func unset(c stack.Config, key string) stack.Config {
	fresh := stack.NewConfig()
	for _, f := range stack.Fields() {
		if f.Key != key && c.IsSet(f.Key) {
			_ = fresh.Set(f.Key, c.Value(f.Key), c.SourceOf(f.Key))
		}
	}
	fresh.Region = c.Region
	return fresh
}

// abandoned is the error of somebody who did not want to go on.
func abandoned(err error) error {
	if errors.Is(err, term.ErrCancelled) {
		return &hinted{err: fmt.Errorf("nothing was made or saved: %w", term.ErrCancelled), code: exitInterrupted, kind: "cancelled"}
	}
	return err
}

// check finds what the market refuses without being asked.
func (w *wizard) check(c stack.Config) error {
	account, err := w.account(context.Background(), c.Region)
	if err != nil {
		return nil // the questions to AWS will say so
	}
	return account.Check(c)
}

// account opens an account that keeps nothing on this computer. It makes no call.
func (w *wizard) account(ctx context.Context, region string) (*cloud.Account, error) {
	o, err := w.accountOptions(region)
	if err != nil {
		return nil, err
	}
	o.Prices = nil
	return cloud.Open(ctx, o)
}

// interrogate asks until nothing is left to ask and the answers are accepted.
func (w *wizard) interrogate(ctx context.Context) (stack.Config, error) {
	ctx, stop := context.WithCancel(ctx)
	defer w.hush(stop)
	w.asker.Say(w.greeting())
	for {
		q, more := w.interview.Next()
		if !more {
			if err := w.interview.Reopen(); err != nil {
				w.asker.Say("\n" + w.streams.ErrScreen().Paragraph(err.Error()))
				if _, again := w.interview.Next(); !again {
					return stack.Config{}, err
				}
				continue
			}
			c, err := w.accept(ctx)
			if !errors.Is(err, term.ErrBack) {
				return c, err
			}
			w.interview.Back()
			continue
		}
		k := w.known(ctx, q)
		value, err := w.asker.Ask(ctx, w.interview.Question(q, k))
		switch {
		case errors.Is(err, term.ErrBack):
			w.interview.Back()
			continue
		case err != nil:
			return stack.Config{}, err
		}
		if err := w.interview.Answer(q, value, k); err != nil {
			w.asker.Say(w.streams.ErrScreen().Paragraph(err.Error()))
		}
	}
}

// hush ends what is still being asked, since nobody needs the answer any more, and returns when nothing runs in the background.
func (w *wizard) hush(stop func()) {
	stop()
	w.facts.asking.Wait()
	w.regions.asking.Wait()
	w.zones.asking.Wait()
}

func (w *wizard) greeting() string {
	s := w.streams.ErrScreen()
	return s.Heading("A new deployment", "", w.global.sandbox) +
		"Nothing is made before you have seen the plan and its price and said yes.\n"
}

// known is what can be shown with a question now. Prices are waited for a moment; what could be reused is waited for where
// the question is about it, and otherwise serves the price when it is there.
func (w *wizard) known(ctx context.Context, q interview.Query) interview.Knowledge {
	c := w.interview.Config()
	k := interview.Knowledge{Names: w.names, Regions: cloud.RegionNames()}
	k.Markets, k.Unpriced = w.markets(ctx, q, c)
	if !w.interview.Advanced() {
		return k
	}
	running := w.regionFor(ctx, c)
	if !q.Reads {
		k.Region = running.now()
		return k
	}
	ctx, cancel := context.WithTimeout(ctx, patienceForRegion)
	defer cancel()
	region, err, known := running.wait(ctx)
	switch {
	case known && err != nil:
		message, _ := words(err)
		k.Why = "what you have could not be read: " + message
	case known:
		k.Region = region
		k.Zones, _, _ = w.zonesFor(ctx, c).wait(ctx) // not known: any may do, and the plan will tell
	default:
		k.Why = "what you have could not be read in time"
	}
	return k
}

// markets are those that are known of which the prices stand beside a question: that of the configuration, and those to which
// its answers lead. Of the first it is told why it is not known. The first questions do not wait for them, since nothing
// depends on the price yet.
func (w *wizard) markets(ctx context.Context, q interview.Query, c stack.Config) (all map[string]stack.Facts, unknown string) {
	running := map[string]*inquiry[stack.Facts]{}
	for _, one := range append([]stack.Config{c}, q.Compared(c)...) {
		running[interview.MarketOf(one)] = w.factsFor(ctx, one)
	}
	patience := time.Duration(0)
	if q.Priced() {
		patience = patienceForPrice
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, unknown = map[string]stack.Facts{}, "The price is being asked for."
	for market, asked := range running {
		facts, err, known := asked.wait(ctx)
		switch {
		case known && err == nil:
			all[market] = facts
		case known && market == interview.MarketOf(c):
			message, _ := words(err)
			unknown = "The price is not known: " + message
		}
	}
	return all, unknown
}

// factsFor asks for the facts of the market on which a configuration rests, once.
func (w *wizard) factsFor(ctx context.Context, c stack.Config) *inquiry[stack.Facts] {
	return w.facts.begin(interview.MarketOf(c), func() (stack.Facts, error) {
		account, err := w.account(ctx, c.Region)
		if err != nil {
			return stack.Facts{}, err
		}
		return account.Facts(ctx, interview.Unbound(c))
	})
}

// regionFor reads what of a region could be reused, once.
func (w *wizard) regionFor(ctx context.Context, c stack.Config) *inquiry[*discovery.Region] {
	return w.regions.begin(c.Region+"|"+c.Access, func() (*discovery.Region, error) {
		account, err := w.account(ctx, c.Region)
		if err != nil {
			return nil, err
		}
		reader := account.Discovery()
		region, err := reader.Read(ctx, discovery.Networks, discovery.Groups, discovery.Files, discovery.Keys)
		if err != nil {
			return nil, err
		}
		need := discovery.NeedOf(c, "", nil)
		need.VPC, need.Subnet, need.Group, need.FileSystem = "", "", "", ""
		return region, reader.Complete(ctx, region, need, region.GroupIDs()...)
	})
}

// zonesFor asks in which zones the machine can be had that was chosen, once.
func (w *wizard) zonesFor(ctx context.Context, c stack.Config) *inquiry[[]string] {
	return w.zones.begin(c.Region+"|"+c.InstanceType, func() ([]string, error) {
		account, err := w.account(ctx, c.Region)
		if err != nil {
			return nil, err
		}
		return account.Discovery().ZonesSelling(ctx, c.InstanceType)
	})
}
