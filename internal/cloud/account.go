// Package cloud is the door to one AWS account and region: behind it lie the drivers of all kinds of resources, what is
// found out before a plan, and the way to ask a machine. The pretend account is plugged in here, under the SDK, so that all
// else is the same for both.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/identity"
	"geusemaker/internal/cloud/market"
	"geusemaker/internal/cloud/network"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/cloud/storage"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Options say which account to open, and how.
type Options struct {
	Region  string
	Profile string
	// Sandbox is the pretend account to use instead of AWS.
	Sandbox *sandbox.Account
	// UserData renders what a machine boots with.
	UserData func(stack.Machine) ([]byte, error)
	// HashCost is that of the hash of a generated password; bcrypt's default when zero. Tests that deploy a thousand times
	// choose a low one.
	HashCost int
	// Observe sees every call; nil means nobody.
	Observe func(api.Call)
	// Tell hears of a network that is away; nil means nobody.
	Tell func(string)
	// Prices keeps list prices between runs; nil means that they are asked for each time. Prices of a mock are not kept.
	Prices market.PriceCache
}

// Account is one AWS account in one region.
type Account struct {
	options Options
	config  aws.Config
	clock   engine.Clock
	ec2     *ec2.Client
	ssm     *ssm.Client
	sts     *sts.Client
}

// Open prepares the clients. It makes no call.
func Open(ctx context.Context, o Options) (*Account, error) {
	a := &Account{options: o, clock: engine.Wall{}}
	if o.Sandbox != nil {
		a.config, a.clock = o.Sandbox.Config(o.Region), o.Sandbox.Clock()
		api.Guard(&a.config)
	} else {
		config, err := api.Dial(ctx, api.Options{Region: o.Region, Profile: o.Profile})
		if err != nil {
			return nil, err
		}
		a.config = config
	}
	api.Reconnect(&a.config, o.Tell)
	if o.Observe != nil {
		api.Observe(&a.config, a.clock, o.Observe)
	}
	api.Decode(&a.config)
	a.ec2, a.ssm, a.sts = ec2.NewFromConfig(a.config), ssm.NewFromConfig(a.config), sts.NewFromConfig(a.config)
	return a, nil
}

// DefaultRegion is the region that the AWS settings of this machine name, or "".
func DefaultRegion(ctx context.Context, profile string) (string, error) {
	config, err := api.Dial(ctx, api.Options{Profile: profile})
	if errors.Is(err, api.ErrNoRegion) {
		return "", nil
	}
	return config.Region, err
}

// Drivers returns the drivers of all kinds.
func (a *Account) Drivers() map[stack.Kind]engine.Driver {
	all := map[stack.Kind]engine.Driver{}
	for _, some := range []map[stack.Kind]engine.Driver{
		network.Drivers(a.ec2, a.clock),
		storage.Drivers(efs.NewFromConfig(a.config), a.ec2, a.clock),
		identity.Drivers(iam.NewFromConfig(a.config), a.ssm, a.clock, a.options.HashCost),
		compute.Drivers(a.ec2, a.clock, a.options.UserData),
	} {
		maps.Copy(all, some)
	}
	return all
}

// Facts finds out what a plan rests on. The zones that are named are among those of the facts.
func (a *Account) Facts(ctx context.Context, c stack.Config, zones ...string) (stack.Facts, error) {
	return a.market().Facts(ctx, c, zones...)
}

// market is the one of the region.
func (a *Account) market() *market.Market {
	return market.New(market.Clients{
		EC2: a.ec2, SSM: a.ssm, STS: a.sts,
		Pricing: pricing.NewFromConfig(a.config),
		Quotas:  servicequotas.NewFromConfig(a.config),
		EFS:     efs.NewFromConfig(a.config),
	}, market.Options{Clock: a.clock, Address: a.callerAddress(), Prices: a.priceCache(), Mock: a.mocked(), Discovery: a.Discovery()})
}

// MustBe refuses to go on with another account's credentials.
func (a *Account) MustBe(ctx context.Context, account string) error {
	who, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	if got := aws.ToString(who.Account); account != "" && got != account {
		return &WrongAccountError{Got: got, Want: account}
	}
	return nil
}

// WrongAccountError says that the credentials are of another account than the one in which a deployment lies.
type WrongAccountError struct{ Got, Want string }

func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("these credentials are of account %s, but the deployment lies in account %s", e.Got, e.Want)
}

// Machine returns the way to ask a machine how its boot goes.
func (a *Account) Machine() *compute.Machine { return compute.NewMachine(a.ssm, a.clock) }

// AwaitManaged waits until the machine can be managed. Where that cannot be asked, it warns and does not wait.
func (a *Account) AwaitManaged(ctx context.Context, instanceID string, tell, warn func(string)) error {
	err := a.Machine().AwaitOnline(ctx, instanceID, tell)
	switch {
	case err == nil || ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, new(*api.TimeoutError)):
		return err
	}
	message, _ := api.Explain(err)
	warn("cannot tell whether the machine can be managed: ssm:DescribeInstanceInformation: " + message)
	return nil
}

// Clock is the clock of the account: the sandbox's runs fast.
func (a *Account) Clock() engine.Clock { return a.clock }

// Transport carries what goes to public addresses, such as probes of the services; nil means the network.
func (a *Account) Transport() http.RoundTripper {
	if a.options.Sandbox == nil {
		return nil
	}
	return a.options.Sandbox.Transport()
}

// callerAddress finds the address from which the services will see their user. A custom endpoint, such as a mock of AWS,
// sees its user where this machine speaks to it.
func (a *Account) callerAddress() market.AddressFinder {
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" && a.options.Sandbox == nil {
		return func(ctx context.Context) (string, error) { return localAddress(ctx, endpoint) }
	}
	transport := a.Transport()
	if transport == nil {
		transport = overIPv4()
	}
	return market.CheckIP(&http.Client{Transport: transport})
}

// overIPv4 is the usual transport, but for IPv4 alone: a service that is asked over IPv6 answers with an address that the
// machine will never see.
func overIPv4() http.RoundTripper {
	usual, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	transport := usual.Clone()
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	}
	return transport
}

// localAddress is the address of this machine towards an endpoint.
func localAddress(ctx context.Context, endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[bool]string{true: "443", false: "80"}[u.Scheme == "https"])
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	address := conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	return netip.PrefixFrom(address, address.BitLen()).String(), nil
}
