package discovery

import (
	"net/netip"
	"slices"

	"geusemaker/internal/stack"
)

// nfs is the port of EFS (EFS user guide, "Using VPC security groups").
const nfs = 2049

// Need is what a deployment asks of what it reuses. The zero value asks for nothing but soundness.
type Need struct {
	// Access is stack.AccessDirect or stack.AccessTunnel.
	Access string
	// What is chosen already, by ID: the rest must go with it. Empty: any.
	VPC, Subnet, Group, FileSystem string
	// FreshVPC says that the deployment makes its VPC, so nothing that lies in another goes with it.
	FreshVPC bool
	// Zones are those in which the machine can be had; nil: not known.
	Zones []string
	// Ingress is what must be let in to the machine, Egress what must be let out.
	Ingress, Egress []Rule
}

// NeedOf is what a configuration asks. The caller's address stands for my-ip; where it is empty, nothing is asked for it.
func NeedOf(c stack.Config, callerCIDR string, zones []string) Need {
	n := Need{
		Access: c.Access, VPC: c.VPCID, Subnet: c.SubnetID, Group: c.SecurityGroupID, FileSystem: c.EFSID, Zones: zones,
		// Container images and package lists come over HTTPS, Ubuntu's packages over HTTP (Ubuntu server documentation,
		// "Package management"). Names and time come from addresses that no security group holds up (VPC user guide,
		// "Security groups").
		Egress: []Rule{
			{Protocol: "tcp", From: 443, To: 443, Block: everywhere, Reason: "AWS, container images"},
			{Protocol: "tcp", From: 80, To: 80, Block: everywhere, Reason: "package mirrors"},
		},
	}
	for _, r := range stack.HostRules(c, callerCIDR) {
		block, err := netip.ParsePrefix(r.CIDR)
		if err != nil {
			continue // of another group of the deployment, or refused by Config.Validate
		}
		one := Rule{Protocol: r.Protocol, From: r.Port, To: r.Port, Block: block.Masked(), Reason: r.Reason}
		if !slices.ContainsFunc(n.Ingress, one.covers) {
			n.Ingress = append(n.Ingress, one)
		}
	}
	return n
}

// direct reports whether the machine must be reached from the internet.
func (n Need) direct() bool { return n.Access == stack.AccessDirect }

// Problems that a Fit may have, by ID.
const (
	ProblemState      = "state"               // not usable now
	ProblemDeployment = "deployment"          // another deployment of ours made it and will delete it
	ProblemVPC        = "vpc"                 // lies in another VPC
	ProblemTenancy    = "tenancy"             // dedicated hardware, billed extra
	ProblemDNS        = "dns"                 // DNS attributes are off
	ProblemGateway    = "internet-gateway"    // none is attached
	ProblemSubnets    = "subnets"             // no subnet is fit
	ProblemZone       = "zone"                // the machine or the file system is not to be had there
	ProblemIPv6       = "ipv6-only"           // no IPv4
	ProblemOutpost    = "outpost"             // no EFS, other machines
	ProblemRoute      = "route"               // no way out, or none in
	ProblemBlocked    = "block-public-access" // VPC Block Public Access
	ProblemAddresses  = "addresses"           // none are free
	ProblemACL        = "network-acl"         // holds traffic up
	ProblemIngress    = "ingress"             // rules are missing
	ProblemEgress     = "egress"
	ProblemNFS        = "nfs" // the file system does not let the machine in
	ProblemEncryption = "encryption"
	ProblemReplica    = "replica"
	ProblemKind       = "kind" // of a load balancer
)

// Problem is one reason why something is not fit.
type Problem struct {
	ID   string
	Text string // a sentence without its subject: "has no internet gateway"
	Fix  string // what to do
	// Missing are the rules whose adding would solve it.
	Missing []MissingRule
}

// MissingRule is a rule that a security group of the user's lacks.
type MissingRule struct {
	Group  string // the group that lacks it; "" for the one that is being judged
	Egress bool
	Rule   Rule // whose Group is "" for a peer that is yet to be made
}

// Fit says whether something can be reused.
type Fit struct {
	Problems []Problem
	// Notes are worth knowing and no obstacle.
	Notes []string
}

// OK reports that nothing stands against it.
func (f Fit) OK() bool { return len(f.Problems) == 0 }

// Addable reports that it would be fit if rules were added to security groups.
func (f Fit) Addable() bool {
	return !f.OK() && !slices.ContainsFunc(f.Problems, func(p Problem) bool { return len(p.Missing) == 0 })
}

// Missing are the rules of all problems.
func (f Fit) Missing() []MissingRule {
	var missing []MissingRule
	for _, p := range f.Problems {
		missing = append(missing, p.Missing...)
	}
	return missing
}

func (f *Fit) problem(id, text, fix string, missing ...MissingRule) {
	f.Problems = append(f.Problems, Problem{id, text, fix, missing})
}

func (f *Fit) note(text string) { f.Notes = append(f.Notes, text) }

// made notes that another deployment of ours made it.
func (f *Fit) made(r Resource) {
	if name := r.Deployment(); name != "" {
		f.problem(ProblemDeployment, "was made by the deployment "+name+", which deletes it when it is destroyed", "choose one that is your own")
	}
}

// in checks that something lies in the VPC that is wanted.
func (f *Fit) in(vpc string, n Need) {
	switch {
	case vpc == "":
	case n.FreshVPC:
		f.problem(ProblemVPC, "lies in "+vpc+", but the deployment makes its own VPC", "set vpc_id to "+vpc)
	case n.VPC != "" && n.VPC != vpc:
		f.problem(ProblemVPC, "lies in "+vpc+", not in "+n.VPC, "choose one of "+n.VPC)
	}
}
