package stack

import (
	"slices"
	"strconv"
)

// assumedRootGiB is the size of the root volume of a machine of which nobody says it.
const assumedRootGiB = 40

// CostOf prices resources as they are, by their kinds and attributes: for what no blueprint describes, such as what was left
// of another's deployment. Prices come from the facts; a machine whose offer is not among them counts as unpriced.
func CostOf(records []Record, f Facts) Cost {
	c := Cost{Currency: "USD", Components: []Component{}}
	var onDemandExtra Money
	for _, r := range records {
		if !r.Owned || r.ID == "" {
			continue
		}
		switch r.Kind {
		case KindInstance:
			onDemandExtra += c.machine(r, f)
		case KindVolume:
			c.disk(r.Key, "data volume", count(r.Attrs[AttrGiB], 0), count(r.Attrs[AttrSpeed], 0), f)
		case KindFileSystem:
			const gb = 1_000_000_000
			held := count(r.Attrs[AttrBytes], assumedFilesGB*gb)
			c.use(r.Key, "file system storage", int64((held+gb-1)/gb), f.Prices[PriceEFSStorage])
		default: // costs nothing by itself
		}
	}
	c.total(onDemandExtra)
	return c
}

// machine adds a machine with its root volume and its address, and returns how much more it would cost a month on demand.
// One that is stopped costs only its disk.
func (c *Cost) machine(r Record, f Facts) Money {
	stopped := r.Stopped()
	var extra Money
	if o, ok := f.OfferOf(r); ok && !stopped {
		c.add(machineComponent(r.Key, o))
		extra = (o.OnDemand - o.Hourly).Monthly()
	}
	c.use(r.Key, "root volume", int64(count(r.Attrs[AttrGiB], assumedRootGiB)), f.Prices[PriceGP3Storage])
	if r.Attrs[AttrPublicIP] != "" && !stopped {
		c.address(r.Key, f)
	}
	return extra
}

// OfferOf is the offer of a machine as it is: the one it was launched from, or what it was made since.
func (f Facts) OfferOf(machine Record) (Offer, bool) {
	for _, o := range slices.Concat(f.Offers, f.Resized) {
		if o.of(machine) {
			return o, true
		}
	}
	return Offer{}, false
}

// of reports whether the machine was launched from the offer.
func (o Offer) of(machine Record) bool {
	return o.Type == machine.Attrs[AttrType] && o.Zone == machine.Attrs[AttrZone] && o.Market == machine.Attrs[AttrMarket]
}

// count reads a count from an attribute.
func count(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}
