package discovery

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
)

// entriesPage is the largest page of the entries of a prefix list (EC2 API reference, GetManagedPrefixListEntries, MaxResults).
const entriesPage = 100

// PrefixList is a managed prefix list: blocks of addresses that rules and routes name by one ID. It is the account's, another
// account's that shares it, or AWS's own.
type PrefixList struct {
	ID      string
	Blocks  []netip.Prefix // of IPv4 or of IPv6
	Unknown string         // in words why the entries could not be read; "" when they were
}

func (l PrefixList) id() string { return l.ID }

// List finds a prefix list by its ID among those that were asked for.
func (r *Region) List(id string) (PrefixList, bool) { return byID(r.Lists, id) }

// SpellOut puts in the place of each rule through a prefix list one for each of the list's blocks. A rule through a list that
// is not known stays as it is.
func (r *Region) SpellOut(rules []Rule) []Rule {
	var all []Rule
	for _, one := range rules {
		list, known := r.List(one.List)
		if !known || list.Unknown != "" {
			all = append(all, one)
			continue
		}
		for _, block := range list.Blocks {
			one.Block = block
			all = append(all, one)
		}
	}
	return all
}

// unread says of which rules it is not known whether they let through what is missing, and why, as the end of a sentence. It is
// "" when there are none.
func (r *Region) unread(have, missing []Rule) string {
	var why []string
	for _, one := range have {
		list, _ := r.List(one.List)
		text := "whether " + list.ID + " does is not known: " + list.Unknown
		if list.Unknown != "" && !slices.Contains(why, text) && slices.ContainsFunc(missing, one.opens) {
			why = append(why, text)
		}
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + strings.Join(why, "; ") + ")"
}

// GroupIDs are the security groups of the region.
func (r *Region) GroupIDs() []string {
	return mapped(r.Groups, func(g SecurityGroup) string { return g.ID })
}

// GuardIDs are the security groups of the mount targets of all file systems.
func (r *Region) GuardIDs() []string {
	var ids []string
	for _, f := range r.FileSystems {
		ids = append(ids, f.GuardIDs()...)
	}
	return ids
}

// AskLists reads the prefix lists to which rules of the groups that are named refer, and notes them in the region. A list takes
// one call for each 100 entries, once in a run, however many rules refer to it; all lists are read at once. One that cannot be
// read is noted with the reason. It fails only when everything is being broken off.
func (r *Reader) AskLists(ctx context.Context, region *Region, groups ...string) error {
	var ids []string
	for _, id := range groups {
		g, _ := region.Group(id)
		for _, one := range slices.Concat(g.Ingress, g.Egress) {
			if one.List != "" {
				ids = append(ids, one.List)
			}
		}
	}
	lists, err := r.ReadLists(ctx, ids...)
	region.Lists = lists
	return err
}

// ReadLists reads the entries of prefix lists, in the order of their IDs, as AskLists does.
func (r *Reader) ReadLists(ctx context.Context, ids ...string) ([]PrefixList, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	lists := make([]PrefixList, len(ids))
	err := each(ids, func(i int, id string) (err error) {
		lists[i], err = memoOf(r, r.lists, id).get(ctx, func() (PrefixList, error) { return r.readList(ctx, id) })
		return err
	})
	return lists, err
}

// readList reads one list. That it may not be read, or is no more, is an answer.
func (r *Reader) readList(ctx context.Context, id string) (PrefixList, error) {
	pages := ec2.NewGetManagedPrefixListEntriesPaginator(r.clients.EC2, &ec2.GetManagedPrefixListEntriesInput{
		PrefixListId: &id, MaxResults: new(int32(entriesPage)),
	})
	entries, err := api.All(ctx, pages, func(out *ec2.GetManagedPrefixListEntriesOutput) []ec2types.PrefixListEntry { return out.Entries })
	list := PrefixList{ID: id}
	switch {
	case err == nil:
		for _, e := range entries {
			list.Blocks = append(list.Blocks, prefixes(aws.ToString(e.Cidr))...)
		}
	case ctx.Err() != nil:
		return list, err
	case api.IsNotFound(err):
		list.Unknown = "it does not exist, or is not shared with this account any more"
	default:
		list.Unknown, _ = api.Explain(err)
	}
	return list, nil
}

// listsIn are the prefix lists to which route tables lead, but for those of AWS behind gateway endpoints: what lies there are
// public addresses of AWS, which are no other network and no way to the internet (VPC user guide, "Gateway endpoints").
func listsIn(tables []ec2types.RouteTable) []string {
	var ids []string
	for _, t := range tables {
		for _, route := range t.Routes {
			if id := ListOf(route); id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// ListOf is the prefix list to which a route leads, or "" for one to a block or to an endpoint.
func ListOf(r ec2types.Route) string {
	if strings.HasPrefix(aws.ToString(r.GatewayId), "vpce-") {
		return ""
	}
	return aws.ToString(r.DestinationPrefixListId)
}
