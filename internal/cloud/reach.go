package cloud

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// Caller is who the credentials belong to.
type Caller struct{ Account, ARN string }

// Caller asks AWS who the credentials belong to.
func (a *Account) Caller(ctx context.Context) (Caller, error) {
	who, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, err
	}
	return Caller{aws.ToString(who.Account), aws.ToString(who.Arn)}, nil
}

// Credentials gets the credentials without showing them to AWS, and returns where they come from, as the SDK names it. Some
// sources, such as SSO, may ask AWS for them.
func (a *Account) Credentials(ctx context.Context) (source string, err error) {
	value, err := a.config.Credentials.Retrieve(ctx)
	return value.Source, err
}

// PublicAddress is the address from which the services will see their user, as a range such as 203.0.113.7/32.
func (a *Account) PublicAddress(ctx context.Context) (string, error) { return a.callerAddress()(ctx) }

// Reached tells whether the endpoint of a service can be reached.
type Reached struct {
	Service string
	URL     string
	Took    time.Duration
	Skew    time.Duration // by how much the clock of this computer is ahead of the endpoint's; 0 where that does not tell
	Err     error
}

// Reach tries to reach the endpoints that a deployment speaks to, each once and all at the same time. Any answer will do: no
// credentials are sent.
func (a *Account) Reach(ctx context.Context) []Reached {
	all := []Reached{{Service: "sts"}, {Service: "ec2"}, {Service: "ssm"}, {Service: "elasticfilesystem"}, {Service: "iam"}}
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			r := &all[i]
			if r.URL, r.Err = a.endpoint(ctx, r.Service); r.Err == nil {
				r.try(ctx)
			}
		})
	}
	wg.Wait()
	return all
}

// endpoint is the address to which the SDK sends calls of the service: the user's own, or the one of the region.
func (a *Account) endpoint(ctx context.Context, service string) (string, error) {
	region := &a.config.Region
	var custom *string
	var usual smithyendpoints.Endpoint
	var err error
	switch service {
	case "sts":
		custom = a.sts.Options().BaseEndpoint
		usual, err = sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: region})
	case "ec2":
		custom = a.ec2.Options().BaseEndpoint
		usual, err = ec2.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ec2.EndpointParameters{Region: region})
	case "ssm":
		custom = a.ssm.Options().BaseEndpoint
		usual, err = ssm.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ssm.EndpointParameters{Region: region})
	case "elasticfilesystem":
		custom = efs.NewFromConfig(a.config).Options().BaseEndpoint
		usual, err = efs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, efs.EndpointParameters{Region: region})
	case "iam":
		custom = iam.NewFromConfig(a.config).Options().BaseEndpoint
		usual, err = iam.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, iam.EndpointParameters{Region: region})
	}
	if custom != nil {
		return *custom, nil
	}
	return usual.URI.String(), err
}

// try asks the endpoint for anything.
func (r *Reached) try(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, r.URL, nil)
	if err != nil {
		r.Err = err
		return
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	start := time.Now()
	response, err := client.Do(request)
	if err != nil {
		r.Err = err
		return
	}
	defer func() { _ = response.Body.Close() }() // HEAD has none
	r.Took = time.Since(start)
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		middle := start.Add(r.Took / 2)
		r.Skew = middle.Sub(date.Add(500 * time.Millisecond)) // the header has whole seconds, cut off
	}
}
