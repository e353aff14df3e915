package discovery

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// filterValues is how many values a filter of EC2 may have (EC2 user guide, "Filtering resources").
const filterValues = 200

// tagArns is how many load balancers DescribeTags may name (Elastic Load Balancing API reference).
const tagArns = 20

func (r *Reader) readGroups(ctx context.Context) ([]SecurityGroup, error) {
	pages := ec2.NewDescribeSecurityGroupsPaginator(r.clients.EC2, &ec2.DescribeSecurityGroupsInput{MaxResults: new(int32(pageSize))})
	return api.All(ctx, pages, func(out *ec2.DescribeSecurityGroupsOutput) []SecurityGroup {
		return mapped(out.SecurityGroups, groupOf)
	})
}

func (r *Reader) readKeys(ctx context.Context) ([]KeyPair, error) {
	out, err := r.clients.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{})
	if err != nil {
		return nil, err
	}
	return mapped(out.KeyPairs, keyPairOf), nil
}

// ZonesSelling are the zones in which a machine type can be had; nil when any may be, since none is named.
func (r *Reader) ZonesSelling(ctx context.Context, instanceType string) ([]string, error) {
	if instanceType == "" || instanceType == stack.Auto {
		return nil, nil
	}
	pages := ec2.NewDescribeInstanceTypeOfferingsPaginator(r.clients.EC2, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: ec2types.LocationTypeAvailabilityZone,
		Filters:      []ec2types.Filter{{Name: new("instance-type"), Values: []string{instanceType}}},
	})
	zones, err := api.All(ctx, pages, func(out *ec2.DescribeInstanceTypeOfferingsOutput) []string {
		return mapped(out.InstanceTypeOfferings, func(o ec2types.InstanceTypeOffering) string { return aws.ToString(o.Location) })
	})
	slices.Sort(zones)
	return append([]string{}, zones...), err
}

// files is what was read of the file systems of a region.
type files struct {
	systems  []FileSystem
	warnings []string
}

// readFiles asks for the mount targets of each file system, since EFS lists them no other way, and for the security groups of
// all of them at once: they are those of their network interfaces.
func (r *Reader) readFiles(ctx context.Context) (files, error) {
	pages := efs.NewDescribeFileSystemsPaginator(r.clients.EFS, &efs.DescribeFileSystemsInput{})
	systems, err := api.All(ctx, pages, func(out *efs.DescribeFileSystemsOutput) []FileSystem {
		return mapped(out.FileSystems, fileSystemOf)
	})
	if err != nil {
		return files{}, err
	}
	err = each(systems, func(i int, f FileSystem) (err error) {
		pages := efs.NewDescribeMountTargetsPaginator(r.clients.EFS, &efs.DescribeMountTargetsInput{FileSystemId: &f.ID})
		systems[i].Targets, err = api.All(ctx, pages, func(out *efs.DescribeMountTargetsOutput) []MountTarget {
			return mapped(out.MountTargets, mountTargetOf)
		})
		if api.IsNotFound(err) {
			return nil // deleted since it was listed
		}
		return err
	})
	if err != nil {
		return files{}, err
	}
	var warning string
	err = optional(ctx, &warning, "who may reach the file systems is not known and counts as everybody",
		func() error { return r.askTargetGroups(ctx, systems) })()
	return files{systems, said([]string{warning})}, err
}

// askTargetGroups notes the security groups of the mount targets.
func (r *Reader) askTargetGroups(ctx context.Context, systems []FileSystem) error {
	var ids []string
	for _, f := range systems {
		for _, t := range f.Targets {
			ids = append(ids, t.Interface)
		}
	}
	groups := map[string][]string{}
	for some := range slices.Chunk(ids, filterValues) {
		pages := ec2.NewDescribeNetworkInterfacesPaginator(r.clients.EC2, &ec2.DescribeNetworkInterfacesInput{
			MaxResults: new(int32(pageSize)), Filters: []ec2types.Filter{{Name: new("network-interface-id"), Values: some}},
		})
		found, err := api.All(ctx, pages, func(out *ec2.DescribeNetworkInterfacesOutput) []ec2types.NetworkInterface {
			return out.NetworkInterfaces
		})
		if err != nil {
			return err
		}
		for _, n := range found {
			groups[aws.ToString(n.NetworkInterfaceId)] = mapped(n.Groups, func(g ec2types.GroupIdentifier) string { return aws.ToString(g.GroupId) })
		}
	}
	for i := range systems {
		for j := range systems[i].Targets {
			systems[i].Targets[j].Groups = groups[systems[i].Targets[j].Interface]
		}
	}
	return nil
}

// balancers is what was read of the load balancers of a region.
type balancers struct {
	all      []LoadBalancer
	warnings []string
}

func (r *Reader) readBalancers(ctx context.Context) (balancers, error) {
	pages := elb.NewDescribeLoadBalancersPaginator(r.clients.ELB, &elb.DescribeLoadBalancersInput{})
	found, err := api.All(ctx, pages, func(out *elb.DescribeLoadBalancersOutput) []LoadBalancer {
		return mapped(out.LoadBalancers, balancerOf)
	})
	if err != nil {
		return balancers{}, err
	}
	var warning string
	err = optional(ctx, &warning, "the tags of the load balancers are not known", func() error { return r.askBalancerTags(ctx, found) })()
	return balancers{found, said([]string{warning})}, err
}

func (r *Reader) askBalancerTags(ctx context.Context, all []LoadBalancer) error {
	return each(slices.Collect(slices.Chunk(all, tagArns)), func(_ int, some []LoadBalancer) error {
		out, err := r.clients.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{
			ResourceArns: mapped(some, func(l LoadBalancer) string { return l.ID }),
		})
		if err != nil {
			return err
		}
		for _, d := range out.TagDescriptions {
			for i := range some { // a chunk shares the array of the whole
				if some[i].ID == aws.ToString(d.ResourceArn) {
					some[i].Tags = tagsOf(d.Tags)
				}
			}
		}
		return nil
	})
}

func tagsOf(tags []elbtypes.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

func mapped[From, To any](all []From, to func(From) To) []To {
	out := make([]To, 0, len(all))
	for _, one := range all {
		out = append(out, to(one))
	}
	return out
}
