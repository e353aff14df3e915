package sandbox

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// parameter is a parameter of Systems Manager Parameter Store. Its ID is its name.
type parameter struct {
	resource
	Type        ssmtypes.ParameterType `json:"type"`
	Tier        ssmtypes.ParameterTier `json:"tier"`
	Value       string                 `json:"value"` // scrambled, so that a look at the file shows no secret
	Version     int64                  `json:"version"`
	Key         string                 `json:"key,omitempty"` // KMS
	Description string                 `json:"description,omitempty"`
	Modified    time.Time              `json:"modified"`
}

var parameterName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`) })

func registerParameters(all map[string]operation) {
	on(all, serviceSSM, "GetParameter", getParameter)
	on(all, serviceSSM, "GetParameters", getParameters)
	on(all, serviceSSM, "PutParameter", putParameter)
	on(all, serviceSSM, "DeleteParameter", deleteParameter)
	on(all, serviceSSM, "DescribeParameters", describeParameters)
	on(all, serviceSSM, "GetParametersByPath", getParametersByPath)
	on(all, serviceSSM, "ListTagsForResource", listParameterTags)
	on(all, serviceSSM, "AddTagsToResource", addParameterTags)
}

// scramble hides a value from a passing glance. It is no encryption: the account is a pretence and so are its secrets.
func scramble(value string) string {
	key := "geusemaker sandbox"
	mixed := []byte(value)
	for i := range mixed {
		mixed[i] ^= key[i%len(key)]
	}
	return base64.StdEncoding.EncodeToString(mixed)
}

func unscramble(text string) string {
	mixed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	plain, err := base64.StdEncoding.DecodeString(scramble(string(mixed)))
	if err != nil {
		return ""
	}
	return string(plain)
}

// publicParameters are the names under which AWS and Canonical publish their newest images.
func (c *call) publicParameters() map[string]image {
	all := map[string]image{}
	for _, i := range images(c.region.Name, c.now) {
		for _, name := range i.parameters {
			all[name] = i
		}
	}
	return all
}

func (c *call) showPublic(name string, i image) ssmtypes.Parameter {
	return ssmtypes.Parameter{
		Name: new(name), Value: new(i.ID), Type: ssmtypes.ParameterTypeString, DataType: new("aws:ec2:image"), Version: 1,
		ARN: new("arn:aws:ssm:" + c.region.Name + "::parameter" + name), LastModifiedDate: new(i.Created),
	}
}

func (c *call) showParameter(p *parameter, decrypt bool) ssmtypes.Parameter {
	value := unscramble(p.Value)
	if p.Type == ssmtypes.ParameterTypeSecureString && !decrypt {
		value = "AQICAHh" + p.Value // what KMS made of it
	}
	return ssmtypes.Parameter{
		Name: new(p.ID), Value: new(value), Type: p.Type, DataType: new("text"), Version: p.Version,
		ARN: new(c.parameterARN(p.ID)), LastModifiedDate: new(p.Modified),
	}
}

func (c *call) parameterARN(name string) string {
	return c.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

func (c *call) read(name string, decrypt bool) (ssmtypes.Parameter, error) {
	if i, ok := c.publicParameters()[name]; ok {
		return c.showPublic(name, i), nil
	}
	if p, ok := c.region.Parameters[name]; ok {
		return c.showParameter(p, decrypt), nil
	}
	return ssmtypes.Parameter{}, refuse("ParameterNotFound", "Parameter %s not found.", name)
}

func getParameter(c *call, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	found, err := c.read(deref(in.Name), deref(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterOutput{Parameter: &found}, nil
}

// getParameters reads ten parameters at most (SSM API reference, GetParameters).
func getParameters(c *call, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	if len(in.Names) > 10 {
		return nil, refuse("ValidationException", "Member must have length less than or equal to 10: names has %d", len(in.Names))
	}
	out := &ssm.GetParametersOutput{}
	for _, name := range in.Names {
		if found, err := c.read(name, deref(in.WithDecryption)); err == nil {
			out.Parameters = append(out.Parameters, found)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

// checkParameter enforces the rules of Parameter Store for names, sizes and references (SSM API reference, PutParameter):
// 4 KB for the standard tier and 8 KB for the advanced one.
func checkParameter(in *ssm.PutParameterInput) error {
	name, value := deref(in.Name), deref(in.Value)
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case len(name) > 1011 || !parameterName().MatchString(name) || strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return refuse("ValidationException", "Parameter name: can't contain spaces or characters other than a-zA-Z0-9_.-/, and "+
			"must begin with / when it has levels: %s", name)
	case strings.HasPrefix(lower, "aws"):
		return refuse("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(lower, "ssm"):
		return refuse("ValidationException", "Parameter name: can't be prefixed with \"ssm\" (case-insensitive).")
	case strings.Count(strings.TrimPrefix(name, "/"), "/") >= 15:
		return refuse("ValidationException", "Parameter name: can have at most 15 levels")
	case value == "":
		return refuse("ValidationException", "The value must not be empty")
	case strings.Contains(value, "{{"):
		return refuse("ValidationException", "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
	case in.Tier == ssmtypes.ParameterTierStandard && len(value) > 4096, in.Tier == "" && len(value) > 4096:
		return refuse("ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters. To "+
			"create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
	case len(value) > 8192:
		return refuse("ValidationException", "Advanced tier parameters support a maximum parameter value of 8192 characters.")
	case len(in.Tags) > 0 && deref(in.Overwrite):
		return refuse("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter "+
			"with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "+
			"RemoveTagsFromResource.")
	}
	return nil
}

func putParameter(c *call, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	if err := checkParameter(in); err != nil {
		return nil, err
	}
	name := *in.Name
	old := c.region.Parameters[name]
	if old != nil && !deref(in.Overwrite) {
		return nil, refuse("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite "+
			"option in the request to true.")
	}
	if old == nil && in.Type == "" {
		return nil, refuse("ValidationException", "A parameter type is required when you create a parameter.")
	}
	p := &parameter{
		resource: resource{ID: name, Born: c.now, Seen: c.now, Tags: map[string]string{}}, Type: in.Type, Tier: in.Tier,
		Value: scramble(*in.Value), Version: 1, Key: deref(in.KeyId), Description: deref(in.Description), Modified: c.now,
	}
	for _, tag := range in.Tags {
		p.Tags[deref(tag.Key)] = deref(tag.Value)
	}
	if old != nil {
		p.resource, p.Version = old.resource, old.Version+1
		if p.Type == "" {
			p.Type = old.Type
		}
	}
	if p.Tier == "" || p.Tier == ssmtypes.ParameterTierIntelligentTiering {
		p.Tier = ssmtypes.ParameterTierStandard
		if len(*in.Value) > 4096 {
			p.Tier = ssmtypes.ParameterTierAdvanced
		}
	}
	if p.Type == ssmtypes.ParameterTypeSecureString && p.Key == "" {
		p.Key = "alias/aws/ssm"
	}
	c.region.Parameters[name] = p
	return &ssm.PutParameterOutput{Version: p.Version, Tier: p.Tier}, nil
}

func deleteParameter(c *call, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	if c.region.Parameters[deref(in.Name)] == nil {
		return nil, refuse("ParameterNotFound", "Parameter %s not found.", deref(in.Name))
	}
	delete(c.region.Parameters, *in.Name)
	return &ssm.DeleteParameterOutput{}, nil
}

// largest refuses pages above the size that the model of Systems Manager allows.
func largest(wanted *int32, size int32) error {
	if wanted != nil && *wanted > size {
		return refuse("ValidationException", "Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value "+
			"less than or equal to %d", *wanted, size)
	}
	return nil
}

// describeParameters lists the account's own parameters, never the public ones, fifty a page at most.
func describeParameters(c *call, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	if err := largest(in.MaxResults, 50); err != nil {
		return nil, err
	}
	if _, err := (&parameter{}).passes(in.ParameterFilters); err != nil {
		return nil, err // an unknown filter is refused even where there is nothing to filter
	}
	var found []ssmtypes.ParameterMetadata
	for _, name := range keys(c.region.Parameters) {
		p := c.region.Parameters[name]
		ok, err := p.passes(in.ParameterFilters)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, ssmtypes.ParameterMetadata{
				Name: new(name), ARN: new(c.parameterARN(name)), Type: p.Type, Tier: p.Tier, Version: p.Version, KeyId: new(p.Key),
				LastModifiedDate: new(p.Modified), DataType: new("text"), Description: new(p.Description),
			})
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 50)
	return &ssm.DescribeParametersOutput{Parameters: found, NextToken: next}, err
}

func (p *parameter) passes(filters []ssmtypes.ParameterStringFilter) (bool, error) {
	for _, filter := range filters {
		key, option := deref(filter.Key), deref(filter.Option)
		values := []string{}
		switch tag, isTag := strings.CutPrefix(key, "tag:"); {
		case isTag:
			if value, ok := p.Tags[tag]; ok {
				values = append(values, value)
			} else {
				return false, nil
			}
		case key == "Name":
			values = append(values, p.ID)
		case key == "Type":
			values = append(values, string(p.Type))
		case key == "Path":
			values, option = append(values, p.ID), "BeginsWith"
		default:
			return false, refuse("InvalidFilterKey", "The sandbox does not know the filter key %s", key)
		}
		hit := len(filter.Values) == 0 || slices.ContainsFunc(filter.Values, func(wanted string) bool {
			switch option {
			case "BeginsWith":
				return strings.HasPrefix(values[0], wanted)
			case "Contains":
				return strings.Contains(values[0], wanted)
			}
			return values[0] == wanted
		})
		if !hit {
			return false, nil
		}
	}
	return true, nil
}

func getParametersByPath(c *call, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	if err := largest(in.MaxResults, 10); err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(deref(in.Path), "/") + "/"
	if !strings.HasPrefix(path, "/") {
		return nil, refuse("ValidationException", "The parameter doesn't meet the parameter name requirements. The parameter name "+
			"must begin with a forward slash \"/\".")
	}
	public := c.publicParameters()
	names := slices.Concat(keys(public), keys(c.region.Parameters))
	slices.Sort(names)
	var found []ssmtypes.Parameter
	for _, name := range names {
		rest, below := strings.CutPrefix(name, path)
		if !below || strings.Contains(rest, "/") && !deref(in.Recursive) {
			continue
		}
		if p := c.region.Parameters[name]; p != nil {
			if ok, err := p.passes(in.ParameterFilters); err != nil || !ok {
				continue
			}
		}
		one, err := c.read(name, deref(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 10)
	return &ssm.GetParametersByPathOutput{Parameters: found, NextToken: next}, err
}

func (c *call) taggedParameter(kind ssmtypes.ResourceTypeForTagging, id *string) (*parameter, error) {
	if kind != ssmtypes.ResourceTypeForTaggingParameter {
		return nil, refuse("InvalidResourceType", "The sandbox tags parameters only, not %s", kind)
	}
	p := c.region.Parameters[deref(id)]
	if p == nil {
		return nil, refuse("InvalidResourceId", "The resource ID \"%s\" is not valid. Verify the ID and try again.", deref(id))
	}
	return p, nil
}

func listParameterTags(c *call, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	p, err := c.taggedParameter(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	out := &ssm.ListTagsForResourceOutput{}
	for _, key := range keys(p.Tags) {
		out.TagList = append(out.TagList, ssmtypes.Tag{Key: new(key), Value: new(p.Tags[key])})
	}
	return out, nil
}

func addParameterTags(c *call, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	p, err := c.taggedParameter(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	after := maps.Clone(p.Tags)
	made(&after)
	for _, tag := range in.Tags {
		after[deref(tag.Key)] = deref(tag.Value)
	}
	p.Tags = after
	return &ssm.AddTagsToResourceOutput{}, nil
}
