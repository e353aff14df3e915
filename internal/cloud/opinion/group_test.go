package opinion

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func groups() []behaviour {
	return []behaviour{
		{
			name: "a group's name is taken once in a VPC, however it is written", source: `EC2 user guide, "Create a security group": names are not case-sensitive`,
			aws:  "InvalidGroup.Duplicate, InvalidGroup.Duplicate",
			moto: "InvalidGroup.Duplicate, accepted",
			why:  "the page says that case does not matter",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				u.group(vpc, "host")
				return each(u.groupCode(vpc, "host", "again"), u.groupCode(vpc, "Host", "again"))
			},
		},
		{
			name: "a group's name may be taken in another VPC", source: "EC2 API reference, CreateSecurityGroup", aws: "accepted",
			see: func(u *user) string {
				u.group(u.vpc("10.0.0.0/16"), "host")
				return u.groupCode(u.vpc("10.1.0.0/16"), "host", "another")
			},
		},
		{
			name: "the name default is reserved", source: errorCodes, aws: "refused",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				_, err := u.ec2.CreateSecurityGroup(u.ctx, &ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: new("default"), Description: new("mine")})
				return refused(err)
			},
		},
		{
			name: "a group's name does not begin like an ID", source: "EC2 API reference, CreateSecurityGroup", aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "the reference forbids sg- at the beginning",
			see:  func(u *user) string { return u.groupCode(u.vpc("10.0.0.0/16"), "sg-mine", "mine") },
		},
		{
			name: "a group's description is of the allowed characters", source: "EC2 API reference, CreateSecurityGroup", aws: "InvalidParameterValue",
			moto: "accepted",
			why:  "the reference lists the characters; an apostrophe is not among them",
			see:  func(u *user) string { return u.groupCode(u.vpc("10.0.0.0/16"), "host", "the machine's <own>") },
		},
		{
			name: "a new group lets everything out and nothing in", source: "EC2 API reference, CreateSecurityGroup", aws: "0 in, 1 out to 0.0.0.0/0",
			see: func(u *user) string {
				id := u.group(u.vpc("10.0.0.0/16"), "host")
				g := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}}))(u).SecurityGroups[0]
				out := g.IpPermissionsEgress
				return fmt.Sprintf("%d in, %d out to %s", len(g.IpPermissions), len(out), *out[0].IpRanges[0].CidrIp)
			},
		},
		{
			name: "a rule that exists refuses the whole request", source: "EC2 API reference, AuthorizeSecurityGroupIngress; " + errorCodes,
			aws:  "accepted, InvalidPermission.Duplicate, 1",
			moto: "accepted, InvalidPermission.Duplicate, 2",
			why:  "a refused request changes nothing; moto adds the rules that came before the one it refuses",
			see: func(u *user) string {
				id := u.group(u.vpc("10.0.0.0/16"), "host")
				return each(u.allow(id, port(443, "203.0.113.0/24")), u.allow(id, port(80, "203.0.113.0/24"), port(443, "203.0.113.0/24")), u.rulesIn(id))
			},
		},
		{
			name: "a rule that does not exist cannot be revoked", source: "EC2 API reference, RevokeSecurityGroupIngress; " + errorCodes,
			aws: "InvalidPermission.NotFound",
			see: func(u *user) string {
				_, err := u.ec2.RevokeSecurityGroupIngress(u.ctx, &ec2.RevokeSecurityGroupIngressInput{
					GroupId: new(u.group(u.vpc("10.0.0.0/16"), "host")), IpPermissions: []ec2types.IpPermission{port(443, "203.0.113.0/24")},
				})
				return code(err)
			},
		},
		{
			name: "host bits of a rule's range are cleared", source: "EC2 API reference, IpRange", aws: "accepted, 203.0.113.0/24",
			moto: "accepted, 203.0.113.77/24",
			why:  "the reference says that the range is brought into its canonical form",
			see: func(u *user) string {
				id := u.group(u.vpc("10.0.0.0/16"), "host")
				made := u.allow(id, port(443, "203.0.113.77/24"))
				g := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}}))(u).SecurityGroups[0]
				return each(made, *g.IpPermissions[0].IpRanges[0].CidrIp)
			},
		},
		{
			name: "a rule's range is a range", source: "EC2 API reference, AuthorizeSecurityGroupIngress", aws: "refused",
			see: func(u *user) string {
				_, err := u.ec2.AuthorizeSecurityGroupIngress(u.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
					GroupId: new(u.group(u.vpc("10.0.0.0/16"), "host")), IpPermissions: []ec2types.IpPermission{port(443, "everywhere")},
				})
				return refused(err)
			},
		},
		{
			name: "a rule names a group that exists", source: errorCodes, aws: "InvalidGroup.NotFound",
			see: func(u *user) string {
				return u.allow(u.group(u.vpc("10.0.0.0/16"), "host"), from(2049, "sg-0123456789abcdef0"))
			},
		},
		{
			name: "a direction of a group has sixty rules at most", source: `VPC user guide, "Amazon VPC quotas"`, aws: "accepted, RulesPerSecurityGroupLimitExceeded",
			see: func(u *user) string {
				id := u.group(u.vpc("10.0.0.0/16"), "host")
				var rules []ec2types.IpPermission
				for n := range int32(60) {
					rules = append(rules, port(1000+n, "203.0.113.0/24"))
				}
				return each(u.allow(id, rules...), u.allow(id, port(2000, "203.0.113.0/24")))
			},
		},
		{
			name: "a group that another group's rule names stays", source: errorCodes, aws: "DependencyViolation",
			moto: "accepted",
			why:  "the list gives this very case as its example",
			see: func(u *user) string {
				vpc := u.vpc("10.0.0.0/16")
				host := u.group(vpc, "host")
				u.allow(u.group(vpc, "files"), from(2049, host))
				return u.deleteGroup(host)
			},
		},
		{
			name: "a group of a machine stays", source: "EC2 API reference, DeleteSecurityGroup", aws: "DependencyViolation",
			moto: "accepted",
			why:  "the reference says that a group in use cannot be deleted",
			see: func(u *user) string {
				n := u.network()
				u.run(u.launch(n))
				return u.deleteGroup(n.group)
			},
		},
		{
			name: "the default group stays", source: errorCodes, aws: "CannotDelete",
			moto: "accepted",
			why:  "the list has a code for this alone",
			see: func(u *user) string {
				found := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{
					Filters: []ec2types.Filter{filter("vpc-id", u.vpc("10.0.0.0/16")), filter("group-name", "default")},
				}))(u)
				return u.deleteGroup(*found.SecurityGroups[0].GroupId)
			},
		},
		{
			name: "rules have IDs by which they are found and revoked", source: "EC2 API reference, RevokeSecurityGroupIngress", aws: "accepted, accepted, 0",
			see: func(u *user) string {
				id := u.group(u.vpc("10.0.0.0/16"), "host")
				made := u.allow(id, port(443, "203.0.113.0/24"))
				found := must(u.ec2.DescribeSecurityGroupRules(u.ctx, &ec2.DescribeSecurityGroupRulesInput{
					Filters: []ec2types.Filter{filter("group-id", id)},
				}))(u)
				for _, r := range found.SecurityGroupRules {
					if !*r.IsEgress {
						_, err := u.ec2.RevokeSecurityGroupIngress(u.ctx, &ec2.RevokeSecurityGroupIngressInput{
							GroupId: &id, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId},
						})
						return each(made, code(err), u.rulesIn(id))
					}
				}
				return "no rule was found"
			},
		},
	}
}

func (u *user) groupCode(vpc, name, description string) string {
	_, err := u.ec2.CreateSecurityGroup(u.ctx, &ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: &description})
	return code(err)
}

func (u *user) deleteGroup(id string) string {
	_, err := u.ec2.DeleteSecurityGroup(u.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
	return code(err)
}

func (u *user) allow(group string, rules ...ec2types.IpPermission) string {
	_, err := u.ec2.AuthorizeSecurityGroupIngress(u.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: rules})
	u.settle()
	return code(err)
}

func (u *user) rulesIn(group string) string {
	u.Helper()
	found := must(u.ec2.DescribeSecurityGroups(u.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}}))(u)
	return fmt.Sprint(len(found.SecurityGroups[0].IpPermissions))
}

func port(number int32, cidr string) ec2types.IpPermission {
	return ec2types.IpPermission{
		IpProtocol: new("tcp"), FromPort: &number, ToPort: &number, IpRanges: []ec2types.IpRange{{CidrIp: &cidr}},
	}
}

func from(number int32, group string) ec2types.IpPermission {
	return ec2types.IpPermission{
		IpProtocol: new("tcp"), FromPort: &number, ToPort: &number, UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &group}},
	}
}
