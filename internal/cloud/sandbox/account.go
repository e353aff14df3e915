package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	"github.com/gofrs/flock"
)

// CallerAddress is the public IPv4 address from which the user of the pretend account seems to come. The transport also
// answers it to requests for https://checkip.amazonaws.com.
const CallerAddress = "203.0.113.10"

// defaultSpeed makes a deployment of about three minutes take nine seconds.
const defaultSpeed = 20

// Options says how a pretend account behaves. The zero value is an account in memory.
type Options struct {
	// Path is the snapshot file. Empty keeps the account in memory only.
	Path string
	// Speed is how many virtual seconds pass in a real one. 0 means 20; use 1 in a testing/synctest bubble.
	Speed float64
	// Seed sets the ids of a new account and how late each becomes visible. A loaded account keeps its own.
	Seed uint64
	// AccountID is the twelve-digit number of a new account. Empty means 111122223333.
	AccountID string
	// OnCall, when set, is asked before and after the effect of each call (each attempt of the SDK's retryer is one call). The
	// error that it returns is what the client sees, so a test can end a client between any two effects.
	OnCall func(ctx context.Context, call Call) error
	// OnRequest, when set, is shown each attempt of a call as the SDK would have sent it, before its effect. It may be called
	// from several goroutines at once.
	OnRequest func(Request)
}

// Call tells Options.OnCall which call is at hand.
type Call struct {
	Index     int // from 0, in the order of arrival
	Service   string
	Operation string
	Phase     string // before or after
}

// Account is a pretend AWS account. It may be used from many goroutines, and, through its snapshot file, by many processes.
type Account struct {
	options    Options
	clock      *Clock
	operations map[string]operation

	lock *flock.Flock // nil in memory

	mu      sync.Mutex
	state   *state
	version fileVersion // of the snapshot that state was read from
	calls   int
	jitter  *rand.Rand
}

// Open returns the account of the snapshot file, or a new one. A damaged file is an error that names it and the command that
// starts over; it is never replaced in silence.
func Open(o Options) (*Account, error) {
	if o.Speed == 0 {
		o.Speed = defaultSpeed
	}
	if o.Speed < 0 {
		return nil, fmt.Errorf("speed %v of the sandbox is negative: use 1 for real time or more to go faster", o.Speed)
	}
	if o.AccountID == "" {
		o.AccountID = "111122223333"
	}
	a := &Account{
		options:    o,
		clock:      newClock(o.Speed),
		operations: operations(),
		jitter:     rand.New(rand.NewPCG(o.Seed, 1)),
	}
	if o.Path == "" {
		a.state = newState(o, a.clock.Now())
		return a, nil
	}
	a.lock = flock.New(o.Path + ".lock")
	if err := a.update(func(*state) error { return nil }); err != nil {
		return nil, err
	}
	return a, nil
}

// Close keeps the time that it is and releases the account's side file. The account stays on disk.
func (a *Account) Close() error {
	if a.lock == nil {
		return nil
	}
	return errors.Join(a.keepTime(), a.lock.Close())
}

// keepTime saves the clock, unless the account was reset meanwhile. Reads save nothing, so without it the next process would
// begin at the last change, and meet again what this one has seen go.
func (a *Account) keepTime() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	release, err := a.fresh()
	if err != nil {
		return err
	}
	defer release()
	if a.version.file == nil {
		return nil
	}
	return a.save()
}

// Clock returns the account's virtual clock.
func (a *Account) Clock() *Clock { return a.clock }

// Config returns the configuration from which the SDK's clients for a region are made. Its credentials are static and
// worthless, nothing made from it reaches the network, and the waits of its retryer run on virtual time.
func (a *Account) Config(region string) aws.Config {
	return aws.Config{
		Region: region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIASANDBOXEXAMPLE00", SecretAccessKey: "sandbox", Source: "sandbox"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = virtualBackoff{retry.NewExponentialJitterBackoff(retry.DefaultMaxBackoff), a.options.Speed}
			})
		},
		APIOptions: []func(*middleware.Stack) error{a.install},
		HTTPClient: offline{},
	}
}

// offline is the HTTP client behind the sandbox. It is never reached, and says so if it is.
type offline struct{}

// Do refuses to send anything.
func (offline) Do(request *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("the sandbox does not use the network: refused to send to %s", request.URL.Host)
}

// virtualBackoff shortens the real waits of a retryer to the pace of the account.
type virtualBackoff struct {
	backoff retry.BackoffDelayer
	speed   float64
}

// BackoffDelay returns the real time to wait before another attempt.
func (b virtualBackoff) BackoffDelay(attempt int, err error) (time.Duration, error) {
	delay, err := b.backoff.BackoffDelay(attempt, err)
	return time.Duration(float64(delay) / b.speed), err
}

// update changes the account under its locks and saves it, unless change fails.
func (a *Account) update(change func(*state) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	release, err := a.fresh()
	if err != nil {
		return err
	}
	defer release()
	if err := change(a.state); err != nil {
		return err
	}
	if err := a.save(); err != nil {
		unsaved := a.state
		a.state, a.version = nil, fileVersion{} // what was not saved did not happen
		if readErr := a.load(); readErr != nil {
			a.state = unsaved
			return errors.Join(err, readErr)
		}
		return err
	}
	return nil
}

// view reads the account under its locks. When the snapshot cannot be read, read sees the account as it was last known, and
// the error says so.
func (a *Account) view(read func(*state)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	release, err := a.fresh()
	if err == nil {
		defer release()
	}
	read(a.state)
	return err
}
