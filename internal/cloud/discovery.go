package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/cloud/discovery"
)

// Region is the name of the account's region.
func (a *Account) Region() string { return a.config.Region }

// In is the same account in another region.
func (a *Account) In(region string) *Account {
	other := *a
	other.options.Region = region
	other.config = a.config.Copy()
	other.config.Region = region
	other.ec2, other.ssm, other.sts = ec2.NewFromConfig(other.config), ssm.NewFromConfig(other.config), sts.NewFromConfig(other.config)
	return &other
}

// Discovery reads what of the region could be reused; see package discovery. It remembers what it has read, so one is kept
// for a run.
func (a *Account) Discovery() *discovery.Reader {
	return discovery.New(a.config.Region, discovery.Clients{
		EC2: a.ec2, EFS: efs.NewFromConfig(a.config), ELB: elb.NewFromConfig(a.config),
	})
}

// CallerAddress finds the address from which the services will see their user, as a CIDR block of one address.
func (a *Account) CallerAddress(ctx context.Context) (string, error) { return a.callerAddress()(ctx) }
