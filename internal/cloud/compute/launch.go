package compute

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// lagBudget bounds how long a launch waits for EC2 to see a new instance profile: about 10 s as a rule, up to two minutes
// (hashicorp/terraform#15341).
const lagBudget = 3 * time.Minute

// Create walks the offers, best first, until one has room. Every pool has a token of its own, since EC2 honours a token
// only within one zone: the same token in another zone makes a second instance (EC2 developer guide, "Ensuring
// idempotency").
func (d *instances) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Instance)
	subnets := subnetsByZone(t, spec)
	if data := t.Need(spec.Data); data.ID != "" { // a volume cannot leave its zone
		maps.DeleteFunc(subnets, func(zone, _ string) bool { return zone != data.Attrs[stack.AttrZone] })
	}
	walk := launch{instances: d, target: t, spec: spec}
	for _, offer := range rotated(spec.Offers, t.Record.Attempt-1) {
		subnet, ok := subnets[offer.Zone]
		if !ok || walk.skips(offer) {
			continue
		}
		if t.Stopping() {
			return engine.Found{}, engine.ErrInterrupted
		}
		if len(walk.tries) > 0 {
			t.Tell(fmt.Sprintf("%s; trying %s %s in %s", walk.tries[len(walk.tries)-1], offer.Type, offer.Market, offer.Zone))
		}
		f, err := walk.try(ctx, offer, subnet)
		if err == nil {
			return f, nil
		}
		v, reason := judge(err)
		switch {
		case v == again && t.Stopping():
			return engine.Found{}, engine.ErrInterrupted
		case v == stop || v == again:
			return engine.Found{}, api.CreateError(err)
		}
		walk.tries = append(walk.tries, Try{Offer: offer, Reason: reason, Err: err})
		walk.learn(v, offer)
	}
	return engine.Found{}, &CapacityError{Tries: walk.tries}
}

// rotated moves the first n offers to the end: when a machine vanished right after its start, its pool is asked last.
func rotated(offers []stack.Offer, n int) []stack.Offer {
	if n <= 0 || len(offers) == 0 {
		return offers
	}
	n %= len(offers)
	return slices.Concat(offers[n:], offers[:n])
}

// subnetsByZone maps the zones in which the machine may be launched to their subnets.
func subnetsByZone(t engine.Target, spec stack.Instance) map[string]string {
	subnets := map[string]string{}
	for _, key := range spec.Subnets {
		rec := t.Need(key)
		subnets[rec.Attrs[stack.AttrZone]] = rec.ID
	}
	return subnets
}

// launch is one walk through the offers.
type launch struct {
	*instances
	target  engine.Target
	spec    stack.Instance
	tries   []Try
	markets map[string]bool // that are closed
	types   map[string]bool // that cannot be had, by type and market: each market has its quota
}

func (l *launch) skips(o stack.Offer) bool {
	return l.markets[o.Market] || l.types[o.Type+" "+o.Market]
}

func (l *launch) learn(v verdict, o stack.Offer) {
	switch v {
	case nextMarket:
		l.markets = with(l.markets, o.Market)
	case nextType:
		l.types = with(l.types, o.Type+" "+o.Market)
	case stop, nextPool, again:
	}
}

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}

// try launches in one pool. While EC2 does not see the new profile the same pool is asked again. When the answer is lost
// the instance is looked for by its token before the error counts.
func (l *launch) try(ctx context.Context, o stack.Offer, subnet string) (engine.Found, error) {
	input, err := l.input(o, subnet)
	if err != nil {
		return engine.Found{}, err
	}
	var out *ec2.RunInstancesOutput
	wait := api.Wait{Clock: l.clock, For: "EC2 to see the new instance profile", Budget: lagBudget, First: time.Second, Max: 3 * time.Second, Tell: l.target.Tell}
	lagging := func(err error) bool {
		v, _ := judge(err)
		return v == again && !l.target.Stopping()
	}
	err = api.Retry(ctx, wait, lagging, func(ctx context.Context) error {
		out, err = l.ec2.RunInstances(ctx, input)
		return err
	})
	if err != nil {
		return l.recover(ctx, *input.ClientToken, err)
	}
	if len(out.Instances) == 0 {
		return engine.Found{}, errors.New("EC2 answered a launch without an instance")
	}
	return l.confirmed(found(out.Instances[0]), o, subnet), nil
}

// confirmed completes what the answer to a launch leaves out.
func (l *launch) confirmed(f engine.Found, o stack.Offer, subnet string) engine.Found {
	f.Attrs[stack.AttrType], f.Attrs[stack.AttrZone], f.Attrs[stack.AttrMarket] = o.Type, o.Zone, o.Market
	f.Attrs[stack.AttrSubnet] = subnet
	return f
}

// recover looks for the fruit of a launch whose answer was lost. Only when none is visible for some time may another zone
// be tried: the engine then looks by tag and repeats this walk with the same tokens.
func (l *launch) recover(ctx context.Context, token string, cause error) (engine.Found, error) {
	if marked := api.CreateError(cause); !errors.As(marked, &engine.Unsure{}) {
		return engine.Found{}, cause
	}
	for range 3 {
		if err := l.clock.Sleep(ctx, 2*time.Second); err != nil {
			break
		}
		out, err := l.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{
			{Name: new("client-token"), Values: []string{token}}, {Name: new("instance-state-name"), Values: living},
		}})
		if err != nil {
			continue
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				return found(i), nil
			}
		}
	}
	return engine.Found{}, cause
}

// poolToken is the client token of one pool: the same for the same intent, at most 64 characters.
func poolToken(token string, o stack.Offer) string {
	sum := sha256.Sum256([]byte(token + "\n" + o.Type + "\n" + o.Zone + "\n" + o.Market))
	return hex.EncodeToString(sum[:16])
}

// input is the request for one pool: IMDSv2 only, out of reach of containers (hop limit 1), an encrypted gp3 root, and
// everything that comes into being with the instance tagged at birth.
func (l *launch) input(o stack.Offer, subnet string) (*ec2.RunInstancesInput, error) {
	data, err := l.render(o)
	if err != nil {
		return nil, err
	}
	s, t := l.spec, l.target
	var groups []string
	for _, key := range s.Groups {
		groups = append(groups, t.Need(key).ID)
	}
	in := &ec2.RunInstancesInput{
		ClientToken:                       new(poolToken(t.Record.Token, o)),
		ImageId:                           new(s.Image.ID),
		InstanceType:                      types.InstanceType(o.Type),
		MinCount:                          new(int32(1)),
		MaxCount:                          new(int32(1)),
		UserData:                          new(base64.StdEncoding.EncodeToString(data)),
		IamInstanceProfile:                &types.IamInstanceProfileSpecification{Name: new(t.Need(s.Profile).ID)},
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorStop,
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: new(int32(1)),
		},
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: new(int32(0)), SubnetId: new(subnet), Groups: groups, AssociatePublicIpAddress: new(s.PublicIP), DeleteOnTermination: new(true),
		}},
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: new(s.Image.RootDevice), Ebs: l.rootDisk()}},
	}
	if s.KeyPair != "" {
		in.KeyName = new(s.KeyPair)
	}
	for _, resource := range []types.ResourceType{types.ResourceTypeInstance, types.ResourceTypeVolume, types.ResourceTypeNetworkInterface} {
		in.TagSpecifications = append(in.TagSpecifications, api.TagSpecification(resource, l.tags(resource))...)
	}
	if o.Market == stack.Spot {
		// A one-time request cannot be stopped, only terminated; the data lies on volumes that outlive it.
		in.InstanceInitiatedShutdownBehavior = types.ShutdownBehaviorTerminate
		in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot, SpotOptions: &types.SpotMarketOptions{
			SpotInstanceType: types.SpotInstanceTypeOneTime, InstanceInterruptionBehavior: types.InstanceInterruptionBehaviorTerminate,
		}}
		in.TagSpecifications = append(in.TagSpecifications, api.TagSpecification(types.ResourceTypeSpotInstancesRequest, l.tags(types.ResourceTypeSpotInstancesRequest))...)
	}
	return in, nil
}

func (l *launch) rootDisk() *types.EbsBlockDevice {
	disk := &types.EbsBlockDevice{
		VolumeType: types.VolumeTypeGp3, VolumeSize: new(int32(l.spec.RootGiB)), Throughput: new(int32(l.spec.Throughput)),
		Encrypted: new(true), DeleteOnTermination: new(true),
	}
	if l.spec.KMSKey != "" {
		disk.KmsKeyId = new(l.spec.KMSKey)
	}
	return disk
}

// tags are those of the deployment. What comes and goes with the instance bears the instance's key with a suffix, so that no
// list takes the root volume for the data volume.
func (l *launch) tags(resource types.ResourceType) map[string]string {
	suffix := map[types.ResourceType]string{types.ResourceTypeVolume: "root", types.ResourceTypeNetworkInterface: "interface", types.ResourceTypeSpotInstancesRequest: "request"}[resource]
	tags := map[string]string{}
	maps.Copy(tags, l.target.Tags)
	name := l.spec.Name
	if suffix != "" {
		tags[stack.TagKey] += "/" + suffix
		name += "-" + suffix
	}
	return api.Named(tags, name)
}

// render makes the user data of a machine of the offered size.
func (l *launch) render(o stack.Offer) ([]byte, error) {
	m := l.spec.Machine
	m.Version = l.target.Tags[stack.TagVersion]
	m.MemoryMiB = o.MemoryMiB
	m.FileSystemID = l.target.Need(l.spec.FileSystem).ID
	return l.userData(m)
}
