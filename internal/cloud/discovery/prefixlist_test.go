package discovery_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/discovery"
)

// A list is read once, whatever refers to it; one to which nothing that is judged refers is not read at all, and what was read is
// not asked again.
func TestOnlyPrefixListsThatMatterAreReadAndOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		one, other, unused := w.list("IPv4", caller), w.list("IPv6", "2001:db8::/32"), w.list("IPv4")
		w.waits()
		first, second, third := w.groupThrough("first", one), w.groupThrough("second", one, one, other), w.groupThrough("third", unused)
		w.waits()
		r := w.read(discovery.Groups)
		w.count()
		if err := w.reader.AskLists(w.Context(), r, first, second); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"GetManagedPrefixListEntries": 2}, w.count()); diff != "" {
			w.Error(diff)
		}
		if l, _ := r.List(one); len(l.Blocks) != 1 || l.Blocks[0].String() != caller || l.Unknown != "" {
			w.Errorf("list: %+v", l)
		}
		again := w.read(discovery.Groups)
		if err := w.reader.Complete(w.Context(), again, need(w.T), first, third); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"GetManagedPrefixListEntries": 1}, w.count()); diff != "" {
			w.Error("only the list that is new is read: " + diff)
		}
		if _, known := again.List(other); known || len(again.Lists) != 2 {
			w.Errorf("lists %+v", again.Lists)
		}
	})
}

func TestPrefixListsAreReadAtOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		var ids []string
		for range 10 {
			ids = append(ids, w.list("IPv4", caller))
		}
		w.waits()
		start := w.account.Clock().Now()
		if _, err := w.reader.ReadLists(w.Context(), ids...); err != nil {
			w.Fatal(err)
		}
		if took := w.account.Clock().Now().Sub(start); took > 300*time.Millisecond {
			w.Errorf("ten lists took %v", took)
		}
	})
}

// Rules and routes may ask for one list at a time: one of them asks AWS, and the other waits for that.
func TestAPrefixListThatIsBeingReadIsWaitedFor(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.list("IPv4", caller)
		w.waits()
		w.count()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if lists, err := w.reader.ReadLists(w.Context(), id); err != nil || len(lists[0].Blocks) != 1 {
					w.Errorf("%+v, %v", lists, err)
				}
			})
		}
		wg.Wait()
		if diff := cmp.Diff(map[string]int{"GetManagedPrefixListEntries": 1}, w.count()); diff != "" {
			w.Error(diff)
		}
	})
}

// narrow asks for small pages.
type narrow struct{ *ec2.Client }

func (n narrow) GetManagedPrefixListEntries(ctx context.Context, in *ec2.GetManagedPrefixListEntriesInput, o ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	in.MaxResults = new(int32(40))
	return n.Client.GetManagedPrefixListEntries(ctx, in, o...)
}

func TestEveryPageOfAPrefixListIsRead(t *testing.T) {
	inBubble(t, func(w *world) {
		var cidrs []string
		for i := range 100 {
			cidrs = append(cidrs, fmt.Sprintf("198.18.%d.0/24", i))
		}
		id := w.list("IPv4", cidrs...)
		w.waits()
		w.count()
		for client, pages := range map[discovery.EC2]int{w.ec2: 1, narrow{w.ec2}: 3} {
			lists, err := discovery.New("us-east-1", discovery.Clients{EC2: client}).ReadLists(w.Context(), id, id)
			if err != nil || len(lists) != 1 || len(lists[0].Blocks) != 100 || lists[0].Blocks[99].String() != cidrs[99] {
				w.Errorf("%+v, %v", lists, err)
			}
			if asked := w.count()["GetManagedPrefixListEntries"]; asked != pages {
				w.Errorf("%d calls, want %d", asked, pages)
			}
		}
	})
}

func TestAPrefixListThatCannotBeReadIsNotedWithTheReason(t *testing.T) {
	for code, want := range map[string]string{
		"UnauthorizedOperation":        "AWS does not allow arn:aws:iam::111122223333:user/sandbox to do ec2:GetManagedPrefixListEntries",
		"InvalidPrefixListID.NotFound": "it does not exist, or is not shared with this account any more",
	} {
		inBubble(t, func(w *world) {
			id := w.list("IPv4", caller)
			w.waits()
			group := w.groupThrough("one", id)
			w.waits()
			w.fault("EC2", "GetManagedPrefixListEntries", code)
			r := w.read(discovery.Networks, discovery.Groups)
			if err := w.reader.Complete(w.Context(), r, need(w.T), group); err != nil {
				w.Fatal(err)
			}
			if l, _ := r.List(id); l.Unknown != want || len(l.Blocks) != 0 {
				w.Errorf("%s: %+v", code, l)
			}
			g, _ := r.Group(group)
			if p := r.FitGroup(g, need(w.T)).Problems; len(p) != 1 || !strings.Contains(p[0].Text, "whether "+id+" does is not known: "+want) {
				w.Errorf("%s: %+v", code, p)
			}
		})
	}
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if _, err := w.reader.ReadLists(ctx, "pl-1"); err == nil {
			w.Error("broken off, and no error")
		}
	})
}

// A prefix list in a route is a destination like another: the networks behind it are taken. What lies behind a gateway endpoint is
// not, and is not read.
func TestRoutesToPrefixListsAreRead(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.account.AddNetworks("us-east-1"); err != nil {
			w.Fatal(err)
		}
		tables, err := w.ec2.DescribeRouteTables(w.Context(), &ec2.DescribeRouteTablesInput{})
		if err != nil {
			w.Fatal(err)
		}
		table := tables.RouteTables[0]
		if _, err := w.ec2.CreateVpcEndpoint(w.Context(), &ec2.CreateVpcEndpointInput{
			VpcId: table.VpcId, ServiceName: new("com.amazonaws.us-east-1.s3"), RouteTableIds: []string{*table.RouteTableId},
		}); err != nil {
			w.Fatal(err)
		}
		w.waits()
		w.count()
		r := w.read(discovery.Networks)
		if calls := w.count()["GetManagedPrefixListEntries"]; calls != 1 {
			w.Errorf("%d lists were read", calls)
		}
		vault := named(w.T, r.VPCs, vpcBase, "vault")
		if diff := cmp.Diff([]string{"10.21.0.0/16", "10.22.0.0/20"}, texts(vault.Routes)); diff != "" {
			w.Error(diff)
		}
		if v, _ := r.VPC(*table.VpcId); len(v.Routes) != 0 {
			w.Errorf("an endpoint leads to other networks: %v", v.Routes)
		}
		w.fault("EC2", "GetManagedPrefixListEntries", "UnauthorizedOperation")
		fresh, err := discovery.New("us-east-1", discovery.Clients{EC2: w.ec2}).Read(w.Context(), discovery.Networks)
		if err != nil || len(fresh.Warnings) != 1 || !strings.HasPrefix(fresh.Warnings[0], "what the routes to pl-") {
			w.Errorf("%+v, %v", fresh.Warnings, err)
		}
	})
}

// byList shows every default route as one to a prefix list.
type byList struct {
	*ec2.Client
	id string
}

func (b byList) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, o ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	out, err := b.Client.DescribeRouteTables(ctx, in, o...)
	for t := range out.RouteTables {
		for i, r := range out.RouteTables[t].Routes {
			if r.DestinationCidrBlock != nil && *r.DestinationCidrBlock == "0.0.0.0/0" {
				out.RouteTables[t].Routes[i].DestinationCidrBlock, out.RouteTables[t].Routes[i].DestinationPrefixListId = nil, &b.id
			}
		}
	}
	return out, err
}

// A prefix list may hold the whole internet, too.
func TestADefaultRouteMayBeOneToAPrefixList(t *testing.T) {
	inBubble(t, func(w *world) {
		for cidr, want := range map[string]string{"0.0.0.0/0": discovery.OutGateway, "10.0.0.0/8": discovery.OutNone} {
			id := w.list("IPv4", cidr)
			w.waits()
			r, err := discovery.New("us-east-1", discovery.Clients{EC2: byList{w.ec2, id}}).Read(w.Context(), discovery.Networks)
			if err != nil {
				w.Fatal(err)
			}
			if got := r.Subnets[0].Out.Via; got != want {
				w.Errorf("a route to %s is a way out by %s, want %s", cidr, got, want)
			}
		}
	})
}

func texts(blocks []netip.Prefix) []string {
	var all []string
	for _, b := range blocks {
		all = append(all, b.String())
	}
	return all
}

// list makes a prefix list.
func (w *world) list(family string, cidrs ...string) string {
	w.Helper()
	var entries []ec2types.AddPrefixListEntry
	for _, cidr := range cidrs {
		entries = append(entries, ec2types.AddPrefixListEntry{Cidr: &cidr})
	}
	out, err := w.ec2.CreateManagedPrefixList(w.Context(), &ec2.CreateManagedPrefixListInput{
		PrefixListName: new("list"), AddressFamily: &family, MaxEntries: new(int32(len(cidrs) + 1)), Entries: entries,
	})
	if err != nil {
		w.Fatal(err)
	}
	return *out.PrefixList.PrefixListId
}

// groupThrough makes a security group of the default VPC that lets people in through prefix lists, each on a port of its own.
func (w *world) groupThrough(name string, lists ...string) string {
	w.Helper()
	out, err := w.ec2.CreateSecurityGroup(w.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name})
	if err != nil {
		w.Fatal(err)
	}
	w.waits()
	for i, id := range lists {
		port := int32(443 + i)
		if _, err := w.ec2.AuthorizeSecurityGroupIngress(w.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: out.GroupId, IpPermissions: []ec2types.IpPermission{{
			IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, PrefixListIds: []ec2types.PrefixListId{{PrefixListId: &id}},
		}}}); err != nil {
			w.Fatal(err)
		}
	}
	return *out.GroupId
}

// waits lets what was made be known everywhere.
func (w *world) waits() {
	w.Helper()
	if err := w.account.Clock().Sleep(w.Context(), 10*time.Second); err != nil {
		w.Fatal(err)
	}
}
