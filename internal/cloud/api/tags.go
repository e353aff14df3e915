package api

import (
	"maps"
	"slices"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// tagName is the tag that the AWS console shows as the name of a resource.
const tagName = "Name"

// Named returns the tags with the console's Name tag added, unless the user has set one.
func Named(tags map[string]string, name string) map[string]string {
	all := map[string]string{tagName: name}
	maps.Copy(all, tags)
	return all
}

// list turns tags into the form of one service, in the order of their keys, so that equal tags make equal requests.
func list[T any](tags map[string]string, tag func(k, v string) T) []T {
	all := make([]T, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tag(k, tags[k]))
	}
	return all
}

// table is the reverse of list.
func table[T any](tags []T, pair func(T) (k, v *string)) map[string]string {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		k, v := pair(t)
		all[text(k)] = text(v)
	}
	return all
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// EC2Tags are the tags as EC2 takes them.
func EC2Tags(tags map[string]string) []ec2types.Tag {
	return list(tags, func(k, v string) ec2types.Tag { return ec2types.Tag{Key: &k, Value: &v} })
}

// FromEC2 is the reverse of EC2Tags.
func FromEC2(tags []ec2types.Tag) map[string]string {
	return table(tags, func(t ec2types.Tag) (k, v *string) { return t.Key, t.Value })
}

// TagSpecification tags a resource of EC2 in the call that creates it.
func TagSpecification(resource ec2types.ResourceType, tags map[string]string) []ec2types.TagSpecification {
	return []ec2types.TagSpecification{{ResourceType: resource, Tags: EC2Tags(tags)}}
}

// OwnerFilter finds the EC2 resources of one deployment, or of all when the ID is empty.
func OwnerFilter(stackID string) ec2types.Filter {
	if stackID == "" {
		return ec2types.Filter{Name: new("tag-key"), Values: []string{stack.TagStack}}
	}
	return ec2types.Filter{Name: new("tag:" + stack.TagStack), Values: []string{stackID}}
}

// EFSTags are the tags as EFS takes them.
func EFSTags(tags map[string]string) []efstypes.Tag {
	return list(tags, func(k, v string) efstypes.Tag { return efstypes.Tag{Key: &k, Value: &v} })
}

// FromEFS is the reverse of EFSTags.
func FromEFS(tags []efstypes.Tag) map[string]string {
	return table(tags, func(t efstypes.Tag) (k, v *string) { return t.Key, t.Value })
}

// IAMTags are the tags as IAM takes them.
func IAMTags(tags map[string]string) []iamtypes.Tag {
	return list(tags, func(k, v string) iamtypes.Tag { return iamtypes.Tag{Key: &k, Value: &v} })
}

// FromIAM is the reverse of IAMTags.
func FromIAM(tags []iamtypes.Tag) map[string]string {
	return table(tags, func(t iamtypes.Tag) (k, v *string) { return t.Key, t.Value })
}

// SSMTags are the tags as Systems Manager takes them.
func SSMTags(tags map[string]string) []ssmtypes.Tag {
	return list(tags, func(k, v string) ssmtypes.Tag { return ssmtypes.Tag{Key: &k, Value: &v} })
}

// FromSSM is the reverse of SSMTags.
func FromSSM(tags []ssmtypes.Tag) map[string]string {
	return table(tags, func(t ssmtypes.Tag) (k, v *string) { return t.Key, t.Value })
}

// Owner reads the ownership tags: which deployment a resource belongs to, and as what. The ID is empty when it is none of
// ours.
func Owner(tags map[string]string) (stackID, name string, key stack.Key) {
	return tags[stack.TagStack], tags[stack.TagName], stack.Key(tags[stack.TagKey])
}

// Owns reports whether tags say that a resource belongs to the deployment; an empty ID means any.
func Owns(stackID string, tags map[string]string) bool {
	owner, ours := tags[stack.TagStack]
	return ours && (stackID == "" || owner == stackID)
}

// Found is a resource with what its ownership tags say.
func Found(id string, tags, attrs map[string]string) engine.Found {
	f := engine.Found{ID: id, Attrs: attrs}
	f.Stack, f.Name, f.Key = Owner(tags)
	f.Tier, f.Reuses = tags[stack.TagTier], tags[stack.TagReuses]
	return f
}
