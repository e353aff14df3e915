package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"geusemaker/internal/cloud"
	"geusemaker/internal/stack"
	"geusemaker/internal/store"
	"geusemaker/internal/term"
)

// The levels of a check.
const (
	levelOK      = "ok"
	levelWarning = "warning" // something will not work, or not well
	levelError   = "error"   // nothing will work
)

// checkDoc is one thing that doctor looked at.
type checkDoc struct {
	ID      string `json:"id"`
	Level   string `json:"level"`
	Message string `json:"message"`
	Next    string `json:"next"` // what to do about it; empty where there is nothing to do

	code int // exit code that goes with an error
}

// doctorDoc is what `doctor` prints.
type doctorDoc struct {
	Level   string     `json:"level"` // the worst of all checks
	Version string     `json:"version"`
	Checks  []checkDoc `json:"checks"`
}

// Limits of what is still well.
const (
	diskNeeded  = 5 << 20   // bytes: not even the record of one deployment with its backups is sure to fit
	diskWanted  = 100 << 20 // bytes
	skewNoticed = time.Minute
	// skewRefused is from where on AWS refuses signatures (AWS General Reference, "Signature Version 4": five minutes).
	skewRefused = 5 * time.Minute
	// doctorPatience bounds each question to the network.
	doctorPatience = 4 * time.Second
)

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check this computer, the records, the credentials and the way to AWS",
		Long: `Doctor looks at everything that a command needs before it can do anything: the folder of the records, the credentials and
whose they are, the region, the clock, the way to the endpoints of AWS, and the programs of others that are used. It changes
nothing, needs no credentials, and takes seconds. It ends with 0 unless something is an error.`,
		Example: "  geusemaker doctor\n  geusemaker doctor --profile work -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.withTimeout(cmd.Context())
			defer cancel()
			doc := a.examine(ctx)
			if err := a.print(doc, func() string { return a.doctorView(doc) }); err != nil {
				return err
			}
			return doc.verdict()
		},
	}
}

// verdict is the error of what is not well enough to work.
func (d doctorDoc) verdict() error {
	var bad []string
	code := 0
	for _, c := range d.Checks {
		if c.Level == levelError {
			bad = append(bad, c.ID)
			code = cmp.Or(code, c.code, exitFailure)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &hinted{err: fmt.Errorf("not well: %s", strings.Join(bad, ", ")), code: code, kind: "not-well", hints: []string{"do what stands beside each, then run `geusemaker doctor` again"}}
}

// examine makes all checks, what is asked of the network at the same time.
func (a *app) examine(ctx context.Context) doctorDoc {
	d := doctorDoc{Level: levelOK, Version: version}
	d.Checks = append(d.Checks, checkDoc{ID: "program", Level: levelOK, Message: fmt.Sprintf("geusemaker %s on %s/%s", version, runtime.GOOS, runtime.GOARCH)})
	d.Checks = append(d.Checks, a.checkHome()...)
	d.Checks = append(d.Checks, checkPlugin(ctx))
	if a.global.sandbox {
		d.Checks = append(d.Checks, checkDoc{ID: "account", Level: levelOK, Message: "the pretend account needs no credentials and no network"})
	} else {
		d.Checks = append(d.Checks, a.checkAWS(ctx)...)
	}
	for _, c := range d.Checks {
		if c.Level == levelError || c.Level == levelWarning && d.Level == levelOK {
			d.Level = c.Level
		}
	}
	return d
}

// checkHome looks at the folder of the records and at what lies in it.
func (a *app) checkHome() []checkDoc {
	folder, err := a.folder()
	if err != nil {
		return []checkDoc{{ID: "home", Level: levelError, Message: err.Error(), Next: "set HOME, or GEUSEMAKER_HOME", code: exitUsage}}
	}
	home := checkFolder(folder)
	if home.Level == levelError {
		return []checkDoc{home}
	}
	return append([]checkDoc{home, checkDisk(folder)}, a.checkRecords()...)
}

// checkFolder tries to write where the records lie, or would lie, and looks who else may read there.
func checkFolder(folder string) checkDoc {
	c := checkDoc{ID: "home", Level: levelOK, Message: folder + " can be written"}
	info, err := os.Stat(folder)
	at := folder
	for err != nil && errors.Is(err, os.ErrNotExist) && filepath.Dir(at) != at {
		at = filepath.Dir(at) // the folder will be made: what matters is where
		_, err = os.Stat(at)
		c.Message = folder + " does not exist yet and can be made"
	}
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(at, ".geusemaker-doctor-*"); err == nil {
			_, err = probe.WriteString("written by geusemaker doctor\n")
			err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
		}
	}
	switch {
	case err != nil:
		return checkDoc{ID: "home", Level: levelError, Message: fmt.Sprintf("%s cannot be written: %v", folder, err), Next: "see to it that it belongs to you, or choose another with --home"}
	case info != nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		c.Level, c.Message, c.Next = levelWarning, fmt.Sprintf("%s is open to other users of this computer (mode %o)", folder, info.Mode().Perm()), "chmod 700 "+folder
	}
	return c
}

func checkDisk(folder string) checkDoc {
	c := checkDoc{ID: "disk", Level: levelOK}
	free, err := freeSpace(folder)
	switch {
	case err != nil:
		c.Level, c.Message = levelWarning, fmt.Sprintf("cannot tell how much room there is: %v", err)
	case free < diskNeeded:
		c.Level, c.Message, c.Next = levelError, fmt.Sprintf("only %s free under %s", term.Bytes(free), folder), "make room: without it nothing can be recorded, and so nothing is created"
	case free < diskWanted:
		c.Level, c.Message, c.Next = levelWarning, fmt.Sprintf("only %s free under %s", term.Bytes(free), folder), "make room"
	default:
		c.Message = term.Bytes(free) + " free"
	}
	return c
}

// checkRecords reads all deployments, and tells which are damaged and which are worked on.
func (a *app) checkRecords() []checkDoc {
	home, err := a.home()
	var entries []store.Entry
	if err == nil {
		entries, err = home.List()
	}
	if err != nil {
		return []checkDoc{{ID: "records", Level: levelError, Message: err.Error()}}
	}
	all := []checkDoc{{ID: "records", Level: levelOK, Message: countOf(len(entries), "deployment")}}
	for _, e := range entries {
		if e.Err != nil {
			next := fmt.Sprintf("`geusemaker recover %s`", e.Name)
			if _, newer := errors.AsType[*store.NewerError](e.Err); newer {
				next = "use that version"
			}
			all = append(all, checkDoc{ID: "record/" + e.Name, Level: levelError, Message: e.Err.Error(), Next: next})
		}
		if e.Holder != nil {
			all = append(all, checkDoc{ID: "lock/" + e.Name, Level: levelOK, Message: "in use: " + e.Holder.String()})
		}
	}
	return all
}

func checkPlugin(ctx context.Context) checkDoc {
	c := checkDoc{ID: pluginName, Level: levelOK, Message: "is installed"}
	if _, err := findPlugin(ctx); err != nil {
		c.Level, c.Message, c.Next = levelWarning, err.Error(), "only `geusemaker connect` needs it; "+pluginInstall
	}
	return c
}

// checkAWS looks at the settings, and asks everything of the network at once.
func (a *app) checkAWS(ctx context.Context) []checkDoc {
	c := stack.NewConfig()
	c.Region = a.global.region
	err := a.region(ctx, &c)
	var account *cloud.Account
	if err == nil {
		account, err = a.openAccount(ctx, c.Region)
	}
	if err != nil {
		return []checkDoc{failedCheck("settings", err)}
	}
	region := checkDoc{ID: "region", Level: levelOK, Message: c.Region}
	if from := c.SourceOf("region"); from.Kind == "default" && a.global.region == "" {
		region.Message, region.Next = c.Region+", since nothing names one", "choose with --region, AWS_REGION or the profile"
	} else if from.From != "" {
		region.Message += ", from the " + from.From
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	var wg sync.WaitGroup
	var reached []cloud.Reached
	var credentials, address checkDoc
	wg.Go(func() { reached = account.Reach(ctx) })
	wg.Go(func() { credentials = checkCredentials(ctx, account) })
	wg.Go(func() { address = checkAddress(ctx, account) })
	wg.Wait()
	return slices.Concat([]checkDoc{region}, checkEndpoints(reached), []checkDoc{checkClock(reached), credentials, address})
}

// failedCheck puts an error into the words of a check.
func failedCheck(id string, err error) checkDoc {
	message, hints := words(err)
	_, code := codeOf(err)
	return checkDoc{ID: id, Level: levelError, Message: message, Next: strings.Join(hints, "; "), code: code}
}

// checkCredentials gets the credentials, and asks AWS whose they are.
func checkCredentials(ctx context.Context, account *cloud.Account) checkDoc {
	source, err := account.Credentials(ctx)
	if err != nil {
		return failedCheck("credentials", err)
	}
	who, err := account.Caller(ctx)
	if err == nil {
		return checkDoc{ID: "credentials", Level: levelOK, Message: fmt.Sprintf("account %s, %s (from %s)", who.Account, who.ARN, source)}
	}
	c := failedCheck("credentials", err)
	if c.code != exitPermission {
		c.Message = fmt.Sprintf("found (from %s), but AWS cannot be asked whose they are: %s", source, c.Message)
	}
	return c
}

func checkEndpoints(reached []cloud.Reached) []checkDoc {
	var all []checkDoc
	for _, r := range reached {
		c := checkDoc{ID: "endpoint/" + r.Service, Level: levelOK, Message: fmt.Sprintf("%s answers in %s", r.URL, term.Duration(r.Took))}
		if r.Err != nil {
			c.Level, c.Message, c.Next = levelError, fmt.Sprintf("%s cannot be reached: %s", r.URL, unreachable(r.Err)), "check the internet connection, HTTPS_PROXY and AWS_ENDPOINT_URL"
		}
		all = append(all, c)
	}
	return all
}

// unreachable says why nobody was reached, without the address.
func unreachable(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer in %s", doctorPatience)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name is not known"
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return err.Error()
}

// checkClock compares the clock with that of AWS, where any answered.
func checkClock(reached []cloud.Reached) checkDoc {
	c := checkDoc{ID: "clock", Level: levelWarning, Message: "nobody to compare it with"}
	for _, r := range reached {
		if r.Err != nil || r.Skew == 0 {
			continue
		}
		off := r.Skew.Abs().Round(time.Second)
		switch {
		case off >= skewRefused:
			c.Level, c.Message, c.Next, c.code = levelError, fmt.Sprintf("differs by %s from that of AWS, which refuses signatures from five minutes on", off), "set the clock", exitPermission
		case off >= skewNoticed:
			c.Level, c.Message, c.Next = levelWarning, fmt.Sprintf("differs by %s from that of AWS", off), "set the clock"
		default:
			c.Level, c.Message = levelOK, "agrees with that of AWS"
		}
		return c
	}
	return c
}

func checkAddress(ctx context.Context, account *cloud.Account) checkDoc {
	address, err := account.PublicAddress(ctx)
	if err != nil {
		return checkDoc{ID: "my-ip", Level: levelWarning, Message: "your public address cannot be found: " + unreachable(err), Next: "name it: --allow-cidrs 203.0.113.7/32"}
	}
	return checkDoc{ID: "my-ip", Level: levelOK, Message: address}
}

func (a *app) doctorView(d doctorDoc) string {
	var checks []term.Check
	for _, c := range d.Checks {
		checks = append(checks, term.Check{Status: c.Level, Name: c.ID, Found: c.Message, Next: c.Next})
	}
	return a.streams.OutScreen().Checks(checks)
}
