package cli

import (
	"errors"
	"fmt"
	"slices"

	"geusemaker/internal/cloud/permission"
	"geusemaker/internal/stack"
)

// reuseKeys are the keys of the configuration by which a deployment uses what is the user's.
var reuseKeys = []string{"vpc_id", "subnet_id", "security_group_id", "efs_id", "key_pair", "add_missing_rules"}

// flagMountGroup names what no key does: a deploy finds the groups of mount targets by asking AWS, which a policy cannot.
const flagMountGroup = "mount-target-group"

// lentDoc is what of the user's own the policies cover; "" and false where nothing is named.
type lentDoc struct {
	VPCID             string   `json:"vpc_id"`
	SubnetID          string   `json:"subnet_id"`
	SecurityGroupID   string   `json:"security_group_id"`
	EFSID             string   `json:"efs_id"`
	KeyPair           string   `json:"key_pair"`
	AddMissingRules   bool     `json:"add_missing_rules"`
	MountTargetGroups []string `json:"mount_target_groups"`
}

// lentBy is what a configuration reuses, or what speaks against it: all of it at once, and only of these keys.
func lentBy(c stack.Config, mountGroups []string) (lentDoc, error) {
	problems := keyProblems(c, reuseKeys...)
	add := func(key, fix, format string, args ...any) {
		problems = append(problems, &stack.FieldError{Key: key, Problem: fmt.Sprintf(format, args...), Fix: fix, Source: c.SourceOf(key)})
	}
	for _, inside := range []string{c.SubnetID, c.SecurityGroupID} {
		if inside != "" && c.VPCID == "" {
			add("vpc_id", "name it with --vpc-id", "AWS is not asked here, so the VPC of %s is not known", inside)
			break
		}
	}
	if c.AddMissingRules && c.EFSID != "" && c.SecurityGroupID == "" && len(mountGroups) == 0 {
		add("add_missing_rules", "name them with --"+flagMountGroup+"; `geusemaker discover file-systems -o json` lists them",
			"AWS is not asked here, so the security groups of the mount targets of %s are not known", c.EFSID)
	}
	problems = append(problems, checkMountGroups(c, mountGroups)...)
	return lentDoc{
		VPCID: c.VPCID, SubnetID: c.SubnetID, SecurityGroupID: c.SecurityGroupID, EFSID: c.EFSID, KeyPair: c.KeyPair,
		AddMissingRules: c.AddMissingRules, MountTargetGroups: orEmpty(mountGroups),
	}, errors.Join(problems...)
}

// checkMountGroups says what is wrong with --mount-target-group.
func checkMountGroups(c stack.Config, groups []string) []error {
	if len(groups) == 0 {
		return nil
	}
	if c.EFSID == "" || !c.AddMissingRules {
		return []error{usage("--%s: rules are added to the groups of mount targets only with --efs-id and --add-missing-rules", flagMountGroup)}
	}
	var problems []error
	for _, id := range groups {
		one := stack.Config{SecurityGroupID: id}
		for _, p := range keyProblems(one, "security_group_id") {
			if field, ok := errors.AsType[*stack.FieldError](p); ok {
				p = &stack.FieldError{Key: "--" + flagMountGroup, Problem: field.Problem, Fix: field.Fix}
			}
			problems = append(problems, p)
		}
		if id == "" {
			problems = append(problems, usage("--%s: it is empty; name a security group, such as sg-0123456789abcdef0", flagMountGroup))
		}
	}
	return problems
}

// keyProblems are the problems of some keys of a configuration that is no whole one.
func keyProblems(c stack.Config, keys ...string) []error {
	return slices.DeleteFunc(stack.Problems(c.Validate()), func(err error) bool {
		field, ok := errors.AsType[*stack.FieldError](err)
		return ok && !slices.Contains(keys, field.Key)
	})
}

// reuse is the same in the terms of policies.
func (d lentDoc) reuse() permission.Reuse {
	return permission.Reuse{
		VPC: d.VPCID, Subnet: d.SubnetID, Group: d.SecurityGroupID, FileSystem: d.EFSID, KeyPair: d.KeyPair,
		AddRules: d.AddMissingRules, MountGroups: d.MountTargetGroups,
	}
}

// notes tell what the policies do not cover although a deploy with the same keys may need it.
func (d lentDoc) notes(purpose permission.Purpose) []string {
	notes := []string{}
	if purpose == permission.Operate {
		return notes // it touches nothing of the user's
	}
	if d.EFSID != "" && d.VPCID == "" && purpose != permission.Destroy {
		notes = append(notes, fmt.Sprintf("A deployment that uses %s goes into the VPC of its mount targets. If it has any, name that VPC, too, with --vpc-id.", d.EFSID))
	}
	if d.AddMissingRules && d.EFSID != "" && len(d.MountTargetGroups) == 0 {
		notes = append(notes, fmt.Sprintf("Rules that the mount targets of %s lack are not covered. If they lack any, name their security groups with --%s.", d.EFSID, flagMountGroup))
	}
	return notes
}
