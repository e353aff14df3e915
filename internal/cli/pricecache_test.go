package cli

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"geusemaker/internal/stack"
)

func TestPriceCache(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "home")
	cache := priceCache{folder: folder}
	if got := cache.Load("eu-west-1"); got != nil {
		t.Errorf("an empty cache holds %v", got)
	}
	want := map[string]stack.Price{"x": {Amount: 1, Unit: "hour", Source: "list", AsOf: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	cache.Save("eu-west-1", want)
	path := filepath.Join(folder, "cache", "prices-eu-west-1.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", dir, err)
	}
	if got := cache.Load("eu-west-1"); !maps.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if got := cache.Load("eu-west-2"); got != nil {
		t.Errorf("another region has %v", got)
	}
	if got := (priceCache{folder: folder, prefix: "sandbox-"}).Load("eu-west-1"); got != nil {
		t.Errorf("the sandbox has the prices of AWS: %v", got)
	}
	for _, damaged := range []string{"", "{", `{"version":9,"prices":{"x":{"amount":1}}}`, `[]`} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cache.Load("eu-west-1"); got != nil {
			t.Errorf("%q holds %v", damaged, got)
		}
	}
	cache.Save("eu-west-1", want)
	if got := cache.Load("eu-west-1"); !maps.Equal(got, want) {
		t.Error("a damaged cache is not replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "cache", ".prices-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	priceCache{folder: path}.Save("eu-west-1", want) // a folder that cannot be made is no error
}
