package discovery

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// FitVPC judges a VPC: what holds for all of it, and whether one of its subnets is fit.
func (r *Region) FitVPC(v VPC, n Need) Fit {
	f := fitVPC(v, n)
	if n.VPC != "" && n.VPC != v.ID {
		f.problem(ProblemVPC, "is not "+n.VPC, "choose that")
	}
	subnets := r.SubnetsOf(v.ID)
	if len(subnets) == 0 {
		f.problem(ProblemSubnets, "has no subnets", "make a subnet in it, or choose another VPC")
		return f
	}
	fit, why := 0, ""
	for _, s := range subnets {
		one := fitSubnet(s, n)
		if one.OK() {
			fit++
		} else if why == "" {
			why = s.ID + " " + one.Problems[0].Text
		}
	}
	if fit == 0 {
		f.problem(ProblemSubnets, fmt.Sprintf("has no fit subnet among its %d: %s", len(subnets), why), "see `geusemaker discover subnets --vpc "+v.ID+"`")
		return f
	}
	f.note(fmt.Sprintf("has %d fit of %d subnets", fit, len(subnets)))
	return f
}

// fitVPC judges what holds for all of a VPC.
func fitVPC(v VPC, n Need) Fit {
	var f Fit
	if v.State != string(ec2types.VpcStateAvailable) {
		f.problem(ProblemState, "is "+v.State, "wait until it is available")
	}
	f.made(v.Resource)
	if v.Tenancy == string(ec2types.TenancyDedicated) {
		f.problem(ProblemTenancy, "has dedicated tenancy: a machine in it takes dedicated hardware, which is billed extra",
			"change its tenancy to default, or choose another VPC")
	}
	if v.DNS != nil && !(v.DNS.Support && v.DNS.Hostnames) {
		f.problem(ProblemDNS, "has "+v.DNS.lacks()+" off, so the file system's name is not found",
			"turn on DNS resolution and DNS hostnames of the VPC (aws ec2 modify-vpc-attribute --vpc-id "+v.ID+" --enable-dns-hostnames)")
	}
	if n.direct() && v.Gateway == "" {
		f.problem(ProblemGateway, "has no internet gateway, so nobody reaches the machine from outside",
			"attach one, or set access to tunnel, for which a NAT gateway is enough")
	}
	return f
}

func (d DNS) lacks() string {
	switch {
	case d.Support:
		return "DNS hostnames"
	case d.Hostnames:
		return "DNS resolution"
	default:
		return "DNS resolution and DNS hostnames"
	}
}

// FitSubnet judges a subnet and the VPC in which it lies.
func (r *Region) FitSubnet(s Subnet, n Need) Fit {
	var f Fit
	if v, known := r.VPC(s.VPC); known {
		f.Problems = fitVPC(v, n).Problems
		for i := range f.Problems {
			f.Problems[i].Text = "lies in " + v.ID + ", which " + f.Problems[i].Text
		}
	}
	own := fitSubnet(s, n)
	if slices.ContainsFunc(own.Problems, func(p Problem) bool { return p.ID == ProblemDeployment }) {
		f.Problems = slices.DeleteFunc(f.Problems, func(p Problem) bool { return p.ID == ProblemDeployment }) // said once
	}
	f.Problems, f.Notes = append(f.Problems, own.Problems...), append(f.Notes, own.Notes...)
	return f
}

// fitSubnet judges what holds for the subnet alone.
func fitSubnet(s Subnet, n Need) Fit {
	var f Fit
	if s.State != string(ec2types.SubnetStateAvailable) {
		f.problem(ProblemState, "is "+s.State, "wait until it is available")
	}
	f.made(s.Resource)
	f.in(s.VPC, n)
	switch {
	case s.Outpost != "":
		f.problem(ProblemOutpost, "lies on an Outpost, which has neither EFS nor the usual machines", "choose a subnet of the region")
	case !s.CIDR.IsValid():
		f.problem(ProblemIPv6, "has no IPv4 addresses", "choose a subnet with IPv4")
	case s.Free < 1:
		f.problem(ProblemAddresses, "has no free address", "choose a larger subnet, or free some of its addresses")
	}
	if n.Zones != nil && !slices.Contains(n.Zones, s.Zone) {
		f.problem(ProblemZone, "lies in "+s.Zone+", which does not sell the machine", "choose a subnet in "+strings.Join(n.Zones, ", ")+", or another instance_type")
	}
	f.route(s, n)
	if held := s.ACL.holdsUp(n); held != "" {
		f.problem(ProblemACL, "has the network ACL "+s.ACL.ID+", which holds up "+held, "let it through there, in both directions")
	}
	if s.NeedsPublicIP() && !s.MapPublic {
		f.note("assigns no public addresses by itself; the machine gets one all the same")
	}
	return f
}

// route judges the way out of a subnet, and the way in where one is needed.
func (f *Fit) route(s Subnet, n Need) {
	const nat = "route 0.0.0.0/0 to a NAT gateway or an internet gateway"
	switch {
	case s.Out.Via == OutBlackhole:
		f.problem(ProblemRoute, "routes the internet to "+s.Out.ID+", which is gone", nat)
	case s.Out.Private:
		f.problem(ProblemRoute, "routes the internet to "+s.Out.ID+", a private NAT gateway, which does not lead there", nat)
	case s.Out.Via == OutNone && n.direct():
		f.problem(ProblemRoute, "has no route to the internet", "choose a subnet with a route to an internet gateway")
	case s.Out.Via == OutNone:
		f.problem(ProblemRoute, "has no route to the internet, which Systems Manager and container images need", nat)
	case n.direct() && s.Out.Via != OutGateway:
		f.problem(ProblemRoute, "is private: it routes the internet to "+s.Out.String()+", so nobody reaches the machine from outside",
			"choose a public subnet, or set access to tunnel")
	case s.Out.Via == OutTransit || s.Out.Via == OutInterface || s.Out.Via == OutOther:
		f.note("routes the internet to " + s.Out.String() + "; whether that leads there cannot be seen from here")
	}
	switch s.Blocked {
	case "":
	case string(ec2types.BlockPublicAccessModeBlockIngress):
		if n.direct() {
			f.problem(ProblemBlocked, "is closed to the internet by VPC Block Public Access", "exclude it there, or set access to tunnel")
		} else if s.Out.Via == OutGateway {
			f.problem(ProblemBlocked, "gets no answers through its internet gateway: VPC Block Public Access lets NAT gateways through only", "choose a subnet with a NAT gateway")
		}
	default:
		f.problem(ProblemBlocked, "is cut off from the internet by VPC Block Public Access", "exclude it there, or choose another")
	}
}

// Ports of answers: Linux takes them from 32768 to 60999 (kernel documentation, ip_local_port_range), clients from 1024 up
// (VPC user guide, "Ephemeral ports").
var (
	machineAnswers = []int{32768, 60999}
	clientAnswers  = []int{1024, 65535}
)

// holdsUp names the first traffic that the deployment needs and the ACL does not let through, or "".
func (a ACL) holdsUp(n Need) string {
	type flow struct {
		what   string
		egress bool
		ports  []int
		block  netip.Prefix
	}
	var flows []flow
	for _, r := range n.Egress {
		flows = append(flows, flow{fmt.Sprintf("tcp %d to %s", r.From, r.Block), true, []int{r.From}, r.Block})
	}
	if len(n.Egress) > 0 {
		flows = append(flows, flow{"the answers to what the machine asks for (tcp 32768-60999 in)", false, machineAnswers, everywhere})
	}
	for _, r := range n.Ingress {
		if r.Block.Addr().Is4() {
			flows = append(flows,
				flow{fmt.Sprintf("tcp %d from %s", r.From, r.Block), false, []int{r.From}, r.Block},
				flow{fmt.Sprintf("the answers to %s (tcp 1024-65535 out)", r.Block), true, clientAnswers, r.Block})
		}
	}
	for _, one := range flows {
		for _, port := range one.ports {
			if !a.Lets(one.egress, port, one.block) {
				return one.what
			}
		}
	}
	return ""
}
