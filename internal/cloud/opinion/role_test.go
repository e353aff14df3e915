package opinion

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func roles() []behaviour {
	return []behaviour{
		{
			name: "a role's name is taken once, however it is written", source: "IAM API reference, CreateRole: names are not distinguished by case",
			aws:  "EntityAlreadyExists, EntityAlreadyExists",
			moto: "EntityAlreadyExists, accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				u.role("machine")
				return each(u.roleCode("machine", trust), u.roleCode("Machine", trust))
			},
		},
		{
			name: "a role's trust policy is a policy", source: "IAM API reference, CreateRole", aws: "MalformedPolicyDocument",
			moto: "accepted",
			why:  "the reference has an error for it; moto reads only the policies that a role has of its own",
			see:  func(u *user) string { return u.roleCode("machine", "no policy") },
		},
		{
			name: "a role's name has 64 characters at most", source: "IAM API reference, CreateRole", aws: "ValidationError",
			moto: "accepted",
			why:  "the model says so",
			see:  func(u *user) string { return u.roleCode(strings.Repeat("x", 65), trust) },
		},
		{
			name: "a role's path begins and ends with a slash", source: "IAM API reference, CreateRole", aws: "ValidationError",
			moto: "accepted",
			why:  "the reference says so",
			see: func(u *user) string {
				_, err := u.iam.CreateRole(u.ctx, &iam.CreateRoleInput{RoleName: new("machine"), Path: new("judged"), AssumeRolePolicyDocument: new(trust)})
				return code(err)
			},
		},
		{
			name: "a profile's name is taken once", source: "IAM API reference, CreateInstanceProfile", aws: "EntityAlreadyExists",
			see: func(u *user) string {
				u.profile("envelope")
				_, err := u.iam.CreateInstanceProfile(u.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: new("envelope")})
				return code(err)
			},
		},
		{
			name: "a role's own policy is a policy", source: "IAM API reference, PutRolePolicy", aws: "MalformedPolicyDocument",
			see: func(u *user) string {
				u.role("machine")
				return u.putPolicy("no policy")
			},
		},
		{
			name: "a role with a managed policy stays", source: "IAM API reference, DeleteRole", aws: "DeleteConflict",
			see: func(u *user) string {
				u.done(u.iam.AttachRolePolicy(u.ctx, &iam.AttachRolePolicyInput{RoleName: new(u.role("machine")), PolicyArn: new(core)}))
				return u.deleteRole("machine")
			},
		},
		{
			name: "a role with a policy of its own stays", source: "IAM API reference, DeleteRole", aws: "DeleteConflict",
			see: func(u *user) string {
				u.role("machine")
				u.putPolicy(policy)
				return u.deleteRole("machine")
			},
		},
		{
			name: "a role in a profile stays", source: "IAM API reference, DeleteRole", aws: "DeleteConflict",
			see: func(u *user) string {
				u.profile("envelope", u.role("machine"))
				return u.deleteRole("machine")
			},
		},
		{
			name: "a profile holds one role", source: "IAM API reference, AddRoleToInstanceProfile", aws: "LimitExceeded",
			see: func(u *user) string {
				u.profile("envelope", u.role("machine"))
				_, err := u.iam.AddRoleToInstanceProfile(u.ctx, &iam.AddRoleToInstanceProfileInput{
					InstanceProfileName: new("envelope"), RoleName: new(u.role("other")),
				})
				return code(err)
			},
		},
		{
			name: "a profile with a role stays", source: "IAM API reference, DeleteInstanceProfile", aws: "DeleteConflict",
			see: func(u *user) string {
				u.profile("envelope", u.role("machine"))
				_, err := u.iam.DeleteInstanceProfile(u.ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: new("envelope")})
				return code(err)
			},
		},
		{
			name: "a role that is not in a profile cannot be taken out", source: "IAM API reference, RemoveRoleFromInstanceProfile", aws: "NoSuchEntity",
			moto: "HTTP 500",
			why:  "the reference has an error for it; moto breaks",
			see: func(u *user) string {
				_, err := u.iam.RemoveRoleFromInstanceProfile(u.ctx, &iam.RemoveRoleFromInstanceProfileInput{
					InstanceProfileName: new(u.profile("envelope")), RoleName: new(u.role("machine")),
				})
				return code(err)
			},
		},
		{
			name: "a managed policy is attached twice as once", source: "IAM API reference, AttachRolePolicy", aws: "accepted, accepted, 1",
			see: func(u *user) string {
				in := &iam.AttachRolePolicyInput{RoleName: new(u.role("machine")), PolicyArn: new(core)}
				_, first := u.iam.AttachRolePolicy(u.ctx, in)
				_, second := u.iam.AttachRolePolicy(u.ctx, in)
				u.settle()
				found := must(u.iam.ListAttachedRolePolicies(u.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: in.RoleName}))(u)
				return each(code(first), code(second), fmt.Sprint(len(found.AttachedPolicies)))
			},
		},
		{
			name: "a managed policy that is not attached cannot be detached", source: "IAM API reference, DetachRolePolicy", aws: "NoSuchEntity",
			see: func(u *user) string {
				_, err := u.iam.DetachRolePolicy(u.ctx, &iam.DetachRolePolicyInput{RoleName: new(u.role("machine")), PolicyArn: new(core)})
				return code(err)
			},
		},
		{
			name: "an unknown managed policy cannot be attached", source: "IAM API reference, AttachRolePolicy", aws: "NoSuchEntity",
			see: func(u *user) string {
				_, err := u.iam.AttachRolePolicy(u.ctx, &iam.AttachRolePolicyInput{
					RoleName: new(u.role("machine")), PolicyArn: new("arn:aws:iam::aws:policy/NobodysPolicy"),
				})
				return code(err)
			},
		},
		{
			name: "a role's own policy is replaced", source: "IAM API reference, PutRolePolicy", aws: "accepted, accepted, 1",
			see: func(u *user) string {
				u.role("machine")
				first, second := u.putPolicy(policy), u.putPolicy(policy)
				found := must(u.iam.ListRolePolicies(u.ctx, &iam.ListRolePoliciesInput{RoleName: new("machine")}))(u)
				return each(first, second, fmt.Sprint(len(found.PolicyNames)))
			},
		},
		{
			name: "a role's own policy names no principal", source: `IAM user guide, "Principal": not in an identity-based policy`, aws: "MalformedPolicyDocument",
			see: func(u *user) string {
				u.role("machine")
				return u.putPolicy(trust)
			},
		},
		{
			name: "a role's own policies have 10,240 characters at most", source: `IAM user guide, "IAM and AWS STS quotas"`, aws: "LimitExceeded",
			moto: "accepted",
			why:  "the quota cannot be raised; moto has no quotas",
			see: func(u *user) string {
				u.role("machine")
				return u.putPolicy(strings.Replace(policy, `"*"`, `"arn:aws:s3:::`+strings.Repeat("x", 10300)+`"`, 1))
			},
		},
		{
			name: "policies are answered in URL encoding", source: "IAM API reference, GetRole: RFC 3986", aws: "true, true",
			see: func(u *user) string {
				u.role("machine")
				u.putPolicy(policy)
				of := must(u.iam.GetRole(u.ctx, &iam.GetRoleInput{RoleName: new("machine")}))(u).Role.AssumeRolePolicyDocument
				own := must(u.iam.GetRolePolicy(u.ctx, &iam.GetRolePolicyInput{RoleName: new("machine"), PolicyName: new("own")}))(u).PolicyDocument
				return each(fmt.Sprint(encodes(*of, trust)), fmt.Sprint(encodes(*own, policy)))
			},
		},
		{
			name: "a list of roles tells no tags", source: "IAM API reference, ListRoles", aws: "1, 0",
			see: func(u *user) string {
				u.done(u.iam.CreateRole(u.ctx, &iam.CreateRoleInput{
					RoleName: new("machine"), AssumeRolePolicyDocument: new(trust), Tags: []iamtypes.Tag{{Key: new("color"), Value: new("red")}},
				}))
				one := must(u.iam.GetRole(u.ctx, &iam.GetRoleInput{RoleName: new("machine")}))(u).Role
				for _, r := range must(u.iam.ListRoles(u.ctx, &iam.ListRolesInput{}))(u).Roles {
					if *r.RoleName == "machine" {
						return each(fmt.Sprint(len(one.Tags)), fmt.Sprint(len(r.Tags)))
					}
				}
				return "the role is not listed"
			},
		},
		{
			name: "a list of roles comes in pages", source: "IAM API reference, ListRoles", aws: "2 1",
			see: func(u *user) string {
				for _, name := range []string{"a", "b", "c"} {
					u.done(u.iam.CreateRole(u.ctx, &iam.CreateRoleInput{RoleName: &name, Path: new("/judged/"), AssumeRolePolicyDocument: new(trust)}))
				}
				pages := iam.NewListRolesPaginator(u.iam, &iam.ListRolesInput{PathPrefix: new("/judged/"), MaxItems: new(int32(2))})
				var sizes []string
				for pages.HasMorePages() {
					sizes = append(sizes, fmt.Sprint(len(must(pages.NextPage(u.ctx))(u).Roles)))
				}
				return strings.Join(sizes, " ")
			},
		},
		{
			name: "what IAM does not have cannot be read or deleted", source: "IAM API reference, GetRole, GetInstanceProfile, DeleteRole, DeleteRolePolicy",
			aws: "NoSuchEntity, NoSuchEntity, NoSuchEntity, NoSuchEntity",
			see: func(u *user) string {
				_, role := u.iam.GetRole(u.ctx, &iam.GetRoleInput{RoleName: new("nobody")})
				_, profile := u.iam.GetInstanceProfile(u.ctx, &iam.GetInstanceProfileInput{InstanceProfileName: new("nobody")})
				_, own := u.iam.DeleteRolePolicy(u.ctx, &iam.DeleteRolePolicyInput{RoleName: new(u.role("machine")), PolicyName: new("own")})
				return each(code(role), code(profile), u.deleteRole("nobody"), code(own))
			},
		},
	}
}

func (u *user) roleCode(name, trust string) string {
	_, err := u.iam.CreateRole(u.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	return code(err)
}

func (u *user) deleteRole(name string) string {
	_, err := u.iam.DeleteRole(u.ctx, &iam.DeleteRoleInput{RoleName: &name})
	return code(err)
}

func (u *user) putPolicy(text string) string {
	_, err := u.iam.PutRolePolicy(u.ctx, &iam.PutRolePolicyInput{RoleName: new("machine"), PolicyName: new("own"), PolicyDocument: &text})
	u.settle()
	return code(err)
}

// encodes tells whether an answer is the URL encoding of a text.
func encodes(answer, text string) bool {
	plain, err := url.QueryUnescape(answer)
	return err == nil && answer != text && plain == text
}
