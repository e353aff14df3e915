package stack

import (
	"fmt"
	"net/netip"
	"strings"
)

// Keys of a tier-1 deployment.
const (
	KeyVPC        Key = "network/vpc"
	KeyGateway    Key = "network/gateway"
	KeyRoutes     Key = "network/routes"
	KeyHostGroup  Key = "access/host"
	KeyFilesGroup Key = "access/files"
	KeyFiles      Key = "storage/files"
	KeyData       Key = "storage/data"
	KeyRole       Key = "identity/role"
	KeyPolicy     Key = "identity/policy"
	KeyProfile    Key = "identity/profile"
	KeySecret     Key = "secret/stack"
	KeyInstance   Key = "compute/instance"
)

// dataDevice is the name under which the data volume is attached. On Nitro machines the disk shows up as NVMe whatever the
// name; /dev/sdf is the first that EC2 recommends for data volumes (EC2 user guide, "Device names for volumes").
const dataDevice = "/dev/sdf"

// Blueprint decides what a deployment consists of. It is pure: the same identity, configuration and facts give the same
// graph. Errors say which key cannot be served.
func Blueprint(id Identity, c Config, f Facts) (Graph, error) {
	if c.Tier != TierDev {
		return Graph{}, &FieldError{Key: "tier", Problem: fmt.Sprintf("%q is not available in this version", c.Tier), Fix: "use dev"}
	}
	network, subnets, err := networkNodes(id, f)
	if err != nil {
		return Graph{}, err
	}
	nodes := append(network, accessNodes(id, c, f)...)
	nodes = append(nodes, storageNodes(id, c, subnets.private)...)
	nodes = append(nodes, identityNodes(id)...)
	nodes = append(nodes, machineNodes(id, c, f, subnets.public)...)
	return NewGraph(nodes)
}

type subnetKeys struct{ public, private []Key }

// networkNodes carves the VPC into eighths: public subnets from the lower half, private ones from the upper.
func networkNodes(id Identity, f Facts) ([]Node, subnetKeys, error) {
	var keys subnetKeys
	if len(f.Zones) < 2 {
		return nil, keys, fmt.Errorf("region %s offers the machine in %d zones; two are needed: choose another instance_type or region", f.Region, len(f.Zones))
	}
	vpc, err := netip.ParsePrefix(f.VPCCIDR)
	if err != nil {
		return nil, keys, &FieldError{Key: "vpc_cidr", Problem: fmt.Sprintf("%q is not a CIDR block", f.VPCCIDR)}
	}
	name := func(part string) string { return "geusemaker-" + id.Name + "-" + part }
	nodes := []Node{
		{Key: KeyVPC, Spec: VPC{Name: name("vpc"), CIDR: f.VPCCIDR}},
		{Key: KeyGateway, Spec: InternetGateway{Name: name("gateway"), VPC: KeyVPC}},
	}
	for i, zone := range f.Zones[:2] {
		letter := string(rune('a' + i))
		public, private := Key("network/public-"+letter), Key("network/private-"+letter)
		keys.public, keys.private = append(keys.public, public), append(keys.private, private)
		nodes = append(nodes,
			Node{Key: public, Spec: Subnet{Name: name("public-" + letter), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i), Public: true}},
			Node{Key: private, Spec: Subnet{Name: name("private-" + letter), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i+4)}})
	}
	nodes = append(nodes, Node{Key: KeyRoutes, Spec: RouteTable{Name: name("public"), VPC: KeyVPC, Gateway: KeyGateway, Subnets: keys.public}})
	return nodes, keys, nil
}

// carve returns the i-th eighth of a block.
func carve(block netip.Prefix, i int) string {
	base := block.Masked().Addr().As4()
	n := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	bits := block.Bits() + 3
	n += uint32(i) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), bits).String()
}

func accessNodes(id Identity, c Config, f Facts) []Node {
	return []Node{
		{Key: KeyHostGroup, Spec: SecurityGroup{
			Name: "geusemaker-" + id.Name + "-host", VPC: KeyVPC,
			Description: "geusemaker " + id.Name + ": the machine", Rules: HostRules(c, f.CallerCIDR),
		}},
		{Key: KeyFilesGroup, Spec: SecurityGroup{
			Name: "geusemaker-" + id.Name + "-files", VPC: KeyVPC,
			Description: "geusemaker " + id.Name + ": the file system",
			Rules:       []Rule{{Protocol: "tcp", Port: 2049, Group: KeyHostGroup, Reason: "NFS from the machine"}},
		}},
	}
}

// HostRules opens the gateway's ports to the allowed addresses, and SSH only when asked. The caller's address stands for
// my-ip; where it is not known, nothing is opened for it.
func HostRules(c Config, callerCIDR string) []Rule {
	var rules []Rule
	if c.Access == AccessDirect {
		for _, cidr := range resolveMyIP(c.AllowCIDRs, callerCIDR) {
			for _, s := range Services(c.HTTPS) {
				if s.Port != 0 {
					rules = append(rules, Rule{Protocol: "tcp", Port: s.Port, CIDR: cidr, Reason: s.Name})
				}
			}
		}
	}
	if c.HTTPS == HTTPSACME && c.Access == AccessDirect {
		// The authority that issues the certificate asks from addresses that nobody knows beforehand (Let's Encrypt,
		// "Challenge types"). The gateway answers nothing else there but a redirect.
		rules = append(rules, Rule{Protocol: "tcp", Port: 80, CIDR: "0.0.0.0/0", Reason: "certificate challenge"})
	}
	if c.SSHCIDR != Nowhere {
		for _, cidr := range resolveMyIP([]string{c.SSHCIDR}, callerCIDR) {
			rules = append(rules, Rule{Protocol: "tcp", Port: 22, CIDR: cidr, Reason: "SSH"})
		}
	}
	return rules
}

// resolveMyIP replaces my-ip by the address that was found.
func resolveMyIP(cidrs []string, callerCIDR string) []string {
	var all []string
	for _, cidr := range cidrs {
		if cidr == MyIP {
			cidr = callerCIDR
		}
		if cidr != "" {
			all = append(all, cidr)
		}
	}
	return all
}

func storageNodes(id Identity, c Config, private []Key) []Node {
	nodes := []Node{{Key: KeyFiles, Spec: FileSystem{Name: "geusemaker-" + id.Name + "-files", KMSKey: c.KMSKeyID, Backup: c.Backup != "off"}}}
	for _, subnet := range private {
		letter := string(subnet[len(subnet)-1])
		nodes = append(nodes, Node{Key: Key("storage/mount-" + letter), Spec: MountTarget{FileSystem: KeyFiles, Subnet: subnet, Group: KeyFilesGroup}})
	}
	return nodes
}

// shortID tells apart deployments of one name, in names that must be unique in an account.
func shortID(id Identity) string { return id.ID[:min(8, len(id.ID))] }

// IdentityPath is the IAM path of the role and the profile of a deployment: listing by it finds both.
func (id Identity) IdentityPath() string { return "/geusemaker/" + id.ID + "/" }

// SecretName is the SSM parameter of the deployment's secrets.
func (id Identity) SecretName() string { return "/geusemaker/" + id.ID + "/stack" }

func identityNodes(id Identity) []Node {
	name := "geusemaker-" + id.Name + "-" + shortID(id)
	return []Node{
		{Key: KeyRole, Spec: Role{Name: name, Path: id.IdentityPath(), Managed: []string{"AmazonSSMManagedInstanceCore"}}},
		{Key: KeyPolicy, Spec: RolePolicy{Name: "geusemaker", Role: KeyRole, FileSystem: KeyFiles, Parameter: id.SecretName()}},
		{Key: KeyProfile, Spec: Profile{Name: name, Path: id.IdentityPath(), Role: KeyRole}},
		{Key: KeySecret, Spec: Parameter{Name: id.SecretName(), OwnerEmail: "owner@" + id.Name + ".geusemaker.local"}},
	}
}

func machineNodes(id Identity, c Config, f Facts, public []Key) []Node {
	return []Node{
		{Key: KeyInstance, Spec: Instance{
			Name: "geusemaker-" + id.Name, Image: f.Image, Offers: f.Offers,
			RootGiB: rootGiB(c, f.Image), Throughput: c.DataThroughput, KMSKey: c.KMSKeyID, KeyPair: c.KeyPair, PublicIP: true,
			Machine: machine(id, c),
			VPC:     KeyVPC, Subnets: public, Routes: KeyRoutes, Groups: []Key{KeyHostGroup},
			Profile: KeyProfile, Policy: KeyPolicy, Secret: KeySecret, FileSystem: KeyFiles, Data: KeyData,
		}},
		{Key: KeyData, Spec: Volume{
			Name: "geusemaker-" + id.Name + "-data", GiB: c.DataGiB,
			Throughput: c.DataThroughput, KMSKey: c.KMSKeyID, Device: dataDevice, Instance: KeyInstance,
		}},
	}
}

// rootGiB is the size of the root volume: what the user asks, but never less than the image's snapshot, which AWS refuses,
// nor than the system and the unpacked container images take (about 13 GB, twice that while one is replaced).
func rootGiB(c Config, image Image) int {
	need := 40
	if c.WorkloadOrDefault() == WorkloadGPU {
		need = 100
	}
	return max(c.RootGiB, image.RootGiB, need)
}

func machine(id Identity, c Config) Machine {
	return Machine{
		StackID: id.ID, StackName: id.Name, Region: id.Region,
		Tier: c.Tier, Workload: c.WorkloadOrDefault(), OSType: c.OSType, Architecture: c.Architecture,
		SecretParameter: id.SecretName(), DataVolume: true,
		HTTPS: c.HTTPS, Domain: c.Domain, Access: c.Access,
		Models: c.Models, Images: c.Services, Env: c.Env, Backup: c.Backup,
	}
}

// WorkloadOrDefault is the workload, which tier gpu alone makes gpu when nobody says.
func (c Config) WorkloadOrDefault() string {
	switch {
	case c.Workload != "":
		return c.Workload
	case c.Tier == TierGPU:
		return WorkloadGPU
	default:
		return WorkloadCPU
	}
}

// AMITypeOrDefault is the kind of image, which auto leaves to the workload.
func (c Config) AMITypeOrDefault() string {
	switch {
	case c.AMIType != Auto:
		return c.AMIType
	case c.WorkloadOrDefault() == WorkloadGPU:
		return "base"
	default:
		return "standard"
	}
}

// Describe is the spec in a few words, for plans.
func Describe(s Spec) string {
	switch s := s.(type) {
	case VPC:
		return s.CIDR
	case Subnet:
		return s.CIDR + " in " + s.Zone
	case SecurityGroup:
		if len(s.Rules) == 1 {
			return "1 rule"
		}
		return fmt.Sprintf("%d rules", len(s.Rules))
	case FileSystem:
		return "encrypted, elastic throughput"
	case Instance:
		if len(s.Offers) == 0 {
			return ""
		}
		return fmt.Sprintf("%s %s, root %d GiB", s.Offers[0].Type, s.Offers[0].Market, s.RootGiB)
	case Volume:
		return fmt.Sprintf("%d GiB gp3, %d MiB/s", s.GiB, s.Throughput)
	case Parameter:
		return "generated secrets, encrypted"
	case Role:
		return strings.Join(s.Managed, ", ")
	default:
		return ""
	}
}
