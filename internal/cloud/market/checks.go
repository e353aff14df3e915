package market

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/stack"
)

func info(id, format string, args ...any) Check {
	return Check{ID: id, Level: LevelInfo, Reason: fmt.Sprintf(format, args...)}
}

func warning(id, next, format string, args ...any) Check {
	return Check{ID: id, Level: LevelWarning, Reason: fmt.Sprintf(format, args...), Next: next}
}

// failure is a check that failed with an error, in the words that the error has for people.
func failure(id string, err error) Check {
	check := Check{ID: id, Level: LevelError, Err: err}
	if field, ok := errors.AsType[*stack.FieldError](err); ok {
		plain := *field
		plain.Fix = ""
		check.Reason, check.Next = plain.Error(), field.Fix
		return check
	}
	if missing, ok := errors.AsType[*notPublishedError](err); ok {
		check.Reason, check.Next = missing.what(), missing.fix()
		return check
	}
	message, hints := api.Explain(err)
	check.Reason, check.Next = message, strings.Join(hints, "; ")
	return check
}

// unknown is what could not be found out.
func unknown(id string, err error, consequence string) Check {
	return warning(id, "", "not known (%s); %s", because(err), consequence)
}

// checkOf is the check that an error of a configuration belongs to.
func checkOf(err error) string {
	field, ok := errors.AsType[*stack.FieldError](err)
	if !ok {
		return CheckMachine
	}
	switch field.Key {
	case "region":
		return CheckRegion
	case "os_type", "ami_type", "ami_id", "architecture":
		return CheckImage
	case "allow_cidrs", "ssh_cidr":
		return CheckAddress
	case "vpc_cidr":
		return CheckCIDR
	case "vpc_id":
		return CheckVPC
	case "subnet_id":
		return CheckSubnet
	case "security_group_id":
		return CheckGroup
	case "efs_id":
		return CheckFileSystem
	default:
		return CheckMachine
	}
}

// checks judges the answers. factsErr is why there are no facts.
func (p *preflight) checks(f stack.Facts, factsErr error) []Check {
	if p.callerErr != nil {
		id := CheckCredentials
		if _, closed := errors.AsType[*stack.FieldError](p.callerErr); closed {
			id = CheckRegion
		}
		return []Check{failure(id, p.callerErr)}
	}
	all := []Check{info(CheckCredentials, "account %s, %s", p.account, p.arn), p.checkRegion()}
	all = append(all, p.checkImage(f)...)
	all = append(all, p.checkMachine(f)...)
	all = append(all, p.checkAddress())
	for _, one := range []struct {
		id    string
		check func(stack.Facts) []Check
	}{
		{CheckPermissions, p.checkPermissions},
		{CheckVCPUs, p.checkVCPUs},
		{CheckVPCs, p.checkVPCs},
		{CheckName, p.checkName},
		{CheckCIDR, p.checkCIDR},
		{CheckKeyPair, p.checkKeyPair},
		{CheckFileSystem, p.checkFiles},
		{CheckVPC, p.checkVPC},
		{CheckSubnet, p.checkSubnet},
		{CheckGroup, p.checkGroup},
	} {
		if p.wants(one.id) {
			all = append(all, one.check(f)...)
		} else {
			all = append(all, info(one.id, Skipped))
		}
	}
	if factsErr != nil && !slices.ContainsFunc(all, func(c Check) bool { return c.Level == LevelError }) {
		all = append(all, failure(checkOf(factsErr), factsErr))
	}
	return all
}

func (p *preflight) checkRegion() Check {
	switch {
	case p.survey != nil:
		return info(CheckRegion, "%s is enabled, with %d zones", p.config.Region, len(p.survey.zones))
	default:
		return info(CheckRegion, "%s is enabled", p.config.Region)
	}
}

func (p *preflight) checkImage(f stack.Facts) []Check {
	if p.imageErr != nil {
		return []Check{failure(CheckImage, p.imageErr)}
	}
	all := []Check{info(CheckImage, "%s (%s) for %s", p.image.Name, p.image.ID, p.image.Architecture)}
	return append(all, told(CheckImage, append(slices.Clone(p.ofImage), strangeOwner(p.config, f)...))...)
}

// told are warnings that are among those of the facts.
func told(id string, warnings []string) []Check {
	var all []Check
	for _, w := range warnings {
		all = append(all, Check{ID: id, Level: LevelWarning, Reason: w, Told: true})
	}
	return all
}

func (p *preflight) checkMachine(f stack.Facts) []Check {
	if _, quota := errors.AsType[*QuotaError](p.surveyErr); quota {
		return []Check{info(CheckMachine, "there are machines that fit, but no quota for them")}
	}
	if p.surveyErr != nil {
		id := CheckMachine
		if own := checkOf(p.surveyErr); own != CheckRegion {
			id = own
		}
		return []Check{failure(id, p.surveyErr)}
	}
	all := []Check{}
	if len(f.Offers) > 0 {
		o := f.Offers[0]
		all = append(all, info(CheckMachine, "%s %s in %s at %s an hour first; %d pools in all", o.Type, o.Market, o.Zone, o.Hourly.Format(4), len(f.Offers)))
	}
	return append(all, told(CheckMachine, p.survey.warnings)...)
}

func (p *preflight) checkAddress() Check {
	switch {
	case p.addressErr != nil:
		return failure(CheckAddress, p.addressErr)
	case p.address == "":
		return info(CheckAddress, "your own address is not used")
	default:
		return info(CheckAddress, "the services will be open to %s", p.address)
	}
}

func (p *preflight) checkPermissions(stack.Facts) []Check {
	if p.market.mock {
		return []Check{warning(CheckPermissions, "", "not tried: the endpoint is not one of AWS, and might carry out a dry run")}
	}
	var allowed, open []string
	var all []Check
	for _, d := range p.dryRuns {
		switch {
		case d.err == nil:
			allowed = append(allowed, d.action)
		case deniedInPlace(p.config, d.err):
			open = append(open, d.action)
		case api.IsDenied(d.err):
			all = append(all, failure(CheckPermissions, d.err))
		case refusedElsewhere(d.err):
			open = append(open, d.action)
		default:
			all = append(all, unknown(CheckPermissions, d.err, "whether "+d.action+" is allowed will show"))
		}
	}
	if len(allowed) > 0 {
		all = append([]Check{info(CheckPermissions, "allowed: %s; of IAM, EFS and SSM only the real call can tell", strings.Join(allowed, ", "))}, all...)
	}
	if len(open) > 0 {
		all = append(all, info(CheckPermissions, "not known before there is a network: %s", strings.Join(open, ", ")))
	}
	return all
}

// checkVCPUs says how much of the quotas is left, by the market that would be tried.
func (p *preflight) checkVCPUs(f stack.Facts) []Check {
	if quota, ok := errors.AsType[*QuotaError](p.surveyErr); ok {
		check := failure(CheckVCPUs, quota)
		check.Reason = quota.Error()
		return []Check{check}
	}
	if p.survey == nil {
		return nil
	}
	var all []Check
	if p.fleetErr != nil {
		all = append(all, unknown(CheckVCPUs, p.fleetErr, "how many vCPUs are in use will show at the launch"))
	}
	seen := map[string]bool{}
	for _, o := range f.Offers {
		b, known := bucketOf(machineType{name: o.Type})
		limit, asked := p.survey.limits[b.code(o.Market)]
		if !known || !asked || seen[b.code(o.Market)] {
			continue
		}
		seen[b.code(o.Market)] = true
		all = append(all, info(CheckVCPUs, "%s: %d of %d vCPUs of %s in use, %s takes %d", o.Market, p.survey.used[b.code(o.Market)], limit, b.name, o.Type, o.VCPUs))
	}
	if len(all) == 0 {
		all = append(all, Check{ID: CheckVCPUs, Level: LevelWarning, Reason: "not known; the launch will tell whether the quotas suffice", Told: true})
	}
	return all
}

func (p *preflight) checkVPCs(stack.Facts) []Check {
	switch {
	case inNetwork(p.config):
		return []Check{info(CheckVPCs, "not needed: yours is used")}
	case p.vpcsErr != nil || !p.net.known:
		if p.vpcsErr != nil {
			return []Check{unknown(CheckVPCs, p.vpcsErr, "whether the region can hold another VPC will show")}
		}
		return []Check{warning(CheckVPCs, "", "not known how many VPCs there are; whether the region can hold another will show")}
	case p.net.vpcs >= p.vpcs:
		check := failure(CheckVPCs, &fullError{have: p.net.vpcs, limit: p.vpcs})
		check.Reason = check.Err.Error()
		check.Next = "delete a VPC, or ask for more: " + quotaPage("vpc", vpcQuota)
		return []Check{check}
	default:
		return []Check{info(CheckVPCs, "%d of %d VPCs in use", p.net.vpcs, p.vpcs)}
	}
}

// checkName looks for living resources with the same name. Their deployment has another ID, so nothing would be mixed up;
// but whoever deploys twice under one name probably lost the record of the first.
func (p *preflight) checkName(stack.Facts) []Check {
	name := p.config.Name
	if name == "" {
		return []Check{info(CheckName, "no name to look for")}
	}
	ids := slices.Clone(p.net.stacks[name])
	for _, id := range p.fleet.stacks[name] {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) > 0:
		return []Check{warning(CheckName, fmt.Sprintf("`geusemaker recover %s` takes it over, `geusemaker orphans` shows it; or choose another name", name),
			"the account holds another deployment called %s (ID %s) that this computer does not know", name, strings.Join(ids, ", "))}
	case !p.net.known:
		return []Check{warning(CheckName, "", "not known whether %s is taken in the account", name)}
	default:
		return []Check{info(CheckName, "%s is free", name)}
	}
}

func (p *preflight) checkCIDR(f stack.Facts) []Check {
	if inNetwork(p.config) || !f.Reuse.Own() {
		return []Check{info(CheckCIDR, "not needed: your VPC is used")}
	}
	cidr, err := p.net.vpcCIDR(p.config)
	if err != nil {
		return []Check{failure(CheckCIDR, err)}
	}
	block, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil
	}
	other := p.net.overlaps(block)
	switch {
	case other != nil:
		return []Check{warning(CheckCIDR, "set vpc_cidr to auto, or to a free block", "vpc_cidr %s overlaps %s of %s: the two could not be peered", block, other.block, other.by)}
	case !p.net.known:
		return told(CheckCIDR, p.ofNetwork)
	default:
		return []Check{info(CheckCIDR, "%s is free", block)}
	}
}

func (p *preflight) checkKeyPair(stack.Facts) []Check {
	wanted := p.config.KeyPair
	switch {
	case wanted == "":
		return []Check{info(CheckKeyPair, "none is used")}
	case p.keysErr != nil:
		return []Check{unknown(CheckKeyPair, p.keysErr, "whether "+wanted+" exists will show")}
	case slices.Contains(p.keys, wanted):
		return []Check{info(CheckKeyPair, "%s exists", wanted)}
	}
	e := &stack.FieldError{
		Key: "key_pair", Source: p.config.SourceOf("key_pair"), Problem: fmt.Sprintf("there is no key pair %q in %s", wanted, p.config.Region),
		Fix: "make one with `aws ec2 create-key-pair --region " + p.config.Region + " --key-name " + wanted + "`, or leave the key out: `geusemaker connect` needs none",
	}
	if near := stack.Nearest(wanted, p.keys); near != "" {
		e.Fix = fmt.Sprintf("did you mean %q? Or ", near) + e.Fix
	}
	return []Check{failure(CheckKeyPair, e)}
}

func (p *preflight) checkFiles(f stack.Facts) []Check {
	if problems := p.reused(CheckFileSystem, f.Reuse.Files.ID); f.Reuse.Files.ID != "" || problems[0].Level == LevelError {
		return problems
	}
	switch err := p.filesErr; {
	case err == nil:
		return []Check{info(CheckFileSystem, "EFS is offered in %s", p.config.Region)}
	case api.IsDenied(err):
		return []Check{failure(CheckFileSystem, err)}
	default:
		return []Check{unknown(CheckFileSystem, err, "whether "+p.config.Region+" offers EFS will show")}
	}
}

// reused is the check of something that is reused: what stands against it, or that it fits, with what is worth knowing.
func (p *preflight) reused(id, what string) []Check {
	var all []Check
	for _, one := range p.reuse.problems {
		if one.check == id {
			all = append(all, failure(id, one.err))
		}
	}
	switch {
	case len(all) > 0:
		return all
	case what == "":
		return []Check{info(id, "a new one is made")}
	case p.regionErr != nil:
		return []Check{failure(id, p.regionErr)}
	}
	reasons := []string{what + " fits"}
	for _, note := range p.reuse.notes {
		if rest, ofIt := strings.CutPrefix(note, what+" "); ofIt {
			reasons = append(reasons, "it "+rest)
		}
	}
	return []Check{info(id, "%s", strings.Join(reasons, "; "))}
}

func (p *preflight) checkVPC(f stack.Facts) []Check { return p.reused(CheckVPC, f.Reuse.VPC.ID) }

func (p *preflight) checkGroup(f stack.Facts) []Check { return p.reused(CheckGroup, f.Reuse.Group) }

func (p *preflight) checkSubnet(f stack.Facts) []Check {
	all := p.reused(CheckSubnet, p.config.SubnetID)
	if p.config.SubnetID == "" && len(f.Reuse.Subnets) > 0 && all[0].Level == LevelInfo {
		var chosen []string
		for _, s := range f.Reuse.Subnets {
			chosen = append(chosen, s.ID+" in "+s.Zone)
		}
		return []Check{info(CheckSubnet, "%s fit", strings.Join(chosen, " and "))}
	}
	return all
}

// fullError says that the region holds as many VPCs as the account may have. It answers like the error that the creation
// would have met.
type fullError struct{ have, limit int }

func (e *fullError) Error() string {
	return fmt.Sprintf("the region holds %d VPCs, and the account's quota is %d", e.have, e.limit)
}

var _ smithy.APIError = (*fullError)(nil)

// ErrorCode implements smithy.APIError with the code of CreateVpc.
func (e *fullError) ErrorCode() string { return "VpcLimitExceeded" }

// ErrorMessage implements smithy.APIError.
func (e *fullError) ErrorMessage() string { return e.Error() }

// ErrorFault implements smithy.APIError.
func (e *fullError) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }
