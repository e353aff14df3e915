package cli

import (
	"encoding/json"
	"os"
	"path/filepath"

	"geusemaker/internal/stack"
)

// priceCache keeps list prices in <home>/cache/prices-<region>.json. It is only a cache: what cannot be read or written is
// asked for again, and nobody is told.
type priceCache struct {
	folder string
	prefix string // tells the prices of the sandbox apart
}

// cachedPrices is the file.
type cachedPrices struct {
	Version int                    `json:"version"`
	Prices  map[string]stack.Price `json:"prices"`
}

const priceCacheVersion = 1

func (p priceCache) path(region string) string {
	return filepath.Join(p.folder, "cache", p.prefix+"prices-"+filepath.Base(region)+".json")
}

// Load implements market.PriceCache.
func (p priceCache) Load(region string) map[string]stack.Price {
	text, err := readBounded(p.path(region))
	var kept cachedPrices
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.Version != priceCacheVersion {
		return nil
	}
	return kept.Prices
}

// Save implements market.PriceCache. The file is replaced whole: another process may read it at the same time.
func (p priceCache) Save(region string, prices map[string]stack.Price) {
	text, err := json.Marshal(cachedPrices{Version: priceCacheVersion, Prices: prices})
	if err != nil {
		return
	}
	path := p.path(region)
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".prices-*") // made with mode 0600
	if err != nil {
		return
	}
	_, err = temp.Write(append(text, '\n'))
	if closeErr := temp.Close(); err != nil || closeErr != nil || os.Rename(temp.Name(), path) != nil {
		_ = os.Remove(temp.Name())
	}
}
