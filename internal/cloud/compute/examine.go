package compute

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Examine implements engine.Examiner.
func (d *instances) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	i, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	if i == nil || gone(i.State.Name) {
		return engine.Found{}, nil, engine.ErrNotFound
	}
	traits := stack.Traits{
		stack.TraitGroups:   groups(*i),
		stack.TraitProfile:  {},
		stack.TraitMetadata: {metadata(i.MetadataOptions)},
		stack.TraitTags:     stack.TagTrait(api.FromEC2(i.Tags), t.Tags),
	}
	if i.IamInstanceProfile != nil {
		traits[stack.TraitProfile] = []string{api.NameInARN(text(i.IamInstanceProfile.Arn))}
	}
	size, err := d.rootSize(ctx, *i)
	if size > 0 {
		traits[stack.TraitRoot] = []string{strconv.Itoa(int(size))}
	}
	return found(*i), traits, err
}

// groups are the security groups of all network interfaces of a machine: one that somebody added lets in what it likes.
func groups(i types.Instance) []string {
	all := []string{}
	for _, n := range i.NetworkInterfaces {
		for _, g := range n.Groups {
			if !slices.Contains(all, text(g.GroupId)) {
				all = append(all, text(g.GroupId))
			}
		}
	}
	return all
}

// metadata is how the metadata service of a machine answers.
func metadata(o *types.InstanceMetadataOptionsResponse) string {
	switch {
	case o == nil:
		return "unknown"
	case o.HttpEndpoint == types.InstanceMetadataEndpointStateDisabled:
		return "off"
	case o.HttpTokens == types.HttpTokensStateRequired:
		return stack.IMDSv2Only
	default:
		return "IMDSv1 too"
	}
}

// rootSize asks for the size of the root volume in GiB; 0 when the machine has none.
func (d *instances) rootSize(ctx context.Context, i types.Instance) (int32, error) {
	for _, m := range i.BlockDeviceMappings {
		if m.Ebs == nil || text(m.DeviceName) != text(i.RootDeviceName) {
			continue
		}
		out, err := d.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{text(m.Ebs.VolumeId)}})
		if err != nil || len(out.Volumes) == 0 || out.Volumes[0].Size == nil {
			return 0, err
		}
		return *out.Volumes[0].Size, nil
	}
	return 0, nil
}
