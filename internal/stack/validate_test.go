package stack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/stack"
)

func TestValidate(t *testing.T) {
	type dict = map[string]any
	manyTags := dict{}
	for i := range 41 {
		manyTags[fmt.Sprintf("t%d", i)] = "x"
	}
	for _, tt := range []struct {
		name string
		set  dict
		want []string
	}{
		{"defaults", nil, nil},
		{"all that is possible", dict{
			"name": "a1-" + strings.Repeat("b", 27), "region": "us-gov-west-1", "instance_type": "u-6tb1.56xlarge", "ami_id": "ami-01234567",
			"vpc_cidr": "192.168.0.0/24", "allow_cidrs": "my-ip,203.0.113.7/32", "ssh_cidr": "my-ip", "key_pair": "me", "https": "acme", "domain": "ai.example.com",
			"models": "llama3.2:3b,hf.co/a/b:Q4_K_M", "services": "n8n=docker.io/n8nio/n8n:2@sha256:00", "env": "n8n._X1=a=b", "tags": "Cost Centre=a+b/c@d:e.f-g_h",
		}, nil},
		{"tunnel", dict{"access": "tunnel", "allow_cidrs": ""}, nil},
		{"public", dict{"allow_cidrs": "0.0.0.0/0", "public": true}, nil},

		{"short name", dict{"name": "a"}, []string{`name: "a" cannot be the name of a deployment (flag); use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all`}},
		{"long name", dict{"name": strings.Repeat("a", 31)}, []string{`name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" cannot be the name of a deployment (flag); use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all`}},
		{"name that begins with a digit", dict{"name": "1a"}, []string{`name: "1a" cannot be the name of a deployment (flag); use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all`}},
		{"name with a path", dict{"name": "a/../b"}, []string{`name: "a/../b" cannot be the name of a deployment (flag); use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all`}},
		{"region", dict{"region": "frankfurt"}, []string{`region: "frankfurt" is not the name of an AWS region (flag); use a name such as us-east-1 or eu-central-1`}},
		{"region without number", dict{"region": "eu-central-one"}, []string{`region: "eu-central-one" is not the name of an AWS region (flag); use a name such as us-east-1 or eu-central-1`}},
		{"zone", dict{"region": "eu-central-1a"}, []string{`region: "eu-central-1a" is not the name of an AWS region (flag); use a name such as us-east-1 or eu-central-1`}},
		{"no region", dict{"region": ""}, []string{`region: "" is not the name of an AWS region (flag); use a name such as us-east-1 or eu-central-1`}},
		{"image", dict{"ami_id": "ami-xyz"}, []string{`ami_id: "ami-xyz" is not an ID of the form ami-0123456789abcdef0 (flag); copy it from the AWS console`}},
		{"upper-case image", dict{"ami_id": "ami-0123456789ABCDEF0"}, []string{`ami_id: "ami-0123456789ABCDEF0" is not an ID of the form ami-0123456789abcdef0 (flag); copy it from the AWS console`}},
		{"instance type", dict{"instance_type": "big"}, []string{`instance_type: "big" is not an EC2 instance type (flag); use auto or a type such as m7i.large`}},
		{"instance type with two dots", dict{"instance_type": "m7i.large.x"}, []string{`instance_type: "m7i.large.x" is not an EC2 instance type (flag); use auto or a type such as m7i.large`}},

		{"network without a block", dict{"vpc_cidr": "10.0.0.0"}, []string{`vpc_cidr: "10.0.0.0" is not an IPv4 CIDR block (flag); use auto or a block such as 10.20.0.0/16`}},
		{"IPv6 network", dict{"vpc_cidr": "fd00::/16"}, []string{`vpc_cidr: "fd00::/16" is not an IPv4 CIDR block (flag); use auto or a block such as 10.20.0.0/16`}},
		{"large network", dict{"vpc_cidr": "10.0.0.0/15"}, []string{`vpc_cidr: 10.0.0.0/15 is too large (flag); use a block from /16 to /24`}},
		{"small network", dict{"vpc_cidr": "10.0.0.0/25"}, []string{`vpc_cidr: 10.0.0.0/25 is too small (flag); use a block from /16 to /24`}},
		{"network with host bits", dict{"vpc_cidr": "10.0.7.0/16"}, []string{`vpc_cidr: 10.0.7.0/16 has host bits set (flag); did you mean 10.0.0.0/16?`}},
		{"Docker's network", dict{"vpc_cidr": "172.17.9.0/24"}, []string{`vpc_cidr: 172.17.9.0/24 overlaps 172.17.0.0/16, which Docker uses on the machine (flag); use another block`}},

		{"an address", dict{"allow_cidrs": "203.0.113.7"}, []string{`allow_cidrs: "203.0.113.7" is an address, not a CIDR block (flag); did you mean 203.0.113.7/32?`}},
		{"no address", dict{"allow_cidrs": "office"}, []string{`allow_cidrs: "office" is not a CIDR block (flag); use my-ip or a block such as 203.0.113.7/32`}},
		{"host bits", dict{"allow_cidrs": "203.0.113.7/24"}, []string{`allow_cidrs: 203.0.113.7/24 has host bits set (flag); did you mean 203.0.113.0/24?`}},
		{"whole internet", dict{"allow_cidrs": "0.0.0.0/0"}, []string{`allow_cidrs: 0.0.0.0/0 opens the services to the whole internet (flag); name your own addresses, or set public to true`}},
		{"two halves of the internet", dict{"allow_cidrs": "0.0.0.0/1,128.0.0.0/1"}, []string{`allow_cidrs: half of all addresses or more counts as the whole internet, and so much is in 0.0.0.0/1, 128.0.0.0/1 (flag); name your own addresses, or set public to true`}},
		{"two halves that are meant", dict{"allow_cidrs": "0.0.0.0/1,128.0.0.0/1", "public": true}, nil},
		{"SSH from half of the internet", dict{"ssh_cidr": "128.0.0.0/1", "key_pair": "me"}, []string{`ssh_cidr: half of all addresses or more counts as the whole internet, and so much is in 128.0.0.0/1 (flag); name your own addresses, or set public to true`}},
		{"nobody", dict{"allow_cidrs": ""}, []string{`allow_cidrs: nobody could reach the services (flag); name an address range, or set access to tunnel`}},
		{"SSH without key pair", dict{"ssh_cidr": "my-ip"}, []string{`ssh_cidr: SSH needs an EC2 key pair (flag); set key_pair too`}},
		{"SSH from nowhere real", dict{"ssh_cidr": "home", "key_pair": "me"}, []string{`ssh_cidr: "home" is not a CIDR block (flag); use my-ip or a block such as 203.0.113.7/32`}},

		{"acme without domain", dict{"https": "acme"}, []string{`domain: https: acme needs one; set domain to a host name that points to the machine`}},
		{"acme through a tunnel", dict{"https": "acme", "domain": "ai.example.com", "access": "tunnel"}, []string{`https: acme needs a gateway that can be reached (flag); set access to direct, or https to internal`}},
		{"domain without acme", dict{"domain": "ai.example.com"}, []string{`domain: a domain is only used with https: acme (flag); set https to acme`}},
		{"domain", dict{"https": "acme", "domain": "https://ai"}, []string{`domain: "https://ai" is not a host name (flag); use a name such as ai.example.com`}},

		{"host without a name", dict{"https": "acme", "domain": "ai..com"}, []string{`domain: "ai..com" is not a host name (flag); use a name such as ai.example.com`}},
		{"host of hyphens", dict{"https": "acme", "domain": "-.com"}, []string{`domain: "-.com" is not a host name (flag); use a name such as ai.example.com`}},

		{"unknown service", dict{"services": "redis=redis:8", "env": "redis.A=1"}, []string{
			`services: there is no service "redis" (flag); use one of n8n, ollama, qdrant, crawl4ai, postgres, gateway`,
			`env: there is no service "redis" (flag); use one of n8n, ollama, qdrant, crawl4ai, postgres, gateway`,
		}},
		{"image with a space", dict{"services": "n8n=a b"}, []string{`services: n8n: "a b" is not a container image (flag); use an image such as n8nio/n8n:2.42.3`}},
		{"no image", dict{"services": "n8n="}, []string{`services: n8n: "" is not a container image (flag); use an image such as n8nio/n8n:2.42.3`}},
		{"variable", dict{"env": "n8n.1A=x"}, []string{`env: n8n: "1A" cannot be an environment variable (flag); use NAME=value without line breaks`}},
		{"line break", dict{"env": dict{"n8n": dict{"A": "1\nB=2"}}}, []string{`env: n8n: "A" cannot be an environment variable (flag); use NAME=value without line breaks`}},
		{"model", dict{"models": "phi4;rm -rf"}, []string{`models: "phi4;rm -rf" is not the name of a model (flag); use a name such as llama3.2:3b`}},
		{"tag", dict{"tags": "a=b;c"}, []string{`tags: "a" cannot be a tag (flag); use letters, digits, spaces and + - = . _ : / @`}},
		{"tag without a name", dict{"tags": dict{"": "x"}}, []string{`tags: "" cannot be a tag (flag); use letters, digits, spaces and + - = . _ : / @`}},
		{"long tag", dict{"tags": strings.Repeat("k", 128) + "=x"}, []string{`tags: "` + strings.Repeat("k", 128) + `" cannot be a tag (flag); use letters, digits, spaces and + - = . _ : / @`}},
		{"reserved tags", dict{"tags": "AWS:x=1,geusemaker:stack=1"}, []string{`tags: "AWS:x" is reserved (flag); choose another prefix`, `tags: "geusemaker:stack" is reserved (flag); choose another prefix`}},
		{"many tags", dict{"tags": manyTags}, []string{`tags: 41 are too many (flag); use at most 40`}},

		{"tier", dict{"tier": "gpu"}, []string{`tier: "gpu" is not available in this version (flag); use dev`}},
		{"reuse of everything", dict{
			"vpc_id": "vpc-0123456789abcdef0", "subnet_id": "subnet-0123456789abcdef0", "security_group_id": "sg-0123456789abcdef0",
			"efs_id": "fs-0123456789abcdef0", "key_pair": "me", "add_missing_rules": true,
		}, nil},
		{"reuse of what has no ID", dict{"vpc_id": "main", "subnet_id": "subnet-xyz0", "security_group_id": "default", "efs_id": "files"}, []string{
			`vpc_id: "main" is not an ID of the form vpc-0123456789abcdef0 (flag); copy it from the AWS console`,
			`subnet_id: "subnet-xyz0" is not an ID of the form subnet-0123456789abcdef0 (flag); copy it from the AWS console`,
			`security_group_id: "default" is not an ID of the form sg-0123456789abcdef0 (flag); copy it from the AWS console`,
			`efs_id: "files" is not an ID of the form fs-0123456789abcdef0 (flag); copy it from the AWS console`,
		}},
		{"a range for a VPC that exists", dict{"vpc_id": "vpc-0123456789abcdef0", "vpc_cidr": "10.9.0.0/16"}, []string{`vpc_cidr: a VPC that exists has its address range already (flag); leave it out`}},
		{"a range for the VPC of a subnet", dict{"subnet_id": "subnet-0123456789abcdef0", "vpc_cidr": "10.9.0.0/16"}, []string{`vpc_cidr: a VPC that exists has its address range already (flag); leave it out`}},
		{"egress of the user's group", dict{"security_group_id": "sg-0123456789abcdef0", "egress": "restricted"}, []string{
			`egress: the rules of sg-0123456789abcdef0 are yours and are not changed (flag); leave it out; the group's own rules say what the machine may reach`,
		}},
		{"rules to add to nothing", dict{"add_missing_rules": true}, []string{`add_missing_rules: no security group of yours is used (flag); leave it out, or set security_group_id or efs_id`}},
		{"IPv6 callers", dict{"allow_cidrs": "2001:db8::/32"}, []string{
			`allow_cidrs: 2001:db8::/32 is an IPv6 range, and the machine has an IPv4 address only (flag); name the IPv4 range of these callers, such as 203.0.113.7/32, or set access to tunnel`,
		}},
		{"everybody's IPv6", dict{"allow_cidrs": "::/0", "public": true}, []string{
			`allow_cidrs: ::/0 is an IPv6 range, and the machine has an IPv4 address only (flag); name the IPv4 range of these callers, such as 203.0.113.7/32, or set access to tunnel`,
		}},
		{"IPv6 over SSH", dict{"ssh_cidr": "2001:db8::1/128", "key_pair": "me"}, []string{
			`ssh_cidr: 2001:db8::1/128 is an IPv6 range, and the machine has an IPv4 address only (flag); name the IPv4 range of these callers, such as 203.0.113.7/32, or set access to tunnel`,
		}},
		{"everything at once", dict{"name": "A", "region": "x", "vpc_cidr": "y", "allow_cidrs": "z", "tier": "automation"}, []string{
			`name: "A" cannot be the name of a deployment (flag); use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all`,
			`region: "x" is not the name of an AWS region (flag); use a name such as us-east-1 or eu-central-1`,
			`vpc_cidr: "y" is not an IPv4 CIDR block (flag); use auto or a block such as 10.20.0.0/16`,
			`allow_cidrs: "z" is not a CIDR block (flag); use my-ip or a block such as 203.0.113.7/32`,
			`tier: "automation" is not available in this version (flag); use dev`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := goodConfig()
			for key, raw := range tt.set {
				if err := c.Set(key, raw, stack.Source{Kind: "flag"}); err != nil {
					t.Fatal(err)
				}
			}
			err := c.Validate()
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if _, ok := errors.AsType[*stack.FieldError](err); err != nil && !ok {
				t.Errorf("%v is no FieldError", err)
			}
		})
	}
}

func TestNamesOfKMSKeys(t *testing.T) {
	const id, several = "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"
	const arn = "arn:aws:kms:us-west-2:111122223333:"
	fits := func(key string) bool {
		c := goodConfig()
		c.KMSKeyID = key
		return c.Validate() == nil
	}
	for _, key := range []string{
		"", id, strings.ToUpper(id), several, arn + "key/" + id, arn + "key/" + several, "alias/mine", "alias/team/data_1-a", arn + "alias/mine",
		"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/" + id, "arn:aws-cn:kms:cn-north-1:111122223333:alias/mine",
	} {
		if !fits(key) {
			t.Errorf("%q is refused", key)
		}
	}
	for _, key := range []string{
		"mine", "k", "alias/", "alias/with space", "alias/" + strings.Repeat("a", 251), id[1:], id + "0", "1234abcd-12ab-34cd-56ef-1234567890ag", "mrk-1234",
		several + "0", "key/" + id, arn + id, arn + "key/mine", arn + "alias/", "arn:aws:kms:us-west-2:1:key/" + id, "arn:aws:iam::111122223333:role/mine",
		"arn:aws:kms", "arn:aws:s3:us-west-2:111122223333:key/" + id, id + "\n", "alias/mine:1",
	} {
		if fits(key) {
			t.Errorf("%q is taken", key)
		}
	}
}
