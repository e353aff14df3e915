package sandbox

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type securityGroup struct {
	resource
	VPC         string  `json:"vpc"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Rules       []*rule `json:"rules,omitempty"`
}

// groupText is the character set of group names and of all descriptions (EC2 API reference, CreateSecurityGroup, IpRange).
var groupText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}$`) })

func registerSecurityGroups(all map[string]operation) {
	on(all, serviceEC2, "CreateSecurityGroup", createSecurityGroup)
	on(all, serviceEC2, "DescribeSecurityGroups", describeSecurityGroups)
	on(all, serviceEC2, "DeleteSecurityGroup", deleteSecurityGroup)
	on(all, serviceEC2, "AuthorizeSecurityGroupIngress", authorizeIngress)
	on(all, serviceEC2, "AuthorizeSecurityGroupEgress", authorizeEgress)
	on(all, serviceEC2, "RevokeSecurityGroupIngress", revokeIngress)
	on(all, serviceEC2, "RevokeSecurityGroupEgress", revokeEgress)
	on(all, serviceEC2, "DescribeSecurityGroupRules", describeSecurityGroupRules)
}

func createSecurityGroup(c *call, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, error) {
	name, description := strings.TrimRight(deref(in.GroupName), " "), deref(in.Description)
	if err := checkGroupText(name, description); err != nil {
		return nil, err
	}
	home, err := c.homeVPC(in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := taggedOne(in.TagSpecifications, ec2types.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	for _, other := range c.region.Groups {
		if other.VPC == home.ID && strings.EqualFold(other.Name, name) {
			return nil, refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, home.ID)
		}
	}
	g := &securityGroup{
		resource: c.birth(c.newID("sg"), tags), VPC: home.ID, Name: name, Description: description,
	}
	g.Rules = []*rule{{
		resource: c.birth(c.newID("sgr"), nil), Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0",
	}}
	c.region.Groups[g.ID] = g
	return &ec2.CreateSecurityGroupOutput{
		GroupId: new(g.ID), Tags: ec2Tags(tags), SecurityGroupArn: new(c.arn("ec2", "security-group/"+g.ID)),
	}, nil
}

func checkGroupText(name, description string) error {
	switch {
	case name == "" || !groupText().MatchString(name):
		return refuse("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII "+
			"are not supported.", name)
	case strings.EqualFold(name, "default"):
		return refuse("InvalidGroup.Reserved", "The security group name 'default' is reserved")
	case strings.HasPrefix(name, "sg-"):
		return refuse("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Group names may not be in the "+
			"format sg-*.", name)
	case description == "":
		return refuse("MissingParameter", "The request must contain the parameter GroupDescription")
	case !groupText().MatchString(description):
		return refuse("InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid. Character sets beyond "+
			"ASCII are not supported.", description)
	}
	return nil
}

// homeVPC is the VPC that a call names, or else the default VPC.
func (c *call) homeVPC(id *string) (*vpc, error) {
	if id != nil {
		return find(c, vpcKind, c.region.VPCs, id)
	}
	for _, v := range c.region.VPCs {
		if v.Default {
			return v, nil
		}
	}
	return nil, refuse("VPCIdNotSpecified", "No default VPC for this user")
}

func describeSecurityGroups(c *call, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
	filters := in.Filters
	if len(in.GroupNames) > 0 {
		filters = append(slices.Clone(filters), ec2types.Filter{Name: new("group-name"), Values: in.GroupNames})
	}
	found, next, err := describe(c, groupKind, c.region.Groups, query{in.GroupIds, filters, in.MaxResults, in.NextToken},
		func(g *securityGroup) attributes {
			a := attributes{
				"group-id": {g.ID}, "group-name": {g.Name}, "vpc-id": {g.VPC}, "description": {g.Description},
				"owner-id": {c.state.Account}, "ip-permission.cidr": nil, "ip-permission.group-id": nil,
				"egress.ip-permission.group-id": nil, "egress.ip-permission.cidr": nil,
			}
			for _, r := range g.Rules {
				prefix := ""
				if r.Egress {
					prefix = "egress."
				}
				a[prefix+"ip-permission.cidr"] = append(a[prefix+"ip-permission.cidr"], r.CIDR)
				a[prefix+"ip-permission.group-id"] = append(a[prefix+"ip-permission.group-id"], r.Group)
			}
			return a
		}, c.showGroup)
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: found, NextToken: next}, err
}

func (c *call) showGroup(g *securityGroup) ec2types.SecurityGroup {
	return ec2types.SecurityGroup{
		GroupId: new(g.ID), GroupName: new(g.Name), Description: new(g.Description), VpcId: new(g.VPC),
		OwnerId: new(c.state.Account), Tags: ec2Tags(g.Tags),
		SecurityGroupArn:    new(c.arn("ec2", "security-group/"+g.ID)),
		IpPermissions:       c.permissions(g, false),
		IpPermissionsEgress: c.permissions(g, true),
	}
}

// deleteSecurityGroup is refused while a network interface has the group or a rule of another group names it.
func deleteSecurityGroup(c *call, in *ec2.DeleteSecurityGroupInput) (*ec2.DeleteSecurityGroupOutput, error) {
	g, err := own(groupKind, c.region.Groups, in.GroupId)
	if err != nil {
		return nil, err
	}
	if g.Name == "default" {
		return nil, refuse("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.ID)
	}
	dependent := refuse("DependencyViolation", "resource %s has a dependent object", g.ID)
	for _, i := range c.region.Interfaces {
		if slices.Contains(i.Groups, g.ID) {
			return nil, dependent
		}
	}
	for _, other := range c.region.Groups {
		if other.ID != g.ID && slices.ContainsFunc(other.Rules, func(r *rule) bool { return r.Group == g.ID }) {
			return nil, dependent
		}
	}
	delete(c.region.Groups, g.ID)
	return &ec2.DeleteSecurityGroupOutput{GroupId: new(g.ID), Return: new(true)}, nil
}

// groupsFor finds the groups for a network interface in a VPC, or its default group when none are named.
func (c *call) groupsFor(ids []string, home string) ([]string, error) {
	if len(ids) == 0 {
		for _, g := range c.region.Groups {
			if g.VPC == home && g.Name == "default" {
				return []string{g.ID}, nil
			}
		}
	}
	for _, id := range ids {
		if _, err := find(c, groupKind, c.region.Groups, &id); err != nil {
			return nil, err
		}
	}
	return slices.Clone(ids), nil
}

func (c *call) groupIdentifiers(ids []string) []ec2types.GroupIdentifier {
	var list []ec2types.GroupIdentifier
	for _, id := range ids {
		name := ""
		if g := c.region.Groups[id]; g != nil {
			name = g.Name
		}
		list = append(list, ec2types.GroupIdentifier{GroupId: new(id), GroupName: new(name)})
	}
	return list
}
