package market

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"geusemaker/internal/stack"
)

// PriceCache keeps the prices of the price list between runs, by region. What it cannot find or keep is no error: prices are
// then asked for again.
type PriceCache interface {
	Load(region string) map[string]stack.Price
	Save(region string, prices map[string]stack.Price)
}

// freshFor is how long a kept price is used unasked. AWS changes list prices a few times a year.
const freshFor = 24 * time.Hour

// keptFor is how long a kept price stands in where the price list cannot be asked: it is still that of the right region.
const keptFor = 30 * 24 * time.Hour

// machineKey is the key of a machine's price, beside those of Facts.Prices.
func machineKey(name string) string { return "machine/" + name }

// book is what is known of the list prices of one region. It may be used from several goroutines.
type book struct {
	market *Market
	region string
	now    time.Time

	mu      sync.Mutex
	prices  map[string]stack.Price
	changed bool
	refused error // why the price list could not be asked, first of all
}

// open begins with the prices that were kept.
func (m *Market) open(region string) *book {
	b := &book{market: m, region: region, now: m.clock.Now().UTC(), prices: map[string]stack.Price{}}
	if m.cache == nil {
		return b
	}
	for key, p := range m.cache.Load(region) {
		// A price of tomorrow comes from a clock that was set back since; one of next year is damage.
		if age := b.now.Sub(p.AsOf); p.Amount > 0 && age > -freshFor && age < keptFor {
			b.prices[key] = p
		}
	}
	return b
}

// close keeps what was learned.
func (b *book) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed && b.market.cache != nil {
		b.market.cache.Save(b.region, maps.Clone(b.prices))
		b.changed = false
	}
}

// price is the price under a key, fresh or kept.
func (b *book) price(key string) (stack.Price, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.prices[key]
	return p, known
}

// lacks reports whether the price under the key has to be asked for.
func (b *book) lacks(key string) bool {
	p, known := b.price(key)
	return !known || b.now.Sub(p.AsOf) >= freshFor
}

func (b *book) learn(amounts map[string]stack.Money, key func(string) string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && b.refused == nil {
		b.refused = err
	}
	for name, amount := range amounts {
		b.prices[key(name)] = stack.Price{Amount: amount, Unit: "hour", Source: listSource, AsOf: b.now}
		b.changed = true
	}
}

// machines sees to the prices of types, with one call for those that are not fresh.
func (b *book) machines(ctx context.Context, types []machineType) {
	var names []string
	for _, t := range types {
		if b.lacks(machineKey(t.name)) {
			names = append(names, t.name)
		}
	}
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	found, err := b.market.machinePrices(ctx, b.region, names)
	b.learn(found, machineKey, err)
}

// components sees to the prices of what is not a machine, with one call for each service that has one that is not fresh.
func (b *book) components(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	var calls []func() error
	for _, q := range questions() {
		if slices.ContainsFunc(q.listings, func(l listing) bool { return b.lacks(l.key) }) {
			calls = append(calls, func() error {
				found, err := q.ask(ctx, b.market, b.region)
				b.learn(found, func(key string) string { return key }, err)
				return nil
			})
		}
	}
	_ = together(calls...)
}

// list is the price of a type: the region's, or the embedded one of another region as a guess.
func (b *book) list(t machineType) stack.Price {
	if p, known := b.price(machineKey(t.name)); known {
		return p
	}
	return stack.Price{Amount: t.list, Unit: "hour", Source: "price list of " + listedIn, AsOf: listedAt, Guess: true}
}

// facts are the prices of what is not a machine. Embedded ones stand in for those that are not known.
func (b *book) facts() (map[string]stack.Price, error) {
	embedded, err := componentPrices()
	if err != nil {
		return nil, err
	}
	for key, guess := range embedded {
		if p, known := b.price(key); known {
			p.Unit = guess.Unit
			embedded[key] = p
		}
	}
	return embedded, nil
}

// warnings say which prices are not those of the region.
func (b *book) warnings(types []machineType) (warnings []string) {
	var guessed, unknown []string
	for _, t := range types {
		switch p := b.list(t); {
		case p.Amount == 0:
			unknown = append(unknown, t.name)
		case p.Guess:
			guessed = append(guessed, t.name)
		}
	}
	instead := fmt.Sprintf("; those of %s of %s are shown instead", listedIn, listedAt.Format(time.DateOnly))
	switch {
	case b.refused != nil && len(guessed) == 0:
		warnings = append(warnings, "AWS's price list could not be asked ("+because(b.refused)+"); prices of an earlier answer, or of "+listedIn+", are shown instead")
	case b.refused != nil:
		warnings = append(warnings, "AWS's price list could not be asked ("+because(b.refused)+") for on-demand prices"+instead)
	case len(guessed) > 0:
		warnings = append(warnings, fmt.Sprintf("AWS's price list has no prices of %s in %s%s", strings.Join(guessed, ", "), b.region, instead))
	}
	if len(unknown) > 0 {
		warnings = append(warnings, "no price is known of "+strings.Join(unknown, ", "))
	}
	return warnings
}
