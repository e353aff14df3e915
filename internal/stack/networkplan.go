package stack

import (
	"fmt"
	"math/bits"
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

func networkOf(id Identity, f Facts) (networkPlan, error) {
	if f.Reuse.Own() {
		return ownNetwork(id, f)
	}
	return reusedNetwork(f)
}

// ownNetwork makes a public and a private subnet in each zone that sells the machine, as the default VPC of a region has one in
// each (VPC user guide, "Default VPCs"): neither costs anything, and a launch can go wherever there is room.
func ownNetwork(id Identity, f Facts) (networkPlan, error) {
	if len(f.Zones) == 0 {
		return networkPlan{}, fmt.Errorf("no zone of region %s offers the machine: choose another instance_type or region", f.Region)
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
	for _, zone := range slices.Sorted(slices.Values(f.Zones)) {
		i := zoneIndex(zone)
		if i < 0 {
			return networkPlan{}, fmt.Errorf("zone %s is none of a to %s, for which the address plan has room: choose another region", zone, letter(mostZones-1))
		}
		public, private := Key("network/public-"+letter(i)), Key("network/private-"+letter(i))
		net.machine, net.mounts = append(net.machine, public), append(net.mounts, private)
		net.zones[public], net.zones[private] = zone, zone
		net.nodes = append(net.nodes,
			Node{Key: public, Spec: Subnet{Name: name("public-" + letter(i)), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i), Public: true}},
			Node{Key: private, Spec: Subnet{Name: name("private-" + letter(i)), VPC: KeyVPC, Zone: zone, CIDR: carve(vpc, i+mostZones)}})
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

// mostZones is for how many zones the address plan has room: no region has more than six (AWS global infrastructure).
const mostZones = 8

// zoneIndex is the place of a zone in the address plan: that of the letter with which its name ends. It is -1 for zones that have
// none.
func zoneIndex(zone string) int {
	if zone == "" {
		return -1
	}
	i := int(zone[len(zone)-1]) - 'a'
	if i < 0 || i >= mostZones {
		return -1
	}
	return i
}

// carve returns the i-th part of a block: its lower half holds a part for the public subnet of each zone, its upper half one for
// the private subnet.
func carve(block netip.Prefix, i int) string {
	base := block.Masked().Addr().As4()
	n := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	length := block.Bits() + bits.Len(2*mostZones-1)
	n += uint32(i) << (32 - length)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), length).String()
}
