package market

import (
	"os"
	"path/filepath"
	"testing"

	"geusemaker/internal/stack"
)

// Whatever the price list says, a price that is taken from it is more than nothing and not beyond what can be counted with.
func FuzzPriceList(f *testing.F) {
	f.Add(`{"product":{"attributes":{"usagetype":"EUC1-EBS:VolumeUsage.gp3"}},"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"GB-Mo","pricePerUnit":{"USD":"0.0952000000"}}}}}}}`)
	f.Add(`{"product":{"attributes":{"usagetype":"EBS:VolumeP-Throughput.gp3"}},"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"GiBps-mo","pricePerUnit":{"USD":"40.96"}}}}}}}`)
	f.Add(`{"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"Hrs","pricePerUnit":{"USD":"99999999999999999999"}}}}}}}`)
	f.Add(`{"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"Hrs","pricePerUnit":{"USD":"-1"}},"c":{"pricePerUnit":{"CNY":"1"}}}}}}}`)
	f.Add(`{"product":null,"terms":{"OnDemand":null}}`)
	f.Add(`[]`)
	for _, file := range listings(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, sold := readProduct(text)
		if !sold {
			return
		}
		if p.price <= 0 {
			t.Errorf("sold for %s", p.price)
		}
		again, err := stack.ParseMoney(p.price.Decimal())
		if err != nil || again != p.price {
			t.Errorf("%s is read as %s again (%v)", p.price.Decimal(), again, err)
		}
		_ = p.usage()
		for _, q := range questions() {
			for _, l := range q.listings {
				if parts := l.per.parts(p.unit); parts > 0 {
					if one := p.price.Times(1, parts); one < 0 || one > p.price {
						t.Errorf("a part of %s is %s", p.price, one)
					}
				}
			}
		}
	})
}

// listings are the answers of the price list that the other tests use.
func listings(f *testing.F) []string {
	names, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	var all []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}
