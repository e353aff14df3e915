package sandbox

import (
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// profile is an instance profile: the envelope in which EC2 takes a role.
type profile struct {
	resource
	Name   string    `json:"name"`
	Path   string    `json:"path"`
	Role   string    `json:"role,omitempty"`
	Linked time.Time `json:"linked,omitzero"` // when the role was put in
}

func registerProfiles(all map[string]operation) {
	on(all, serviceIAM, "CreateInstanceProfile", createInstanceProfile)
	on(all, serviceIAM, "GetInstanceProfile", getInstanceProfile)
	on(all, serviceIAM, "ListInstanceProfiles", listInstanceProfiles)
	on(all, serviceIAM, "ListInstanceProfileTags", listInstanceProfileTags)
	on(all, serviceIAM, "ListInstanceProfilesForRole", listInstanceProfilesForRole)
	on(all, serviceIAM, "AddRoleToInstanceProfile", addRoleToInstanceProfile)
	on(all, serviceIAM, "RemoveRoleFromInstanceProfile", removeRoleFromInstanceProfile)
	on(all, serviceIAM, "DeleteInstanceProfile", deleteInstanceProfile)
}

func (c *call) profileARN(p *profile) string {
	return "arn:aws:iam::" + c.state.Account + ":instance-profile" + p.Path + p.Name
}

func createInstanceProfile(c *call, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	name := deref(in.InstanceProfileName)
	if err := checkIAMName("instanceProfileName", name, 128); err != nil {
		return nil, err
	}
	for other := range c.state.Profiles {
		if strings.EqualFold(other, name) {
			return nil, refuse("EntityAlreadyExists", "Instance Profile %s already exists.", name)
		}
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	p := &profile{resource: c.birth("AIPA"+c.upper(17), iamTagMap(in.Tags)), Name: name, Path: path}
	c.state.Profiles[name] = p
	return &iam.CreateInstanceProfileOutput{InstanceProfile: new(c.showProfile(p))}, nil
}

func (c *call) showProfile(p *profile) iamtypes.InstanceProfile {
	shown := iamtypes.InstanceProfile{
		InstanceProfileName: new(p.Name), InstanceProfileId: new(p.ID), Path: new(p.Path), CreateDate: new(p.Born),
		Arn: new(c.profileARN(p)), Tags: iamTags(p.Tags), Roles: []iamtypes.Role{},
	}
	if r := c.state.Roles[p.Role]; r != nil {
		shown.Roles = append(shown.Roles, c.showRole(r))
	}
	return shown
}

// profile finds an instance profile. Reads and dependent calls do not know a new one yet.
func (c *call) profile(name *string, settled bool) (*profile, error) {
	p := c.state.Profiles[deref(name)]
	if p == nil || settled && !p.visible(c.now) {
		return nil, refuse("NoSuchEntity", "Instance Profile %s cannot be found.", deref(name))
	}
	return p, nil
}

func getInstanceProfile(c *call, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	p, err := c.profile(in.InstanceProfileName, true)
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: new(c.showProfile(p))}, nil
}

func listInstanceProfiles(c *call, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	found, truncated, next, err := listed(c.profiles(func(p *profile) bool {
		return strings.HasPrefix(p.Path, deref(in.PathPrefix))
	}), in.MaxItems, in.Marker)
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: found, IsTruncated: truncated, Marker: next}, err
}

// profiles lists the instance profiles that match, without tags as the lists of IAM do.
func (c *call) profiles(match func(*profile) bool) []iamtypes.InstanceProfile {
	var found []iamtypes.InstanceProfile
	for _, name := range keys(c.state.Profiles) {
		if p := c.state.Profiles[name]; p.visible(c.now) && match(p) {
			shown := c.showProfile(p)
			shown.Tags = nil
			found = append(found, shown)
		}
	}
	return found
}

func listInstanceProfileTags(c *call, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	p, err := c.profile(in.InstanceProfileName, true)
	if err != nil {
		return nil, err
	}
	found, truncated, next, err := listed(iamTags(p.Tags), in.MaxItems, in.Marker)
	return &iam.ListInstanceProfileTagsOutput{Tags: found, IsTruncated: truncated, Marker: next}, err
}

func listInstanceProfilesForRole(c *call, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	found, truncated, next, err := listed(c.profiles(func(p *profile) bool { return p.Role == r.Name }), in.MaxItems, in.Marker)
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: found, IsTruncated: truncated, Marker: next}, err
}

// addRoleToInstanceProfile allows one role a profile, and that quota cannot be raised (IAM API reference,
// AddRoleToInstanceProfile).
func addRoleToInstanceProfile(c *call, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	p, err := c.profile(in.InstanceProfileName, true)
	if err != nil {
		return nil, err
	}
	r, err := c.role(in.RoleName, true)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, refuse("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	p.Role, p.Linked = r.Name, c.now
	return &iam.AddRoleToInstanceProfileOutput{}, nil
}

func removeRoleFromInstanceProfile(c *call, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	p, err := c.profile(in.InstanceProfileName, false)
	if err != nil {
		return nil, err
	}
	if p.Role == "" || p.Role != deref(in.RoleName) {
		return nil, refuse("NoSuchEntity", "The role with name %s cannot be found in instance profile %s.", deref(in.RoleName), p.Name)
	}
	p.Role, p.Linked = "", time.Time{}
	return &iam.RemoveRoleFromInstanceProfileOutput{}, nil
}

func deleteInstanceProfile(c *call, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	p, err := c.profile(in.InstanceProfileName, false)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, refuse("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	}
	delete(c.state.Profiles, p.Name)
	return &iam.DeleteInstanceProfileOutput{}, nil
}

// profileForLaunch finds the profile of a launch as EC2 knows it: late, and without its role for some seconds more.
func (c *call) profileForLaunch(wanted *ec2types.IamInstanceProfileSpecification) (string, error) {
	if wanted == nil || wanted.Arn == nil && wanted.Name == nil {
		return "", nil
	}
	var found *profile
	for _, p := range c.state.Profiles {
		if wanted.Name != nil && p.Name == *wanted.Name || wanted.Arn != nil && c.profileARN(p) == *wanted.Arn {
			found = p
		}
	}
	if found == nil || c.now.Before(found.Born.Add(spread)) {
		if wanted.Arn != nil {
			return "", refuse("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.arn is invalid. Invalid IAM "+
				"Instance Profile ARN", *wanted.Arn)
		}
		return "", refuse("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM "+
			"Instance Profile name", *wanted.Name)
	}
	if found.Role == "" || c.now.Before(found.Linked.Add(spread)) {
		return "", refuse("InvalidParameterValue", "IAM Instance Profile \"%s\" has no associated IAM Roles", c.profileARN(found))
	}
	return found.Name, nil
}
