package sandbox

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

type role struct {
	resource
	Name        string            `json:"name"`
	Path        string            `json:"path"`
	Description string            `json:"description,omitempty"`
	Trust       string            `json:"trust"`
	Attached    []string          `json:"attached,omitempty"` // ARNs of managed policies
	Inline      map[string]string `json:"inline,omitempty"`
}

// spread is how long a role or instance profile needs until other services know it: about ten seconds.
const spread = 10 * time.Second

var iamName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]+$`) })

func registerRoles(all map[string]operation) {
	on(all, serviceIAM, "CreateRole", createRole)
	on(all, serviceIAM, "GetRole", getRole)
	on(all, serviceIAM, "ListRoles", listRoles)
	on(all, serviceIAM, "ListRoleTags", listRoleTags)
	on(all, serviceIAM, "DeleteRole", deleteRole)
	on(all, serviceIAM, "AttachRolePolicy", attachRolePolicy)
	on(all, serviceIAM, "DetachRolePolicy", detachRolePolicy)
	on(all, serviceIAM, "ListAttachedRolePolicies", listAttachedRolePolicies)
	on(all, serviceIAM, "PutRolePolicy", putRolePolicy)
	on(all, serviceIAM, "GetRolePolicy", getRolePolicy)
	on(all, serviceIAM, "ListRolePolicies", listRolePolicies)
	on(all, serviceIAM, "DeleteRolePolicy", deleteRolePolicy)
}

func checkIAMName(kind, name string, longest int) error {
	if len(name) > longest || !iamName().MatchString(name) {
		return refuse("ValidationError", "The specified value for %s is invalid. It must contain only alphanumeric characters "+
			"and/or the following: +=,.@_- and be at most %d long", kind, longest)
	}
	return nil
}

func iamTagMap(tags []iamtypes.Tag) map[string]string {
	m := map[string]string{}
	for _, tag := range tags {
		m[deref(tag.Key)] = deref(tag.Value)
	}
	return m
}

func iamTags(m map[string]string) []iamtypes.Tag {
	tags := make([]iamtypes.Tag, 0, len(m))
	for _, key := range keys(m) {
		tags = append(tags, iamtypes.Tag{Key: new(key), Value: new(m[key])})
	}
	return tags
}

// pathOf reads the path of a role or profile: / unless one is given, which begins and ends with a slash (IAM API reference,
// CreateRole).
func pathOf(path *string) (string, error) {
	switch text := deref(path); {
	case text == "":
		return "/", nil
	case !strings.HasPrefix(text, "/") || !strings.HasSuffix(text, "/") || len(text) > 512:
		return "", refuse("ValidationError", "The specified value for path is invalid. It must begin and end with / and contain "+
			"only alphanumeric characters and/or / characters.")
	default:
		return text, nil
	}
}

// encoded is how IAM returns policy documents: URL-encoded (IAM API reference, GetRole).
func encoded(policy string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(policy), "+", "%20"))
}

func createRole(c *call, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	name := deref(in.RoleName)
	if err := checkIAMName("roleName", name, 64); err != nil {
		return nil, err
	}
	trust := deref(in.AssumeRolePolicyDocument)
	if statements, err := policyStatements(trust); err != nil || len(statements) == 0 {
		return nil, refuse("MalformedPolicyDocument", "This policy contains invalid Json")
	}
	if len(trust) > 2048 {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
	}
	for other := range c.state.Roles {
		if strings.EqualFold(other, name) {
			return nil, refuse("EntityAlreadyExists", "Role with name %s already exists.", name)
		}
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	r := &role{
		resource: c.birth("AROA"+c.upper(17), iamTagMap(in.Tags)), Name: name, Path: path, Trust: trust,
		Description: deref(in.Description),
	}
	c.state.Roles[name] = r
	return &iam.CreateRoleOutput{Role: new(c.showRole(r))}, nil
}

func (c *call) showRole(r *role) iamtypes.Role {
	shown := iamtypes.Role{
		RoleName: new(r.Name), RoleId: new(r.ID), Path: new(r.Path), CreateDate: new(r.Born), MaxSessionDuration: new(int32(3600)),
		Arn:                      new("arn:aws:iam::" + c.state.Account + ":role" + r.Path + r.Name),
		AssumeRolePolicyDocument: encoded(r.Trust), Tags: iamTags(r.Tags),
	}
	if r.Description != "" {
		shown.Description = new(r.Description)
	}
	return shown
}

// role finds a role. Reads and dependent calls do not know a new one yet.
func (c *call) role(name *string, settled bool) (*role, error) {
	r := c.state.Roles[deref(name)]
	if r == nil || settled && !r.visible(c.now) {
		return nil, refuse("NoSuchEntity", "The role with name %s cannot be found.", deref(name))
	}
	return r, nil
}

func getRole(c *call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: new(c.showRole(r))}, nil
}

// listed cuts the page of an IAM list.
func listed[T any](all []T, size *int32, marker *string) (found []T, truncated bool, next *string, err error) {
	found, next, err = page(all, size, marker, 100)
	return found, next != nil, next, err
}

// listRoles leaves tags out (IAM API reference, ListRoles).
func listRoles(c *call, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	var found []iamtypes.Role
	for _, name := range keys(c.state.Roles) {
		r := c.state.Roles[name]
		if r.visible(c.now) && strings.HasPrefix(r.Path, deref(in.PathPrefix)) {
			shown := c.showRole(r)
			shown.Tags = nil
			found = append(found, shown)
		}
	}
	found, truncated, next, err := listed(found, in.MaxItems, in.Marker)
	return &iam.ListRolesOutput{Roles: found, IsTruncated: truncated, Marker: next}, err
}

func listRoleTags(c *call, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	found, truncated, next, err := listed(iamTags(r.Tags), in.MaxItems, in.Marker)
	return &iam.ListRoleTagsOutput{Tags: found, IsTruncated: truncated, Marker: next}, err
}

// deleteRole needs the role empty: no instance profile, no managed and no inline policies (IAM API reference, DeleteRole).
func deleteRole(c *call, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	r, err := c.role(in.RoleName, false)
	if err != nil {
		return nil, err
	}
	for _, p := range c.state.Profiles {
		if p.Role == r.Name {
			return nil, refuse("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
		}
	}
	if len(r.Attached) > 0 {
		return nil, refuse("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	if len(r.Inline) > 0 {
		return nil, refuse("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(c.state.Roles, r.Name)
	return &iam.DeleteRoleOutput{}, nil
}

// managedPolicies are the AWS managed policies that the sandbox knows.
func managedPolicies() []string {
	return []string{
		"AmazonSSMManagedInstanceCore", "AmazonSSMPatchAssociation", "CloudWatchAgentServerPolicy",
		"AmazonEC2ContainerRegistryReadOnly", "AmazonElasticFileSystemClientFullAccess",
		"AmazonElasticFileSystemClientReadWriteAccess", "AmazonS3ReadOnlyAccess",
	}
}

const managedPolicyPrefix = "arn:aws:iam::aws:policy/"

func attachRolePolicy(c *call, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	arn := deref(in.PolicyArn)
	name, isManaged := strings.CutPrefix(arn, managedPolicyPrefix)
	if !isManaged || !slices.Contains(managedPolicies(), name) {
		return nil, refuse("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	if slices.Contains(r.Attached, arn) {
		return &iam.AttachRolePolicyOutput{}, nil
	}
	if len(r.Attached) >= 10 {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
	}
	r.Attached = append(r.Attached, arn)
	return &iam.AttachRolePolicyOutput{}, nil
}

func detachRolePolicy(c *call, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	r, err := c.role(in.RoleName, false)
	if err != nil {
		return nil, err
	}
	index := slices.Index(r.Attached, deref(in.PolicyArn))
	if index < 0 {
		return nil, refuse("NoSuchEntity", "Policy %s was not found.", deref(in.PolicyArn))
	}
	r.Attached = slices.Delete(r.Attached, index, index+1)
	return &iam.DetachRolePolicyOutput{}, nil
}

func listAttachedRolePolicies(c *call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	var found []iamtypes.AttachedPolicy
	for _, arn := range r.Attached {
		found = append(found, iamtypes.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(strings.TrimPrefix(arn, managedPolicyPrefix))})
	}
	found, truncated, next, err := listed(found, in.MaxItems, in.Marker)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: found, IsTruncated: truncated, Marker: next}, err
}

// putRolePolicy adds or replaces an inline policy. All of a role's inline policies together hold at most 10,240 characters
// (IAM user guide, "IAM and AWS STS quotas"; white space does not count).
func putRolePolicy(c *call, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	if err := checkIAMName("policyName", deref(in.PolicyName), 128); err != nil {
		return nil, err
	}
	statements, err := policyStatements(deref(in.PolicyDocument))
	if err != nil || len(statements) == 0 {
		return nil, refuse("MalformedPolicyDocument", "Syntax errors in policy.")
	}
	for _, s := range statements {
		if s.Effect != "Allow" && s.Effect != "Deny" || s.Principal != nil {
			return nil, refuse("MalformedPolicyDocument", "Policy document should not specify a principal, and its effects are Allow or Deny.")
		}
	}
	after := maps.Clone(r.Inline)
	made(&after)
	after[*in.PolicyName] = *in.PolicyDocument
	size := 0
	for _, text := range after {
		size += len(strings.Join(strings.Fields(text), ""))
	}
	if size > 10240 {
		return nil, refuse("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role %s", r.Name)
	}
	r.Inline = after
	return &iam.PutRolePolicyOutput{}, nil
}

func (c *call) inline(roleName, policyName *string, settled bool) (*role, error) {
	r, err := c.role(roleName, settled)
	if err != nil {
		return nil, err
	}
	if _, ok := r.Inline[deref(policyName)]; !ok {
		return nil, refuse("NoSuchEntity", "The role policy with name %s cannot be found.", deref(policyName))
	}
	return r, nil
}

func getRolePolicy(c *call, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := c.inline(in.RoleName, in.PolicyName, true)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{
		RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: encoded(r.Inline[*in.PolicyName]),
	}, nil
}

func listRolePolicies(c *call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	found, truncated, next, err := listed(keys(r.Inline), in.MaxItems, in.Marker)
	return &iam.ListRolePoliciesOutput{PolicyNames: found, IsTruncated: truncated, Marker: next}, err
}

func deleteRolePolicy(c *call, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	r, err := c.inline(in.RoleName, in.PolicyName, false)
	if err != nil {
		return nil, err
	}
	delete(r.Inline, *in.PolicyName)
	return &iam.DeleteRolePolicyOutput{}, nil
}
