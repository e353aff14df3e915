package sandbox

import efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"

// company is a VPC as an expert makes it: public and private subnets in two zones, a NAT gateway, groups that name each other.
// Beside its fit subnets it has some that are not.
func (e *estate) company() {
	v := e.vpc("company", "10.10.0.0/16")
	igw := e.gateway(v, "company")
	nat := &natGateway{resource: e.born("nat", "company"), VPC: v.ID}
	public := e.table(v, "company-public", igw.ID)
	private := e.table(v, "company-private", nat.ID)
	a, b := e.subnet(v, "company-public-a", "10.10.0.0/20", 0, public), e.subnet(v, "company-public-b", "10.10.16.0/20", 1, public)
	a.MapPublic = true
	inA, inB := e.subnet(v, "company-private-a", "10.10.128.0/20", 0, private), e.subnet(v, "company-private-b", "10.10.144.0/20", 1, private)
	e.subnet(v, "company-isolated-a", "10.10.160.0/24", 0, nil)
	full := e.subnet(v, "company-full-a", "10.10.161.0/28", 0, public)
	for i := range 16 - reserved {
		e.interfaceIn(full, "printer "+string(rune('a'+i)), "")
	}
	e.closedSubnet(v, public)
	nat.Subnet = a.ID
	e.region.NATGateways[nat.ID] = nat
	e.interfaceIn(a, "company NAT gateway", "amazon-nat")
	e.peers(v, private)
	groups := e.companyGroups(v)
	e.companyFiles(groups.files, inA, inB)
	e.keyPair("alice", "ed25519")
	e.keyPair("build", "rsa")
	e.balancer("company-front", "application", "internet-facing", []string{groups.web}, a, b)
	e.balancer("company-inside", "network", "internal", nil, inA, inB)
}

// closedSubnet is a subnet whose network ACL lets requests in but no answers to what its machines ask for.
func (e *estate) closedSubnet(v *vpc, public *routeTable) {
	n := e.subnet(v, "company-closed-b", "10.10.162.0/24", 1, public)
	acl := &networkACL{resource: e.born("acl", "company-closed"), VPC: v.ID, Subnets: []string{n.ID}}
	acl.Entries = append([]aclEntry{{Number: 90, Protocol: "6", From: 1024, To: 65535, CIDR: "0.0.0.0/0"}}, openEntries()...)
	e.region.NetworkACLs[acl.ID] = acl
}

// peers joins the company with a network in another account.
func (e *estate) peers(v *vpc, t *routeTable) {
	p := &peering{
		resource: e.born("pcx", "company-partner"), VPC: v.ID, Peer: e.born("vpc", "partner").ID, PeerCIDR: "10.50.0.0/16",
		PeerAccount: "444455556666", PeerRegion: "eu-west-1", PeerAccepted: true,
	}
	e.region.Peerings[p.ID] = p
	t.Routes = append(t.Routes, route{CIDR: p.PeerCIDR, Gateway: p.ID})
}

type companyGroups struct{ web, files string }

func (e *estate) companyGroups(v *vpc) companyGroups {
	tcp := func(port int32, cidr, group string) *rule {
		return &rule{Protocol: "tcp", From: port, To: port, CIDR: cidr, Group: group}
	}
	web := e.group(v, "company-web", "company-web", tcp(443, "0.0.0.0/0", ""), tcp(80, "0.0.0.0/0", ""))
	machines := e.group(v, "company-machines", "company-machines",
		tcp(443, CallerAddress+"/32", ""), tcp(11434, CallerAddress+"/32", ""), tcp(6333, CallerAddress+"/32", ""), tcp(11235, CallerAddress+"/32", ""))
	offices := e.prefixList("company-office-addresses", prefixEntry{"198.51.100.0/24", "headquarters"}, prefixEntry{"203.0.113.0/28", "branch"})
	through := func(port int32) *rule { return &rule{Protocol: "tcp", From: port, To: port, List: offices} }
	e.group(v, "company-offices", "company-offices", through(443), through(11434), through(6333), through(11235))
	files := e.group(v, "company-files", "company-files", tcp(2049, "", machines.ID))
	sealed := e.group(v, "company-sealed", "company-sealed")
	for _, one := range sealed.Rules { // out to AWS and packages, but not to a file system
		one.Protocol, one.From, one.To = "tcp", 443, 443
	}
	return companyGroups{web.ID, files.ID}
}

func (e *estate) companyFiles(group string, inA, inB *subnet) {
	e.files("company-files", func(f *fileSystem) { f.Bytes = 42 << 30 }, []string{group}, inA, inB)
	e.files("company-scratch", func(f *fileSystem) {
		f.Encrypted, f.Throughput, f.Bytes = false, efstypes.ThroughputModeBursting, 7<<30
	}, []string{group}, inA)
	e.files("company-archive", func(f *fileSystem) { f.OneZone, f.Bytes = zonesOf(e.region.Name)[2].Name, 900<<30 }, nil)
	e.files("company-fresh", func(*fileSystem) {}, nil)
	e.files("company-mirror", func(f *fileSystem) { f.Replica, f.Bytes = true, 42<<30 }, nil)
}

// legacy is a VPC from a time when nobody needed DNS names.
func (e *estate) legacy() {
	v := e.vpc("legacy", "10.20.0.0/16")
	v.DNSHostnames = false
	public := e.table(v, "legacy-public", e.gateway(v, "legacy").ID)
	e.subnet(v, "legacy-public-a", "10.20.0.0/24", 0, public).MapPublic = true
	e.group(v, "legacy-all", "legacy-all", &rule{Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"})
}

// vault is a VPC without an internet gateway: one subnet reaches the internet over another network, and the sites
// of the company by a prefix list, one reaches nothing, and the NAT gateway of a third is gone.
func (e *estate) vault() {
	v := e.vpc("vault", "10.30.0.0/16")
	transit := e.table(v, "vault-transit", e.born("tgw", "vault").ID)
	transit.Routes = append(transit.Routes, route{List: e.prefixList("company-sites", entriesOf("10.21.0.0/16", "10.22.0.0/20")...), Gateway: e.born("tgw", "vault").ID})
	e.subnet(v, "vault-transit-a", "10.30.0.0/24", 0, transit)
	e.subnet(v, "vault-sealed-a", "10.30.1.0/24", 0, nil)
	e.subnet(v, "vault-broken-b", "10.30.2.0/24", 1, e.table(v, "vault-broken", e.born("nat", "vault-gone").ID))
}

// others are a VPC on dedicated hardware and one that the company has cut off from the internet.
func (e *estate) others() {
	v := e.vpc("dedicated", "10.40.0.0/16")
	v.Dedicated = true
	e.subnet(v, "dedicated-public-a", "10.40.0.0/24", 0, e.table(v, "dedicated-public", e.gateway(v, "dedicated").ID))
	v = e.vpc("shielded", "10.60.0.0/16")
	v.Blocked = "block-bidirectional"
	e.subnet(v, "shielded-public-a", "10.60.0.0/24", 0, e.table(v, "shielded-public", e.gateway(v, "shielded").ID))
}
