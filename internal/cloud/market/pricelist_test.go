package market

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"geusemaker/internal/stack"
)

// ireland is what the price list says of the things that a deployment uses in eu-west-1, among what lies beside it there.
// Attributes and units as the API gives them.
func ireland() []string {
	at := func(pairs ...string) map[string]string {
		all := map[string]string{"regionCode": "eu-west-1", "location": "EU (Ireland)", "locationType": "AWS Region"}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	return []string{
		entry(at("volumeApiName", "gp3", "usagetype", "EU-EBS:VolumeUsage.gp3"), "GB-Mo", "0.0880000000"),
		entry(at("volumeApiName", "gp3", "usagetype", "EU-EBS:VolumeP-IOPS.gp3"), "IOPS-Mo", "0.0055000000"),
		entry(at("volumeApiName", "gp3", "usagetype", "EU-EBS:VolumeP-Throughput.gp3"), "GiBps-mo", "45.0560000000"),
		entry(at("storageClass", "General Purpose", "usagetype", "EU-TimedStorage-ByteHrs"), "GB-Mo", "0.3300000000"),
		entry(at("storageClass", "One Zone-General Purpose", "usagetype", "EU-TimedStorage-Z-ByteHrs"), "GB-Mo", "0.1760000000"),
		entry(at("storageClass", "Infrequent Access", "usagetype", "EU-IATimedStorage-ByteHrs"), "GB-Mo", "0.0275000000"),
		entry(at("storageClass", "Archive", "usagetype", "EU-ArchiveTimedStorage-ByteHrs"), "GB-Mo", "0.0088000000"),
		entry(at("accessType", "Read", "usagetype", "EU-ETDataAccess-Bytes"), "GB", "0.0330000000"),
		entry(at("accessType", "Write", "usagetype", "EU-ETDataAccess-Bytes"), "GB", "0.0660000000"),
		entry(at("accessType", "Read", "storageClass", "Infrequent Access", "usagetype", "EU-IADataAccess-Bytes"), "GB", "0.0110000000"),
		entry(at("throughputClass", "Included", "usagetype", "EU-IncludedTP-MiBpsHrs"), "MiBps-Mo", "0.0000000000"),
		entry(at("operation", "Storage", "usagetype", "EU-WarmStorage-ByteHrs-EFS"), "GB-Mo", "0.0550000000"),
		entry(at("operation", "Storage", "usagetype", "EU-WarmStorage-ByteHrs-EFS-LAGV"), "GB-Mo", "0.0600000000"),
		entry(at("group", "VPCPublicIPv4Address", "usagetype", "EU-PublicIPv4:InUseAddress"), "Hrs", "0.0050000000"),
		entry(at("group", "VPCPublicIPv4Address", "usagetype", "EU-PublicIPv4:IdleAddress"), "Hrs", "0.0060000000"),
		"", "{", `{"product":{},"terms":{}}`,
	}
}

// Whatever the order of the answer, each price is that of the exact product.
func TestComponentPrices(t *testing.T) {
	want := map[string]string{
		stack.PriceGP3Storage: "0.088", stack.PriceGP3Throughput: "0.044", stack.PriceEFSStorage: "0.33", stack.PriceEFSRead: "0.033",
		stack.PriceEFSWrite: "0.066", stack.PriceEFSBackup: "0.055", stack.PricePublicIPv4: "0.005", stack.PriceTransferOut: "0.09",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f := withImage(rich())
		f.products = ireland()
		random.Shuffle(len(f.products), func(i, j int) { f.products[i], f.products[j] = f.products[j], f.products[i] })
		facts, err := f.market().Facts(t.Context(), config())
		if err != nil {
			t.Fatal(err)
		}
		for key, amount := range want {
			p := facts.Prices[key]
			listed := key != stack.PriceTransferOut
			if p.Amount.Decimal() != amount || listed != (p.Source == listSource) || listed != p.AsOf.Equal(today) || listed == p.Guess || p.Unit == "" {
				t.Fatalf("%s: %+v, want %s", key, p, amount)
			}
		}
	}
}

func TestThroughputIsListedByMiBOrGiB(t *testing.T) {
	q := questions()[0]
	for unit, want := range map[string]string{"GiBps-mo": "0.0476", "MiBps-Mo": "48.7424", "furlongs": "0"} {
		f := rich()
		f.products = []string{entry(map[string]string{"usagetype": "EUC1-EBS:VolumeP-Throughput.gp3"}, unit, "48.7424000000")}
		found, err := q.ask(t.Context(), f.market(), "eu-central-1")
		if err != nil || found[stack.PriceGP3Throughput].Decimal() != want {
			t.Errorf("%s: %v, %v", unit, found, err)
		}
	}
}

func TestDamagedProductsAreNoPrices(t *testing.T) {
	for _, product := range []string{
		"", "{", `{"terms":{}}`, `{"terms":{"OnDemand":[]}}`,
		`{"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"Hrs","pricePerUnit":{"CNY":"1.0"}}}}}}}`,
		`{"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"Hrs","pricePerUnit":{"USD":"0.0000000000"}}}}}}}`,
		`{"terms":{"OnDemand":{"a":{"priceDimensions":{"b":{"unit":"Hrs","pricePerUnit":{"USD":"free"}}}}}}}`,
	} {
		if got, ok := readProduct(product); ok {
			t.Errorf("%s: %v", product, got)
		}
	}
}

// Machines are priced by the product of shared Linux machines that run; what a filter let through by mistake is not taken.
func TestMachinePricesAreThoseOfTheExactProduct(t *testing.T) {
	f := rich()
	f.listed = nil
	of := func(usage string) map[string]string {
		return map[string]string{"instanceType": "m7i.large", "usagetype": usage}
	}
	f.products = []string{
		entry(of("EU-UnusedBox:m7i.large"), "Hrs", "0.0500000000"), entry(of("EU-BoxUsage:m7i.large"), "Hrs", "0.1071000000"),
		entry(of("EU-DedicatedUsage:m7i.large"), "Hrs", "0.9000000000"), entry(of("EU-BoxUsage:m7i.large"), "Quantity", "500.0000000000"),
	}
	for range 4 {
		f.products = append(f.products[1:], f.products[0])
		found, err := f.market().machinePrices(t.Context(), "eu-west-1", []string{"m7i.large"})
		if err != nil || found["m7i.large"].Decimal() != "0.1071" || len(found) != 1 {
			t.Errorf("%v, %v", found, err)
		}
	}
}

// A price list that is asked needs five calls, however many types there are, and none the second time within a day.
func TestPricesAreKeptForADay(t *testing.T) {
	cache := &kept{}
	prices := func(f *fake, at time.Time) ([]string, stack.Facts) {
		t.Helper()
		f.products = ireland()
		o := Options{Clock: moved{at}, Prices: cache, Address: address}
		facts, err := New(f.clients(), o).Facts(t.Context(), config())
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(f.calls, func(c string) bool { return !strings.HasPrefix(c, "GetProducts") }), facts
	}
	calls, first := prices(withImage(rich()), today)
	if len(calls) != 5 || len(cache.prices) < 10 {
		t.Errorf("%d calls, %d prices are kept", len(calls), len(cache.prices))
	}
	calls, second := prices(withImage(rich()), today.Add(23*time.Hour))
	if len(calls) != 0 || !maps.Equal(first.Prices, second.Prices) {
		t.Errorf("within a day: %v", calls)
	}
	if calls, _ := prices(withImage(rich()), today.Add(25*time.Hour)); len(calls) != 5 {
		t.Errorf("after a day: %v", calls)
	}
	denied := withImage(rich())
	denied.refusals["GetProducts"] = errors.New("no")
	_, facts := prices(denied, today.Add(60*time.Hour))
	if p := facts.Prices[stack.PriceGP3Storage]; p.Guess || !p.AsOf.Equal(today.Add(25*time.Hour)) {
		t.Errorf("where the list cannot be asked: %+v", p)
	}
	if o := facts.Offers[len(facts.Offers)-1]; o.Guess || o.Market != onDemandMarket {
		t.Errorf("%+v", o)
	}
	if len(facts.Warnings) != 1 || !strings.Contains(facts.Warnings[0], "prices of an earlier answer") {
		t.Errorf("%q", facts.Warnings)
	}
	_, facts = prices(denied, today.Add(40*24*time.Hour))
	if p := facts.Prices[stack.PriceGP3Storage]; !p.Guess || !p.AsOf.IsZero() {
		t.Errorf("after a month: %+v", p)
	}
	cache.prices[stack.PriceGP3Storage] = stack.Price{Amount: 1, AsOf: today.Add(1000 * time.Hour)}
	if _, facts = prices(denied, today); facts.Prices[stack.PriceGP3Storage].Amount == 1 {
		t.Error("a price of the future is believed")
	}
}

// kept is a cache in memory.
type kept struct {
	mu     sync.Mutex
	prices map[string]stack.Price
}

func (k *kept) Load(string) map[string]stack.Price {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.prices)
}

func (k *kept) Save(_ string, prices map[string]stack.Price) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prices = prices
}
