package identity_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/cloud/api/apitest"
	"geusemaker/internal/cloud/identity"
	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

var (
	path    = stack.Identity{ID: "0123456789abcdef"}.IdentityPath()
	role    = stack.Role{Name: "geusemaker-demo-01234567", Path: path, Managed: []string{"AmazonSSMManagedInstanceCore"}}
	policy  = stack.RolePolicy{Name: "geusemaker", Role: stack.KeyRole, FileSystem: stack.KeyFiles, Parameter: path + "stack"}
	profile = stack.Profile{Name: "geusemaker-demo-01234567", Path: path, Role: stack.KeyRole}
	secret  = stack.Parameter{Name: path + "stack", OwnerEmail: "owner@demo.geusemaker.local"}
)

func iamAPI(b *apitest.Bench) *iam.Client { return iam.NewFromConfig(b.Config) }
func ssmAPI(b *apitest.Bench) *ssm.Client { return ssm.NewFromConfig(b.Config) }

func use(b *apitest.Bench) { b.Use(identity.Drivers(iamAPI(b), ssmAPI(b), b.Account.Clock(), 0)) }

// inBubble runs a test with a new bench, where waiting costs nothing.
func inBubble(t *testing.T, test func(b *apitest.Bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := apitest.New(t, 1)
		use(b)
		test(b)
	})
}

func makeFiles(b *apitest.Bench) {
	b.Put(stack.Record{Key: stack.KeyFiles, Kind: stack.KindFileSystem, ID: "fs-0123456789abcdef0"})
}

func makeRole(b *apitest.Bench) {
	makeFiles(b)
	b.Make(stack.KeyRole, role)
}

func TestConformance(t *testing.T) {
	apitest.Conform(t, use, []apitest.Case{
		{Key: stack.KeyRole, Spec: role},
		{Key: stack.KeyPolicy, Spec: policy, Prepare: makeRole},
		{Key: stack.KeyProfile, Spec: profile, Prepare: makeRole},
		{Key: stack.KeySecret, Spec: secret},
	})
}

// On the fresh path each resource takes the calls that change something, and no other but those that meet a lag.
func TestFreshPathTakesNoNeedlessCalls(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeFiles(b)
		for _, step := range []struct {
			key  stack.Key
			spec stack.Spec
			want []string
		}{
			{stack.KeyRole, role, []string{"CreateRole", "AttachRolePolicy"}},
			{stack.KeyPolicy, policy, []string{"PutRolePolicy"}},
			{stack.KeyProfile, profile, []string{"CreateInstanceProfile", "AddRoleToInstanceProfile"}},
			{stack.KeySecret, secret, []string{"PutParameter"}},
		} {
			b.Calls()
			b.Make(step.key, step.spec)
			if got := slices.Compact(b.Calls()); !slices.Equal(got, step.want) {
				t.Errorf("%s took %v, want %v", step.key, got, step.want)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

func TestRoleServesTheMachineOnly(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		b.Make(stack.KeyRole, role)
		time.Sleep(10 * time.Second)
		out, err := iamAPI(b).GetRole(b.Context(), &iam.GetRoleInput{RoleName: &role.Name})
		if err != nil {
			t.Fatal(err)
		}
		trust, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": "ec2.amazonaws.com"}, "Action": []any{"sts:AssumeRole"},
		}}}
		if d := cmp.Diff(want, document(t, trust)); d != "" {
			t.Error(d)
		}
		if *out.Role.Path != path || api.FromIAM(out.Role.Tags)[stack.TagStack] != b.Identity.ID {
			t.Errorf("role %s %v", *out.Role.Path, out.Role.Tags)
		}
		attached, err := iamAPI(b).ListAttachedRolePolicies(b.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &role.Name})
		if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyArn != "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" {
			t.Errorf("attached %v, %v", attached.AttachedPolicies, err)
		}
	})
}

// What the machine may do: exactly its file system and its parameter, and an explicit no to all other parameters.
func TestPolicyAllowsOneFileSystemAndOneParameter(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRole(b)
		b.Make(stack.KeyPolicy, policy)
		time.Sleep(10 * time.Second)
		out, err := iamAPI(b).GetRolePolicy(b.Context(), &iam.GetRolePolicyInput{RoleName: &role.Name, PolicyName: &policy.Name})
		if err != nil {
			t.Fatal(err)
		}
		text, err := url.QueryUnescape(*out.PolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		const files = "arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-0123456789abcdef0"
		ours := "arn:aws:ssm:us-east-1:111122223333:parameter/geusemaker/0123456789abcdef/stack"
		may := evaluator(t, text)
		for _, tt := range []struct {
			action, resource string
			want             string
		}{
			{"elasticfilesystem:ClientMount", files, "Allow"},
			{"elasticfilesystem:ClientWrite", files, "Allow"},
			{"elasticfilesystem:ClientRootAccess", files, "Allow"},
			{"elasticfilesystem:DescribeMountTargets", files, "Allow"},
			{"elasticfilesystem:ClientMount", files + "1", ""},
			{"elasticfilesystem:DeleteFileSystem", files, ""},
			{"ec2:DescribeAvailabilityZones", "*", "Allow"},
			{"ec2:RunInstances", "*", ""},
			{"ssm:GetParameter", ours, "Allow"},
			{"ssm:PutParameter", ours, ""},
			{"ssm:GetParameter", "arn:aws:ssm:us-east-1:111122223333:parameter/geusemaker/fedcba9876543210/stack", "Deny"},
			{"ssm:GetParameters", "arn:aws:ssm:us-east-1:111122223333:parameter/geusemaker/fedcba9876543210/stack", "Deny"},
			{"ssm:GetParameterHistory", "arn:aws:ssm:us-east-1:111122223333:parameter/geusemaker/fedcba9876543210/stack", "Deny"},
			{"ssm:GetParametersByPath", "arn:aws:ssm:us-east-1:111122223333:parameter/geusemaker", "Deny"},
		} {
			if got := may(tt.action, tt.resource); got != tt.want {
				t.Errorf("%s on %s: %q, want %q", tt.action, tt.resource, got, tt.want)
			}
		}
		if !strings.Contains(text, `"elasticfilesystem:AccessedViaMountTarget":"true"`) {
			t.Error("the file system may be used from anywhere")
		}
	})
}

func TestPolicyIsOfTheRolesPartition(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRole(b)
		r := b.Record(stack.KeyRole)
		r.Attrs[stack.AttrARN] = strings.Replace(r.Attrs[stack.AttrARN], "arn:aws:", "arn:aws-cn:", 1)
		b.Put(r)
		b.Make(stack.KeyPolicy, policy)
		time.Sleep(10 * time.Second)
		out, err := iamAPI(b).GetRolePolicy(b.Context(), &iam.GetRolePolicyInput{RoleName: &role.Name, PolicyName: &policy.Name})
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := url.QueryUnescape(*out.PolicyDocument); strings.Contains(text, "arn:aws:") || !strings.Contains(text, "arn:aws-cn:ssm") {
			t.Errorf("policy %s", text)
		}
	})
}

// A role goes with whatever somebody has put on it since.
func TestRoleIsDeletedWithAllThatIsOnIt(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		before := b.Account.Inventory()
		makeRole(b)
		b.Make(stack.KeyPolicy, policy)
		b.Make(stack.KeyProfile, profile)
		time.Sleep(10 * time.Second)
		_, err := iamAPI(b).AttachRolePolicy(b.Context(), &iam.AttachRolePolicyInput{RoleName: &role.Name, PolicyArn: new("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")})
		if err != nil {
			t.Fatal(err)
		}
		b.Delete(stack.KeyRole)
		b.Delete(stack.KeyProfile)
		if d := cmp.Diff(before, b.Account.Inventory()); d != "" {
			t.Error(d)
		}
	})
}

func TestDeletesArePatient(t *testing.T) {
	for _, operation := range []string{"DeleteRole", "DeleteInstanceProfile"} {
		inBubble(t, func(b *apitest.Bench) {
			makeRole(b)
			b.Make(stack.KeyProfile, profile)
			time.Sleep(time.Minute)
			b.Fault(sandbox.Fault{Service: "IAM", Operation: operation, Effect: sandbox.EffectError, Code: "DeleteConflict", Count: 3})
			b.Delete(stack.KeyProfile)
			b.Delete(stack.KeyRole)
			if !b.Absent(stack.KeyRole) || !b.Absent(stack.KeyProfile) {
				t.Error("something is left")
			}
		})
	}
}

func TestProfileHoldsOneRole(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRole(b)
		b.Create(stack.KeyProfile, profile)
		time.Sleep(10 * time.Second)
		other := "other"
		if _, err := iamAPI(b).CreateRole(b.Context(), &iam.CreateRoleInput{
			RoleName:                 &other,
			AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if _, err := iamAPI(b).AddRoleToInstanceProfile(b.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &profile.Name, RoleName: &other}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Drivers[stack.KindProfile].Settle(b.Context(), b.Target(stack.KeyProfile, profile)); api.Code(err) != "LimitExceeded" {
			t.Errorf("settled a profile that holds another role: %v", err)
		}
	})
}

// A name that is taken, or an answer that is lost, leaves open whether the resource is ours: the engine looks.
func TestDoubtfulCreatesAreUnsure(t *testing.T) {
	for key, spec := range map[stack.Key]stack.Spec{stack.KeyRole: role, stack.KeyProfile: profile, stack.KeySecret: secret} {
		inBubble(t, func(b *apitest.Bench) {
			makeFiles(b)
			b.Fault(sandbox.Fault{
				Service: "*", Operation: map[stack.Key]string{stack.KeyRole: "CreateRole", stack.KeyProfile: "CreateInstanceProfile", stack.KeySecret: "PutParameter"}[key],
				Effect: sandbox.EffectLoseReply, Count: 1,
			})
			b.Intend(key, spec.Kind())
			for _, doubt := range []string{"a lost answer", "a taken name"} {
				_, err := b.Drivers[spec.Kind()].Create(b.Context(), b.Target(key, spec))
				if _, unsure := errors.AsType[engine.Unsure](err); !unsure {
					t.Errorf("%s after %s: %v", key, doubt, err)
				}
			}
			if _, ok := b.Listed(spec.Kind(), b.Identity.ID, key); !ok {
				t.Errorf("%s is not found by its tags", key)
			}
		})
	}
}

// What lies under our path but carries none of our tags is somebody else's.
func TestStrangersAreNotListed(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
		if _, err := iamAPI(b).CreateRole(b.Context(), &iam.CreateRoleInput{RoleName: new("mine"), Path: &path, AssumeRolePolicyDocument: &doc}); err != nil {
			t.Fatal(err)
		}
		if _, err := iamAPI(b).CreateInstanceProfile(b.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: new("mine"), Path: &path}); err != nil {
			t.Fatal(err)
		}
		if _, err := ssmAPI(b).PutParameter(b.Context(), &ssm.PutParameterInput{Name: new(path + "mine"), Value: new("x"), Type: ssmtypes.ParameterTypeString}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for kind, d := range b.Drivers {
			for _, id := range []string{"", b.Identity.ID} {
				if all, err := d.List(b.Context(), id); err != nil || len(all) > 0 {
					t.Errorf("%s of %q: %v, %v", kind, id, all, err)
				}
			}
		}
	})
}

// Where tags may not be read, the path tells whose a resource is.
func TestPathTellsTheOwnerWhereTagsAreDenied(t *testing.T) {
	inBubble(t, func(b *apitest.Bench) {
		makeRole(b)
		b.Make(stack.KeyPolicy, policy)
		b.Make(stack.KeyProfile, profile)
		b.Make(stack.KeySecret, secret)
		time.Sleep(10 * time.Second)
		for operation, code := range map[string]string{"ListRoleTags": "AccessDenied", "ListInstanceProfileTags": "AccessDenied", "ListTagsForResource": "AccessDeniedException"} {
			b.Fault(sandbox.Fault{Service: "*", Operation: operation, Effect: sandbox.EffectError, Code: code})
		}
		for kind, key := range map[stack.Kind]stack.Key{
			stack.KindRole: stack.KeyRole, stack.KindRolePolicy: stack.KeyPolicy, stack.KindProfile: stack.KeyProfile, stack.KindParameter: stack.KeySecret,
		} {
			all, err := b.Drivers[kind].List(b.Context(), "")
			if err != nil || len(all) != 1 || all[0].Stack != b.Identity.ID || all[0].Key != key {
				t.Errorf("%s: %+v, %v", kind, all, err)
			}
		}
	})
}

// document reads JSON.
func document(t *testing.T, text string) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

// evaluator decides requests by a policy as IAM does: an explicit no wins, and what nobody allows is not allowed (IAM user
// guide, "Policy evaluation logic"). Conditions are taken as met.
func evaluator(t *testing.T, text string) func(action, resource string) string {
	t.Helper()
	var p struct {
		Statement []struct {
			Effect, Sid                   string
			Action, Resource, NotResource []string
		}
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	matches := func(patterns []string, value string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			expr := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
			return regexp.MustCompile(expr).MatchString(value)
		})
	}
	return func(action, resource string) string {
		verdict := ""
		for _, s := range p.Statement {
			about := matches(s.Resource, resource) || s.NotResource != nil && !matches(s.NotResource, resource)
			if matches(s.Action, action) && about && verdict != "Deny" {
				verdict = s.Effect
			}
		}
		return verdict
	}
}
