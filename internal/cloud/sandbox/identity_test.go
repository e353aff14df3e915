package sandbox_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func TestRolesComeDownInOrder(t *testing.T) {
	inBubble(t, func(w *world) {
		before := w.account.Dump()
		name, core := new("host"), new("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
		w.profile(*name)
		w.ok(w.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{
			RoleName: name, PolicyName: new("read"), PolicyDocument: new(`{"Statement":[{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}]}`),
		}))
		deleteRole := func() (any, error) { return w.iam.DeleteRole(w.ctx, &iam.DeleteRoleInput{RoleName: name}) }
		deleteProfile := func() (any, error) {
			return w.iam.DeleteInstanceProfile(w.ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
		}
		w.refused("DeleteConflict")(deleteRole())
		w.refused("DeleteConflict")(deleteProfile())
		remove := &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: name}
		w.ok(w.iam.RemoveRoleFromInstanceProfile(w.ctx, remove))
		w.refused("NoSuchEntity")(w.iam.RemoveRoleFromInstanceProfile(w.ctx, remove))
		w.ok(deleteProfile())
		w.refused("DeleteConflict")(deleteRole())
		w.ok(w.iam.DetachRolePolicy(w.ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: core}))
		w.refused("DeleteConflict")(deleteRole())
		w.ok(w.iam.DeleteRolePolicy(w.ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: new("read")}))
		w.ok(deleteRole())
		w.refused("NoSuchEntity")(deleteRole())
		if diff := cmp.Diff(string(before), string(w.account.Dump())); diff != "" {
			w.Errorf("the account is not as before:\n%s", diff)
		}
	})
}

func TestIAMRefusals(t *testing.T) {
	cases := []struct {
		name, code string
		call       func(w *world) (any, error)
	}{
		{"same name in other letters", "EntityAlreadyExists", func(w *world) (any, error) {
			return w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("HOST"), AssumeRolePolicyDocument: new(trust)})
		}},
		{"same profile again", "EntityAlreadyExists", func(w *world) (any, error) {
			return w.iam.CreateInstanceProfile(w.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: new("host")})
		}},
		{"trust that is no policy", "MalformedPolicyDocument", func(w *world) (any, error) {
			return w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("other"), AssumeRolePolicyDocument: new("{")})
		}},
		{"name with a blank", "ValidationError", func(w *world) (any, error) {
			return w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("a b"), AssumeRolePolicyDocument: new(trust)})
		}},
		{"name of 65 characters", "ValidationError", func(w *world) (any, error) {
			return w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new(strings.Repeat("a", 65)), AssumeRolePolicyDocument: new(trust)})
		}},
		{"second role for a profile", "LimitExceeded", func(w *world) (any, error) {
			return w.iam.AddRoleToInstanceProfile(w.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: new("host"), RoleName: new("host")})
		}},
		{"unknown managed policy", "NoSuchEntity", func(w *world) (any, error) {
			return w.iam.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: new("host"), PolicyArn: new("arn:aws:iam::aws:policy/Everything")})
		}},
		{"inline policies of more than 10,240 characters", "LimitExceeded", func(w *world) (any, error) {
			return w.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{
				RoleName: new("host"), PolicyName: new("big"),
				PolicyDocument: new(`{"Statement":[{"Effect":"Allow","Action":"` + strings.Repeat("x", 10240) + `","Resource":"*"}]}`),
			})
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				w.profile("host")
				w.refused(test.code)(test.call(w))
			})
		})
	}
}

func TestIAMReads(t *testing.T) {
	inBubble(t, func(w *world) {
		w.profile("host")
		w.ok(w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{
			RoleName: new("tagged"), AssumeRolePolicyDocument: new(trust), Tags: []iamtypes.Tag{{Key: new("stack"), Value: new("one")}},
		}))
		w.settle()
		role := must(w.iam.GetRole(w.ctx, &iam.GetRoleInput{RoleName: new("tagged")}))(w).Role
		if text, err := url.QueryUnescape(*role.AssumeRolePolicyDocument); err != nil || text != trust || text == *role.AssumeRolePolicyDocument {
			w.Errorf("the trust policy comes URL-encoded, got %s", *role.AssumeRolePolicyDocument)
		}
		roles := must(w.iam.ListRoles(w.ctx, &iam.ListRolesInput{MaxItems: new(int32(1))}))(w)
		if !roles.IsTruncated || len(roles.Roles) != 1 || roles.Roles[0].Tags != nil {
			w.Errorf("list %+v", roles)
		}
		tags := must(w.iam.ListRoleTags(w.ctx, &iam.ListRoleTagsInput{RoleName: new("tagged")}))(w).Tags
		if len(tags) != 1 {
			w.Errorf("tags %v", tags)
		}
		profiles := must(w.iam.ListInstanceProfilesForRole(w.ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: new("host")}))(w).InstanceProfiles
		if len(profiles) != 1 || *profiles[0].Arn != "arn:aws:iam::111122223333:instance-profile/host" {
			w.Errorf("profiles %+v", profiles)
		}
	})
}

func TestParameters(t *testing.T) {
	put := func(w *world, in ssm.PutParameterInput) (any, error) { return w.ssm.PutParameter(w.ctx, &in) }
	secret := ssm.PutParameterInput{Name: new("/geusemaker/demo/secrets"), Value: new("A=1\nB=2"), Type: ssmtypes.ParameterTypeSecureString}
	t.Run("a secret is shown only when asked for", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.ok(put(w, secret))
			closed := must(w.ssm.GetParameter(w.ctx, &ssm.GetParameterInput{Name: secret.Name}))(w).Parameter
			opened := must(w.ssm.GetParameter(w.ctx, &ssm.GetParameterInput{Name: secret.Name, WithDecryption: new(true)}))(w).Parameter
			if strings.Contains(*closed.Value, "A=1") || *opened.Value != "A=1\nB=2" {
				w.Errorf("closed %q, opened %q", *closed.Value, *opened.Value)
			}
			if strings.Contains(string(w.account.Dump()), "A=1") {
				w.Error("the secret lies open in the dump")
			}
		})
	})
	t.Run("overwriting", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.ok(put(w, secret))
			w.refused("ParameterAlreadyExists")(put(w, secret))
			again := secret
			again.Overwrite = new(true)
			w.ok(put(w, again))
			again.Tags = []ssmtypes.Tag{{Key: new("a"), Value: new("b")}}
			w.refused("ValidationException")(put(w, again))
			got := must(w.ssm.GetParameter(w.ctx, &ssm.GetParameterInput{Name: secret.Name}))(w).Parameter
			if got.Version != 2 {
				w.Errorf("version %d", got.Version)
			}
			w.ok(w.ssm.DeleteParameter(w.ctx, &ssm.DeleteParameterInput{Name: secret.Name}))
			w.refused("ParameterNotFound")(w.ssm.DeleteParameter(w.ctx, &ssm.DeleteParameterInput{Name: secret.Name}))
		})
	})
	t.Run("limits", func(t *testing.T) {
		inBubble(t, func(w *world) {
			for name, in := range map[string]ssm.PutParameterInput{
				"4,097 characters":   {Name: new("/a"), Value: new(strings.Repeat("x", 4097)), Type: ssmtypes.ParameterTypeString},
				"8,193 characters":   {Name: new("/a"), Value: new(strings.Repeat("x", 8193)), Type: ssmtypes.ParameterTypeString, Tier: ssmtypes.ParameterTierAdvanced},
				"reserved name":      {Name: new("/SSM/a"), Value: new("x"), Type: ssmtypes.ParameterTypeString},
				"blank in the name":  {Name: new("/a b"), Value: new("x"), Type: ssmtypes.ParameterTypeString},
				"nested parameter":   {Name: new("/a"), Value: new("{{x}}"), Type: ssmtypes.ParameterTypeString},
				"no type":            {Name: new("/a"), Value: new("x")},
				"no leading slash":   {Name: new("a/b"), Value: new("x"), Type: ssmtypes.ParameterTypeString},
				"more than 15 level": {Name: new(strings.Repeat("/a", 16)), Value: new("x"), Type: ssmtypes.ParameterTypeString},
			} {
				if _, err := put(w, in); codeOf(err) != "ValidationException" {
					w.Errorf("%s: %v", name, err)
				}
			}
			w.ok(put(w, ssm.PutParameterInput{
				Name: new("/a"), Value: new(strings.Repeat("x", 8192)), Type: ssmtypes.ParameterTypeString, Tier: ssmtypes.ParameterTierIntelligentTiering,
			}))
		})
	})
	t.Run("finding by path and tag", func(t *testing.T) {
		inBubble(t, func(w *world) {
			tagged := secret
			tagged.Tags = []ssmtypes.Tag{{Key: new("stack"), Value: new("one")}}
			w.ok(put(w, tagged))
			found := must(w.ssm.DescribeParameters(w.ctx, &ssm.DescribeParametersInput{
				ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: new("tag:stack"), Values: []string{"one"}}},
			}))(w).Parameters
			if len(found) != 1 || *found[0].Name != *secret.Name {
				w.Errorf("found %+v", found)
			}
			tags := must(w.ssm.ListTagsForResource(w.ctx, &ssm.ListTagsForResourceInput{
				ResourceId: secret.Name, ResourceType: ssmtypes.ResourceTypeForTaggingParameter,
			}))(w).TagList
			if len(tags) != 1 {
				w.Errorf("tags %v", tags)
			}
			paginator := ssm.NewGetParametersByPathPaginator(w.ssm, &ssm.GetParametersByPathInput{
				Path: new("/aws/service/deeplearning/ami/x86_64/"), Recursive: new(true),
			})
			images, pages := 0, 0
			for paginator.HasMorePages() {
				images += len(must(paginator.NextPage(w.ctx))(w).Parameters)
				pages++
			}
			if images < 15 || pages < 2 {
				w.Errorf("%d Deep Learning images on %d pages", images, pages)
			}
		})
	})
}

func TestARoleNeedsTimeToSpread(t *testing.T) {
	inBubble(t, func(w *world) {
		w.ok(w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: new("host"), AssumeRolePolicyDocument: new(trust)}))
		start, late := time.Now(), false
		for {
			_, err := w.iam.GetRole(w.ctx, &iam.GetRoleInput{RoleName: new("host")})
			if err == nil {
				break
			}
			late = true
		}
		if took := time.Since(start); took > 4*time.Second || !late {
			w.Errorf("known after %v (late: %v)", took, late)
		}
	})
}
