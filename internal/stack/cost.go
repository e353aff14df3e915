package stack

import (
	"slices"
	"strings"
	"time"
)

// Cost is what a deployment costs, whole, by component.
type Cost struct {
	Currency        string      `json:"currency"`
	Hourly          Money       `json:"hourly"`
	Daily           Money       `json:"daily"`
	Monthly         Money       `json:"monthly"`
	ToDate          Money       `json:"to_date"`
	OnDemandMonthly Money       `json:"on_demand_monthly"`
	SavingPercent   int         `json:"saving_percent"`
	Components      []Component `json:"components"`
}

// Component is one line of a bill.
type Component struct {
	Key      Key       `json:"key"`
	Name     string    `json:"name"`
	Quantity int64     `json:"quantity"`
	Unit     string    `json:"unit"`
	Hourly   Money     `json:"hourly"`
	Monthly  Money     `json:"monthly"`
	ToDate   Money     `json:"to_date"` // filled in for deployments that exist
	Source   string    `json:"source"`
	AsOf     time.Time `json:"as_of,omitzero"` // zero: nobody wrote down when the price was read
	Guess    bool      `json:"guess"`          // the price, or the amount that will be used, is an assumption
	Billing  Billing   `json:"-"`
}

// Assumed monthly use of what is billed by use. Shown as an assumption wherever it is shown.
const (
	assumedFilesGB    = 10
	assumedReadGB     = 50
	assumedWriteGB    = 20
	assumedTransferGB = 0 // beyond the first 100 GB a month, which are free
)

// Estimate prices a graph: the machine as the first of its offers, and everything else that AWS will bill.
func Estimate(g Graph, f Facts) Cost {
	c := Cost{Currency: "USD", Components: []Component{}}
	var onDemandExtra Money
	for _, n := range g.Nodes {
		if n.Adopt != "" {
			continue
		}
		switch s := n.Spec.(type) {
		case Instance:
			if len(s.Offers) > 0 {
				o := s.Offers[0]
				c.add(machineComponent(n.Key, o))
				onDemandExtra = (o.OnDemand - o.Hourly).Monthly()
			}
			c.disk(n.Key, "root volume", s.RootGiB, s.Throughput, f)
			if s.PublicIP {
				c.address(n.Key, f)
				c.work(n.Key, "transfer to the internet", assumedTransferGB, f.Prices[PriceTransferOut])
			}
		case Volume:
			c.disk(n.Key, "data volume", s.GiB, s.Throughput, f)
		case FileSystem:
			c.use(n.Key, "file system storage", assumedFilesGB, f.Prices[PriceEFSStorage])
			c.work(n.Key, "file system reads", assumedReadGB, f.Prices[PriceEFSRead])
			c.work(n.Key, "file system writes", assumedWriteGB, f.Prices[PriceEFSWrite])
			if s.Backup {
				c.use(n.Key, "file system backup", assumedFilesGB, f.Prices[PriceEFSBackup])
			}
		}
	}
	c.total(onDemandExtra)
	return c
}

func machineComponent(key Key, o Offer) Component {
	return Component{
		Key: key, Name: o.Type + " " + o.Market, Quantity: 1, Unit: "hour", Hourly: o.Hourly,
		Monthly: o.Hourly.Monthly(), Source: o.Source, AsOf: o.AsOf, Guess: o.Guess, Billing: BilledMachine,
	}
}

// disk adds a gp3 volume. 125 MiB/s and 3,000 IOPS are in the price of the storage (EBS pricing page).
func (c *Cost) disk(key Key, name string, gib, throughput int, f Facts) {
	p := f.Prices[PriceGP3Storage]
	c.month(Component{Key: key, Name: name, Quantity: int64(gib), Unit: p.Unit, Source: p.Source, AsOf: p.AsOf, Guess: p.Guess}, p)
	if extra := throughput - 125; extra > 0 {
		p := f.Prices[PriceGP3Throughput]
		c.month(Component{Key: key, Name: name + " throughput", Quantity: int64(extra), Unit: p.Unit, Source: p.Source, AsOf: p.AsOf, Guess: p.Guess}, p)
	}
}

// address adds a public IPv4 address, which AWS bills by the hour since February 2024 (VPC pricing page).
func (c *Cost) address(key Key, f Facts) {
	p := f.Prices[PricePublicIPv4]
	c.add(Component{
		Key: key, Name: "public IPv4 address", Quantity: 1, Unit: p.Unit, Hourly: p.Amount,
		Monthly: p.Amount.Monthly(), Source: p.Source, AsOf: p.AsOf, Guess: p.Guess, Billing: BilledRunning,
	})
}

// use adds something billed by use, of which only an assumption can be shown.
func (c *Cost) use(key Key, name string, quantity int64, p Price) {
	c.month(Component{Key: key, Name: name, Quantity: quantity, Unit: p.Unit, Source: p.Source, AsOf: p.AsOf, Guess: true}, p)
}

// work adds something billed by what the machine does, of which only an assumption can be shown.
func (c *Cost) work(key Key, name string, quantity int64, p Price) {
	c.use(key, name, quantity, p)
	c.Components[len(c.Components)-1].Billing = BilledWork
}

func (c *Cost) month(part Component, p Price) {
	part.Monthly = p.Amount.Times(part.Quantity, 1)
	part.Hourly = part.Monthly.Hourly()
	c.add(part)
}

func (c *Cost) add(part Component) { c.Components = append(c.Components, part) }

func (c *Cost) total(onDemandExtra Money) {
	for _, part := range c.Components {
		c.Hourly += part.Hourly
		c.Monthly += part.Monthly
	}
	c.Daily = c.Hourly.Times(24, 1)
	c.OnDemandMonthly = c.Monthly + onDemandExtra
	if c.OnDemandMonthly > 0 {
		c.SavingPercent = int(onDemandExtra.Times(100, int64(c.OnDemandMonthly)))
	}
}

// Idle is the cost of what is billed while the machine does not run, or there is none: the zero record. The components stay, for what they have
// cost before.
func (c Cost) Idle(machine Record) Cost {
	now := Cost{Currency: c.Currency, Components: slices.Clone(c.Components)}
	for i, part := range now.Components {
		if part.Billing == BilledWork || part.Key == machine.Key && (machine.Gone() || part.Billing != "") {
			now.Components[i].Quantity, now.Components[i].Hourly, now.Components[i].Monthly = 0, 0, 0
		}
	}
	now.total(0)
	return now
}

// Of is the part of the cost that the resource with the key has.
func (c Cost) Of(key Key) Cost {
	part := Cost{Currency: c.Currency, Components: []Component{}}
	for _, one := range c.Components {
		if one.Key == key {
			part.add(one)
		}
	}
	part.total(0)
	return part
}

// Guessed reports whether any part of the cost rests on an assumption.
func (c Cost) Guessed() bool {
	for _, part := range c.Components {
		if part.Guess {
			return true
		}
	}
	return false
}

// Sources names where the prices came from, each once.
func (c Cost) Sources() string {
	var names []string
	seen := map[string]bool{}
	for _, part := range c.Components {
		if part.Source != "" && !seen[part.Source] {
			seen[part.Source] = true
			names = append(names, part.Source)
		}
	}
	return strings.Join(names, ", ")
}
