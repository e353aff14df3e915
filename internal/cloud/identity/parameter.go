package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// parameters is the driver of stack.Parameter. The ID of a parameter is its name. Its value is written once, when it is
// made, and neither read nor kept here.
type parameters struct{ room }

func (d parameters) describe(ctx context.Context, name string) (engine.Found, error) {
	listed, err := d.named(ctx, name, "Equals")
	if err == nil && len(listed) == 0 {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Found{}, err
	}
	return engine.Found{ID: name, Since: aws.ToTime(listed[0].LastModifiedDate)}, nil
}

// named lists parameters by their name. DescribeParameters shows no values.
func (d parameters) named(ctx context.Context, name, option string) ([]ssmtypes.ParameterMetadata, error) {
	pages := ssm.NewDescribeParametersPaginator(d.ssm, &ssm.DescribeParametersInput{
		ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: new("Name"), Option: &option, Values: []string{name}}},
	})
	return api.All(ctx, pages, func(out *ssm.DescribeParametersOutput) []ssmtypes.ParameterMetadata { return out.Parameters })
}

// Read implements engine.Driver.
func (d parameters) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	return d.describe(ctx, t.Record.ID)
}

// List implements engine.Driver.
func (d parameters) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	listed, err := d.named(ctx, path(stackID), "BeginsWith")
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, one := range listed {
		tags := map[string]string{}
		out, err := d.ssm.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: one.Name})
		if err == nil {
			tags = api.FromSSM(out.TagList)
		}
		name := aws.ToString(one.Name)
		f, ours, err := owned(stackID, name, name, stack.KeySecret, aws.ToTime(one.LastModifiedDate), tags, err)
		if err != nil {
			return nil, err
		}
		if ours {
			all = append(all, f)
		}
	}
	return all, nil
}

// Create implements engine.Driver. It never overwrites: a repetition after a lost answer must not change the secrets that the
// machine may have read already.
func (d parameters) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.Parameter)
	secrets, err := generate(spec.OwnerEmail, d.hashCost)
	if err != nil {
		return engine.Found{}, err
	}
	_, err = d.ssm.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &spec.Name, Value: &secrets, Type: ssmtypes.ParameterTypeSecureString, Tier: ssmtypes.ParameterTierStandard,
		Description: new("Generated secrets of the geusemaker deployment " + t.Stack.Name), Tags: api.SSMTags(t.Tags),
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return engine.Found{ID: spec.Name}, nil
}

// Settle implements engine.Driver. A parameter is whole when it exists.
func (d parameters) Settle(_ context.Context, t engine.Target) (engine.Found, error) {
	return engine.Found{ID: t.Record.ID}, nil
}

// Delete implements engine.Driver.
func (d parameters) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.ssm.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &t.Record.ID})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
