package stack_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

func TestWorldwide(t *testing.T) {
	quarters := []string{"0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"}
	var steps []string // 128.0.0.0/1, 64.0.0.0/2, 32.0.0.0/3 ...: all but one address
	for bits := 1; bits <= 32; bits++ {
		start := uint32(1) << (32 - bits)
		steps = append(steps, fmt.Sprintf("%d.%d.%d.%d/%d", start>>24, start>>16&255, start>>8&255, start&255, bits))
	}
	for _, tt := range []struct {
		name  string
		cidrs []string
		want  bool
	}{
		{"nothing", nil, false},
		{"everything", []string{"0.0.0.0/0"}, true},
		{"two halves", []string{"0.0.0.0/1", "128.0.0.0/1"}, true},
		{"one half", []string{"128.0.0.0/1"}, true},
		{"four quarters", quarters, true},
		{"two quarters", quarters[1:3], true},
		{"one quarter", quarters[:1], false},
		{"one quarter, twice, and parts of it", []string{"0.0.0.0/2", "0.0.0.0/2", "0.0.0.0/3", "10.0.0.0/8"}, false},
		{"mixed sizes", []string{"203.0.113.0/24", "0.0.0.0/2", "128.0.0.0/3", "160.0.0.0/3"}, true},
		{"all but one address", steps, true},
		{"all but half and one address", steps[1:], false},
		{"offices", []string{"my-ip", "203.0.113.7/32", "10.0.0.0/8"}, false},
		{"the other family", []string{"::/0", "8000::/1"}, false},
	} {
		if got := stack.Worldwide(tt.cidrs); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestWorldwideCountsAddresses compares with the plain count, over ranges of whole /8 blocks.
func TestWorldwideCountsAddresses(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var cidrs []string
		var held [256]bool
		for range 1 + dice.IntN(12) {
			bits := 1 + dice.IntN(8)
			size := 1 << (8 - bits)
			first := dice.IntN(256) / size * size
			cidrs = append(cidrs, fmt.Sprintf("%d.0.0.0/%d", first, bits))
			for i := range size {
				held[first+i] = true
			}
		}
		count := 0
		for _, in := range held {
			if in {
				count++
			}
		}
		if got := stack.Worldwide(cidrs); got != (count >= 128) {
			t.Fatalf("%s hold %d of 256 blocks, but worldwide is %t", strings.Join(cidrs, " "), count, got)
		}
	}
}

// TestExposedTogether holds that ranges which are the whole internet together are told as it is, and only for their ports.
func TestExposedTogether(t *testing.T) {
	gate := func(ports, peer string) stack.Gate {
		return stack.Gate{Direction: stack.DirectionIn, Protocol: "tcp", Ports: ports, Peer: peer}
	}
	got := stack.Exposed([]stack.Gate{
		gate("443", "0.0.0.0/1"), gate("80", "0.0.0.0/2"), gate("443", "128.0.0.0/1"), gate("22", "203.0.113.7/32"), gate("8443", "::/0"),
	})
	if !slices.Equal(got, []string{"443", "8443"}) {
		t.Error(got)
	}
}
