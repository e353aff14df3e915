package identity

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"golang.org/x/crypto/bcrypt"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// IAM is the part of the IAM client that this room uses.
type IAM interface {
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	ListRoles(context.Context, *iam.ListRolesInput, ...func(*iam.Options)) (*iam.ListRolesOutput, error)
	ListRoleTags(context.Context, *iam.ListRoleTagsInput, ...func(*iam.Options)) (*iam.ListRoleTagsOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
	AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput, ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error)
	ListAttachedRolePolicies(context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error)

	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)

	CreateInstanceProfile(context.Context, *iam.CreateInstanceProfileInput, ...func(*iam.Options)) (*iam.CreateInstanceProfileOutput, error)
	GetInstanceProfile(context.Context, *iam.GetInstanceProfileInput, ...func(*iam.Options)) (*iam.GetInstanceProfileOutput, error)
	ListInstanceProfiles(context.Context, *iam.ListInstanceProfilesInput, ...func(*iam.Options)) (*iam.ListInstanceProfilesOutput, error)
	ListInstanceProfilesForRole(context.Context, *iam.ListInstanceProfilesForRoleInput, ...func(*iam.Options)) (*iam.ListInstanceProfilesForRoleOutput, error)
	AddRoleToInstanceProfile(context.Context, *iam.AddRoleToInstanceProfileInput, ...func(*iam.Options)) (*iam.AddRoleToInstanceProfileOutput, error)
	RemoveRoleFromInstanceProfile(context.Context, *iam.RemoveRoleFromInstanceProfileInput, ...func(*iam.Options)) (*iam.RemoveRoleFromInstanceProfileOutput, error)
	DeleteInstanceProfile(context.Context, *iam.DeleteInstanceProfileInput, ...func(*iam.Options)) (*iam.DeleteInstanceProfileOutput, error)
}

// SSM is the part of the Systems Manager client that this room uses.
type SSM interface {
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	DescribeParameters(context.Context, *ssm.DescribeParametersInput, ...func(*ssm.Options)) (*ssm.DescribeParametersOutput, error)
	ListTagsForResource(context.Context, *ssm.ListTagsForResourceInput, ...func(*ssm.Options)) (*ssm.ListTagsForResourceOutput, error)
	DeleteParameter(context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error)
}

// Drivers returns the drivers of this room. hashCost is that of the hash of a generated password, bcrypt's default when zero.
func Drivers(iamClient IAM, ssmClient SSM, clock engine.Clock, hashCost int) map[stack.Kind]engine.Driver {
	r := room{iam: iamClient, ssm: ssmClient, clock: clock, hashCost: cmp.Or(hashCost, bcrypt.DefaultCost)}
	return map[stack.Kind]engine.Driver{
		stack.KindRole:       roles{r},
		stack.KindRolePolicy: rolePolicies{r},
		stack.KindProfile:    profiles{r},
		stack.KindParameter:  parameters{r},
	}
}

// room is what the drivers have in common.
type room struct {
	iam      IAM
	ssm      SSM
	clock    engine.Clock
	hashCost int
}

// path is under what the names of IAM and of Parameter Store list a deployment, or all of them when the ID is empty.
func path(stackID string) string {
	if stackID == "" {
		return "/geusemaker/"
	}
	return stack.Identity{ID: stackID}.IdentityPath()
}

// owned decides whether something that was listed under a deployment's path is ours, by its tags. Lists leave tags out, so
// each is asked for its own; when that is not allowed the path, which nobody else uses, has to do. It reports false for what
// is gone in the meantime, or somebody else's.
func owned(stackID, at, id string, usual stack.Key, since time.Time, tags map[string]string, err error) (engine.Found, bool, error) {
	switch {
	case errors.Is(err, engine.ErrNotFound) || api.IsNotFound(err) || api.Code(err) == "InvalidResourceId": // as Systems Manager says it
		return engine.Found{}, false, nil
	case api.IsDenied(err):
		owner := ownerOf(at)
		return engine.Found{ID: id, Stack: owner, Key: usual, Since: since}, owner != "", nil
	case err != nil:
		return engine.Found{}, false, err
	}
	f := api.Found(id, tags, nil)
	f.Since = since
	return f, api.Owns(stackID, tags), nil
}
