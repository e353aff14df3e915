package stack

// Edge counts the parts that stand between the internet and the machine where a balancer or a network of caches does.
type Edge struct {
	Balancers     int // application load balancers, in two zones each
	Certificates  int // public ones of ACM
	Distributions int // of CloudFront
	NATs          int // gateways by which machines without a public address get out
}

// Assumed use of an edge. A capacity unit of a balancer is 25 new connections a second or 1 GB an hour, whichever is more
// (Elastic Load Balancing pricing page).
const (
	assumedCapacityUnits = 1
	assumedNATGB         = 10
	assumedCachedGB      = 0 // beyond the first TB a month, which is free (CloudFront pricing page)
)

// EstimateEdge prices an edge: what is billed by the hour, and by an assumed use. Public certificates are free (ACM pricing
// page), and so no line.
func EstimateEdge(key Key, e Edge, f Facts) Cost {
	c := Cost{Currency: "USD", Components: []Component{}}
	for range e.Balancers {
		c.hours(key, "load balancer", 1, false, f.Prices[PriceBalancer])
		c.hours(key, "load balancer capacity", assumedCapacityUnits, true, f.Prices[PriceBalancerUse])
		c.hours(key, "public IPv4 addresses of the load balancer", 2, false, f.Prices[PricePublicIPv4])
	}
	for range e.Distributions {
		c.use(key, "transfer from the caches", assumedCachedGB, f.Prices[PriceDistributionOut])
	}
	for range e.NATs {
		c.hours(key, "NAT gateway", 1, false, f.Prices[PriceNAT])
		c.hours(key, "public IPv4 address of the NAT gateway", 1, false, f.Prices[PricePublicIPv4])
		c.use(key, "NAT gateway data", assumedNATGB, f.Prices[PriceNATUse])
	}
	c.total(0)
	return c
}

// hours adds something of which some are billed by the hour for as long as they exist.
func (c *Cost) hours(key Key, name string, quantity int64, assumed bool, p Price) {
	hourly := p.Amount.Times(quantity, 1)
	c.add(Component{
		Key: key, Name: name, Quantity: quantity, Unit: p.Unit, Hourly: hourly, Monthly: hourly.Monthly(),
		Source: p.Source, AsOf: p.AsOf, Guess: assumed || p.Guess,
	})
}
