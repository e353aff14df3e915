package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"geusemaker/internal/host"
)

// TestThePretendMachinePullsWhatARealOneDoes holds the images of the pretend account against those that the machine runs: the
// two do not know of each other.
func TestThePretendMachinePullsWhatARealOneDoes(t *testing.T) {
	t.Parallel()
	got := run(t, t.TempDir(), "deploy", "demo", "--sandbox", "--yes", "--progress", "json")
	expect(t, got, exitDone)
	pulled := map[string]bool{}
	for line := range strings.Lines(got.err) {
		if _, rest, is := strings.Cut(line, `"key":"image/`); is {
			image, _, _ := strings.Cut(rest, `"`)
			pulled[image] = true
		}
	}
	want := slices.Sorted(maps.Values(host.Images()))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(pulled))); diff != "" {
		t.Error(diff)
	}
}
