package compute_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

func TestConformance(t *testing.T) {
	var image string // the same in every account
	inBubble(t, func(b *bench) { image = b.spec.Image.ID })
	for _, market := range []string{"spot", "on-demand"} {
		spec := stack.Instance{
			Name: "geusemaker-demo", Image: stack.Image{ID: image, RootDevice: "/dev/sda1"}, RootGiB: 40, Throughput: 250, PublicIP: true,
			Subnets: []stack.Key{publicA}, Groups: []stack.Key{stack.KeyHostGroup}, Profile: stack.KeyProfile, FileSystem: stack.KeyFiles,
			Offers: []stack.Offer{{Type: "m7i.large", Zone: zoneA, Market: market}},
		}
		apitest.Conform(t, use, []apitest.Case{{Key: stack.KeyInstance, Spec: spec, Prepare: prepare}})
	}
}

// With the first m of n pools empty the machine comes from pool m+1, and each pool was asked once, in order.
func TestFailoverWalksThePoolsInOrder(t *testing.T) {
	inBubble(t, func(b *bench) {
		for empty := range len(b.spec.Offers) {
			b.launches = nil
			for i, o := range b.spec.Offers {
				if err := b.Account.SetCapacity(sandbox.Pool{Type: o.Type, Zone: o.Zone, Market: o.Market}, i >= empty); err != nil {
					t.Fatal(err)
				}
			}
			got, err := b.launch()
			if err != nil {
				t.Fatalf("%d empty: %v", empty, err)
			}
			want := b.spec.Offers[empty]
			if expect := fmt.Sprintf("%s %s %s", want.Type, want.Zone, want.Market); got != expect {
				t.Errorf("%d empty: %s, want %s", empty, got, expect)
			}
			if asked := b.pools(); len(asked) != empty+1 || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != len(asked) {
				t.Errorf("%d empty: asked %v", empty, asked)
			}
			b.Settle(stack.KeyInstance, b.spec)
			b.Delete(stack.KeyInstance)
		}
	})
}

func TestNoPoolHasRoom(t *testing.T) {
	inBubble(t, func(b *bench) {
		if err := b.Account.SetCapacity(sandbox.Pool{}, false); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := b.launch()
		full, ok := errors.AsType[*compute.CapacityError](err)
		if !ok || len(full.Tries) != len(b.spec.Offers) || api.Classify(err) != api.KindCapacity {
			t.Fatalf("%s: %v", api.Classify(err), err)
		}
		for _, o := range b.spec.Offers {
			if text := fmt.Sprintf("%s in %s", o.Type, o.Zone); !strings.Contains(err.Error(), text) {
				t.Errorf("%q does not tell of %s", err, text)
			}
		}
		if message, hints := api.Explain(err); message == "" || len(hints) == 0 {
			t.Error("is not explained")
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v: EC2 answers at once, and nothing is repeated", took)
		}
		if len(b.living()) > 0 {
			t.Error("a machine was made all the same")
		}
		if told := strings.Join(b.Told(), "\n"); !strings.Contains(told, "no free capacity") || !strings.Contains(told, "trying m6i.large on-demand in us-east-1b") {
			t.Errorf("told %s", told)
		}
	})
}

func TestQuotasAreNotRunAgainst(t *testing.T) {
	const onDemand, spot = "L-1216C47A", "L-34B43A08"
	for _, tt := range []struct {
		name   string
		quotas map[string]int
		want   string // the market of the machine; "" when there is none
		spots  int    // pools of the spot market that are asked
	}{
		{"spot used up", map[string]int{spot: 1}, "on-demand", 1},
		{"all used up", map[string]int{spot: 1, onDemand: 1}, "", 1},
		{"enough", map[string]int{spot: 2, onDemand: 0}, "spot", 1},
	} {
		inBubble(t, func(b *bench) {
			for code, value := range tt.quotas {
				if err := b.Account.SetQuota(code, value); err != nil {
					t.Fatal(err)
				}
			}
			got, err := b.launch()
			if tt.want == "" {
				if api.Classify(err) != api.KindQuota {
					t.Errorf("%s: %s: %v", tt.name, api.Classify(err), err)
				}
			} else if err != nil || !strings.HasSuffix(got, " "+tt.want) {
				t.Errorf("%s: %s, %v", tt.name, got, err)
			}
			spots := 0
			for _, p := range b.pools() {
				if strings.HasSuffix(p, "spot") {
					spots++
				}
			}
			if spots != tt.spots {
				t.Errorf("%s: asked %v", tt.name, b.pools())
			}
		})
	}
}

// EC2 sees a new instance profile late: the first pool is asked until it does.
func TestProfileThatEC2DoesNotSeeYet(t *testing.T) {
	for _, text := range []string{
		"Value (host) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
		`IAM Instance Profile "arn:aws:iam::111122223333:instance-profile/host" has no associated IAM Roles`,
	} {
		inBubble(t, func(b *bench) {
			b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "InvalidParameterValue", Message: text, Count: 6})
			start := time.Now()
			got, err := b.launch()
			if err != nil || got != "m7i.large us-east-1a spot" || len(b.launches) != 7 {
				t.Errorf("%s after %d launches: %v", got, len(b.launches), err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
			if b.launches[0].ClientToken == nil || *b.launches[0].ClientToken != *b.launches[6].ClientToken {
				t.Error("the same launch was asked for with another token")
			}
		})
	}
}

func TestProfileThatEC2NeverSees(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Fault(sandbox.Fault{
			Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "InvalidParameterValue",
			Message: "Value (host) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
		})
		start := time.Now()
		_, err := b.launch()
		if err == nil || !strings.Contains(err.Error(), "instance profile") || time.Since(start) > 5*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if len(b.pools()) != 1 {
			t.Errorf("asked %v: another pool does not help", b.pools())
		}
	})
}

// A lost answer never makes two machines, wherever it was lost.
func TestLostAnswersMakeOneMachine(t *testing.T) {
	for _, effect := range []string{sandbox.EffectLoseReply, sandbox.EffectLoseRequest} {
		for _, times := range []int{1, 3, 5} {
			inBubble(t, func(b *bench) {
				b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: effect, Count: times})
				got, err := b.launch()
				if _, unsure := errors.AsType[engine.Unsure](err); err != nil && !unsure {
					t.Fatalf("%s %d times: %v", effect, times, err)
				}
				if err != nil { // the engine looks, and asks again with the same record
					found, err := b.Drivers[stack.KindInstance].Create(b.Context(), b.Target(stack.KeyInstance, b.spec))
					if err != nil {
						t.Fatalf("%s %d times, again: %v", effect, times, err)
					}
					got = found.Attrs[stack.AttrType] + " " + found.Attrs[stack.AttrZone] + " " + found.Attrs[stack.AttrMarket]
				}
				if all := b.living(); len(all) != 1 || got != "m7i.large us-east-1a spot" {
					t.Errorf("%s %d times: %d machines, %s", effect, times, len(all), got)
				}
			})
		}
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "RequestLimitExceeded", Count: 2})
		if got, err := b.launch(); err != nil || got != "m7i.large us-east-1a spot" {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// What every pool would answer alike ends the walk, and the error is that of EC2.
func TestRefusalsThatEndTheWalk(t *testing.T) {
	for code, kind := range map[string]api.Kind{
		"UnauthorizedOperation":     api.KindPermission,
		"ExpiredToken":              api.KindCredentials,
		"PendingVerification":       api.KindAccount,
		"InvalidAMIID.NotFound":     api.KindNotFound,
		"InvalidKeyPair.NotFound":   api.KindNotFound,
		"InvalidBlockDeviceMapping": api.KindInvalid,
		"InvalidParameterValue":     api.KindInvalid,
	} {
		inBubble(t, func(b *bench) {
			b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: code})
			_, err := b.launch()
			if api.Code(err) != code || api.Classify(err) != kind || len(b.pools()) != 1 {
				t.Errorf("%s: %s after %v: %v", code, api.Classify(err), b.pools(), err)
			}
		})
	}
}

func TestRefusalsThatLeadToTheNextPool(t *testing.T) {
	for _, code := range []string{"InsufficientInstanceCapacity", "Unsupported", "SpotMaxPriceTooLow", "InsufficientFreeAddressesInSubnet", "VolumeTypeNotAvailableInZone"} {
		inBubble(t, func(b *bench) {
			b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: code, Count: 1})
			if got, err := b.launch(); err != nil || got != "m7i.large us-east-1b spot" || len(b.launches) != 2 {
				t.Errorf("%s: %s after %d launches, %v", code, got, len(b.launches), err)
			}
		})
	}
	inBubble(t, func(b *bench) {
		b.Fault(sandbox.Fault{Service: "EC2", Operation: "RunInstances", Effect: sandbox.EffectError, Code: "AuthFailure.ServiceLinkedRoleCreationNotPermitted", Count: 1})
		if got, err := b.launch(); err != nil || got != "m7i.large us-east-1a on-demand" || len(b.launches) != 2 {
			t.Errorf("%s after %d launches, %v", got, len(b.launches), err)
		}
	})
}

func TestWalkStopsWhenToldTo(t *testing.T) {
	inBubble(t, func(b *bench) {
		if err := b.Account.SetCapacity(sandbox.Pool{}, false); err != nil {
			t.Fatal(err)
		}
		b.Intend(stack.KeyInstance, stack.KindInstance)
		target := b.Target(stack.KeyInstance, b.spec)
		target.Stopping = func() bool { return len(b.launches) >= 2 }
		if _, err := b.Drivers[stack.KindInstance].Create(b.Context(), target); !errors.Is(err, engine.ErrInterrupted) || len(b.launches) != 2 {
			t.Errorf("after %d launches: %v", len(b.launches), err)
		}
	})
}

func TestOnlyZonesWithASubnetAreAsked(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.spec.Subnets = []stack.Key{publicB}
		b.spec.Offers = append([]stack.Offer{{Type: "m7i.large", Zone: "us-east-1f", Market: "spot"}}, b.spec.Offers...)
		if got, err := b.launch(); err != nil || got != "m7i.large us-east-1b spot" || len(b.launches) != 1 {
			t.Errorf("%s after %v, %v", got, b.pools(), err)
		}
	})
	inBubble(t, func(b *bench) {
		b.spec.Offers = []stack.Offer{{Type: "m7i.large", Zone: "us-east-1f", Market: "spot"}}
		if _, err := b.launch(); err == nil || len(b.launches) > 0 {
			t.Errorf("asked %v: %v", b.pools(), err)
		}
	})
}

// A data volume of an earlier machine cannot leave its zone.
func TestMachineFollowsItsData(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Put(stack.Record{Key: stack.KeyData, Kind: stack.KindVolume, ID: "vol-1", Attrs: map[string]string{stack.AttrZone: zoneB}})
		if got, err := b.launch(); err != nil || got != "m7i.large us-east-1b spot" {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// Tokens are the same for the same intent and pool, and differ otherwise.
func TestTokens(t *testing.T) {
	tokens := func(record string, offers ...stack.Offer) []string {
		var all []string
		inBubble(t, func(b *bench) {
			if err := b.Account.SetCapacity(sandbox.Pool{}, false); err != nil {
				t.Fatal(err)
			}
			b.spec.Offers = offers
			b.Intend(stack.KeyInstance, stack.KindInstance)
			target := b.Target(stack.KeyInstance, b.spec)
			target.Record.Token = record
			_, _ = b.Drivers[stack.KindInstance].Create(b.Context(), target)
			for _, in := range b.launches {
				all = append(all, *in.ClientToken)
			}
		})
		return all
	}
	offers := []stack.Offer{
		{Type: "m7i.large", Zone: zoneA, Market: "spot"},
		{Type: "m7i.large", Zone: zoneB, Market: "spot"},
		{Type: "m7i.large", Zone: zoneA, Market: "on-demand"},
		{Type: "m6i.large", Zone: zoneA, Market: "spot"},
	}
	first := tokens("one", offers...)
	if d := cmp.Diff(first, tokens("one", offers...)); d != "" {
		t.Error("tokens differ from run to run:", d)
	}
	all := append(first, tokens("two", offers...)...)
	if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != 8 {
		t.Errorf("%d distinct tokens of 8", len(distinct))
	}
	for _, token := range all {
		if len(token) > 64 || strings.ContainsFunc(token, func(r rune) bool { return r > '~' || r < '!' }) {
			t.Errorf("EC2 would refuse the token %q", token)
		}
	}
}

// The shape of the request: what is safe and what is found again does not depend on defaults of EC2.
func TestRequest(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.spec.KMSKey = "arn:aws:kms:us-east-1:111122223333:key/1"
		b.spec.Offers = b.spec.Offers[:1]
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		in := b.launches[0]
		data, err := base64.StdEncoding.DecodeString(*in.UserData)
		if want := "#cloud-config\n# geusemaker 0123456789abcdef 8192 fs-0123456789abcdef0 test\n"; err != nil || string(data) != want {
			t.Errorf("user data %q, %v", data, err)
		}
		tags := map[ec2types.ResourceType]map[string]string{}
		for _, s := range in.TagSpecifications {
			tags[s.ResourceType] = api.FromEC2(s.Tags)
		}
		for _, kind := range []ec2types.ResourceType{"instance", "volume", "network-interface", "spot-instances-request"} {
			if tags[kind][stack.TagStack] != b.Identity.ID || tags[kind]["Name"] == "" {
				t.Errorf("tags of %s: %v", kind, tags[kind])
			}
		}
		if tags["instance"][stack.TagKey] != string(stack.KeyInstance) || tags["volume"][stack.TagKey] == string(stack.KeyInstance) {
			t.Errorf("keys %v", tags)
		}
		disk := in.BlockDeviceMappings[0]
		want := &ec2.RunInstancesInput{
			ImageId: &b.spec.Image.ID, InstanceType: "m7i.large", MinCount: new(int32(1)), MaxCount: new(int32(1)),
			InstanceInitiatedShutdownBehavior: "terminate",
			MetadataOptions: &ec2types.InstanceMetadataOptionsRequest{
				HttpTokens: "required", HttpEndpoint: "enabled", HttpPutResponseHopLimit: new(int32(1)),
			},
			IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: new("host")},
			NetworkInterfaces: []ec2types.InstanceNetworkInterfaceSpecification{{
				DeviceIndex: new(int32(0)), SubnetId: new(b.Record(publicA).ID), Groups: []string{b.Record(stack.KeyHostGroup).ID},
				AssociatePublicIpAddress: new(true), DeleteOnTermination: new(true),
			}},
			BlockDeviceMappings: []ec2types.BlockDeviceMapping{{DeviceName: new("/dev/sda1"), Ebs: &ec2types.EbsBlockDevice{
				VolumeType: "gp3", VolumeSize: new(int32(40)), Throughput: new(int32(250)), Encrypted: new(true),
				DeleteOnTermination: new(true), KmsKeyId: &b.spec.KMSKey, Iops: disk.Ebs.Iops,
			}}},
			InstanceMarketOptions: &ec2types.InstanceMarketOptionsRequest{MarketType: "spot", SpotOptions: &ec2types.SpotMarketOptions{
				SpotInstanceType: "one-time", InstanceInterruptionBehavior: "terminate",
			}},
			ClientToken: in.ClientToken, UserData: in.UserData, TagSpecifications: in.TagSpecifications,
		}
		if d := cmp.Diff(want, in, ignoreDocument); d != "" {
			t.Error(d)
		}
	})
	inBubble(t, func(b *bench) {
		b.spec.Offers = b.spec.Offers[4:5]
		b.spec.PublicIP = false
		if _, err := b.launch(); err != nil {
			t.Fatal(err)
		}
		in := b.launches[0]
		if in.InstanceMarketOptions != nil || in.InstanceInitiatedShutdownBehavior != "stop" || *in.NetworkInterfaces[0].AssociatePublicIpAddress || in.KeyName != nil {
			t.Errorf("on demand: %+v", in)
		}
	})
}
