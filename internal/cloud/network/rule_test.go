package network

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"geusemaker/internal/stack"
)

func groupID(key stack.Key) string { return "sg-" + string(key) }

func TestRulesGoIntoOneRequestByPort(t *testing.T) {
	rules, err := converted([]stack.Rule{
		{Protocol: "tcp", Port: 6333, CIDR: "198.51.100.7/32", Reason: "qdrant"},
		{Protocol: "tcp", Port: 443, CIDR: "203.0.113.7/24", Reason: "n8n"},
		{Protocol: "tcp", Port: 443, CIDR: "203.0.113.0/24", Reason: "the same without host bits"},
		{Protocol: "tcp", Port: 443, CIDR: "2001:db8::1/32", Reason: "n8n, ünïcode's <best>"},
		{Protocol: "udp", Port: 443, CIDR: "203.0.113.0/24", Reason: "h3"},
		{Protocol: "tcp", Port: 443, Group: "balancer", Reason: "from the balancer"},
	}, groupID)
	if err != nil {
		t.Fatal(err)
	}
	want := []ec2types.IpPermission{
		{
			IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)),
			IpRanges:         []ec2types.IpRange{{CidrIp: new("203.0.113.0/24"), Description: new("n8n")}},
			Ipv6Ranges:       []ec2types.Ipv6Range{{CidrIpv6: new("2001:db8::/32"), Description: new("n8n, -n-code-s -best-")}},
			UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: new("sg-balancer"), Description: new("from the balancer")}},
		},
		{
			IpProtocol: new("tcp"), FromPort: new(int32(6333)), ToPort: new(int32(6333)),
			IpRanges: []ec2types.IpRange{{CidrIp: new("198.51.100.7/32"), Description: new("qdrant")}},
		},
		{
			IpProtocol: new("udp"), FromPort: new(int32(443)), ToPort: new(int32(443)),
			IpRanges: []ec2types.IpRange{{CidrIp: new("203.0.113.0/24"), Description: new("h3")}},
		},
	}
	unexported := cmpopts.IgnoreUnexported(ec2types.IpPermission{}, ec2types.IpRange{}, ec2types.Ipv6Range{}, ec2types.UserIdGroupPair{})
	if d := cmp.Diff(want, permissions(rules), unexported); d != "" {
		t.Error(d)
	}
}

func TestARuleWithoutABlockIsAnError(t *testing.T) {
	if _, err := converted([]stack.Rule{{Protocol: "tcp", Port: 1, CIDR: "my-ip", Reason: "n8n"}}, groupID); err == nil {
		t.Error("was taken")
	}
}

func TestOtherPeoplesRulesAreNotOurs(t *testing.T) {
	wanted, err := converted([]stack.Rule{{Protocol: "tcp", Port: 443, CIDR: "203.0.113.0/24"}}, groupID)
	if err != nil {
		t.Fatal(err)
	}
	block := []ec2types.IpRange{{CidrIp: new("203.0.113.0/24")}}
	for name, p := range map[string]ec2types.IpPermission{
		"another port":     {IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(80)), IpRanges: block},
		"another protocol": {IpProtocol: new("udp"), FromPort: new(int32(443)), ToPort: new(int32(443)), IpRanges: block},
		"a range of ports": {IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(444)), IpRanges: block},
		"all traffic":      {IpProtocol: new("-1"), IpRanges: block},
		"another block":    {IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)), IpRanges: []ec2types.IpRange{{CidrIp: new("203.0.113.0/25")}}},
	} {
		if got := missing(wanted, []ec2types.IpPermission{p}); len(got) != 1 {
			t.Errorf("%s passes for the rule", name)
		}
	}
}

// TestWhatWasAuthorizedIsNotMissing holds for any rules: after the request for what is missing, nothing is.
func TestWhatWasAuthorizedIsNotMissing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var specs []stack.Rule
		for range random.IntN(12) {
			r := stack.Rule{Protocol: []string{"tcp", "udp"}[random.IntN(2)], Port: 1 + random.IntN(4)}
			switch random.IntN(3) {
			case 0:
				r.Group = stack.Key(fmt.Sprint(random.IntN(3)))
			case 1:
				r.CIDR = fmt.Sprintf("10.0.%d.%d/%d", random.IntN(3), random.IntN(256), 16+random.IntN(17))
			default:
				r.CIDR = fmt.Sprintf("2001:db8:%x::/%d", random.IntN(3), 32+random.IntN(3))
			}
			specs = append(specs, r)
		}
		wanted, err := converted(specs, groupID)
		if err != nil {
			t.Fatal(err)
		}
		some := wanted[:random.IntN(len(wanted)+1)]
		rest := missing(wanted, permissions(some))
		if len(rest) != len(wanted)-len(some) {
			t.Fatalf("%d of %d are there, yet %d are missing: %v", len(some), len(wanted), len(rest), specs)
		}
		if left := missing(wanted, append(permissions(some), permissions(rest)...)); len(left) != 0 {
			t.Fatalf("still missing %v of %v", left, specs)
		}
	}
}

func FuzzDescribable(f *testing.F) {
	f.Add("geusemaker demo: the machine")
	f.Add("the owner's <café>")
	accepted := regexp.MustCompile(`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}$`)
	f.Fuzz(func(t *testing.T, text string) {
		if got := describable(text); !accepted.MatchString(got) {
			t.Errorf("%q became %q", text, got)
		}
		if accepted.MatchString(text) && describable(text) != text {
			t.Errorf("%q was changed to %q", text, describable(text))
		}
	})
}
