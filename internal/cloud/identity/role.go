package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// roles is the driver of stack.Role. The ID of a role is its name.
type roles struct{ room }

func (d roles) describe(ctx context.Context, name string) (iamtypes.Role, error) {
	out, err := d.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return iamtypes.Role{}, api.Absent(err)
	}
	return *out.Role, nil
}

// Read implements engine.Driver.
func (d roles) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	r, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, err
	}
	return foundRole(r, api.FromIAM(r.Tags)), nil
}

func foundRole(r iamtypes.Role, tags map[string]string) engine.Found {
	f := api.Found(aws.ToString(r.RoleName), tags, map[string]string{stack.AttrARN: aws.ToString(r.Arn)})
	f.Since = aws.ToTime(r.CreateDate)
	return f
}

// List implements engine.Driver.
func (d roles) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	return d.ours(ctx, stackID)
}

// ours lists the roles of a deployment, or of all.
func (r room) ours(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := iam.NewListRolesPaginator(r.iam, &iam.ListRolesInput{PathPrefix: new(path(stackID))})
	listed, err := api.All(ctx, pages, func(out *iam.ListRolesOutput) []iamtypes.Role { return out.Roles })
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, one := range listed {
		tags := iam.NewListRoleTagsPaginator(r.iam, &iam.ListRoleTagsInput{RoleName: one.RoleName})
		list, err := api.All(ctx, tags, func(out *iam.ListRoleTagsOutput) []iamtypes.Tag { return out.Tags })
		f, ours, err := owned(stackID, aws.ToString(one.Path), aws.ToString(one.RoleName), stack.KeyRole, aws.ToTime(one.CreateDate), api.FromIAM(list), err)
		if err != nil {
			return nil, err
		}
		if ours {
			f.Attrs = map[string]string{stack.AttrARN: aws.ToString(one.Arn)}
			all = append(all, f)
		}
	}
	return all, nil
}

// trust lets EC2, and nothing else, act as the role.
func trust() string {
	return policy{Version: policyVersion, Statement: []statement{{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]string{"Service": "ec2.amazonaws.com"},
	}}}.String()
}

// Create implements engine.Driver.
func (d roles) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Role)
	out, err := d.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &spec.Name, Path: &spec.Path, AssumeRolePolicyDocument: new(trust()),
		Description: new("The machine of the geusemaker deployment " + t.Stack.Name), Tags: api.IAMTags(t.Tags),
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundRole(*out.Role, t.Tags), nil
}

// Settle implements engine.Driver. Attaching a policy that is attached changes nothing (IAM API reference,
// AttachRolePolicy).
func (d roles) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	for _, name := range t.Spec.(stack.Role).Managed {
		arn := managedARN(partitionOf(t.Record.Attrs[stack.AttrARN]), name)
		err := api.Known(ctx, d.clock, t, func(ctx context.Context) error {
			_, err := d.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &t.Record.ID, PolicyArn: &arn})
			return err
		})
		if err != nil {
			return engine.Found{}, err
		}
	}
	return engine.Found{ID: t.Record.ID}, nil
}

// Delete implements engine.Driver. A role must be bare before it can go (IAM API reference, DeleteRole), so whatever is still
// on it goes first, whoever put it there. Only the delete call is believed that there is no role: reads miss things now and
// then.
func (d roles) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		if err := d.strip(ctx, t.Record.ID); err != nil && !api.IsNotFound(err) {
			return err
		}
		_, err := d.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &t.Record.ID})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}

// strip takes everything off a role.
func (d roles) strip(ctx context.Context, name string) error {
	attached, err := d.attached(ctx, name)
	if err != nil {
		return err
	}
	for _, p := range attached {
		_, err := d.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: p.PolicyArn})
		if err != nil && !api.IsNotFound(err) {
			return err
		}
	}
	inline, err := d.inline(ctx, name)
	if err != nil {
		return err
	}
	for _, p := range inline {
		_, err := d.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &p})
		if err != nil && !api.IsNotFound(err) {
			return err
		}
	}
	holders, err := api.All(ctx, iam.NewListInstanceProfilesForRolePaginator(d.iam, &iam.ListInstanceProfilesForRoleInput{RoleName: &name}),
		func(out *iam.ListInstanceProfilesForRoleOutput) []iamtypes.InstanceProfile {
			return out.InstanceProfiles
		})
	if err != nil {
		return err
	}
	for _, p := range holders {
		_, err := d.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{RoleName: &name, InstanceProfileName: p.InstanceProfileName})
		if err != nil && !api.IsNotFound(err) {
			return err
		}
	}
	return nil
}
