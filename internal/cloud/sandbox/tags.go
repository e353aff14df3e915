package sandbox

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func registerTags(all map[string]operation) {
	on(all, serviceEC2, "CreateTags", createTags)
	on(all, serviceEC2, "DeleteTags", deleteTags)
	on(all, serviceEC2, "DescribeTags", describeTags)
}

// tagged returns the tags that a create call gives to a resource of one type. Types that the call does not make are refused.
func tagged(specifications []ec2types.TagSpecification, made ...ec2types.ResourceType) (map[ec2types.ResourceType]map[string]string, error) {
	all := map[ec2types.ResourceType]map[string]string{}
	for _, specification := range specifications {
		if !slices.Contains(made, specification.ResourceType) {
			return nil, refuse("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.",
				specification.ResourceType)
		}
		tags := all[specification.ResourceType]
		if tags == nil {
			tags = map[string]string{}
			all[specification.ResourceType] = tags
		}
		for _, tag := range specification.Tags {
			tags[deref(tag.Key)] = deref(tag.Value)
		}
		if err := checkTags(tags); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// taggedOne is tagged for the many calls that make one resource.
func taggedOne(specifications []ec2types.TagSpecification, made ec2types.ResourceType) (map[string]string, error) {
	all, err := tagged(specifications, made)
	return all[made], err
}

// checkTags enforces the limits of EC2 tags (EC2 user guide, "Tag restrictions"): 50 a resource, keys of 1 to 128 and values of
// up to 256 characters, no key that begins with aws:.
func checkTags(tags map[string]string) error {
	if len(tags) > 50 {
		return refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	for key, value := range tags {
		switch {
		case key == "" || strings.HasPrefix(strings.ToLower(key), "aws:"):
			return refuse("InvalidTagKey.Malformed", "Tag keys are not empty, and those starting with 'aws:' are reserved for internal use")
		case utf8.RuneCountInString(key) > 128:
			return refuse("InvalidParameterValue", "Tag key '%s' must have a length between 1 and 128", key)
		case utf8.RuneCountInString(value) > 256:
			return refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters")
		}
	}
	return nil
}

func ec2Tags(tags map[string]string) []ec2types.Tag {
	list := make([]ec2types.Tag, 0, len(tags))
	for _, key := range keys(tags) {
		list = append(list, ec2types.Tag{Key: new(key), Value: new(tags[key])})
	}
	return list
}

// taggable finds any EC2 resource by its id, as dependent calls know it.
func (c *call) taggable(id string) (*resource, error) {
	for _, collection := range c.region.collections() {
		if !strings.HasPrefix(id, collection.kind.prefix+"-") {
			continue
		}
		if one, ok := collection.items[id]; ok && one.visible(c.now) {
			return one, nil
		}
		return nil, collection.kind.notFound(id)
	}
	return nil, refuse("InvalidID", "The ID '%s' is not valid", id)
}

func createTags(c *call, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	wanted := map[string]string{}
	for _, tag := range in.Tags {
		wanted[deref(tag.Key)] = deref(tag.Value)
	}
	var targets []*resource
	for _, id := range in.Resources {
		target, err := c.taggable(id)
		if err != nil {
			return nil, err
		}
		after := maps.Clone(target.Tags)
		if after == nil {
			after = map[string]string{}
		}
		maps.Copy(after, wanted)
		if err := checkTags(after); err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	for _, target := range targets {
		if target.Tags == nil {
			target.Tags = map[string]string{}
		}
		maps.Copy(target.Tags, wanted)
	}
	return &ec2.CreateTagsOutput{}, nil
}

func deleteTags(c *call, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	var targets []*resource
	for _, id := range in.Resources {
		target, err := c.taggable(id)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	for _, target := range targets {
		if len(in.Tags) == 0 {
			target.Tags = nil
		}
		for _, tag := range in.Tags {
			key := deref(tag.Key)
			if tag.Value == nil || *tag.Value == target.Tags[key] {
				delete(target.Tags, key)
			}
		}
	}
	return &ec2.DeleteTagsOutput{}, nil
}

func describeTags(c *call, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	var found []ec2types.TagDescription
	for _, collection := range c.region.collections() {
		for _, id := range keys(collection.items) {
			one := collection.items[id]
			if !one.visible(c.now) {
				continue
			}
			for _, key := range keys(one.Tags) {
				ok, err := matches(in.Filters, attributes{
					"resource-id": {id}, "resource-type": {string(collection.name)}, "key": {key}, "value": {one.Tags[key]},
				}, map[string]string{key: one.Tags[key]})
				if err != nil {
					return nil, err
				}
				if ok {
					found = append(found, ec2types.TagDescription{
						ResourceId: new(id), ResourceType: collection.name, Key: new(key), Value: new(one.Tags[key]),
					})
				}
			}
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 1000)
	return &ec2.DescribeTagsOutput{Tags: found, NextToken: next}, err
}
