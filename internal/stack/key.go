package stack

import "time"

// Key names one resource of a deployment, the same in plan, state, tags and output: "network/vpc".
type Key string

// Kind says what a resource is, and so which driver makes it.
type Kind string

// The kinds of resources.
const (
	KindVPC           Kind = "vpc"
	KindGateway       Kind = "internet-gateway"
	KindSubnet        Kind = "subnet"
	KindRouteTable    Kind = "route-table"
	KindEndpoint      Kind = "vpc-endpoint"
	KindSecurityGroup Kind = "security-group"
	KindRule          Kind = "security-group-rule"
	KindFileSystem    Kind = "file-system"
	KindMountTarget   Kind = "mount-target"
	KindRole          Kind = "role"
	KindRolePolicy    Kind = "role-policy"
	KindProfile       Kind = "instance-profile"
	KindParameter     Kind = "parameter"
	KindInstance      Kind = "instance"
	KindVolume        Kind = "volume"
)

// Usual is how long a resource of the kind usually takes to become ready and to be gone, for people who wait. Mount
// targets: 60 to 120 s (hashicorp/terraform-provider-aws#15278); termination: 20 to 31 s (public logs); a new instance
// profile: about 10 s until EC2 sees it (hashicorp/terraform#15341).
func (k Kind) Usual() (ready, gone time.Duration) {
	const s = time.Second
	switch k {
	case KindFileSystem:
		return 8 * s, 5 * s
	case KindMountTarget:
		return 90 * s, 30 * s
	case KindProfile:
		return 10 * s, 2 * s
	case KindInstance:
		return 15 * s, 30 * s
	case KindVolume:
		return 12 * s, 5 * s
	case KindVPC, KindSubnet, KindGateway, KindRouteTable, KindEndpoint:
		return 3 * s, 3 * s
	default:
		return 2 * s, 2 * s
	}
}

// HoldsData reports whether resources of the kind hold, or unlock, what the user has made, and so are kept when they ask to
// keep data.
func (k Kind) HoldsData() bool {
	return k == KindFileSystem || k == KindVolume || k == KindParameter
}

// Status is how far a resource is.
type Status string

// A resource is pending from the moment its creation is intended until its ID is known, created until it is usable, ready
// from then on, and deleting from the moment its removal is intended until it is seen gone.
const (
	StatusPending  Status = "pending"
	StatusCreated  Status = "created"
	StatusReady    Status = "ready"
	StatusDeleting Status = "deleting"
)

// Reached reports whether a resource in this status can serve somebody who waits for want (StatusCreated or StatusReady).
func (s Status) Reached(want Status) bool {
	return s == StatusReady || s == StatusCreated && want == StatusCreated
}
