package cloud_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// examine compares every resource of a deployment with its spec, and returns what differs by key.
func (w *world) examine() map[stack.Key]string {
	w.t.Helper()
	s := w.disk.Clone()
	g, err := stack.Blueprint(s.Identity, s.Config, s.Facts)
	if err != nil {
		w.t.Fatal(err)
	}
	changed := map[stack.Key]string{}
	asks := engine.Engine{Drivers: w.account.Drivers(), Clock: w.account.Clock()}
	for _, n := range g.Nodes {
		seen, err := asks.Examine(w.t.Context(), s, s.Records[n.Key], n.Spec)
		if err != nil {
			w.t.Errorf("%s: %v", n.Key, err)
		}
		for name := range seen.Wanted {
			if _, asked := seen.Traits[name]; !asked && name != stack.TraitTags {
				w.t.Errorf("%s: nobody asks for %q", n.Key, name)
			}
		}
		if changes := seen.Changes(); len(changes) > 0 {
			changed[n.Key] = strings.Join(changes, ", ")
		}
	}
	return changed
}

// console is somebody with the same credentials who changes things by hand.
type console struct {
	w   *world
	ec2 *ec2.Client
	efs *efs.Client
	iam *iam.Client
	ssm *ssm.Client
}

func (c console) id(key stack.Key) *string { return new(c.w.disk.Records[key].ID) }

// did stops the test when a change by hand was refused.
func did[T any](c console, _ T, err error) {
	c.w.t.Helper()
	if err != nil {
		c.w.t.Fatal(err)
	}
}

// TestWhatIsChangedByHandIsSeen changes one thing after the other of a deployment and expects that, and nothing else, to be
// told in words.
func TestWhatIsChangedByHandIsSeen(t *testing.T) {
	world22 := []ec2types.IpPermission{{
		IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), IpRanges: []ec2types.IpRange{{CidrIp: new("0.0.0.0/0")}},
	}}
	off := &ec2types.AttributeBooleanValue{Value: new(false)}
	for _, at := range []struct {
		name   string
		change func(c console)
		want   map[stack.Key]string // keys stand for IDs
	}{
		{"nothing", func(console) {}, map[stack.Key]string{}},
		{"a port is opened", func(c console) {
			out, err := c.ec2.AuthorizeSecurityGroupIngress(c.w.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: c.id(stack.KeyHostGroup), IpPermissions: world22})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyHostGroup: "rules: tcp 22 from 0.0.0.0/0 added"}},
		{"a rule is revoked", func(c console) {
			out, err := c.ec2.RevokeSecurityGroupIngress(c.w.t.Context(), &ec2.RevokeSecurityGroupIngressInput{
				GroupId: c.id(stack.KeyFilesGroup), IpPermissions: []ec2types.IpPermission{{
					IpProtocol: new("tcp"), FromPort: new(int32(2049)), ToPort: new(int32(2049)),
					UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: c.id(stack.KeyHostGroup)}},
				}},
			})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyFilesGroup: "rules: tcp 2049 from access/host removed"}},
		{"the way out is cut", func(c console) {
			out, err := c.ec2.DeleteRoute(c.w.t.Context(), &ec2.DeleteRouteInput{RouteTableId: c.id(stack.KeyRoutes), DestinationCidrBlock: new("0.0.0.0/0")})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyRoutes: "routes: 0.0.0.0/0 through network/gateway removed"}},
		{"addresses are no longer given", func(c console) {
			out, err := c.ec2.ModifySubnetAttribute(c.w.t.Context(), &ec2.ModifySubnetAttributeInput{SubnetId: c.id("network/public-a"), MapPublicIpOnLaunch: off})
			did(c, out, err)
		}, map[stack.Key]string{"network/public-a": "public addresses on → off"}},
		{"DNS names are off", func(c console) {
			out, err := c.ec2.ModifyVpcAttribute(c.w.t.Context(), &ec2.ModifyVpcAttributeInput{VpcId: c.id(stack.KeyVPC), EnableDnsHostnames: off})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyVPC: "DNS names on → off"}},
		{"a volume grows", func(c console) {
			out, err := c.ec2.ModifyVolume(c.w.t.Context(), &ec2.ModifyVolumeInput{VolumeId: c.id(stack.KeyData), Size: new(int32(100))})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyData: "gib 40 → 100"}},
		{"tags go", func(c console) {
			out, err := c.ec2.DeleteTags(c.w.t.Context(), &ec2.DeleteTagsInput{Resources: []string{*c.id(stack.KeyGateway)}, Tags: []ec2types.Tag{{Key: new("team")}}})
			did(c, out, err)
			more, err := c.ec2.CreateTags(c.w.t.Context(), &ec2.CreateTagsInput{Resources: []string{*c.id(stack.KeyVPC)}, Tags: []ec2types.Tag{{Key: new("audited"), Value: new("yes")}}})
			did(c, more, err)
		}, map[stack.Key]string{stack.KeyGateway: "tags: team=ai removed"}},
		{"the machine gets more rights", func(c console) {
			out, err := c.iam.AttachRolePolicy(c.w.t.Context(), &iam.AttachRolePolicyInput{RoleName: c.id(stack.KeyRole), PolicyArn: new("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")})
			did(c, out, err)
			more, err := c.iam.PutRolePolicy(c.w.t.Context(), &iam.PutRolePolicyInput{RoleName: c.id(stack.KeyRole), PolicyName: new("mine"), PolicyDocument: new(allowAll)})
			did(c, more, err)
		}, map[stack.Key]string{
			stack.KeyRole: "managed policies: AmazonS3ReadOnlyAccess added", stack.KeyPolicy: "inline policies: mine added",
		}},
		{"its policy is rewritten", func(c console) {
			out, err := c.iam.PutRolePolicy(c.w.t.Context(), &iam.PutRolePolicyInput{RoleName: c.id(stack.KeyRole), PolicyName: new("geusemaker"), PolicyDocument: new(allowAll)})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyPolicy: "policy as made → changed"}},
		{"the secrets are overwritten", func(c console) {
			out, err := c.ssm.PutParameter(c.w.t.Context(), &ssm.PutParameterInput{Name: c.id(stack.KeySecret), Value: new("{}"), Type: ssmtypes.ParameterTypeSecureString, Overwrite: new(true)})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeySecret: "version 1 → 2"}},
		{"backups are off", func(c console) {
			out, err := c.efs.PutBackupPolicy(c.w.t.Context(), &efs.PutBackupPolicyInput{FileSystemId: c.id(stack.KeyFiles), BackupPolicy: &efstypes.BackupPolicy{Status: efstypes.StatusDisabled}})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyFiles: "automatic backups on → off"}},
		{"clients without TLS are let in", func(c console) {
			out, err := c.efs.PutFileSystemPolicy(c.w.t.Context(), &efs.PutFileSystemPolicyInput{FileSystemId: c.id(stack.KeyFiles), Policy: new(mountAll)})
			did(c, out, err)
		}, map[stack.Key]string{stack.KeyFiles: "policy as made → changed"}},
	} {
		t.Run(at.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if err := w.deploy(t.Context()); err != nil {
					t.Fatal(err)
				}
				config := w.pretend.Config(region)
				c := console{w, ec2.NewFromConfig(config), efs.NewFromConfig(config), iam.NewFromConfig(config), ssm.NewFromConfig(config)}
				at.change(c)
				got := w.examine()
				for key, text := range got {
					for _, r := range w.disk.Records {
						text = strings.ReplaceAll(text, r.ID, string(r.Key))
					}
					got[key] = text
				}
				if diff := cmp.Diff(at.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

const (
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	mountAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"elasticfilesystem:ClientMount"}]}`
)
