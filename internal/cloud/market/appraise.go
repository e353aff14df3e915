package market

import (
	"context"
	"slices"

	"geusemaker/internal/stack"
)

// Appraise prices machines that exist, of which type, zone and market are given, and returns the prices of what else may
// exist beside them. What cannot be asked or is not listed is a guess from the embedded lists, and zero where those have
// nothing: an appraisal never fails for want of a permission.
func (m *Market) Appraise(ctx context.Context, region string, machines []stack.Offer) ([]stack.Offer, map[string]stack.Price, error) {
	known, err := m.types()
	if err != nil {
		return nil, nil, err
	}
	var types []machineType
	at := map[string]machineType{}
	for _, o := range machines {
		if _, twice := at[o.Type]; twice {
			continue
		}
		t := machineType{name: o.Type, spot: true}
		if i := slices.IndexFunc(known, func(t machineType) bool { return t.name == o.Type }); i >= 0 {
			t = known[i]
		}
		at[o.Type] = t
		types = append(types, t)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := m.clock.Now().UTC()
	table := priceTable{book: m.open(region)}
	_ = together(
		func() error { table.book.components(ctx); return nil },
		func() error { table.book.machines(ctx, types); return nil },
		func() error {
			if len(types) == 0 {
				return nil
			}
			spot, err := m.spotPrices(ctx, types, now)
			table.spot, table.spotUnknown = spot.now(now), err != nil
			return err
		},
	)
	table.book.close()
	prices, err := table.book.facts()
	if err != nil {
		return nil, nil, err
	}
	var priced []stack.Offer
	for _, o := range machines {
		p, sold := table.offer(at[o.Type], o.Zone, o.Market)
		if !sold { // any more: what it costs at most stands in
			p, _ = table.offer(at[o.Type], o.Zone, onDemandMarket)
			p.Market, p.Guess = o.Market, true
		}
		priced = append(priced, p)
	}
	return priced, prices, nil
}
