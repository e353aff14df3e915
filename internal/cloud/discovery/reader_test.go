package discovery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/cloud/sandbox"
)

// world is a pretend account and what it was asked.
type world struct {
	*testing.T
	account *sandbox.Account
	ec2     *ec2.Client
	reader  *discovery.Reader
	mu      sync.Mutex
	calls   map[string]int
}

func inBubble(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, calls: map[string]int{}}
		var err error
		w.account, err = sandbox.Open(sandbox.Options{Speed: 1, OnCall: func(_ context.Context, c sandbox.Call) error {
			if c.Phase == "before" {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.calls[c.Operation]++
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.account.Close()
		cfg := w.account.Config("us-east-1")
		w.ec2 = ec2.NewFromConfig(cfg)
		w.reader = discovery.New("us-east-1", discovery.Clients{EC2: w.ec2, EFS: efs.NewFromConfig(cfg), ELB: elb.NewFromConfig(cfg)})
		test(w)
	})
}

// count returns how often each operation was called since it was last asked.
func (w *world) count() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counted := w.calls
	w.calls = map[string]int{}
	return counted
}

func (w *world) read(kinds ...discovery.Kind) *discovery.Region {
	w.Helper()
	region, err := w.reader.Read(w.Context(), kinds...)
	if err != nil {
		w.Fatal(err)
	}
	return region
}

func (w *world) fault(service, operation, code string) {
	w.Helper()
	if err := w.account.AddFault(sandbox.Fault{Service: service, Operation: operation, Effect: sandbox.EffectError, Code: code, HTTPStatus: 403}); err != nil {
		w.Fatal(err)
	}
}

// named finds what has this name.
func named[T any](t *testing.T, all []T, base func(T) discovery.Resource, name string) T {
	t.Helper()
	i := slices.IndexFunc(all, func(one T) bool { return base(one).Name == name })
	if i < 0 {
		t.Fatalf("nothing is called %s", name)
	}
	return all[i]
}

func vpcBase(v discovery.VPC) discovery.Resource               { return v.Resource }
func subnetBase(s discovery.Subnet) discovery.Resource         { return s.Resource }
func groupBase(g discovery.SecurityGroup) discovery.Resource   { return g.Resource }
func filesBase(f discovery.FileSystem) discovery.Resource      { return f.Resource }
func balancerBase(l discovery.LoadBalancer) discovery.Resource { return l.Resource }

func TestWhatACompanyHasIsRead(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.account.AddNetworks("us-east-1"); err != nil {
			w.Fatal(err)
		}
		r := w.read(discovery.Networks, discovery.Groups, discovery.Files, discovery.Keys, discovery.Balancers)
		company := named(w.T, r.VPCs, vpcBase, "company")
		if company.Gateway == "" || len(company.Peers) != 1 || company.Peers[0].CIDRs[0].String() != "10.50.0.0/16" || company.Tags["owner"] != "platform" {
			w.Errorf("company: %+v", company)
		}
		outs := map[string]string{}
		for _, s := range r.Subnets {
			if s.Name != "" {
				outs[s.Name] = s.Out.Via
			}
		}
		want := map[string]string{
			"company-public-a": "internet-gateway", "company-public-b": "internet-gateway", "company-private-a": "nat-gateway",
			"company-private-b": "nat-gateway", "company-isolated-a": "none", "company-full-a": "internet-gateway",
			"company-closed-b": "internet-gateway", "legacy-public-a": "internet-gateway", "vault-transit-a": "transit-gateway",
			"vault-sealed-a": "none", "vault-broken-b": "blackhole", "dedicated-public-a": "internet-gateway", "shielded-public-a": "internet-gateway",
		}
		if diff := cmp.Diff(want, outs); diff != "" {
			w.Error(diff)
		}
		if full := named(w.T, r.Subnets, subnetBase, "company-full-a"); full.Free != 0 {
			w.Errorf("%d addresses are free in a full subnet", full.Free)
		}
		files := named(w.T, r.FileSystems, filesBase, "company-files")
		group := named(w.T, r.Groups, groupBase, "company-files")
		if len(files.Targets) != 2 || files.VPC() != company.ID || !slices.Equal(files.Targets[0].Groups, []string{group.ID}) || files.Bytes != 42<<30 {
			w.Errorf("files: %+v", files)
		}
		if key, ok := r.KeyPair("alice"); !ok || key.Type != "ed25519" {
			w.Errorf("key pair: %+v", key)
		}
		if front := named(w.T, r.LoadBalancers, balancerBase, "company-front"); front.Tags["owner"] != "platform" || len(front.Zones) != 2 || front.VPC != company.ID {
			w.Errorf("load balancer: %+v", front)
		}
		inside := r.Within(company.ID)
		if len(inside.VPCs) != 1 || len(inside.Subnets) != 7 || len(inside.LoadBalancers) != 2 || len(inside.FileSystems) != 2 || len(r.VPCs) != 6 {
			w.Errorf("inside of company: %d %d %d %d", len(inside.VPCs), len(inside.Subnets), len(inside.LoadBalancers), len(inside.FileSystems))
		}
	})
}

func TestEachNetworkOfACompanyIsFitOrNot(t *testing.T) {
	for access, want := range map[string]map[string]string{
		"direct": {
			"company-public-a": "", "company-public-b": "", "company-private-a": "route", "company-private-b": "route",
			"company-isolated-a": "route", "company-full-a": "addresses", "company-closed-b": "network-acl", "legacy-public-a": "dns",
			"vault-transit-a": "internet-gateway route", "vault-sealed-a": "internet-gateway route", "vault-broken-b": "internet-gateway route",
			"dedicated-public-a": "tenancy", "shielded-public-a": "block-public-access",
		},
		"tunnel": {
			"company-public-a": "", "company-public-b": "", "company-private-a": "", "company-private-b": "",
			"company-isolated-a": "route", "company-full-a": "addresses", "company-closed-b": "network-acl", "legacy-public-a": "dns",
			"vault-transit-a": "", "vault-sealed-a": "route", "vault-broken-b": "route",
			"dedicated-public-a": "tenancy", "shielded-public-a": "block-public-access",
		},
	} {
		inBubble(t, func(w *world) {
			if err := w.account.AddNetworks("us-east-1"); err != nil {
				w.Fatal(err)
			}
			r := w.read(discovery.Networks)
			n := need(w.T, "access", access)
			n.Zones = nil
			if err := w.reader.Complete(w.Context(), r, n); err != nil {
				w.Fatal(err)
			}
			got := map[string]string{}
			for _, s := range r.Subnets {
				if s.Name == "" {
					continue
				}
				var ids []string
				for _, p := range r.FitSubnet(s, n).Problems {
					ids = append(ids, p.ID)
				}
				got[s.Name] = strings.Join(ids, " ")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("%s: %s", access, diff)
			}
		})
	}
}

// The measure: a large region is read with one call a page, and in the time of two calls one after the other, plus those of the
// VPCs that could be chosen.
func TestALargeRegionIsReadWithAsFewCallsAsItHasPages(t *testing.T) {
	inBubble(t, func(w *world) {
		w.manyNetworks(49, 10)
		w.count()
		start := w.account.Clock().Now()
		r := w.read(discovery.Networks)
		took := w.account.Clock().Now().Sub(start)
		want := map[string]int{
			"DescribeVpcs": 1, "DescribeSubnets": 1, "DescribeInternetGateways": 1, "DescribeNetworkAcls": 1,
			"DescribeNatGateways": 1, "DescribeVpcPeeringConnections": 1, "DescribeRouteTables": 1,
		}
		if diff := cmp.Diff(want, w.count()); diff != "" {
			w.Error(diff)
		}
		if len(r.VPCs) != 50 || len(r.Subnets) != 500 {
			w.Fatalf("%d VPCs and %d subnets", len(r.VPCs), len(r.Subnets))
		}
		n := need(w.T)
		n.Zones = nil
		if err := w.reader.Complete(w.Context(), r, n); err != nil {
			w.Fatal(err)
		}
		all := w.account.Clock().Now().Sub(start)
		if diff := cmp.Diff(map[string]int{"DescribeVpcAttribute": 2 * 50}, w.count()); diff != "" {
			w.Error(diff)
		}
		w.Logf("lists %v, with the DNS attributes of 50 VPCs %v", took, all)
		if took > 200*time.Millisecond || all > 2*time.Second {
			w.Errorf("lists took %v, all %v", took, all)
		}

		again := w.read(discovery.Networks)
		if err := w.reader.Complete(w.Context(), again, n); err != nil {
			w.Fatal(err)
		}
		if asked := w.count(); len(asked) != 0 || len(again.Subnets) != 500 || again.VPCs[0].DNS == nil {
			w.Errorf("asked again in the same run: %v", asked)
		}
	})
}

// manyNetworks makes VPCs with an internet gateway and subnets each, and fills up the default VPC's to as many.
func (w *world) manyNetworks(vpcs, subnets int) {
	w.Helper()
	for _, code := range []string{"L-F678F1CE", "L-A4707A72"} {
		if err := w.account.SetQuota(code, vpcs+1); err != nil {
			w.Fatal(err)
		}
	}
	check := func(err error) {
		if err != nil {
			w.Fatal(err)
		}
	}
	ctx := w.Context()
	var wg sync.WaitGroup
	for i := range vpcs {
		wg.Go(func() {
			v, err := w.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: new(fmt.Sprintf("10.%d.0.0/16", i))})
			check(err)
			g, err := w.ec2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})
			check(err)
			check(w.account.Clock().Sleep(ctx, 10*time.Second))
			_, err = w.ec2.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{VpcId: v.Vpc.VpcId, InternetGatewayId: g.InternetGateway.InternetGatewayId})
			check(err)
			tables, err := w.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: new("vpc-id"), Values: []string{*v.Vpc.VpcId}}}})
			check(err)
			_, err = w.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{
				RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: g.InternetGateway.InternetGatewayId,
			})
			check(err)
			for j := range subnets {
				_, err := w.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: v.Vpc.VpcId, CidrBlock: new(fmt.Sprintf("10.%d.%d.0/24", i, j))})
				check(err)
			}
		})
	}
	wg.Wait()
	first, err := w.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: new("is-default"), Values: []string{"true"}}}})
	check(err)
	for j := range subnets - 6 {
		_, err := w.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: first.Vpcs[0].VpcId, CidrBlock: new(fmt.Sprintf("172.31.%d.0/24", 200+j))})
		check(err)
	}
	check(w.account.Clock().Sleep(ctx, 10*time.Second))
}

// A third page of file systems, mount targets and network interfaces is as much part of a region as the first.
func TestEveryPageIsRead(t *testing.T) {
	inBubble(t, func(w *world) {
		v, err := w.ec2.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{})
		if err != nil {
			w.Fatal(err)
		}
		for range 120 {
			if _, err := w.ec2.CreateRouteTable(w.Context(), &ec2.CreateRouteTableInput{VpcId: v.Vpcs[0].VpcId}); err != nil {
				w.Fatal(err)
			}
		}
		if err := w.account.Clock().Sleep(w.Context(), 10*time.Second); err != nil {
			w.Fatal(err)
		}
		w.count()
		w.read(discovery.Networks)
		if pages := w.count()["DescribeRouteTables"]; pages != 2 {
			w.Errorf("121 route tables took %d calls", pages)
		}
	})
}

// A reader that may not see network ACLs goes on without, and says so; one that may not see VPCs cannot.
func TestWhatOnlyHelpsMayBeRefused(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.account.AddNetworks("us-east-1"); err != nil {
			w.Fatal(err)
		}
		for _, operation := range []string{"DescribeNetworkAcls", "DescribeNatGateways", "DescribeVpcPeeringConnections", "DescribeNetworkInterfaces"} {
			w.fault("EC2", operation, "UnauthorizedOperation")
		}
		r := w.read(discovery.Networks, discovery.Files)
		if len(r.Warnings) != 4 || !strings.HasPrefix(r.Warnings[0], "network ACLs are not known and count as open (") {
			w.Errorf("warnings %q", r.Warnings)
		}
		closed := named(w.T, r.Subnets, subnetBase, "company-closed-b")
		n := need(w.T)
		n.Zones = nil
		if fit := r.FitSubnet(closed, n); !fit.OK() {
			w.Errorf("what is not known counts against it: %+v", fit)
		}
		w.fault("EC2", "DescribeVpcs", "UnauthorizedOperation")
		fresh := discovery.New("us-east-1", discovery.Clients{EC2: w.ec2})
		if _, err := fresh.Read(w.Context(), discovery.Networks); err == nil {
			w.Error("a reader that may not see VPCs has read them")
		}
	})
}
