package identity

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Examine implements engine.Examiner.
func (d roles) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	r, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	tags := api.FromIAM(r.Tags)
	traits := stack.Traits{
		stack.TraitTrust: {stack.Same(api.SameDocument(aws.ToString(r.AssumeRolePolicyDocument), trust()))},
		stack.TraitTags:  stack.TagTrait(tags, t.Tags),
	}
	attached, err := d.attached(ctx, t.Record.ID)
	if err == nil {
		names := []string{}
		for _, p := range attached {
			names = append(names, aws.ToString(p.PolicyName))
		}
		traits[stack.TraitManaged] = names
	}
	return foundRole(r, tags), traits, err
}

// Examine implements engine.Examiner. The other inline policies of the role are what somebody added to this one.
func (d rolePolicies) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	role, name, err := splitPolicyID(t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	out, err := d.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: name})
	if err != nil {
		return engine.Found{}, nil, api.Absent(err)
	}
	traits := stack.Traits{}
	if spec, ok := t.Spec.(stack.RolePolicy); ok {
		traits[stack.TraitPolicy] = []string{stack.Same(api.SameDocument(aws.ToString(out.PolicyDocument), written(t, spec)))}
	}
	inline, err := d.inline(ctx, *role)
	if err == nil {
		traits[stack.TraitInline] = inline
	}
	return engine.Found{ID: t.Record.ID}, traits, err
}

// Examine implements engine.Examiner.
func (d profiles) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	p, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, nil, err
	}
	tags := api.FromIAM(p.Tags)
	holds := []string{}
	for _, r := range p.Roles {
		holds = append(holds, aws.ToString(r.RoleName))
	}
	return foundProfile(p, tags), stack.Traits{
		stack.TraitRole: holds,
		stack.TraitTags: stack.TagTrait(tags, t.Tags),
	}, nil
}

// Examine implements engine.Examiner. The version of a parameter rises with every value that is written; the value itself is
// nobody's business here.
func (d parameters) Examine(ctx context.Context, t engine.Target) (engine.Found, stack.Traits, error) {
	listed, err := d.named(ctx, t.Record.ID, "Equals")
	if err == nil && len(listed) == 0 {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, nil, err
	}
	traits := stack.Traits{stack.TraitVersion: {strconv.FormatInt(listed[0].Version, 10)}}
	out, err := d.ssm.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: &t.Record.ID,
	})
	if err == nil {
		traits[stack.TraitTags] = stack.TagTrait(api.FromSSM(out.TagList), t.Tags)
	}
	return engine.Found{ID: t.Record.ID, Since: aws.ToTime(listed[0].LastModifiedDate)}, traits, err
}

// attached lists the managed policies of a role.
func (r room) attached(ctx context.Context, role string) ([]iamtypes.AttachedPolicy, error) {
	pages := iam.NewListAttachedRolePoliciesPaginator(r.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	return api.All(ctx, pages, func(out *iam.ListAttachedRolePoliciesOutput) []iamtypes.AttachedPolicy { return out.AttachedPolicies })
}
