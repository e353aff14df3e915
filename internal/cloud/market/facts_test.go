package market

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/stack"
)

// silent is a price list that does not answer.
type silent struct{ *fake }

func (s silent) market() *Market {
	clients := s.clients()
	clients.Pricing = s
	return New(clients, Options{Clock: frozen{}})
}

func (silent) GetProducts(ctx context.Context, _ *pricing.GetProductsInput, _ ...func(*pricing.Options)) (*pricing.GetProductsOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func withImage(f *fake) *fake {
	f.params["/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"] = "ami-0noble"
	f.images = []ec2types.Image{build("ami-0noble", "noble", ownerCanonical, x86, "/dev/sda1", 8, time.Hour)}
	return f
}

func TestFactsMakeABlueprint(t *testing.T) {
	c := config()
	facts, err := withImage(rich()).market().Facts(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if facts.Account != "111122223333" || facts.Partition != "aws" || facts.Region != "eu-west-1" || facts.CallerCIDR != "203.0.113.7/32" ||
		facts.VPCCIDR != "10.20.0.0/16" || facts.Image.ID != "ami-0noble" || !facts.FoundAt.Equal(today) || len(facts.Warnings) > 0 {
		t.Errorf("facts %+v", facts)
	}
	for _, o := range facts.Offers {
		if !slices.Contains(facts.Zones, o.Zone) || len(facts.Zones) != 3 {
			t.Errorf("offer %+v is in none of %v", o, facts.Zones)
		}
	}
	id := stack.Identity{ID: "0123456789abcdef", Name: "demo", Region: c.Region, Account: facts.Account, Tier: c.Tier}
	g, err := stack.Blueprint(id, c, facts)
	if err != nil {
		t.Fatal(err)
	}
	cost := stack.Estimate(g, facts)
	for _, part := range cost.Components {
		if part.Monthly == 0 && part.Quantity > 0 || part.Source == "" {
			t.Errorf("component without a price: %+v", part)
		}
	}
	if cost.Hourly == 0 {
		t.Error("the deployment costs nothing")
	}
}

func TestUnknownCallerIsTheOnlyError(t *testing.T) {
	f := rich() // has no image either
	f.refusals["GetCallerIdentity"] = refusal("ExpiredToken", "expired")
	_, err := f.market().Facts(t.Context(), config())
	if api.Classify(err) != api.KindCredentials || strings.Contains(err.Error(), "image") {
		t.Errorf("got %v", err)
	}
}

func TestPartitionIsThatOfTheCaller(t *testing.T) {
	f := withImage(rich())
	f.arn = "arn:aws-us-gov:sts::111122223333:assumed-role/x/y"
	facts, err := f.market().Facts(t.Context(), config())
	if err != nil || facts.Partition != "aws-us-gov" {
		t.Errorf("got %q, %v", facts.Partition, err)
	}
	f.arn = "nonsense"
	if _, err := f.market().Facts(t.Context(), config()); err == nil {
		t.Error("nonsense was taken for an ARN")
	}
}

func TestLongestChainIsTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := withImage(rich())
		f.latency = time.Second
		start := time.Now()
		if _, err := f.market().Facts(t.Context(), config()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v with calls of one second", took)
		}
	})
}

func TestDearOffersAreLeftOutUnlessAllAre(t *testing.T) {
	s := Survey{Offers: []stack.Offer{{Type: "x", Zone: "a", Hourly: 30}, {Type: "y", Zone: "b", Hourly: 10}, {Type: "z", Zone: "c", Hourly: 5}}}
	for limit, want := range map[stack.Money]string{0: "x y z", 20: "y z", 7: "z", 3: "x y z"} {
		_, offers := s.within(stack.Config{MaxHourly: limit}, stack.Reuse{}, nil)
		var got []string
		for _, o := range offers {
			got = append(got, o.Type)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
}

func TestStrangeOwnerIsWarnedOf(t *testing.T) {
	for owner, warned := range map[string]bool{"111122223333": false, ownerCanonical: false, "666666666666": true} {
		f := rich()
		f.images = []ec2types.Image{build("ami-0123456789abcdef0", "x", owner, x86, "/dev/sda1", 8, time.Hour)}
		facts, err := f.market().Facts(t.Context(), config("ami_id=ami-0123456789abcdef0"))
		if err != nil || strings.Contains(strings.Join(facts.Warnings, ""), owner) != warned {
			t.Errorf("%s: %q, %v", owner, facts.Warnings, err)
		}
		_, warnings, err := f.market().Resolve(t.Context(), config("ami_id=ami-0123456789abcdef0"))
		if err != nil || strings.Contains(strings.Join(warnings, ""), owner) != warned {
			t.Errorf("%s: %q, %v", owner, warnings, err)
		}
	}
}

func vpcWith(cidrs ...string) ec2types.Vpc {
	v := ec2types.Vpc{VpcId: new("vpc-1"), CidrBlock: &cidrs[0]}
	for _, c := range cidrs {
		v.CidrBlockAssociationSet = append(v.CidrBlockAssociationSet, ec2types.VpcCidrBlockAssociation{
			CidrBlock: &c, CidrBlockState: &ec2types.VpcCidrBlockState{State: ec2types.VpcCidrBlockStateCodeAssociated},
		})
	}
	return v
}

func TestFreeBlock(t *testing.T) {
	f := rich()
	f.vpcs = []ec2types.Vpc{vpcWith("172.31.0.0/16"), vpcWith("10.20.0.0/16", "10.21.128.0/20")}
	f.peerings = []ec2types.VpcPeeringConnection{{AccepterVpcInfo: &ec2types.VpcPeeringConnectionVpcInfo{
		VpcId: new("vpc-far"), CidrBlock: new("10.22.0.0/15"), CidrBlockSet: []ec2types.CidrBlock{{CidrBlock: new("10.24.0.0/16")}},
	}}}
	f.routes = []ec2types.RouteTable{{VpcId: new("vpc-1"), Routes: []ec2types.Route{
		{DestinationCidrBlock: new("10.28.0.0/16"), GatewayId: new("local")},
		{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: new("igw-1")},
		{DestinationCidrBlock: new("10.25.64.0/20"), TransitGatewayId: new("tgw-1")},
		{DestinationPrefixListId: new("pl-1"), GatewayId: new("vpce-1")},
		{DestinationPrefixListId: new("pl-2"), TransitGatewayId: new("tgw-1")},
	}}}
	f.lists = []discovery.PrefixList{
		{ID: "pl-1", Blocks: []netip.Prefix{netip.MustParsePrefix("10.27.0.0/16")}},
		{ID: "pl-2", Blocks: []netip.Prefix{netip.MustParsePrefix("10.26.128.0/17"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2001:db8::/32")}},
	}
	n, warnings := f.market().askNetwork(t.Context())
	for vpcCIDR, want := range map[string]struct{ cidr, other string }{
		"auto":           {"10.27.0.0/16", ""},
		"10.26.0.0/16":   {"10.26.0.0/16", "a route of vpc-1 to pl-2"},
		"10.21.140.0/24": {"10.21.140.0/24", "10.21.128.0/20 of vpc-1"},
		"10.24.0.0/20":   {"10.24.0.0/20", "vpc-far, which is peered"},
		"10.25.0.0/16":   {"10.25.0.0/16", "a route of vpc-1"},
		"10.99.0.0/16":   {"10.99.0.0/16", ""},
	} {
		cidr, err := n.vpcCIDR(config("vpc_cidr=" + vpcCIDR))
		if err != nil || cidr != want.cidr {
			t.Errorf("%s: %s %v", vpcCIDR, cidr, err)
		}
		other := ""
		if found := n.overlaps(netip.MustParsePrefix(cidr)); found != nil {
			other = found.block.String() + " of " + found.by
		}
		if (want.other == "") != (other == "") || !strings.Contains(other, want.other) {
			t.Errorf("%s overlaps %q", vpcCIDR, other)
		}
	}
	if len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
}

// A prefix list in a route that cannot be read is told, since the new VPC may overlap what it holds. Without one none is asked for.
func TestRoutesToUnknownPrefixListsAreTold(t *testing.T) {
	f := rich()
	f.routes = []ec2types.RouteTable{{VpcId: new("vpc-1"), Routes: []ec2types.Route{{DestinationPrefixListId: new("pl-1"), GatewayId: new("vpce-1")}}}}
	if _, warnings := f.market().askNetwork(t.Context()); len(warnings) > 0 || slices.Contains(f.calls, "ReadLists") {
		t.Errorf("warnings %q, calls %q", warnings, f.calls)
	}
	f.routes[0].Routes[0] = ec2types.Route{DestinationPrefixListId: new("pl-2"), TransitGatewayId: new("tgw-1")}
	f.lists = []discovery.PrefixList{{ID: "pl-2", Unknown: "not allowed"}}
	want := []string{"what the routes of vpc-1 to pl-2 lead to is not known (not allowed); the new VPC may overlap it"}
	if _, warnings := f.market().askNetwork(t.Context()); !slices.Equal(warnings, want) {
		t.Errorf("warnings %q", warnings)
	}
}

// Whatever is in use, the block that is chosen overlaps none of it.
func TestFreeBlockNeverOverlaps(t *testing.T) {
	var n network
	for range 256 {
		cidr, err := n.vpcCIDR(config())
		if err != nil {
			t.Fatal(err)
		}
		block := netip.MustParsePrefix(cidr)
		for _, other := range n.taken {
			if block.Overlaps(other.block) {
				t.Fatalf("%s overlaps %s", block, other.block)
			}
		}
		n.taken = append(n.taken, taken{block, "x"})
	}
	if _, err := n.vpcCIDR(config()); err == nil || !strings.Contains(err.Error(), "vpc_cidr") {
		t.Errorf("a block was found where none is left: %v", err)
	}
}

func TestUnknownNetworksAreAWarning(t *testing.T) {
	f := withImage(rich())
	f.refusals["DescribeVpcs"] = refusal("UnauthorizedOperation", "no")
	facts, err := f.market().Facts(t.Context(), config())
	if err != nil || facts.VPCCIDR != "10.20.0.0/16" || len(facts.Warnings) != 1 || !strings.Contains(facts.Warnings[0], "overlap") {
		t.Errorf("got %q, %q, %v", facts.VPCCIDR, facts.Warnings, err)
	}
	f = withImage(rich())
	f.refusals["DescribeVpcPeeringConnections"] = refusal("UnauthorizedOperation", "no")
	if facts, err := f.market().Facts(t.Context(), config()); err != nil || len(facts.Warnings) > 0 {
		t.Errorf("got %q, %v", facts.Warnings, err)
	}
}

func TestAddressIsAskedOnlyWhereItIsUsed(t *testing.T) {
	broken := func(context.Context) (string, error) { return "", errors.New("no route") }
	for changes, key := range map[string]string{
		"":                             "allow_cidrs",
		"access=tunnel":                "",
		"allow_cidrs=1.2.3.4/32":       "",
		"access=tunnel ssh_cidr=my-ip": "ssh_cidr",
	} {
		f := withImage(rich())
		facts, err := f.marketWith(Options{Address: broken}).Facts(t.Context(), config(strings.Fields(changes)...))
		if key == "" {
			if err != nil || facts.CallerCIDR != "" {
				t.Errorf("%s: %q, %v", changes, facts.CallerCIDR, err)
			}
			continue
		}
		field, ok := errors.AsType[*stack.FieldError](err)
		if !ok || field.Key != key || !strings.Contains(err.Error(), "could not find your address") || !strings.Contains(field.Fix, "set "+key) {
			t.Errorf("%s: %v", changes, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCheckIP(t *testing.T) {
	find := func(status int, body string) (string, error) {
		asked := 0
		return CheckIP(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if asked++; r.URL.String() != []string{checkIP, checkIPToo}[asked-1] {
				t.Errorf("asked %s", r.URL)
			}
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body))}, nil
		})})(t.Context())
	}
	if got, err := find(200, "203.0.113.9\n"); err != nil || got != "203.0.113.9/32" {
		t.Errorf("got %q, %v", got, err)
	}
	for body, status := range map[string]int{"": 200, "<html>log in": 200, "203.0.113.9": 503, "2001:db8::1": 200} {
		if got, err := find(status, body); err == nil {
			t.Errorf("%d %q gave %q", status, body, got)
		}
	}
	// Where the first service does not answer, AWS's other one does.
	got, err := CheckIP(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() == checkIP {
			return nil, errors.New("no such host")
		}
		return &http.Response{StatusCode: 200, Status: "200 OK", Body: io.NopCloser(strings.NewReader("203.0.113.9"))}, nil
	})})(t.Context())
	if err != nil || got != "203.0.113.9/32" {
		t.Errorf("got %q, %v", got, err)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := CheckIP(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})(t.Context())
		if err == nil || time.Since(start) != 6*time.Second || !strings.Contains(err.Error(), "is this computer online?") {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
