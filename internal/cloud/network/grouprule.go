package network

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Names of attributes that only this driver reads.
const (
	attrGroup  = "group"
	attrEgress = "egress"
)

// groupRules is the driver of stack.GroupRule: of rules in groups of the user's, whose other rules it never touches, and of
// rules between groups that name each other.
type groupRules struct {
	room
	reads[ec2types.SecurityGroupRule]
}

// rules reads single rules. Those that came into the world with a group of ours bear its key and are none of these.
func (r room) rules() reads[ec2types.SecurityGroupRule] {
	return reads[ec2types.SecurityGroupRule]{found: foundRule, search: func(ctx context.Context, ids []string, filters ...ec2types.Filter) ([]ec2types.SecurityGroupRule, error) {
		pages := ec2.NewDescribeSecurityGroupRulesPaginator(r.ec2, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: ids, Filters: filters})
		return api.All(ctx, pages, func(out *ec2.DescribeSecurityGroupRulesOutput) []ec2types.SecurityGroupRule {
			return slices.DeleteFunc(out.SecurityGroupRules, func(one ec2types.SecurityGroupRule) bool {
				_, _, key := api.Owner(api.FromEC2(one.Tags))
				return !stack.RuleKey(key)
			})
		})
	}}
}

func foundRule(r ec2types.SecurityGroupRule) engine.Found {
	attrs := map[string]string{attrGroup: aws.ToString(r.GroupId)}
	if aws.ToBool(r.IsEgress) {
		attrs[attrEgress] = "true"
	}
	return api.Found(aws.ToString(r.SecurityGroupRuleId), api.FromEC2(r.Tags), attrs)
}

// Create implements engine.Driver. A rule that is there already makes EC2 refuse the call: it is ours when its tags say so,
// which the engine looks up, and else somebody has added it meanwhile.
func (d groupRules) Create(ctx context.Context, t engine.Target) (engine.Found, error) {
	spec := t.Spec.(stack.GroupRule)
	group := t.Need(spec.Group).ID
	wanted, err := converted([]stack.Rule{spec.Rule}, func(key stack.Key) string { return t.Need(key).ID })
	if err != nil {
		return engine.Found{}, err
	}
	var made []ec2types.SecurityGroupRule
	err = d.known(ctx, t, func(ctx context.Context) (err error) {
		made, err = d.authorize(ctx, group, spec.Rule.Egress, wanted, t.Tags)
		return err
	})
	if err != nil {
		return engine.Found{}, api.CreateError(err)
	}
	if len(made) == 0 {
		return engine.Found{}, engine.Unsure{Err: errors.New("EC2 answered a new rule without its ID")}
	}
	return foundRule(made[0]), nil
}

// authorize adds rules to a group, all in one call.
func (r room) authorize(ctx context.Context, group string, egress bool, rules []rule, tags map[string]string) ([]ec2types.SecurityGroupRule, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	specification := api.TagSpecification(ec2types.ResourceTypeSecurityGroupRule, tags)
	if egress {
		out, err := r.ec2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{
			GroupId: &group, IpPermissions: permissions(rules), TagSpecifications: specification,
		})
		if err != nil {
			return nil, err
		}
		return out.SecurityGroupRules, nil
	}
	out, err := r.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &group, IpPermissions: permissions(rules), TagSpecifications: specification,
	})
	if err != nil {
		return nil, err
	}
	return out.SecurityGroupRules, nil
}

// Settle implements engine.Driver. A rule is whole when it exists.
func (d groupRules) Settle(ctx context.Context, t engine.Target) (engine.Found, error) {
	return engine.Found{ID: t.Record.ID}, nil
}

// Delete implements engine.Driver. It takes this one rule out of its group, by its ID.
func (d groupRules) Delete(ctx context.Context, t engine.Target) error {
	group, ids := t.Record.Attrs[attrGroup], []string{t.Record.ID}
	if group == "" {
		return fmt.Errorf("it is not recorded which security group %s is in", t.Record.ID)
	}
	err := api.Remove(ctx, d.clock, t, func(ctx context.Context) error {
		if t.Record.Attrs[attrEgress] != "" {
			_, err := d.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &group, SecurityGroupRuleIds: ids})
			return err
		}
		_, err := d.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: ids})
		return err
	})
	if err != nil {
		return err
	}
	return api.Gone(ctx, d.clock, t, d.describe)
}
