package market

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/discovery"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/stack"
)

func checksText(checks []Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-7s %s: %s", c.Level, c.ID, c.Reason)
		if c.Next != "" {
			fmt.Fprintf(&b, " -> %s", c.Next)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ready is an account in which nothing stands against a deployment.
func ready() *fake {
	f := withImage(rich())
	f.products = ireland()
	return f
}

func TestPreflightOfAGoodAccount(t *testing.T) {
	f := ready()
	facts, checks, err := f.market().Preflight(t.Context(), config(), nil, nil)
	if err != nil || facts.Account == "" || len(facts.Warnings) > 0 {
		t.Fatalf("%+v, %v", facts, err)
	}
	want := `info    credentials: account 111122223333, arn:aws:iam::111122223333:user/ana
info    region: eu-west-1 is enabled, with 3 zones
info    image: noble (ami-0noble) for x86_64
info    machine: m6a.large spot in eu-west-1a at $0.0346 an hour first; 60 pools in all
info    address: the services will be open to 203.0.113.7/32
info    permissions: allowed: ec2:CreateVpc, ec2:CreateInternetGateway, ec2:CreateSecurityGroup, ec2:RunInstances; of IAM, EFS and SSM only the real call can tell
info    vcpu-quota: spot: 0 of 64 vCPUs of standard (A, C, D, H, I, M, R, T, Z) in use, m6a.large takes 2
info    vcpu-quota: on-demand: 0 of 64 vCPUs of standard (A, C, D, H, I, M, R, T, Z) in use, m6a.large takes 2
info    vpc-quota: 0 of 5 VPCs in use
info    name: demo is free
info    cidr: 10.20.0.0/16 is free
info    key-pair: none is used
info    file-system: EFS is offered in eu-west-1
info    vpc: a new one is made
info    subnet: a new one is made
info    security-group: a new one is made
`
	if diff := cmp.Diff(want, checksText(checks)); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(f.calls, "RunInstances ami-0noble m6a.large") {
		t.Errorf("the launch was not tried: %v", f.calls)
	}
}

func machine(name, state string, spot bool, tags ...string) ec2types.Instance {
	i := ec2types.Instance{InstanceType: ec2types.InstanceType(name), State: &ec2types.InstanceState{Name: ec2types.InstanceStateName(state)}}
	if spot {
		i.InstanceLifecycle = ec2types.InstanceLifecycleTypeSpot
	}
	for n := 0; n < len(tags); n += 2 {
		i.Tags = append(i.Tags, ec2types.Tag{Key: &tags[n], Value: &tags[n+1]})
	}
	return i
}

// estate is a VPC with an internet gateway and one public subnet with some free addresses.
func estate(vpc string, free int) *discovery.Region {
	block := netip.MustParsePrefix("10.1.0.0/16")
	return &discovery.Region{
		Name: "eu-west-1",
		VPCs: []discovery.VPC{{Resource: discovery.Resource{ID: vpc}, State: "available", Gateway: "igw-1", CIDRs: []netip.Prefix{block}}},
		Subnets: []discovery.Subnet{{
			Resource: discovery.Resource{ID: "subnet-0123456789abcdef0"}, VPC: vpc, Zone: "eu-west-1a", State: "available", Free: free,
			CIDR: block, Out: discovery.Out{Via: discovery.OutGateway, ID: "igw-1"},
		}},
	}
}

// Each thing that can stand against a deployment is found, at its level, with the exit kind of what would have happened.
func TestChecks(t *testing.T) {
	denied := refusal("UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ana is not authorized to perform: ec2:CreateVpc")
	deniedOn := func(action, resource, why string) error {
		return refusal("UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ana is not authorized to perform: ec2:"+
			action+" on resource: arn:aws:ec2:eu-west-1:1:"+resource+" "+why)
	}
	const unallowed = "because no identity-based policy allows it"
	broken := refusal("InternalError", "broken")
	const subnetKey = "subnet_id=subnet-0123456789abcdef0"
	subnet := func(vpc string, free int) func(*fake) {
		return func(f *fake) { f.estate = estate(vpc, free) }
	}
	for name, tt := range map[string]struct {
		changes string
		edit    func(*fake)
		id      string
		level   Level
		reason  string
		kind    api.Kind // of an error; "" for one of the configuration
	}{
		"denied":         {"", func(f *fake) { f.refusals["CreateVpc"] = denied }, CheckPermissions, LevelError, "ec2:CreateVpc", api.KindPermission},
		"no default VPC": {"", func(f *fake) { f.refusals["RunInstances"] = refusal("VPCIdNotSpecified", "No default VPC") }, CheckPermissions, LevelInfo, "not known before there is a network: ec2:RunInstances", ""},
		"denied on the default subnet": {"", func(f *fake) {
			f.refusals["RunInstances"] = deniedOn("RunInstances", "subnet/subnet-0fedcba9876543210", unallowed)
		}, CheckPermissions, LevelInfo, "not known before there is a network: ec2:RunInstances", ""},
		"denied on the default VPC": {"", func(f *fake) {
			f.refusals["CreateSecurityGroup"] = deniedOn("CreateSecurityGroup", "vpc/vpc-0fedcba9876543210", unallowed)
		}, CheckPermissions, LevelInfo, "not known before there is a network: ec2:CreateSecurityGroup", ""},
		"forbidden on it": {"", func(f *fake) {
			f.refusals["RunInstances"] = deniedOn("RunInstances", "subnet/subnet-0fedcba9876543210", "with an explicit deny in a service control policy")
		}, CheckPermissions, LevelError, "ec2:RunInstances", api.KindPermission},
		"denied on the machine": {"", func(f *fake) { f.refusals["RunInstances"] = deniedOn("RunInstances", "instance/*", unallowed) }, CheckPermissions, LevelError, "ec2:RunInstances", api.KindPermission},
		"denied on the subnet that is named": {subnetKey, func(f *fake) {
			f.estate = estate("vpc-0123456789abcdef0", 9)
			f.refusals["RunInstances"] = deniedOn("RunInstances", "subnet/subnet-0123456789abcdef0", unallowed)
		}, CheckPermissions, LevelError, "ec2:RunInstances", api.KindPermission},
		"dry run breaks":    {"", func(f *fake) { f.refusals["CreateInternetGateway"] = broken }, CheckPermissions, LevelWarning, "whether ec2:CreateInternetGateway is allowed will show", ""},
		"spot in use":       {"", func(f *fake) { f.machines = []ec2types.Instance{machine("m7i.16xlarge", "running", true)} }, CheckMachine, LevelWarning, "of which 64 are in use", ""},
		"quota in use":      {"market=on-demand", func(f *fake) { f.machines = []ec2types.Instance{machine("m7i.16xlarge", "pending", false)} }, CheckVCPUs, LevelError, "is 64, of which 64 are in use", api.KindQuota},
		"stopped is free":   {"market=on-demand", func(f *fake) { f.machines = []ec2types.Instance{machine("m7i.16xlarge", "stopped", false)} }, CheckVCPUs, LevelInfo, "on-demand: 0 of 64", ""},
		"machines unknown":  {"", func(f *fake) { f.refusals["DescribeInstances"] = denied }, CheckVCPUs, LevelWarning, "how many vCPUs are in use", ""},
		"quotas unknown":    {"", func(f *fake) { f.quotas, f.defaults = nil, nil }, CheckVCPUs, LevelWarning, "not known", ""},
		"VPCs full":         {"", func(f *fake) { f.quotas[vpcQuota] = 1; f.vpcs = []ec2types.Vpc{vpcWith("10.0.0.0/16")} }, CheckVPCs, LevelError, "holds 1 VPCs, and the account's quota is 1", api.KindQuota},
		"VPC is given":      {"vpc_id=vpc-0123456789abcdef0", func(f *fake) { f.quotas[vpcQuota] = 0; f.estate = estate("vpc-0123456789abcdef0", 9) }, CheckVPCs, LevelInfo, "not needed", ""},
		"VPC quota unknown": {"", func(f *fake) { delete(f.quotas, vpcQuota) }, CheckVPCs, LevelWarning, "another VPC will show", ""},
		"name taken": {"", func(f *fake) {
			f.machines = []ec2types.Instance{machine("m7i.large", "running", true, stack.TagStack, "abc", stack.TagName, "demo")}
		}, CheckName, LevelWarning, "demo (ID abc)", ""},
		"name taken by VPC": {"", func(f *fake) {
			v := vpcWith("10.0.0.0/16")
			v.Tags = []ec2types.Tag{{Key: new(stack.TagStack), Value: new("xyz")}, {Key: new(stack.TagName), Value: new("demo")}}
			f.vpcs = []ec2types.Vpc{v}
		}, CheckName, LevelWarning, "demo (ID xyz)", ""},
		"CIDR overlaps": {"vpc_cidr=10.0.0.0/20", func(f *fake) { f.vpcs = []ec2types.Vpc{vpcWith("10.0.0.0/16")} }, CheckCIDR, LevelWarning, "overlaps 10.0.0.0/16 of vpc-1", ""},
		"key pair":      {"key_pair=laptop", func(f *fake) { f.keys = []string{"laptop"} }, CheckKeyPair, LevelInfo, "laptop exists", ""},
		"no key pair":   {"key_pair=laptpo", func(f *fake) { f.keys = []string{"laptop"} }, CheckKeyPair, LevelError, `there is no key pair "laptpo" in eu-west-1`, ""},
		"keys unknown":  {"key_pair=laptop", func(f *fake) { f.refusals["DescribeKeyPairs"] = denied }, CheckKeyPair, LevelWarning, "will show", ""},
		"no EFS":        {"", func(f *fake) { f.refusals["DescribeFileSystems"] = broken }, CheckFileSystem, LevelWarning, "offers EFS", ""},
		"EFS denied":    {"", func(f *fake) { f.refusals["DescribeFileSystems"] = refusal("AccessDeniedException", "no") }, CheckFileSystem, LevelError, "", api.KindPermission},
		"no subnet":     {subnetKey, func(*fake) {}, CheckSubnet, LevelError, "there is no subnet", ""},
		"subnet full":   {subnetKey, subnet("vpc-1", 1), CheckSubnet, LevelError, "has 1 free address; the machine and a mount target of the file system need 2", ""},
		"subnet":        {subnetKey, subnet("vpc-1", 9), CheckSubnet, LevelInfo, "subnet-0123456789abcdef0 fits; it assigns no public addresses by itself", ""},
		"subnet elsewhere": {subnetKey + " vpc_id=vpc-0123456789abcdef0", func(f *fake) {
			f.estate = estate("vpc-1", 9)
			f.estate.VPCs = append(f.estate.VPCs, discovery.VPC{Resource: discovery.Resource{ID: "vpc-0123456789abcdef0"}, State: "available", Gateway: "igw-9"})
		}, CheckSubnet, LevelError, "lies in vpc-1, not in vpc-0123456789abcdef0", ""},
		"VPC":           {"vpc_id=vpc-0123456789abcdef0", subnet("vpc-0123456789abcdef0", 9), CheckVPC, LevelInfo, "vpc-0123456789abcdef0 fits; it has 1 fit of 1 subnets", ""},
		"credentials":   {"", func(f *fake) { f.refusals["GetCallerIdentity"] = refusal("ExpiredToken", "old") }, CheckCredentials, LevelError, "expired", api.KindCredentials},
		"no image":      {"os_type=ubuntu-22.04", func(*fake) {}, CheckImage, LevelError, "has no standard image", ""},
		"type not sold": {"instance_type=m7i.large", func(f *fake) { f.missing = []string{"m7i.large"} }, CheckMachine, LevelError, "not sold in eu-west-1", ""},
		"type misfits":  {"instance_type=m7g.large", func(*fake) {}, CheckMachine, LevelError, "the image for x86_64", ""},
		"discontinued":  {"ami_type=tensorflow os_type=ubuntu-22.04", func(*fake) {}, CheckImage, LevelError, "ended on 2026-01-31", ""},
		"age of image":  {"", func(f *fake) { f.images[0].CreationDate = new(today.Add(-99 * 24 * time.Hour).Format(time.RFC3339)) }, CheckImage, LevelWarning, "99 days old", ""},
		"closed region": {"", func(f *fake) {
			f.refusals["GetCallerIdentity"] = refusal("InvalidClientTokenId", "The security token included in the request is invalid.")
			f.regions = []ec2types.Region{{RegionName: new("eu-west-1"), OptInStatus: new("not-opted-in")}}
		}, CheckRegion, LevelError, "eu-west-1 is not enabled in this account", ""},
		"bad key": {"", func(f *fake) {
			f.refusals["GetCallerIdentity"] = refusal("InvalidClientTokenId", "no")
			f.regions = []ec2types.Region{{RegionName: new("eu-west-1"), OptInStatus: new("opt-in-not-required")}}
		}, CheckCredentials, LevelError, "does not accept the credentials", api.KindCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			f := ready()
			tt.edit(f)
			_, checks, err := f.market().Preflight(t.Context(), config(strings.Fields(tt.changes)...), nil, nil)
			i := slices.IndexFunc(checks, func(c Check) bool {
				return c.ID == tt.id && c.Level == tt.level && strings.Contains(c.Reason, tt.reason)
			})
			if i < 0 {
				t.Fatalf("no such check (%v):\n%s", err, checksText(checks))
			}
			check := checks[i]
			if (check.Level == LevelError) != (check.Err != nil) || check.Err != nil && check.Next == "" && tt.kind != api.KindPermission {
				t.Errorf("%+v", check)
			}
			if check.Err != nil && tt.kind != "" && api.Classify(check.Err) != tt.kind {
				t.Errorf("kind %s, want %s", api.Classify(check.Err), tt.kind)
			}
			for _, other := range checks {
				if tt.level != LevelError && other.Level == LevelError {
					t.Errorf("an error besides: %+v", other)
				}
			}
		})
	}
}

// Dry runs are about what is named, so that policies that allow it only by its ID are tried as they will be used.
func TestDryRunsNameWhatIsReused(t *testing.T) {
	const vpc, subnet, group = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
	for settings, want := range map[string]string{
		"vpc_id=" + vpc: "CreateSecurityGroup " + vpc,
		"vpc_id=" + vpc + " subnet_id=" + subnet + " security_group_id=" + group: "RunInstances ami-0noble m6a.large " + subnet + " " + group,
	} {
		f := ready()
		f.estate = estate(vpc, 9)
		_, _, _ = f.market().Preflight(t.Context(), config(strings.Fields(settings)...), nil, nil)
		if !slices.Contains(f.calls, want) {
			t.Errorf("%s: no %s among %q", settings, want, f.calls)
		}
	}
}

// What is skipped is not even asked.
func TestSkippedChecksMakeNoCalls(t *testing.T) {
	f := ready()
	f.refusals["CreateVpc"] = refusal("UnauthorizedOperation", "no")
	f.quotas = map[string]float64{"L-1216C47A": 0, "L-34B43A08": 0}
	_, checks, err := f.market().Preflight(t.Context(), config("key_pair=x"), Skippable(), nil)
	if err != nil || slices.ContainsFunc(checks, func(c Check) bool { return c.Level != LevelInfo }) {
		t.Errorf("%v\n%s", err, checksText(checks))
	}
	for _, call := range []string{"CreateVpc", "DescribeInstances", "DescribeKeyPairs", "DescribeFileSystems"} {
		if slices.Contains(f.calls, call) {
			t.Errorf("%s was called", call)
		}
	}
}

// Mocks are not trusted with dry runs.
func TestDryRunsAreForAWSOnly(t *testing.T) {
	f := ready()
	_, checks, err := f.marketWith(Options{Mock: true}).Preflight(t.Context(), config(), nil, nil)
	if err != nil || slices.Contains(f.calls, "CreateVpc") || !strings.Contains(checksText(checks), "the endpoint is not one of AWS") {
		t.Errorf("%v, %v\n%s", f.calls, err, checksText(checks))
	}
	if judgeDry(nil) == nil {
		t.Error("a dry run that was answered like a real call counts as allowed")
	}
}

// The checks take no longer than finding the facts does: two calls, one after the other.
func TestPreflightIsTwoCallsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := ready()
		f.latency, f.estate = time.Second, estate("vpc-1", 9)
		start := time.Now()
		if _, _, err := f.market().Preflight(t.Context(), config("key_pair=x", "subnet_id=subnet-0123456789abcdef0"), nil, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v with calls of one second", took)
		}
	})
}

// In the pretend account, with its delays: nothing to complain of, in less than three seconds, and nothing is made.
func TestPreflightOfPretendAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		account, err := sandbox.Open(sandbox.Options{Speed: 1, Seed: 1, OnCall: func(_ context.Context, c sandbox.Call) error {
			if c.Phase == "before" {
				calls.Add(1)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		m := marketOf(account)
		start := time.Now()
		_, checks, err := m.Preflight(t.Context(), config(), nil, nil)
		took := time.Since(start)
		if err != nil || took > 3*time.Second || slices.ContainsFunc(checks, func(c Check) bool { return c.Level != LevelInfo }) {
			t.Errorf("%v after %v:\n%s", err, took, checksText(checks))
		}
		t.Logf("%d calls, %v", calls.Load(), took)
		if n := calls.Load(); n > 26 {
			t.Errorf("%d calls", n)
		}
		if left := account.Inventory(); len(left) > 0 {
			t.Errorf("it made %v", left)
		}
	})
}

func TestBrokenOffPreflightSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := ready()
	f.refusals["GetCallerIdentity"] = context.Canceled
	_, _, err := f.market().Preflight(ctx, config(), nil, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
