package sandbox

import (
	"maps"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// prefixList is a managed prefix list: blocks of addresses of one family under one ID, for rules and routes.
type prefixList struct {
	resource
	Name    string        `json:"name"`
	Family  string        `json:"family"` // IPv4 or IPv6
	Max     int32         `json:"max"`    // how many entries it may have, and what a rule through it counts as
	Token   string        `json:"token,omitempty"`
	Entries []prefixEntry `json:"entries,omitempty"`
}

type prefixEntry struct {
	CIDR        string `json:"cidr"`
	Description string `json:"description,omitempty"`
}

// The ways of writing ID are AWS's (EC2 API reference, "Error codes").
var prefixListKind = kind{"pl", "InvalidPrefixListID", "InvalidPrefixListId", "The prefix list"}

// entriesPage is the largest page of entries (EC2 API reference, GetManagedPrefixListEntries, MaxResults), and how many entries
// a request may add (EC2 API reference, CreateManagedPrefixList, Entry.N).
const entriesPage = 100

func registerPrefixLists(all map[string]operation) {
	on(all, serviceEC2, "CreateManagedPrefixList", createManagedPrefixList)
	on(all, serviceEC2, "GetManagedPrefixListEntries", getManagedPrefixListEntries)
}

// prefixListID is the ID of a list of AWS's own, by its name. Gateway endpoints lead to the list that is named as their service.
func (c *call) prefixListID(name string) string {
	return "pl-" + digest(c.state.Seed, c.region.Name, name)[:8]
}

// prefixLists are those that the region can use: the account's, and some of AWS's own, with AWS's weights (VPC user guide,
// "AWS-managed prefix lists"). The blocks of the latter are a few that AWS has published for us-east-1, in every region.
func (c *call) prefixLists() map[string]*prefixList {
	all := map[string]*prefixList{}
	maps.Copy(all, c.region.PrefixLists)
	for _, one := range []struct {
		name   string
		weight int32
		cidrs  []string
	}{
		{"com.amazonaws." + c.region.Name + ".s3", 1, []string{"3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"}},
		{"com.amazonaws." + c.region.Name + ".dynamodb", 1, []string{"3.218.180.0/23", "52.94.0.0/22", "52.119.224.0/20"}},
		{"com.amazonaws." + c.region.Name + ".ec2-instance-connect", 1, []string{"18.206.107.24/29"}},
		{"com.amazonaws.global.cloudfront.origin-facing", 55, []string{"64.252.64.0/18", "130.176.0.0/18"}},
	} {
		id := c.prefixListID(one.name)
		all[id] = &prefixList{resource: resource{ID: id}, Name: one.name, Family: "IPv4", Max: one.weight, Entries: entriesOf(one.cidrs...)}
	}
	return all
}

func entriesOf(cidrs ...string) []prefixEntry {
	var entries []prefixEntry
	for _, cidr := range cidrs {
		entries = append(entries, prefixEntry{CIDR: cidr})
	}
	return entries
}

func createManagedPrefixList(c *call, in *ec2.CreateManagedPrefixListInput) (*ec2.CreateManagedPrefixListOutput, error) {
	l := &prefixList{Name: deref(in.PrefixListName), Family: deref(in.AddressFamily), Max: deref(in.MaxEntries), Token: deref(in.ClientToken)}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypePrefixList)
	if err != nil {
		return nil, err
	}
	for _, other := range c.region.PrefixLists {
		if l.Token != "" && other.Token == l.Token {
			return &ec2.CreateManagedPrefixListOutput{PrefixList: new(c.showPrefixList(other))}, nil
		}
	}
	switch {
	case l.Name == "" || strings.HasPrefix(l.Name, "com.amazonaws"):
		return nil, refuse("InvalidParameterValue", "The prefix list name '%s' is invalid", l.Name)
	case l.Family != "IPv4" && l.Family != "IPv6":
		return nil, refuse("InvalidParameterValue", "The address family '%s' is invalid", l.Family)
	case l.Max < 1 || l.Max > 1000:
		return nil, refuse("InvalidParameterValue", "Must specify a max size between 1 and 1000")
	case len(in.Entries) > entriesPage || len(in.Entries) > int(l.Max):
		return nil, refuse("PrefixListMaxEntriesExceeded", "The prefix list has more entries than it may have")
	}
	for _, e := range in.Entries {
		block, err := netip.ParsePrefix(deref(e.Cidr))
		if err != nil || block.Addr().Is4() != (l.Family == "IPv4") {
			return nil, refuse("InvalidParameterValue", "The CIDR '%s' is no block of the address family %s", deref(e.Cidr), l.Family)
		}
		l.Entries = append(l.Entries, prefixEntry{block.Masked().String(), deref(e.Description)})
	}
	l.resource = c.birth(c.newID(prefixListKind.prefix), tags)
	c.region.PrefixLists[l.ID] = l
	return &ec2.CreateManagedPrefixListOutput{PrefixList: new(c.showPrefixList(l))}, nil
}

func (c *call) showPrefixList(l *prefixList) ec2types.ManagedPrefixList {
	return ec2types.ManagedPrefixList{
		PrefixListId: new(l.ID), PrefixListName: new(l.Name), AddressFamily: new(l.Family), MaxEntries: new(l.Max), Version: new(int64(1)),
		OwnerId: new(c.state.Account), PrefixListArn: new(c.arn("ec2", "prefix-list/"+l.ID)), Tags: ec2Tags(l.Tags),
		State: ec2types.PrefixListStateCreateComplete,
	}
}

func getManagedPrefixListEntries(c *call, in *ec2.GetManagedPrefixListEntriesInput) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	if deref(in.MaxResults) > entriesPage {
		return nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between 1 and %d.", *in.MaxResults, entriesPage)
	}
	l, err := c.prefixList(in.PrefixListId)
	if err != nil {
		return nil, err
	}
	some, next, err := page(l.Entries, in.MaxResults, in.NextToken, entriesPage)
	out := &ec2.GetManagedPrefixListEntriesOutput{NextToken: next}
	for _, e := range some {
		one := ec2types.PrefixListEntry{Cidr: new(e.CIDR)}
		if e.Description != "" {
			one.Description = new(e.Description)
		}
		out.Entries = append(out.Entries, one)
	}
	return out, err
}

// listOf is the list of a rule, empty where the rule has none.
func (c *call) listOf(r *rule) *prefixList {
	if r.List != "" {
		if l := c.prefixLists()[r.List]; l != nil {
			return l
		}
	}
	return &prefixList{}
}

// prefixList finds a list that the region can use. The text of the refusal is AWS's own (public logs,
// aws/aws-application-networking-k8s 172).
func (c *call) prefixList(id *string) (*prefixList, error) {
	l, err := find(c, prefixListKind, c.prefixLists(), id)
	if err != nil && deref(id) != "" && prefixListKind.check(*id) == nil {
		return nil, refuse(prefixListKind.code+".NotFound", "The prefix list (%s) does not exist.", *id)
	}
	return l, err
}
