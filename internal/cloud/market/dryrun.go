package market

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

// dryRun is the answer to a call that was made without effect.
type dryRun struct {
	action string // as IAM names it
	err    error  // nil: allowed
}

// codeAllowed is how EC2 answers a dry run of what the caller may do. Everything else is a refusal: of the permission, or of
// a parameter that was looked at before (EC2 API reference, "Common query parameters", DryRun).
const codeAllowed = "DryRunOperation"

// errIgnoredDryRun says that something answered a dry run as if it had been none.
var errIgnoredDryRun = errors.New("the dry run was answered like a real call: what answers is not AWS")

// tryDry asks EC2 whether the caller may make what a deployment consists of. The launch needs an image: it is tried as soon
// as its ID is known. IAM, EFS and Systems Manager have no dry runs.
func (m *Market) tryDry(ctx context.Context, c stack.Config, image <-chan string) []dryRun {
	tags := dryTags(c)
	once := func(o *ec2.Options) { o.RetryMaxAttempts = fewAttempts }
	network, group := !inNetwork(c), c.SecurityGroupID == "" // that are made
	calls := []struct {
		action string
		wanted bool
		try    func() error
	}{
		{"ec2:CreateVpc", network, func() error {
			_, err := m.clients.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{
				DryRun: new(true), CidrBlock: new("10.0.0.0/16"), TagSpecifications: api.TagSpecification(ec2types.ResourceTypeVpc, tags),
			}, once)
			return err
		}},
		{"ec2:CreateInternetGateway", network, func() error {
			_, err := m.clients.EC2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{
				DryRun: new(true), TagSpecifications: api.TagSpecification(ec2types.ResourceTypeInternetGateway, tags),
			}, once)
			return err
		}},
		{"ec2:CreateSecurityGroup", group, func() error {
			in := &ec2.CreateSecurityGroupInput{
				DryRun: new(true), GroupName: new("geusemaker-" + c.Name + "-host"), Description: new("geusemaker " + c.Name),
				TagSpecifications: api.TagSpecification(ec2types.ResourceTypeSecurityGroup, tags),
			}
			if c.VPCID != "" {
				in.VpcId = &c.VPCID
			}
			_, err := m.clients.EC2.CreateSecurityGroup(ctx, in, once)
			return err
		}},
		{"ec2:RunInstances", true, func() error { return m.tryLaunch(ctx, c, image) }},
	}
	answers := make([]dryRun, len(calls))
	var questions []func() error
	for i, call := range calls {
		if call.wanted {
			questions = append(questions, func() error {
				answers[i] = dryRun{call.action, judgeDry(call.try())}
				return nil
			})
		}
	}
	_ = together(questions...)
	return slices.DeleteFunc(answers, func(d dryRun) bool { return d.action == "" })
}

// errNoImageYet says that the launch was not tried, since there is no image; that is told as its own error.
var errNoImageYet = errors.New("there is no image to try it with")

// tryLaunch tries to launch the type that would be tried first, with what policies ask for most: tags, an encrypted root
// volume, and the second version of the metadata service.
func (m *Market) tryLaunch(ctx context.Context, c stack.Config, image <-chan string) error {
	var id string
	select {
	case id = <-image:
	case <-ctx.Done():
	}
	known, err := m.types()
	if id == "" || err != nil {
		return errNoImageYet
	}
	in := &ec2.RunInstancesInput{
		DryRun: new(true), ImageId: &id, MinCount: new(int32(1)), MaxCount: new(int32(1)), InstanceType: ec2types.InstanceType(c.InstanceType),
		MetadataOptions: &ec2types.InstanceMetadataOptionsRequest{HttpTokens: ec2types.HttpTokensStateRequired, HttpPutResponseHopLimit: new(int32(1))},
	}
	if c.InstanceType == stack.Auto {
		if list := shortlist(known, c, 1); len(list) > 0 {
			in.InstanceType = ec2types.InstanceType(list[0].name)
		}
	}
	if c.SubnetID != "" {
		in.SubnetId = &c.SubnetID
		if c.SecurityGroupID != "" {
			in.SecurityGroupIds = []string{c.SecurityGroupID}
		}
	}
	if c.AMIID == "" { // the root device of another's image is not known yet
		in.BlockDeviceMappings = []ec2types.BlockDeviceMapping{{
			DeviceName: new(rootDevice(c.OSType)), Ebs: &ec2types.EbsBlockDevice{Encrypted: new(true), VolumeType: ec2types.VolumeTypeGp3},
		}}
	}
	for _, resource := range []ec2types.ResourceType{ec2types.ResourceTypeInstance, ec2types.ResourceTypeVolume, ec2types.ResourceTypeNetworkInterface} {
		in.TagSpecifications = append(in.TagSpecifications, api.TagSpecification(resource, dryTags(c))...)
	}
	_, err = m.clients.EC2.RunInstances(ctx, in, func(o *ec2.Options) { o.RetryMaxAttempts = fewAttempts })
	return err
}

// dryTags are the tags of a real deployment, but for the ID that it does not have yet.
func dryTags(c stack.Config) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, c.Tags)
	tags[stack.TagStack], tags[stack.TagName], tags[stack.TagTier], tags[stack.TagKey] = "preflight", c.Name, c.Tier, "preflight"
	return tags
}

func judgeDry(err error) error {
	switch {
	case err == nil:
		return errIgnoredDryRun
	case api.Code(err) == codeAllowed:
		return nil
	default:
		return err
	}
}

// deniedInPlace reports that EC2 refused a dry run on what it put in the place of a network or a group that is yet to be made or
// found: on the default VPC, one of its subnets, or a default group. Whoever may use only what bears our tags, or what is named,
// has no permission on these, and needs none.
func deniedInPlace(c stack.Config, err error) bool {
	_, resource, _ := strings.Cut(api.DeniedOn(err), ":ec2:")
	kind, id, _ := strings.Cut(resource[strings.LastIndex(resource, ":")+1:], "/")
	chosen, ofNetwork := map[string]string{"vpc": c.VPCID, "subnet": c.SubnetID, "security-group": c.SecurityGroupID}[kind]
	return ofNetwork && id != chosen
}

// refusedElsewhere reports that EC2 looked at something else before the permission, which is no news about it: without a
// default VPC it asks for a network, which does not exist yet.
func refusedElsewhere(err error) bool {
	switch code := api.Code(err); code {
	case "VPCIdNotSpecified", "MissingInput", "DefaultVpcDoesNotExist", "VpcLimitExceeded", "InternetGatewayLimitExceeded":
		return true
	default:
		return errors.Is(err, errNoImageYet) || strings.HasPrefix(code, "InvalidParameter") || strings.HasPrefix(code, "InvalidBlockDevice")
	}
}
