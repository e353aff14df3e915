package market

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/efs"

	"geusemaker/internal/stack"
)

// Level says what a check means for a deployment.
type Level string

// The levels of checks. What cannot be found out is a warning, never an error.
const (
	LevelError   Level = "error"   // it would fail
	LevelWarning Level = "warning" // it may fail, or differ from what is expected
	LevelInfo    Level = "info"    // it is fine, or does not matter here
)

// Check is one thing that was looked at before anything is made.
type Check struct {
	ID     string `json:"id"`
	Level  Level  `json:"level"`
	Reason string `json:"reason"`
	Next   string `json:"next_step"` // what to do about it; "" where nothing is to be done
	// Err is what is behind an error: its kind decides the exit code.
	Err error `json:"-"`
	// Told says that the warnings of the facts say it, too.
	Told bool `json:"-"`
}

// Skipped is the reason of a check that was left out.
const Skipped = "skipped"

// The IDs of the checks.
const (
	CheckCredentials = "credentials"
	CheckRegion      = "region"
	CheckImage       = "image"
	CheckMachine     = "machine"
	CheckAddress     = "address"
	CheckPermissions = "permissions"
	CheckVCPUs       = "vcpu-quota"
	CheckVPCs        = "vpc-quota"
	CheckName        = "name"
	CheckCIDR        = "cidr"
	CheckKeyPair     = "key-pair"
	CheckFileSystem  = "file-system"
	CheckVPC         = "vpc"
	CheckSubnet      = "subnet"
	CheckGroup       = "security-group"
)

// CheckIDs are the IDs of all checks, in the order in which they are told.
func CheckIDs() []string {
	return append(needed(), Skippable()...)
}

// needed are the checks without which nothing can be planned.
func needed() []string {
	return []string{CheckCredentials, CheckRegion, CheckImage, CheckMachine, CheckAddress}
}

// Skippable are the IDs of the checks that can be left out.
func Skippable() []string {
	return []string{CheckPermissions, CheckVCPUs, CheckVPCs, CheckName, CheckCIDR, CheckKeyPair, CheckFileSystem, CheckVPC, CheckSubnet, CheckGroup}
}

// preflight is an inquiry with what is asked for the checks alone.
type preflight struct {
	*inquiry
	skip []string

	fleet    fleet
	fleetErr error
	vpcs     int // the quota
	vpcsErr  error
	dryRuns  []dryRun
	keys     []string
	keysErr  error
	filesErr error
}

// Preflight finds out everything that a plan needs, as Facts does, and checks at the same time whether the deployment could
// be made: the longest chain stays two calls. The IDs in skip name checks that are left out, with their calls. Checks are
// returned also with an error, as far as they got.
func (m *Market) Preflight(ctx context.Context, c stack.Config, skip, zones []string) (stack.Facts, []Check, error) {
	if err := m.Check(c); err != nil {
		return stack.Facts{}, []Check{failure(checkOf(err), err)}, err
	}
	p := &preflight{inquiry: m.inquire(c), skip: skip}
	p.ask(ctx, p.questions)
	switch {
	case p.survey == nil:
	case !p.wants(CheckVCPUs):
		p.survey.limits = nil // the launch will tell
	case p.fleetErr == nil:
		p.survey.used = p.fleet.used
	}
	f, err := p.facts(zones...)
	return f, p.checks(f, err), err
}

func (p *preflight) wants(id string) bool { return !slices.Contains(p.skip, id) }

// questions are those of the checks alone.
func (p *preflight) questions(_, optional context.Context) []func() error {
	m, c := p.market, p.config
	var all []func() error
	ask := func(wanted bool, question func()) {
		if wanted {
			all = append(all, func() error { question(); return nil })
		}
	}
	ask(p.wants(CheckVCPUs) || p.wants(CheckName), func() { p.fleet, p.fleetErr = m.askMachines(optional) })
	ask(p.wants(CheckVPCs) && !inNetwork(c), func() { p.vpcs, p.vpcsErr = m.quota(optional, "vpc", vpcQuota) })
	ask(p.wants(CheckPermissions) && !m.mock, func() { p.dryRuns = m.tryDry(optional, c, p.imageID) })
	ask(p.wants(CheckKeyPair) && c.KeyPair != "", func() { p.keys, p.keysErr = m.keyPairs(optional) })
	ask(p.wants(CheckFileSystem), func() {
		_, p.filesErr = m.clients.EFS.DescribeFileSystems(optional, &efs.DescribeFileSystemsInput{MaxItems: new(int32(1))},
			func(o *efs.Options) { o.RetryMaxAttempts = fewAttempts })
	})
	return all
}

func (m *Market) keyPairs(ctx context.Context) ([]string, error) {
	out, err := m.clients.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, k := range out.KeyPairs {
		if k.KeyName != nil {
			names = append(names, *k.KeyName)
		}
	}
	return names, nil
}
