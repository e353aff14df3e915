package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"geusemaker/internal/cloud/network"
	"geusemaker/internal/cloud/storage"
	"geusemaker/internal/stack"
)

// ID is the number of the account.
func (a *Account) ID(ctx context.Context) (string, error) {
	who, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(who.Account), nil
}

// Regions lists the regions that are enabled for the account, sorted (EC2 API reference, DescribeRegions).
func (a *Account) Regions(ctx context.Context) ([]string, error) {
	out, err := a.ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range out.Regions {
		names = append(names, aws.ToString(r.RegionName))
	}
	slices.Sort(names)
	return names, nil
}

// Appraise prices machines that exist, and what else may exist beside them. What cannot be asked is a guess.
func (a *Account) Appraise(ctx context.Context, machines []stack.Offer) ([]stack.Offer, map[string]stack.Price, error) {
	return a.market().Appraise(ctx, a.config.Region, machines)
}

// Within lists what comes and goes with a VPC or a file system but may be recorded nowhere: the gateways and route tables of
// the one, the mount targets of the other, by kind and ID. Either may be empty.
func (a *Account) Within(ctx context.Context, vpc, fileSystem string) ([]stack.Record, error) {
	var all []stack.Record
	if vpc != "" {
		found, err := network.Within(ctx, a.ec2, vpc)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if fileSystem != "" {
		found, err := storage.Within(ctx, efs.NewFromConfig(a.config), fileSystem)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
