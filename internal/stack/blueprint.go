package stack

import (
	"fmt"
	"slices"
	"strings"
)

// Keys of a deployment. Those of subnets and mount targets end with a letter for each zone.
const (
	KeyVPC        Key = "network/vpc"
	KeyGateway    Key = "network/gateway"
	KeyRoutes     Key = "network/routes"
	KeyEndpoint   Key = "network/s3"
	KeyHostGroup  Key = "access/host"
	KeyFilesGroup Key = "access/files"
	KeyHostFiles  Key = "access/host-files"

	KeyBalancerGroup Key = "access/balancer" // of the tiers with a load balancer

	KeyFiles    Key = "storage/files"
	KeyData     Key = "storage/data"
	KeyRole     Key = "identity/role"
	KeyPolicy   Key = "identity/policy"
	KeyProfile  Key = "identity/profile"
	KeySecret   Key = "secret/stack"
	KeyInstance Key = "compute/instance"
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
	net, err := networkOf(id, f)
	if err != nil {
		return Graph{}, err
	}
	access := accessNodes(id, c, f, net)
	for _, n := range access {
		if n.Spec.Kind() == KindRule {
			net.rules = append(net.rules, n.Key)
		}
	}
	return NewGraph(slices.Concat(net.nodes, access, storageNodes(id, c, f, net), identityNodes(id), machineNodes(id, c, f, net)))
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

func machineNodes(id Identity, c Config, f Facts, net networkPlan) []Node {
	return []Node{
		{Key: KeyInstance, Spec: Instance{
			Name: "geusemaker-" + id.Name, Image: f.Image, Offers: f.Offers,
			RootGiB: RootGiB(c, f.Image), Throughput: c.DataThroughput, KMSKey: c.KMSKeyID, KeyPair: c.KeyPair, PublicIP: net.public,
			Machine: machine(id, c),
			VPC:     KeyVPC, Subnets: net.machine, Routes: net.routes, Groups: []Key{KeyHostGroup}, Rules: net.rules,
			Profile: KeyProfile, Policy: KeyPolicy, Secret: KeySecret, FileSystem: KeyFiles, Data: KeyData,
		}},
		{Key: KeyData, Spec: Volume{
			Name: "geusemaker-" + id.Name + "-data", GiB: c.DataGiB,
			Throughput: c.DataThroughput, KMSKey: c.KMSKeyID, Device: dataDevice, Instance: KeyInstance,
		}},
	}
}

// RootGiB is the size of the root volume: what the user asks, but never less than the image's snapshot, which AWS refuses,
// nor than the system and the unpacked container images take (about 13 GB, twice that while one is replaced).
func RootGiB(c Config, image Image) int {
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
	case GatewayEndpoint:
		return "S3 without leaving AWS, free"
	case SecurityGroup:
		if len(s.Rules) == 1 {
			return "1 rule"
		}
		return fmt.Sprintf("%d rules", len(s.Rules))
	case GroupRule:
		return s.Rule.String()
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
