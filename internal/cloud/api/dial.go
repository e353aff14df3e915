package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"

	"geusemaker/internal/stack"
)

// maxAttempts is how often the SDK sends a call that it may repeat. Its own default is 3; a burst of parallel creates meets
// throttling more than that.
const maxAttempts = 5

// The limits of one request. The longest calls, launches, answer within a few seconds.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 60 * time.Second
	// metadataTimeout bounds each question to the instance metadata service, which is next to the machine or not there.
	metadataTimeout = time.Second
)

// Options says which account and region to speak to. Empty fields leave the choice to the environment and to the files of
// the AWS command line.
type Options struct{ Region, Profile string }

// ErrNoRegion says that neither the options nor the environment name a region.
var ErrNoRegion = errors.New("no AWS region is set; use --region or set AWS_REGION")

// Dial finds credentials, region and endpoints as the AWS command line does (AWS SDKs and Tools reference guide,
// "Credential provider chain": environment, shared files, SSO, login sessions, processes, containers, instance metadata;
// AWS_ENDPOINT_URL and its kin), and returns a guarded configuration. It makes no calls but those that finding a role's
// credentials takes, and those only at first use. Explain has words for its errors.
func Dial(ctx context.Context, o Options) (aws.Config, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTimeout })
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts = maxAttempts })
		}),
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("cannot load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	if err := checkEndpoints(cfg); err != nil {
		return aws.Config{}, err
	}
	cfg.Logger = logging.Nop{} // the SDK would write its warnings between ours
	cfg.Credentials = newCredentials(cfg, cmp.Or(o.Profile, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"), "default"))
	Guard(&cfg)
	return cfg, nil
}

// ownEndpoints are the variables that name the endpoint of one of the services that are called (AWS SDKs and Tools reference guide,
// "Service-specific endpoints").
var ownEndpoints = []string{
	"AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_EFS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_STS",
	"AWS_ENDPOINT_URL_PRICING", "AWS_ENDPOINT_URL_SERVICE_QUOTAS", "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
}

// checkEndpoints refuses endpoints that are no URLs. The SDK would take one for a network that is down, and try again.
func checkEndpoints(cfg aws.Config) error {
	if base := aws.ToString(cfg.BaseEndpoint); base != "" {
		from := "AWS_ENDPOINT_URL"
		if os.Getenv(from) != base {
			from = "endpoint_url" // of the profile
		}
		if err := checkEndpoint(from, base); err != nil {
			return err
		}
	}
	if ignored, err := strconv.ParseBool(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")); err == nil && ignored {
		return nil
	}
	for _, name := range ownEndpoints {
		if err := checkEndpoint(name, os.Getenv(name)); err != nil {
			return err
		}
	}
	return nil
}

func checkEndpoint(from, endpoint string) error {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return &stack.FieldError{Key: from, Problem: fmt.Sprintf("%q is not the URL of an endpoint", endpoint), Fix: "use one such as http://localhost:5000"}
}

// CredentialsError says that no credentials could be had, so no request was sent.
type CredentialsError struct {
	Profile string
	// Nowhere says that no credentials were configured: the instance metadata service was the last hope.
	Nowhere bool
	Err     error
}

func (e *CredentialsError) Error() string {
	if e.Nowhere {
		return "no AWS credentials found"
	}
	return fmt.Sprintf("cannot get the AWS credentials of profile %s: %v", e.Profile, e.Err)
}

// Unwrap gives what the provider of credentials said.
func (e *CredentialsError) Unwrap() error { return e.Err }

// RetryableError tells the SDK that repeating the call is of no use: providers repeat theirs.
func (e *CredentialsError) RetryableError() bool { return false }

// credentials names the profile in errors, and knows when there are none at all.
type credentials struct {
	provider aws.CredentialsProvider
	profile  string
	nowhere  bool
}

func newCredentials(cfg aws.Config, profile string) aws.CredentialsProvider {
	c := &credentials{provider: cfg.Credentials, profile: profile}
	if !aws.IsCredentialsProvider(cfg.Credentials, (*ec2rolecreds.Provider)(nil)) {
		return c
	}
	// Nothing else is configured. On a laptop the SDK would ask the absent metadata service for many seconds.
	c.nowhere = true
	metadata := imds.NewFromConfig(cfg, func(o *imds.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(metadataTimeout).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = metadataTimeout })
	})
	c.provider = aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = metadata }),
		func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute })
	return c
}

// Retrieve implements aws.CredentialsProvider.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	value, err := c.provider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &CredentialsError{Profile: c.profile, Nowhere: c.nowhere, Err: err}
	}
	return value, err
}
