package opinion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func tags() []behaviour {
	return []behaviour{
		{
			name: "keys that begin with aws: are AWS's own", source: errorCodes, aws: "InvalidTagKey.Malformed",
			moto: "accepted",
			why:  "the list says so",
			see:  func(u *user) string { return u.tag(u.vpc("10.0.0.0/16"), "aws:mine", "yes") },
		},
		{
			name: "a key is not empty", source: errorCodes, aws: "InvalidTagKey.Malformed",
			moto: "accepted",
			why:  "the list says so",
			see:  func(u *user) string { return u.tag(u.vpc("10.0.0.0/16"), "", "yes") },
		},
		{
			name: "a resource has fifty tags at most", source: `EC2 user guide, "Tag restrictions"`, aws: "accepted, TagLimitExceeded",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				var fifty []string
				for n := range 50 {
					fifty = append(fifty, fmt.Sprintf("key-%d", n), "value")
				}
				return each(u.tag(id, fifty...), u.tag(id, "key-50", "value"))
			},
		},
		{
			name: "a value has 256 characters at most", source: `EC2 user guide, "Tag restrictions"`, aws: "accepted, refused",
			moto: "accepted, accepted",
			why:  "the page says so",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				_, err := u.ec2.CreateTags(u.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: pairsOf("long", strings.Repeat("x", 257))})
				return each(u.tag(id, "long", strings.Repeat("x", 256)), refused(err))
			},
		},
		{
			name: "a tag that exists is replaced", source: "EC2 API reference, CreateTags", aws: "accepted, color=blue",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				u.tag(id, "color", "red")
				return each(u.tag(id, "color", "blue"), u.tagsOf(id))
			},
		},
		{
			name: "a tag is deleted only with the value that is given, if one is", source: "EC2 API reference, DeleteTags",
			aws: "color=red size=big, size=big, none",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				u.tag(id, "color", "red", "size", "big")
				var seen []string
				for _, tag := range []ec2types.Tag{{Key: new("color"), Value: new("blue")}, {Key: new("color"), Value: new("red")}, {Key: new("size")}} {
					u.done(u.ec2.DeleteTags(u.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag}}))
					seen = append(seen, u.tagsOf(id))
				}
				return each(seen...)
			},
		},
		{
			name: "what does not exist cannot be tagged", source: errorCodes, aws: "InvalidVpcID.NotFound",
			see: func(u *user) string { return u.tag("vpc-0123456789abcdef0", "color", "red") },
		},
		{
			name: "tags are given to several resources or to none", source: "EC2 API reference, CreateTags", aws: "InvalidSubnetID.NotFound, none",
			see: func(u *user) string {
				id := u.vpc("10.0.0.0/16")
				_, err := u.ec2.CreateTags(u.ctx, &ec2.CreateTagsInput{
					Resources: []string{id, "subnet-0123456789abcdef0"}, Tags: pairsOf("color", "red"),
				})
				return each(code(err), u.tagsOf(id))
			},
		},
		{
			name: "a create call tags only what it makes", source: "EC2 API reference, CreateVpc, TagSpecification", aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "the reference names the one type that the call takes",
			see: func(u *user) string {
				_, err := u.ec2.CreateVpc(u.ctx, &ec2.CreateVpcInput{
					CidrBlock: new("10.0.0.0/16"), TagSpecifications: tagsOf(ec2types.ResourceTypeSubnet, "color", "red"),
				})
				return code(err)
			},
		},
		{
			name: "a launch tags the machine and its volumes each for themselves", source: "EC2 API reference, RunInstances, TagSpecification",
			aws: "color=red, color=blue",
			see: func(u *user) string {
				in := u.launch(u.network())
				in.TagSpecifications = append(tagsOf(ec2types.ResourceTypeInstance, "color", "red"), tagsOf(ec2types.ResourceTypeVolume, "color", "blue")...)
				id := u.run(in)
				found := must(u.ec2.DescribeVolumes(u.ctx, &ec2.DescribeVolumesInput{
					Filters: []ec2types.Filter{filter("attachment.instance-id", id)},
				}))(u)
				return each(u.tagsOf(id), u.tagsOf(*found.Volumes[0].VolumeId))
			},
		},
	}
}

func (u *user) tag(id string, pairs ...string) string {
	_, err := u.ec2.CreateTags(u.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: pairsOf(pairs...)})
	u.settle()
	return code(err)
}

// tagsOf lists the tags of any resource of EC2.
func (u *user) tagsOf(id string) string {
	u.Helper()
	found := must(u.ec2.DescribeTags(u.ctx, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{filter("resource-id", id)}}))(u)
	var list []string
	for _, tag := range found.Tags {
		list = append(list, *tag.Key+"="+*tag.Value)
	}
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
