package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Validate checks what can be checked without AWS. All problems are reported at once, each a FieldError.
func (c *Config) Validate() error {
	v := validator{c: c}
	v.name()
	v.region()
	v.ids()
	v.network()
	v.addresses()
	v.reuse()
	v.tls()
	v.services()
	v.tags()
	v.available()
	return errors.Join(v.problems...)
}

type validator struct {
	c        *Config
	problems []error
}

func (v *validator) add(key, fix, format string, args ...any) {
	v.problems = append(v.problems, &FieldError{Key: key, Problem: fmt.Sprintf(format, args...), Fix: fix, Source: v.c.SourceOf(key)})
}

// ValidName reports whether a deployment can have the name.
func ValidName(name string) bool {
	return len(name) >= 2 && len(name) <= 30 && lower(name[0]) && only(name, func(b byte) bool { return lower(b) || digit(b) || b == '-' })
}

func (v *validator) name() {
	if !ValidName(v.c.Name) {
		v.add("name", "use a lower-case letter, then letters, digits and hyphens, 2 to 30 in all", "%q cannot be the name of a deployment", v.c.Name)
	}
}

// ValidateRegion checks the region alone, for what needs no whole configuration.
func (c *Config) ValidateRegion() error {
	v := validator{c: c}
	v.region()
	return errors.Join(v.problems...)
}

// region checks the form only: AWS opens new ones.
func (v *validator) region() {
	parts := strings.Split(v.c.Region, "-")
	ok := len(parts) >= 3 && len(parts[0]) >= 2 && only(parts[len(parts)-1], digit)
	for _, p := range parts[:len(parts)-1] {
		ok = ok && p != "" && only(p, lower)
	}
	if !ok {
		v.add("region", "use a name such as us-east-1 or eu-central-1", "%q is not the name of an AWS region", v.c.Region)
	}
}

func (v *validator) ids() {
	for _, form := range [][2]string{{"vpc_id", "vpc-"}, {"subnet_id", "subnet-"}, {"security_group_id", "sg-"}, {"efs_id", "fs-"}, {"ami_id", "ami-"}} {
		key, prefix := form[0], form[1]
		id := v.c.Text(key)
		hex, ok := strings.CutPrefix(id, prefix)
		if id != "" && (!ok || len(hex) < 8 || len(hex) > 17 || !only(hex, func(b byte) bool { return digit(b) || b >= 'a' && b <= 'f' })) {
			v.add(key, "copy it from the AWS console", "%q is not an ID of the form %s0123456789abcdef0", id, prefix)
		}
	}
	if t := v.c.InstanceType; t != Auto {
		family, size, ok := strings.Cut(t, ".")
		word := func(b byte) bool { return lower(b) || digit(b) || b == '-' }
		if !ok || family == "" || size == "" || !only(family, word) || !only(size, word) {
			v.add("instance_type", "use auto or a type such as m7i.large", "%q is not an EC2 instance type", t)
		}
	}
	if k := v.c.KMSKeyID; k != "" && !validKey(k) {
		v.add("kms_key_id", "use the ID or the ARN of the key, or an alias such as alias/mine", "%q names no KMS key", k)
	}
}

// validKey reports whether a text can name a KMS key in one of the four ways that KMS takes: ID, ARN, alias or ARN of the alias
// (KMS developer guide, "Key identifiers").
func validKey(text string) bool {
	if parts := strings.SplitN(text, ":", 6); parts[0] == "arn" {
		if len(parts) < 6 || !strings.HasPrefix(parts[1], "aws") || parts[2] != "kms" || parts[3] == "" || len(parts[4]) != 12 || !only(parts[4], digit) {
			return false
		}
		id, key := strings.CutPrefix(parts[5], "key/")
		return key && validKeyID(id) || !key && validAlias(parts[5])
	}
	return validKeyID(text) || validAlias(text)
}

func validAlias(text string) bool {
	name, ok := strings.CutPrefix(text, "alias/")
	return ok && len(text) <= 256 && only(name, func(b byte) bool { return lower(b) || upper(b) || digit(b) || strings.IndexByte("/_-", b) >= 0 })
}

// validKeyID knows a UUID, and what keys of several regions have instead.
func validKeyID(id string) bool {
	hex := func(b byte) bool { return digit(b) || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' }
	if several, ok := strings.CutPrefix(id, "mrk-"); ok {
		return len(several) == 32 && only(several, hex)
	}
	groups := strings.Split(id, "-")
	if len(groups) != 5 {
		return false
	}
	for i, size := range []int{8, 4, 4, 4, 12} {
		if len(groups[i]) != size || !only(groups[i], hex) {
			return false
		}
	}
	return true
}

// network checks the range of the VPC. EC2 takes /16 to /28 (VPC user guide, "VPC sizing"); four subnets with room for
// machines need /24. Docker's own bridge uses 172.17.0.0/16.
func (v *validator) network() {
	if v.c.VPCCIDR == Auto {
		return
	}
	p, err := netip.ParsePrefix(v.c.VPCCIDR)
	switch {
	case err != nil || !p.Addr().Is4():
		v.add("vpc_cidr", "use auto or a block such as 10.20.0.0/16", "%q is not an IPv4 CIDR block", v.c.VPCCIDR)
	case p.Bits() < 16 || p.Bits() > 24:
		v.add("vpc_cidr", "use a block from /16 to /24", "%s is too %s", p, map[bool]string{true: "large", false: "small"}[p.Bits() < 16])
	case p != p.Masked():
		v.add("vpc_cidr", "did you mean "+p.Masked().String()+"?", "%s has host bits set", p)
	case p.Overlaps(netip.MustParsePrefix("172.17.0.0/16")):
		v.add("vpc_cidr", "use another block", "%s overlaps 172.17.0.0/16, which Docker uses on the machine", p)
	}
}

func (v *validator) addresses() {
	for _, cidr := range v.c.AllowCIDRs {
		v.ingress("allow_cidrs", cidr)
	}
	v.worldwide("allow_cidrs", v.c.AllowCIDRs)
	if len(v.c.AllowCIDRs) == 0 && v.c.Access == AccessDirect {
		v.add("allow_cidrs", "name an address range, or set access to tunnel", "nobody could reach the services")
	}
	if v.c.SSHCIDR != Nowhere {
		v.ingress("ssh_cidr", v.c.SSHCIDR)
		v.worldwide("ssh_cidr", []string{v.c.SSHCIDR})
		if v.c.KeyPair == "" {
			v.add("ssh_cidr", "set key_pair too", "SSH needs an EC2 key pair")
		}
	}
}

func (v *validator) ingress(key, cidr string) {
	if cidr == MyIP {
		return
	}
	p, err := netip.ParsePrefix(cidr)
	switch {
	case err != nil:
		if a, err := netip.ParseAddr(cidr); err == nil {
			v.add(key, fmt.Sprintf("did you mean %s/%d?", a, a.BitLen()), "%q is an address, not a CIDR block", cidr)
			return
		}
		v.add(key, "use my-ip or a block such as 203.0.113.7/32", "%q is not a CIDR block", cidr)
	case p != p.Masked():
		v.add(key, "did you mean "+p.Masked().String()+"?", "%s has host bits set", p)
	case p.Addr().Is6():
		v.add(key, "name the IPv4 range of these callers, such as 203.0.113.7/32, or set access to tunnel", "%s is an IPv6 range, and the machine has an IPv4 address only", p)
	}
}

// worldwide refuses ranges that count as the whole internet unless it is meant. A range by itself may be harmless, so they
// are judged together.
func (v *validator) worldwide(key string, cidrs []string) {
	if v.c.Public || !Worldwide(cidrs) {
		return
	}
	const fix = "name your own addresses, or set public to true"
	if slices.Contains(cidrs, anywhere) {
		v.add(key, fix, "%s opens the services to the whole internet", anywhere)
		return
	}
	v.add(key, fix, "half of all addresses or more counts as the whole internet, and so much is in %s", strings.Join(cidrs, ", "))
}

// reuse checks that the keys of what is reused do not contradict others. Whether it exists and fits, AWS is asked.
func (v *validator) reuse() {
	c := v.c
	if c.VPCCIDR != Auto && (c.VPCID != "" || c.SubnetID != "" || c.SecurityGroupID != "") {
		v.add("vpc_cidr", "leave it out", "a VPC that exists has its address range already")
	}
	if c.Egress == EgressRestricted && c.SecurityGroupID != "" {
		v.add("egress", "leave it out; the group's own rules say what the machine may reach", "the rules of %s are yours and are not changed", c.SecurityGroupID)
	}
	if c.AddMissingRules && c.SecurityGroupID == "" && c.EFSID == "" {
		v.add("add_missing_rules", "leave it out, or set security_group_id or efs_id", "no security group of yours is used")
	}
}

func (v *validator) tls() {
	if v.c.HTTPS == HTTPSACME && v.c.Access == AccessTunnel {
		v.add("https", "set access to direct, or https to internal", "acme needs a gateway that can be reached")
	}
	switch {
	case v.c.HTTPS == HTTPSACME && v.c.Domain == "":
		v.add("domain", "set domain to a host name that points to the machine", "https: acme needs one")
	case v.c.Domain != "" && v.c.HTTPS != HTTPSACME:
		v.add("domain", "set https to acme", "a domain is only used with https: acme")
	case v.c.Domain != "" && !validHost(v.c.Domain):
		v.add("domain", "use a name such as ai.example.com", "%q is not a host name", v.c.Domain)
	}
}

func (v *validator) services() {
	var known []string
	for _, s := range Services(v.c.HTTPS) {
		known = append(known, s.Name)
	}
	check := func(key, service string) {
		if !slices.Contains(known, service) {
			v.add(key, "use one of "+strings.Join(known, ", "), "there is no service %q", service)
		}
	}
	for _, service := range sortedKeys(v.c.Services) {
		check("services", service)
		if image := v.c.Services[service]; image == "" || strings.ContainsFunc(image, func(r rune) bool { return r <= ' ' || r > '~' }) {
			v.add("services", "use an image such as n8nio/n8n:2.42.3", "%s: %q is not a container image", service, image)
		}
	}
	for _, service := range sortedKeys(v.c.Env) {
		check("env", service)
		for _, name := range sortedKeys(v.c.Env[service]) {
			if !validVariable(name) || strings.ContainsAny(v.c.Env[service][name], "\n\x00") {
				v.add("env", "use NAME=value without line breaks", "%s: %q cannot be an environment variable", service, name)
			}
		}
	}
	for _, m := range v.c.Models {
		if !only(m, func(b byte) bool { return lower(b) || upper(b) || digit(b) || strings.IndexByte("._:/-", b) >= 0 }) {
			v.add("models", "use a name such as llama3.2:3b", "%q is not the name of a model", m)
		}
	}
}

// tags checks AWS's rules for tags (EC2 user guide, "Tag restrictions"); ours take part of the 50 that a resource may have.
func (v *validator) tags() {
	if len(v.c.Tags) > 40 {
		v.add("tags", "use at most 40", "%d are too many", len(v.c.Tags))
	}
	charset := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool {
			return r > '~' || !lower(byte(r)) && !upper(byte(r)) && !digit(byte(r)) && !strings.ContainsRune(" +-=._:/@", r)
		})
	}
	for _, k := range slices.Sorted(maps.Keys(v.c.Tags)) {
		switch {
		case k == "" || len(k) > 127 || len(v.c.Tags[k]) > 256 || !charset(k) || !charset(v.c.Tags[k]):
			v.add("tags", "use letters, digits, spaces and + - = . _ : / @", "%q cannot be a tag", k)
		case strings.HasPrefix(strings.ToLower(k), "aws:") || strings.HasPrefix(k, "geusemaker:"):
			v.add("tags", "choose another prefix", "%q is reserved", k)
		}
	}
}

// available refuses what the keys promise but this version does not do yet, rather than ignoring it.
func (v *validator) available() {
	if v.c.Tier != TierDev {
		v.add("tier", "use dev", "%q is not available in this version", v.c.Tier)
	}
}

// validHost reports whether a name can be a public host name: two labels or more (RFC 1123, section 2.1).
func validHost(name string) bool {
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if len(l) > 63 || l == "" || l[0] == '-' || l[len(l)-1] == '-' || !only(l, func(b byte) bool { return lower(b) || digit(b) || b == '-' }) {
			return false
		}
	}
	return len(labels) > 1 && len(name) <= 253
}

func validVariable(name string) bool {
	return name != "" && !digit(name[0]) && only(name, func(b byte) bool { return lower(b) || upper(b) || digit(b) || b == '_' })
}

func only(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func lower(b byte) bool { return b >= 'a' && b <= 'z' }
func upper(b byte) bool { return b >= 'A' && b <= 'Z' }
func digit(b byte) bool { return b >= '0' && b <= '9' }
