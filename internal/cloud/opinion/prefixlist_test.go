package opinion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func prefixLists() []behaviour {
	const entries = "EC2 API reference, GetManagedPrefixListEntries"
	const creation = "EC2 API reference, CreateManagedPrefixList"
	return []behaviour{
		{
			name: "a prefix list has the entries that it was made with", source: creation, aws: "198.51.100.0/24, 203.0.113.0/24",
			see: func(u *user) string {
				found := must(u.ec2.GetManagedPrefixListEntries(u.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: new(u.list(2, "203.0.113.0/24", "198.51.100.0/24"))}))(u)
				var cidrs []string
				for _, e := range found.Entries {
					cidrs = append(cidrs, *e.Cidr)
				}
				slices.Sort(cidrs)
				return strings.Join(cidrs, ", ")
			},
		},
		{
			name: "an unknown prefix list has no entries", source: errorCodes, aws: "InvalidPrefixListID.NotFound",
			moto: "accepted",
			why:  "the list has a code for it, which public logs show of this very call (aws/aws-application-networking-k8s 172); moto answers with nothing",
			see:  func(u *user) string { return u.entriesCode("pl-0123456789abcdef0", 100) },
		},
		{
			name: "an ID of the wrong form of a prefix list has a code of its own", source: errorCodes, aws: "InvalidPrefixListId.Malformed",
			moto: "accepted",
			why:  "the list has a Malformed code for every kind",
			see:  func(u *user) string { return u.entriesCode("office", 100) },
		},
		{
			name: "a page of entries has one to a hundred", source: entries, aws: "accepted, accepted, InvalidParameterValue",
			moto: "accepted, accepted, accepted",
			why:  "the reference bounds the size; moto does not page here",
			see: func(u *user) string {
				id := u.list(1, "203.0.113.0/24")
				return each(u.entriesCode(id, 1), u.entriesCode(id, 100), u.entriesCode(id, 101))
			},
		},
		{
			name: "pages of entries add up to the whole", source: `EC2 developer guide, "Pagination"`, aws: "2 1",
			moto: "3",
			why:  "moto does not page here",
			see: func(u *user) string {
				id := u.list(3, "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24")
				pages := ec2.NewGetManagedPrefixListEntriesPaginator(u.ec2, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id, MaxResults: new(int32(2))})
				var sizes []string
				for pages.HasMorePages() {
					sizes = append(sizes, fmt.Sprint(len(must(pages.NextPage(u.ctx))(u).Entries)))
				}
				return strings.Join(sizes, " ")
			},
		},
		{
			name: "AWS's own prefix lists can be read", source: `VPC user guide, "Gateway endpoints"; VPC user guide, "AWS-managed prefix lists"`, aws: "true",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				table := u.table(vpc)
				u.endpoint(vpc, "s3", table)
				found := must(u.ec2.DescribeRouteTables(u.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(u)
				for _, r := range found.RouteTables[0].Routes {
					if r.DestinationPrefixListId != nil {
						list := must(u.ec2.GetManagedPrefixListEntries(u.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: r.DestinationPrefixListId}))(u)
						return fmt.Sprint(len(list.Entries) > 0)
					}
				}
				return "no route"
			},
		},
		{
			name: "a rule through a prefix list names it", source: "EC2 API reference, PrefixListId", aws: "accepted, true",
			see: func(u *user) string {
				list, group := u.list(1, "203.0.113.0/24"), u.group(u.vpc("10.0.0.0/16"), "host")
				done := u.letInThrough(group, list)
				g := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}}))(u).SecurityGroups[0]
				return each(done, fmt.Sprint(len(g.IpPermissions) == 1 && len(g.IpPermissions[0].PrefixListIds) == 1 && *g.IpPermissions[0].PrefixListIds[0].PrefixListId == list))
			},
		},
		{
			name: "a rule through a prefix list counts as many rules as the list may have entries", source: `VPC user guide, "Prefix lists concepts and rules"`,
			aws:  "RulesPerSecurityGroupLimitExceeded",
			moto: "accepted",
			why:  "the page says so; moto counts it as one rule",
			see: func(u *user) string {
				return u.letInThrough(u.group(u.vpc("10.0.0.0/16"), "host"), u.list(61, "203.0.113.0/24"))
			},
		},
		{
			name: "a prefix list is of one address family", source: creation, aws: "refused",
			moto: "accepted",
			why:  "the reference has one family for all entries; moto keeps any text",
			see: func(u *user) string {
				in := listInput(1, "2001:db8::/32")
				_, err := u.ec2.CreateManagedPrefixList(u.ctx, in)
				return refused(err)
			},
		},
	}
}

func listInput(most int, cidrs ...string) *ec2.CreateManagedPrefixListInput {
	in := &ec2.CreateManagedPrefixListInput{PrefixListName: new("offices"), AddressFamily: new("IPv4"), MaxEntries: new(int32(most))}
	for _, cidr := range cidrs {
		in.Entries = append(in.Entries, ec2types.AddPrefixListEntry{Cidr: &cidr})
	}
	return in
}

// list makes a prefix list of IPv4 blocks.
func (u *user) list(most int, cidrs ...string) string {
	u.Helper()
	made := must(u.ec2.CreateManagedPrefixList(u.ctx, listInput(most, cidrs...)))(u)
	u.settle()
	return *made.PrefixList.PrefixListId
}

func (u *user) entriesCode(list string, size int32) string {
	_, err := u.ec2.GetManagedPrefixListEntries(u.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &list, MaxResults: &size})
	return code(err)
}

// letInThrough lets HTTPS in from what is in a prefix list.
func (u *user) letInThrough(group, list string) string {
	_, err := u.ec2.AuthorizeSecurityGroupIngress(u.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)), PrefixListIds: []ec2types.PrefixListId{{PrefixListId: &list}},
	}}})
	return code(err)
}
