package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"geusemaker/internal/cloud/compute"
)

// Console returns what a machine wrote to its console. That needs no agent, no network and no port of the machine.
func (a *Account) Console(ctx context.Context, instanceID string) (string, error) {
	return compute.ConsoleOutput(ctx, a.ec2, instanceID)
}

// ManagerEndpoint is the URL under which Systems Manager is called, for programs that call it themselves.
func (a *Account) ManagerEndpoint(ctx context.Context) (string, error) {
	if a.options.Sandbox != nil {
		return "https://sandbox.invalid", nil // a name that never leads anywhere (RFC 2606)
	}
	o := a.ssm.Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ssm.EndpointParameters{
		Region: new(o.Region), Endpoint: o.BaseEndpoint,
		UseFIPS:      new(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: new(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return endpoint.URI.String(), err
}
