package market

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

// place is a type in a zone.
type place struct{ machine, zone string }

// change is a spot price and when it came into force.
type change struct {
	at    time.Time
	price stack.Money
}

// history are the changes of the spot price of each pool, the oldest first. A pool without any is not sold.
type history map[place][]change

// now are the prices in force.
func (h history) now(at time.Time) map[place]stack.Price {
	prices := map[place]stack.Price{}
	for where, changes := range h {
		prices[where] = stack.Price{Amount: changes[len(changes)-1].price, Unit: "hour", Source: "EC2 spot price", AsOf: at}
	}
	return prices
}

// spotPrices asks what the types cost on the spot market. What is missing from the result is not sold there. The history
// begins with the prices in force at its start (EC2 API reference, "DescribeSpotPriceHistory"): with now as the start, it
// holds nothing else.
func (m *Market) spotPrices(ctx context.Context, types []machineType, since time.Time) (history, error) {
	in := &ec2.DescribeSpotPriceHistoryInput{
		StartTime:           &since,
		ProductDescriptions: []string{"Linux/UNIX", "Linux/UNIX (Amazon VPC)"},
	}
	for _, t := range types {
		in.InstanceTypes = append(in.InstanceTypes, ec2types.InstanceType(t.name))
	}
	found := history{}
	pages := ec2.NewDescribeSpotPriceHistoryPaginator(m.clients.EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range page.SpotPriceHistory {
			amount, err := stack.ParseMoney(aws.ToString(row.SpotPrice))
			where := place{string(row.InstanceType), aws.ToString(row.AvailabilityZone)}
			if err == nil && amount > 0 {
				found[where] = append(found[where], change{aws.ToTime(row.Timestamp), amount})
			}
		}
	}
	for _, changes := range found {
		slices.SortStableFunc(changes, func(a, b change) int { return a.at.Compare(b.at) })
	}
	return found, nil
}

// priceTable is what is known of the prices of machines.
type priceTable struct {
	book *book
	spot map[place]stack.Price
	// spotUnknown says that the spot market could not be asked: the on-demand price, which a spot price never exceeds unless
	// the user sets a higher limit, stands in (EC2 user guide, "Spot Instance pricing history").
	spotUnknown bool
}

// offer prices a pool. It reports false where the type is not sold on that market.
func (p priceTable) offer(t machineType, zone, market string) (stack.Offer, bool) {
	list := p.book.list(t)
	o := stack.Offer{
		Type: t.name, Zone: zone, Market: market, Hourly: list.Amount, OnDemand: list.Amount,
		VCPUs: t.vcpus, MemoryMiB: t.memoryMiB, Source: list.Source, AsOf: list.AsOf, Guess: list.Guess,
	}
	if market != stack.Spot {
		return o, true
	}
	if p.spotUnknown {
		o.Source, o.Guess = o.Source+", on-demand", true
		return o, t.spot
	}
	price, sold := p.spot[place{t.name, zone}]
	o.Hourly, o.Source, o.AsOf, o.Guess = price.Amount, price.Source, price.AsOf, false
	return o, sold && t.spot
}

// componentPrices are the prices of what is not a machine: the embedded ones, of us-east-1.
func componentPrices() (map[string]stack.Price, error) {
	all, err := readPrices()
	if err != nil {
		return nil, err
	}
	used := []string{
		stack.PriceGP3Storage, stack.PriceGP3Throughput, stack.PriceEFSStorage, stack.PriceEFSRead,
		stack.PriceEFSWrite, stack.PriceEFSBackup, stack.PricePublicIPv4, stack.PriceTransferOut,
		stack.PriceBalancer, stack.PriceBalancerUse, stack.PriceNAT, stack.PriceNATUse, stack.PriceDistributionOut,
	}
	for _, key := range used {
		if _, ok := all[key]; !ok {
			return nil, fmt.Errorf("list of prices: %s is missing", key)
		}
	}
	maps.DeleteFunc(all, func(key string, _ stack.Price) bool { return !slices.Contains(used, key) })
	return all, nil
}
