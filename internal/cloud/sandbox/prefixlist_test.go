package sandbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// list makes a prefix list of IPv4 blocks.
func (w *world) list(most int, cidrs ...string) string {
	w.Helper()
	in := &ec2.CreateManagedPrefixListInput{PrefixListName: new("offices"), AddressFamily: new("IPv4"), MaxEntries: new(int32(most))}
	for _, cidr := range cidrs {
		in.Entries = append(in.Entries, ec2types.AddPrefixListEntry{Cidr: &cidr, Description: new("of " + cidr)})
	}
	id := *must(w.ec2.CreateManagedPrefixList(w.ctx, in))(w).PrefixList.PrefixListId
	w.settle()
	return id
}

func TestEntriesOfPrefixListsComeInPages(t *testing.T) {
	inBubble(t, func(w *world) {
		var cidrs []string
		for i := range 100 {
			cidrs = append(cidrs, fmt.Sprintf("198.18.%d.0/24", i))
		}
		id := w.list(100, cidrs...)
		var got []string
		pages := ec2.NewGetManagedPrefixListEntriesPaginator(w.ec2, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id, MaxResults: new(int32(1))})
		asked := 0
		for pages.HasMorePages() {
			page := must(pages.NextPage(w.ctx))(w)
			asked++
			for _, e := range page.Entries {
				got = append(got, *e.Cidr)
			}
		}
		if asked != 100 || !slices.Equal(got, cidrs) {
			w.Errorf("%d pages with %v", asked, got)
		}
		for max, code := range map[int32]string{0: "InvalidParameterValue", 101: "InvalidParameterValue"} {
			w.refused(code)(w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id, MaxResults: &max}))
		}
		w.refused("InvalidPrefixListID.NotFound")(w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: new("pl-0123456789abcdef0")}))
		w.refused("InvalidPrefixListId.Malformed")(w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: new("list")}))
	})
}

func TestPrefixListsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*ec2.CreateManagedPrefixListInput){
		"AWS's name":       func(in *ec2.CreateManagedPrefixListInput) { in.PrefixListName = new("com.amazonaws.mine") },
		"unknown family":   func(in *ec2.CreateManagedPrefixListInput) { in.AddressFamily = new("IPv5") },
		"wrong family":     func(in *ec2.CreateManagedPrefixListInput) { in.AddressFamily = new("IPv6") },
		"no block":         func(in *ec2.CreateManagedPrefixListInput) { in.Entries[0].Cidr = new("office") },
		"too large":        func(in *ec2.CreateManagedPrefixListInput) { in.MaxEntries = new(int32(1001)) },
		"too many entries": func(in *ec2.CreateManagedPrefixListInput) { in.MaxEntries = new(int32(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				in := &ec2.CreateManagedPrefixListInput{
					PrefixListName: new("offices"), AddressFamily: new("IPv4"), MaxEntries: new(int32(2)),
					Entries: []ec2types.AddPrefixListEntry{{Cidr: new("198.51.100.0/24")}, {Cidr: new("203.0.113.0/24")}},
				}
				change(in)
				if _, err := w.ec2.CreateManagedPrefixList(w.ctx, in); err == nil {
					w.Error("was accepted")
				}
			})
		})
	}
}

// A rule through a prefix list names it, wherever rules are shown, and takes as much of the quota as the list may have entries.
func TestRulesThroughPrefixLists(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		small, large := w.list(20, "198.51.100.0/24"), w.list(41)
		through := func(list string) *ec2.AuthorizeSecurityGroupIngressInput {
			return &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &n.group, IpPermissions: []ec2types.IpPermission{{
				IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)),
				PrefixListIds: []ec2types.PrefixListId{{PrefixListId: &list, Description: new("offices")}},
			}}}
		}
		rule := must(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, through(small)))(w).SecurityGroupRules[0]
		if *rule.PrefixListId != small || rule.ReferencedGroupInfo != nil {
			w.Errorf("%+v", rule)
		}
		w.refused("InvalidPermission.Duplicate")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, through(small)))
		w.refused("RulesPerSecurityGroupLimitExceeded")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, through(large)))
		w.refused("InvalidPrefixListID.NotFound")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, through("pl-0123456789abcdef0")))
		group := must(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{n.group}}))(w).SecurityGroups[0]
		if lists := group.IpPermissions[0].PrefixListIds; len(lists) != 1 || *lists[0].PrefixListId != small || *lists[0].Description != "offices" {
			w.Errorf("%+v", group.IpPermissions)
		}
		w.ok(w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &n.group, IpPermissions: group.IpPermissions}))
	})
}

// AWS's own lists are there without being made, as those behind gateway endpoints show.
func TestListsOfAWSCanBeRead(t *testing.T) {
	inBubble(t, func(w *world) {
		vpc := w.vpc("10.0.0.0/16")
		w.settle()
		table := must(w.ec2.CreateRouteTable(w.ctx, &ec2.CreateRouteTableInput{VpcId: &vpc}))(w).RouteTable.RouteTableId
		w.settle()
		w.ok(w.ec2.CreateVpcEndpoint(w.ctx, &ec2.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: new("com.amazonaws." + home + ".s3"), RouteTableIds: []string{*table}}))
		w.settle()
		routes := must(w.ec2.DescribeRouteTables(w.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*table}}))(w).RouteTables[0].Routes
		list := routes[len(routes)-1].DestinationPrefixListId
		entries := must(w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: list}))(w).Entries
		if len(entries) == 0 {
			w.Errorf("%s has no entries", *list)
		}
	})
}
