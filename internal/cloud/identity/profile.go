package identity

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// profiles is the driver of stack.Profile. The ID of an instance profile is its name.
type profiles struct{ room }

func (d profiles) describe(ctx context.Context, name string) (iamtypes.InstanceProfile, error) {
	out, err := d.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		return iamtypes.InstanceProfile{}, api.Absent(err)
	}
	return *out.InstanceProfile, nil
}

// Read implements engine.Driver.
func (d profiles) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	p, err := d.describe(ctx, t.Record.ID)
	if err != nil {
		return engine.Found{}, err
	}
	return foundProfile(p, api.FromIAM(p.Tags)), nil
}

func foundProfile(p iamtypes.InstanceProfile, tags map[string]string) engine.Found {
	f := api.Found(aws.ToString(p.InstanceProfileName), tags, map[string]string{stack.AttrARN: aws.ToString(p.Arn)})
	f.Since = aws.ToTime(p.CreateDate)
	return f
}

// List implements engine.Driver.
func (d profiles) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	pages := iam.NewListInstanceProfilesPaginator(d.iam, &iam.ListInstanceProfilesInput{PathPrefix: new(path(stackID))})
	listed, err := api.All(ctx, pages, func(out *iam.ListInstanceProfilesOutput) []iamtypes.InstanceProfile { return out.InstanceProfiles })
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, one := range listed {
		tagged, err := d.describe(ctx, aws.ToString(one.InstanceProfileName)) // a list leaves the tags out
		f, ours, err := owned(stackID, aws.ToString(one.Path), aws.ToString(one.InstanceProfileName), stack.KeyProfile, aws.ToTime(one.CreateDate), api.FromIAM(tagged.Tags), err)
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

// Create implements engine.Driver.
func (d profiles) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Profile)
	out, err := d.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
		InstanceProfileName: &spec.Name, Path: &spec.Path, Tags: api.IAMTags(t.Tags),
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return foundProfile(*out.InstanceProfile, t.Tags), nil
}

// codeFull is the answer to a second role in a profile, be it the same one (IAM API reference, AddRoleToInstanceProfile).
const codeFull = "LimitExceeded"

// Settle implements engine.Driver. It does not wait for EC2 to see the profile, which takes some ten seconds more: the launch
// does, and has other things to do until then.
func (d profiles) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	role := t.Need(t.Spec.(stack.Profile).Role).ID
	err := api.Known(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &t.Record.ID, RoleName: &role})
		return err
	})
	if api.Code(err) == codeFull {
		p, readErr := d.describe(ctx, t.Record.ID)
		if readErr != nil {
			return engine.Found{}, readErr
		}
		if slices.ContainsFunc(p.Roles, func(r iamtypes.Role) bool { return aws.ToString(r.RoleName) == role }) {
			err = nil
		}
	}
	return engine.Found{ID: t.Record.ID}, err
}

// Delete implements engine.Driver. A profile must be empty before it can go (IAM API reference, DeleteInstanceProfile). Only
// the delete call is believed that there is none: reads miss things now and then.
func (d profiles) Delete(ctx context.Context, t engine.Target) error {
	name := &t.Record.ID
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		p, err := d.describe(ctx, *name)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		for _, r := range p.Roles {
			_, err := d.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: r.RoleName})
			if err != nil && !api.IsNotFound(err) {
				return err
			}
		}
		_, err = d.iam.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
