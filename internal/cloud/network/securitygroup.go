package network

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// securityGroups is the driver of stack.SecurityGroup. A new group lets everything out and nothing in.
type securityGroups struct {
	room
	reads[ec2types.SecurityGroup]
}

func (r room) groups() reads[ec2types.SecurityGroup] {
	return reads[ec2types.SecurityGroup]{found: foundGroup, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.SecurityGroup, error) {
		pages := ec2.NewDescribeSecurityGroupsPaginator(r.ec2, &ec2.DescribeSecurityGroupsInput{GroupIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeSecurityGroupsOutput) []ec2types.SecurityGroup { return out.SecurityGroups })
	}}
}

func foundGroup(g ec2types.SecurityGroup) engine.Found {
	return api.Found(aws.ToString(g.GroupId), api.FromEC2(g.Tags), nil)
}

// Create implements engine.Driver.
func (d securityGroups) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.SecurityGroup)
	var out *ec2.CreateSecurityGroupOutput
	err := d.known(ctx, t, func(ctx context.Context) (err error) {
		out, err = d.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			VpcId: new(t.Need(spec.VPC).ID), GroupName: &spec.Name, Description: new(describable(spec.Description)),
			TagSpecifications: api.TagSpecification(ec2types.ResourceTypeSecurityGroup, api.Named(t.Tags, spec.Name)),
		})
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	return api.Found(aws.ToString(out.GroupId), t.Tags, nil), nil
}

// Settle implements engine.Driver. It adds the rules that the group lacks, those of one direction in one call, since one that
// is there already makes EC2 refuse the whole call (EC2 API reference, AuthorizeSecurityGroupIngress). A group that is to be
// closed loses the rules with which it came into the world and which let everything out. Rules that others added stay.
func (d securityGroups) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.SecurityGroup)
	in, out, err := split(spec.Rules, func(key stack.Key) string { return t.Need(key).ID })
	if err != nil {
		return engine.Found{}, err
	}
	var found engine.Found
	w := api.Wait{Clock: d.clock, For: "the security group " + t.Record.ID + " to take its rules", Budget: api.Propagation, Tell: t.Tell}
	err = w.Until(ctx, func(ctx context.Context) (bool, error) {
		g, err := d.describe(ctx, t.Record.ID)
		if err == nil {
			found = foundGroup(g)
			_, err = d.authorize(ctx, t.Record.ID, false, missing(in, g.IpPermissions), t.Tags)
		}
		if err == nil && spec.Closed {
			err = d.closeUp(ctx, t, g, out)
		}
		if errors.Is(err, engine.ErrNotFound) || api.IsNotFound(err) || api.IsDuplicate(err) {
			return false, nil // what AWS shows lags behind what is
		}
		return err == nil, err
	})
	return found, err
}

// split turns the rules of a spec into those of EC2, by direction.
func split(rules []stack.Rule, id func(stack.Key) string) (in, out []rule, err error) {
	outward := func(r stack.Rule) bool { return r.Egress }
	inward := func(r stack.Rule) bool { return !r.Egress }
	if in, err = converted(slices.DeleteFunc(slices.Clone(rules), outward), id); err != nil {
		return nil, nil, err
	}
	out, err = converted(slices.DeleteFunc(slices.Clone(rules), inward), id)
	return in, out, err
}

// closeUp lets a group let out only what the rules say: first they are added, then what lets everything out goes.
func (d securityGroups) closeUp(ctx context.Context, t engine.Target, g ec2types.SecurityGroup, out []rule) error {
	if _, err := d.authorize(ctx, t.Record.ID, true, missing(out, g.IpPermissionsEgress), t.Tags); err != nil {
		return err
	}
	everything := slices.DeleteFunc(slices.Clone(g.IpPermissionsEgress), func(p ec2types.IpPermission) bool { return aws.ToString(p.IpProtocol) != "-1" })
	if len(everything) == 0 {
		return nil
	}
	_, err := d.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &t.Record.ID, IpPermissions: everything})
	return err
}

// Delete implements engine.Driver. A group that a rule of another group names cannot be deleted; such a rule in a group of
// the same deployment is revoked.
func (d securityGroups) Delete(ctx context.Context, t engine.Target) error {
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		_, err := d.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &t.Record.ID})
		if !api.IsDependency(err) {
			return err
		}
		if revoking := d.revokeReferences(ctx, t); revoking != nil && !api.IsNotFound(revoking) {
			return revoking
		}
		return err // which passes
	})
	if err != nil {
		return d.blocked(ctx, err, filter("group-id", t.Record.ID))
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}

// revokeReferences removes the rules by which other groups of the deployment let this group in.
func (d securityGroups) revokeReferences(ctx context.Context, t engine.Target) error {
	groups, err := d.search(ctx, nil, filter("ip-permission.group-id", t.Record.ID))
	if err != nil {
		return err
	}
	for _, g := range groups {
		references := referring(g.IpPermissions, t.Record.ID)
		if len(references) == 0 || !api.Owns(t.Stack.ID, api.FromEC2(g.Tags)) {
			continue
		}
		_, err := d.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: references})
		if err != nil && !api.IsNotFound(err) {
			return err
		}
	}
	return nil
}
