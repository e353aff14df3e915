package stack

import "slices"

// VPC is the network of a deployment, with DNS support and DNS host names on, as EFS mounts by name need (EFS user guide,
// "Mounting with the EFS mount helper").
type VPC struct {
	Name string
	CIDR string
}

// InternetGateway is attached to VPC.
type InternetGateway struct {
	Name string
	VPC  Key
}

// Subnet is one zone's part of VPC. Machines in a public one may get public addresses.
type Subnet struct {
	Name   string
	VPC    Key
	Zone   string
	CIDR   string
	Public bool
}

// RouteTable sends what leaves Subnets through Gateway.
type RouteTable struct {
	Name    string
	VPC     Key
	Gateway Key
	Subnets []Key
}

// GatewayEndpoint is a gateway endpoint: traffic of the subnets that use Routes to the AWS service stays in AWS's network. It costs
// nothing (VPC user guide, "Gateway endpoints").
type GatewayEndpoint struct {
	Name    string
	VPC     Key
	Service string // com.amazonaws.REGION.s3
	Routes  Key
}

// SecurityGroup lets in what its rules say. It lets everything out, or with Closed only what its rules say.
type SecurityGroup struct {
	Name        string
	Description string
	VPC         Key
	Rules       []Rule
	Closed      bool
	Beside      []Rule // that are resources of their own: GroupRule
}

// Rule is one rule of a security group, with a range of addresses or the members of another group at the other end.
type Rule struct {
	Egress   bool   `json:"egress,omitempty"` // lets out; otherwise in
	Protocol string `json:"protocol"`         // tcp or udp
	Port     int    `json:"port"`
	CIDR     string `json:"cidr,omitempty"`
	Group    Key    `json:"group,omitempty"`
	Reason   string `json:"reason"` // shown to people and kept as the rule's description
}

// GroupRule is one rule that is a resource of its own: in a security group of the user's, or between two groups that name
// each other.
type GroupRule struct {
	Group Key
	Rule  Rule
}

// FileSystem is an encrypted EFS file system with elastic throughput, whose policy refuses clients without TLS.
type FileSystem struct {
	Name   string
	KMSKey string
	Backup bool
}

// MountTarget lets one zone reach FileSystem.
type MountTarget struct {
	FileSystem Key
	Subnet     Key
	Group      Key
}

// Role is what the machine may do: be managed by SSM. The rest is in RolePolicy.
type Role struct {
	Name    string
	Path    string
	Managed []string // ARNs of managed policies
}

// RolePolicy lets Role use this one FileSystem and read this one parameter.
type RolePolicy struct {
	Name       string
	Role       Key
	FileSystem Key
	Parameter  string // name of the SSM parameter
}

// Profile hands Role to an instance.
type Profile struct {
	Name string
	Path string
	Role Key
}

// Parameter is the SSM SecureString that holds the generated secrets of the deployment.
type Parameter struct {
	Name       string
	OwnerEmail string // login of n8n's owner account
}

// Instance is the machine. Where and as what it is launched is found by walking the offers.
type Instance struct {
	Name       string
	Image      Image
	Offers     []Offer
	RootGiB    int
	Throughput int // MiB/s of the root volume
	KMSKey     string
	KeyPair    string
	PublicIP   bool
	Machine    Machine

	VPC        Key
	Subnets    []Key
	Routes     Key
	Groups     []Key
	Rules      []Key // that are resources of their own; the machine needs them from its start to its end
	Profile    Key
	Policy     Key
	Secret     Key
	FileSystem Key
	// Data is the data volume. It is no edge, since the volume is made after the machine; but when it exists already, from an
	// earlier machine, it ties the launch to its zone.
	Data Key
}

// Volume is an encrypted gp3 volume for the databases, in the zone where Instance was launched and attached to it.
type Volume struct {
	Name       string
	GiB        int
	Throughput int // MiB/s
	KMSKey     string
	Device     string
	Instance   Key
}

// Kind implements Spec.
func (VPC) Kind() Kind             { return KindVPC }
func (InternetGateway) Kind() Kind { return KindGateway }
func (Subnet) Kind() Kind          { return KindSubnet }
func (RouteTable) Kind() Kind      { return KindRouteTable }
func (GatewayEndpoint) Kind() Kind { return KindEndpoint }
func (SecurityGroup) Kind() Kind   { return KindSecurityGroup }
func (GroupRule) Kind() Kind       { return KindRule }
func (FileSystem) Kind() Kind      { return KindFileSystem }
func (MountTarget) Kind() Kind     { return KindMountTarget }
func (Role) Kind() Kind            { return KindRole }
func (RolePolicy) Kind() Kind      { return KindRolePolicy }
func (Profile) Kind() Kind         { return KindProfile }
func (Parameter) Kind() Kind       { return KindParameter }
func (Instance) Kind() Kind        { return KindInstance }
func (Volume) Kind() Kind          { return KindVolume }

// Refs implements Spec. Most calls of EC2 take the ID of a network part as soon as it exists; only what carries traffic
// must be ready.
func (VPC) Refs() []Ref               { return nil }
func (s InternetGateway) Refs() []Ref { return late(onceCreated(s.VPC)) }
func (s Subnet) Refs() []Ref          { return onceCreated(s.VPC) }
func (s RouteTable) Refs() []Ref {
	return slices.Concat(onceCreated(s.VPC), late(onceReady(s.Gateway)), late(onceCreated(s.Subnets...)))
}

func (s GatewayEndpoint) Refs() []Ref { return onceCreated(s.VPC, s.Routes) }
func (s GroupRule) Refs() []Ref       { return onceCreated(s.Group, s.Rule.Group) }
func (s SecurityGroup) Refs() []Ref {
	all := onceCreated(s.VPC)
	for _, r := range s.Rules {
		all = append(all, late(onceCreated(r.Group))...)
	}
	return all
}
func (FileSystem) Refs() []Ref { return nil }
func (s MountTarget) Refs() []Ref {
	return slices.Concat(onceReady(s.FileSystem), onceCreated(s.Subnet, s.Group))
}
func (Role) Refs() []Ref         { return nil }
func (s RolePolicy) Refs() []Ref { return onceCreated(s.Role, s.FileSystem) }
func (s Profile) Refs() []Ref    { return late(onceCreated(s.Role)) }
func (Parameter) Refs() []Ref    { return nil }
func (s Instance) Refs() []Ref {
	return slices.Concat(
		late(onceReady(s.VPC)), // for the names that the booting machine resolves
		onceReady(s.Subnets...), onceReady(s.Routes), onceReady(s.Groups...), onceReady(s.Rules...),
		onceReady(s.Profile, s.Policy, s.Secret),
		onceCreated(s.FileSystem)) // the machine mounts it by retrying
}

func (s Volume) Refs() []Ref {
	return []Ref{{Key: s.Instance, Until: StatusReady, Outlives: true}}
}
