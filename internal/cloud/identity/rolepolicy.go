package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// rolePolicies is the driver of stack.RolePolicy. An inline policy has no ID of its own: ours is ROLE/POLICY. It carries no
// tags either; whose it is follows from its role.
type rolePolicies struct{ room }

func policyID(role, name string) string { return role + "/" + name }

func splitPolicyID(id string) (role, name *string, err error) {
	r, n, ok := strings.Cut(id, "/")
	if !ok {
		return nil, nil, fmt.Errorf("%q does not name an inline policy as ROLE/POLICY", id)
	}
	return &r, &n, nil
}

func (d rolePolicies) describe(ctx context.Context, id string) (engine.Found, error) {
	role, name, err := splitPolicyID(id)
	if err != nil {
		return engine.Found{}, err
	}
	_, err = d.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: name})
	return engine.Found{ID: id}, api.Absent(err)
}

// Read implements engine.Driver.
func (d rolePolicies) Read(ctx context.Context, t engine.Target) (engine.Found, error) {
	return d.describe(ctx, t.Record.ID)
}

// List implements engine.Driver.
func (d rolePolicies) List(ctx context.Context, stackID string) ([]engine.Found, error) {
	owners, err := d.ours(ctx, stackID)
	if err != nil {
		return nil, err
	}
	var all []engine.Found
	for _, role := range owners {
		names, err := d.inline(ctx, role.ID)
		if api.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			all = append(all, engine.Found{ID: policyID(role.ID, name), Stack: role.Stack, Name: role.Name, Key: stack.KeyPolicy, Since: role.Since})
		}
	}
	return all, nil
}

// inline lists the names of a role's inline policies.
func (r room) inline(ctx context.Context, role string) ([]string, error) {
	pages := iam.NewListRolePoliciesPaginator(r.iam, &iam.ListRolePoliciesInput{RoleName: &role})
	return api.All(ctx, pages, func(out *iam.ListRolePoliciesOutput) []string { return out.PolicyNames })
}

// written is the document of the policy.
func written(t engine.Target, spec stack.RolePolicy) string {
	return grants{
		partition: partitionOf(t.Need(spec.Role).Attrs[stack.AttrARN]), region: t.Stack.Region, account: t.Stack.Account,
		fileSystem: t.Need(spec.FileSystem).ID, parameter: spec.Parameter,
	}.policy().String()
}

// Create implements engine.Driver.
func (d rolePolicies) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.RolePolicy)
	role := t.Need(spec.Role)
	document := written(t, spec)
	err := api.Known(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role.ID, PolicyName: &spec.Name, PolicyDocument: &document})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return engine.Found{ID: policyID(role.ID, spec.Name)}, nil
}

// Settle implements engine.Driver. A policy is whole when it exists.
func (d rolePolicies) Settle(_ context.Context, t engine.Target) (engine.Found, error) {
	return engine.Found{ID: t.Record.ID}, nil
}

// Delete implements engine.Driver.
func (d rolePolicies) Delete(ctx context.Context, t engine.Target) error {
	role, name, err := splitPolicyID(t.Record.ID)
	if err != nil {
		return err
	}
	err = api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: name})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
