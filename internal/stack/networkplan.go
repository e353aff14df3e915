package stack

import (
	"fmt"
	"net/netip"
	"slices"
)

// networkPlan is the network of a deployment, and what of it the other parts use.
type networkPlan struct {
	nodes   []Node
	machine []Key          // subnets in which the machine may be launched
	mounts  []Key          // the subnet of each zone in which a mount target may stand
	zones   map[Key]string // of the subnets
	routes  Key            // that must lead out before the machine is launched; "" where they do already
	rules   []Key          // that the machine needs beside those of its group
	public  bool           // the machine needs a public address to get out
}

// zonesUsed is how many zones a deployment spreads over where it makes its network.
const zonesUsed = 2

func networkOf(id Identity, f Facts) (networkPlan, error) {
	if f.Reuse.Own() {
		return ownNetwork(id, f)
	}
	return reusedNetwork(f)
}

// ownNetwork carves the VPC into eighths: public subnets from the lower half, private ones from the upper.
func ownNetwork(id Identity, f Facts) (networkPlan, error) {
	if len(f.Zones) < zonesUsed {
		return networkPlan{}, fmt.Errorf("region %s offers the machine in %d zones; two are needed: choose another instance_type or region", f.Region, len(f.Zones))
	}
	vpc, err := netip.ParsePrefix(f.VPCCIDR)
	if err != nil {
		return networkPlan{}, &FieldError{Key: "vpc_cidr", Problem: fmt.Sprintf("%q is not a CIDR block", f.VPCCIDR)}
	}
	name := func(part string) string { return "geusemaker-" + id.Name + "-" + part }
	net := networkPlan{zones: map[Key]string{}, routes: KeyRoutes, public: true}
	net.nodes = []Node{
		{Key: KeyVPC, Spec: VPC{Name: name("vpc"), CIDR: f.VPCCIDR}},
		{Key: KeyGateway, Spec: InternetGateway{Name: name("gateway"), VPC: KeyVPC}},
	}
	for i, zone := range f.Zones[:zonesUsed] {
		public, private := Key("network/public-"+letter(i)), Key("network/private-"+letter(i))
		net.machine, net.mounts = append(net.machine, public), append(net.mounts, private)
		net.zones[public], net.zones[private] = zone, zone
		net.nodes = append(net.nodes,
			Node{Key: public, Spec: Subnet{Name: name("public-" + letter(i)), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i), Public: true}},
			Node{Key: private, Spec: Subnet{Name: name("private-" + letter(i)), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i+4)}})
	}
	net.nodes = append(net.nodes,
		Node{Key: KeyRoutes, Spec: RouteTable{Name: name("public"), VPC: KeyVPC, Gateway: KeyGateway, Subnets: net.machine}},
		Node{Key: KeyEndpoint, Spec: GatewayEndpoint{Name: name("s3"), VPC: KeyVPC, Service: "com.amazonaws." + f.Region + ".s3", Routes: KeyRoutes}})
	return net, nil
}

// reusedNetwork takes the user's VPC and subnets as they are. Their routes stay, so nothing is made here.
func reusedNetwork(f Facts) (networkPlan, error) {
	r := f.Reuse
	if len(r.Subnets) == 0 {
		return networkPlan{}, &FieldError{Key: "vpc_id", Problem: "no subnet of " + r.VPC.ID + " fits", Fix: "`geusemaker discover subnets` tells why"}
	}
	net := networkPlan{zones: map[Key]string{}, public: r.Subnets[0].Public}
	spec := VPC{}
	if len(r.VPC.CIDRs) > 0 {
		spec.CIDR = r.VPC.CIDRs[0]
	}
	net.nodes = []Node{{Key: KeyVPC, Spec: spec, Adopt: r.VPC.ID}}
	for i, s := range r.Subnets {
		key := subnetKey(i)
		net.nodes = append(net.nodes, Node{Key: key, Spec: Subnet{VPC: KeyVPC, Zone: s.Zone, CIDR: s.CIDR, Public: s.Public}, Adopt: s.ID})
		net.machine, net.zones[key] = append(net.machine, key), s.Zone
	}
	net.mounts = slices.Clone(net.machine)
	return net, nil
}

// carve returns the i-th eighth of a block.
func carve(block netip.Prefix, i int) string {
	base := block.Masked().Addr().As4()
	n := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	bits := block.Bits() + 3
	n += uint32(i) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), bits).String()
}
