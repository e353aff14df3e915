package opinion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func filters() []behaviour {
	return []behaviour{
		{
			name: "an unknown filter is refused", source: "EC2 API reference, Filter; " + errorCodes, aws: "InvalidParameterValue",
			moto: "HTTP 500",
			why:  "a mistake of the caller is a client error; moto breaks",
			see: func(u *user) string {
				_, err := u.ec2.DescribeVpcs(u.ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{filter("color", "red")}})
				return code(err)
			},
		},
		{
			name: "values of a filter are alternatives", source: `EC2 user guide, "Find your Amazon EC2 resources"`, aws: "a b",
			see: func(u *user) string { return u.found(filter("tag:Name", "a", "b")) },
		},
		{
			name: "several filters must all pass", source: `EC2 user guide, "Find your Amazon EC2 resources"`, aws: "a",
			see: func(u *user) string { return u.found(filter("tag:Name", "a", "b"), filter("cidr", "10.0.0.0/16")) },
		},
		{
			name: "a filter takes wildcards", source: `EC2 user guide, "Find your Amazon EC2 resources"`, aws: "a b c, b",
			see: func(u *user) string {
				return each(u.found(filter("tag:Name", "*"), filter("cidr", "10.*")), u.found(filter("cidr", "10.?.0.0/17")))
			},
		},
		{
			name: "a filter's values are written as they are", source: `EC2 user guide, "Find your Amazon EC2 resources": filter values are case-sensitive`, aws: "none",
			see: func(u *user) string { return u.found(filter("tag:Name", "A")) },
		},
		{
			name: "a resource is found by the key of a tag", source: "EC2 API reference, DescribeVpcs", aws: "a b c",
			see: func(u *user) string { return u.found(filter("tag-key", "Name")) },
		},
		{
			name: "of several IDs all must exist", source: errorCodes, aws: "InvalidVpcID.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.DescribeVpcs(u.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{u.vpc("10.0.0.0/16"), "vpc-0123456789abcdef0"}})
				return code(err)
			},
		},
		{
			name: "an unknown image cannot be described", source: errorCodes, aws: "InvalidAMIID.NotFound, InvalidAMIID.Malformed",
			see: func(u *user) string {
				var seen []string
				for _, id := range []string{"ami-0123456789abcdef0", "wrong"} {
					_, err := u.ec2.DescribeImages(u.ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
					seen = append(seen, code(err))
				}
				return each(seen...)
			},
		},
		{
			name: "an unknown instance type cannot be described", source: errorCodes, aws: "InvalidInstanceType",
			see: func(u *user) string {
				_, err := u.ec2.DescribeInstanceTypes(u.ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"t3.enormous"}})
				return code(err)
			},
		},
		{
			name: "an unknown zone cannot be described", source: "EC2 API reference, DescribeAvailabilityZones", aws: "refused",
			moto: "accepted",
			why:  "a zone of another region is not found; moto leaves it out in silence",
			see: func(u *user) string {
				_, err := u.ec2.DescribeAvailabilityZones(u.ctx, &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{"eu-west-1a"}})
				return refused(err)
			},
		},
		{
			name: "a page has at least five lines", source: "EC2 API reference, DescribeVpcs", aws: "refused",
			moto: "accepted",
			why:  "the reference bounds the size from 5 to 1,000; moto does not page here",
			see: func(u *user) string {
				_, err := u.ec2.DescribeVpcs(u.ctx, &ec2.DescribeVpcsInput{MaxResults: new(int32(4))})
				return refused(err)
			},
		},
		{
			name: "pages add up to the whole", source: `EC2 developer guide, "Pagination"`, aws: "5 2",
			moto: "7",
			why:  "moto does not page here, so no loop over pages was ever tried on it",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				for n := range 7 {
					u.subnet(vpc, fmt.Sprintf("10.0.%d.0/24", n), region+"a")
				}
				pages := ec2.NewDescribeSubnetsPaginator(u.ec2, &ec2.DescribeSubnetsInput{
					MaxResults: new(int32(5)), Filters: []ec2types.Filter{filter("vpc-id", vpc)},
				})
				var sizes []string
				for pages.HasMorePages() {
					sizes = append(sizes, fmt.Sprint(len(must(pages.NextPage(u.ctx))(u).Subnets)))
				}
				return strings.Join(sizes, " ")
			},
		},
		{
			name: "a page of an unknown token is refused", source: errorCodes, aws: "refused",
			moto: "accepted",
			why:  "the list has a code for it; moto does not page here",
			see: func(u *user) string {
				_, err := u.ec2.DescribeSubnets(u.ctx, &ec2.DescribeSubnetsInput{NextToken: new("no token")})
				return refused(err)
			},
		},
		{
			name: "tags of all kinds of resources are listed by kind", source: "EC2 API reference, DescribeTags", aws: "subnet vpc",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.tag(vpc, "judge", "me")
				u.tag(u.subnet(vpc, "10.0.0.0/24", region+"a"), "judge", "me")
				found := must(u.ec2.DescribeTags(u.ctx, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{filter("key", "judge")}}))(u)
				var kinds []string
				for _, tag := range found.Tags {
					kinds = append(kinds, string(tag.ResourceType))
				}
				slices.Sort(kinds)
				return strings.Join(kinds, " ")
			},
		},
	}
}

// found makes three VPCs, if there are none yet, and tells which of them pass.
func (u *user) found(by ...ec2types.Filter) string {
	u.Helper()
	of := func(by ...ec2types.Filter) string {
		all := must(u.ec2.DescribeVpcs(u.ctx, &ec2.DescribeVpcsInput{Filters: by}))(u).Vpcs
		var names []string
		for _, vpc := range all {
			for _, tag := range vpc.Tags {
				if *tag.Key == "Name" {
					names = append(names, *tag.Value)
				}
			}
		}
		if len(names) == 0 {
			return "none"
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	if of() == "none" {
		for name, cidr := range map[string]string{"a": "10.0.0.0/16", "b": "10.1.0.0/17", "c": "10.20.0.0/16"} {
			u.tag(u.vpc(cidr), "Name", name)
		}
	}
	return of(by...)
}
