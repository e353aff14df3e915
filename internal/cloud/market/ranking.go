package market

import (
	"cmp"
	"math"
	"slices"

	"geusemaker/internal/stack"
)

// What the stack needs. Its services take 4 to 7 GiB together before any model is loaded; on a GPU machine models pass
// through memory on their way to the GPU. A model on the CPU comes on top.
const (
	tooLittleMiB = 4 << 10 // less does not even start
	enoughMiB    = 8 << 10
	enoughGPUMiB = 16 << 10
)

// enough is the memory that a type must have to be chosen without the user naming it.
func enough(c stack.Config) int {
	switch {
	case c.WorkloadOrDefault() == stack.WorkloadGPU:
		return enoughGPUMiB
	default:
		_, model := largestModel(c)
		return enoughMiB + model
	}
}

// enoughGPU is the memory that a GPU must have to hold the largest model whole. What does not fit runs on the CPU.
func enoughGPU(c stack.Config) int {
	_, model := largestModel(c)
	return model
}

// The limits of what is chosen unasked: beyond them machines cost much and the stack gains little.
const (
	mostVCPUs  = 8
	mostMiB    = 32 << 10
	mostGPUMiB = 64 << 10
)

// suits reports whether a type may be chosen without the user naming it: enough memory, no more than is of use, no GPU that
// lies idle, and exactly one where one is asked for. Types without a list price are sold by capacity block only.
func (t machineType) suits(c stack.Config) bool {
	if t.architecture != c.Architecture || t.list == 0 || t.vcpus < 2 || t.memoryMiB < enough(c) {
		return false
	}
	if c.WorkloadOrDefault() == stack.WorkloadGPU {
		return t.gpus == 1 && slices.Contains(drivable, t.family()) && t.gpuMemoryMiB >= enoughGPU(c) && t.memoryMiB <= mostGPUMiB
	}
	return t.gpu == "" && t.memoryMiB <= max(mostMiB, 2*enough(c)) && (t.vcpus <= mostVCPUs || enough(c) > mostMiB)
}

// drivable are the families with one GPU that both the images' open NVIDIA driver and Ollama support (Deep Learning AMIs
// release notes, supported EC2 instances; Ollama, docs/gpu.md: compute capability 5.0 and above).
var drivable = []string{"g4dn", "g5", "g5g", "g6", "g6e", "gr6", "g7", "g7e"}

// bandwidth is the memory bandwidth of a GPU in GB/s, from NVIDIA's data sheets. The speed at which a model writes hangs on it
// more than on anything else. A GPU that is not known counts as a T4.
func bandwidth(gpu string) float64 {
	switch gpu {
	case "A10G":
		return 600
	case "L4":
		return 300
	case "L40S":
		return 864
	case "RTX PRO Server 6000":
		return 1597
	default:
		return 320
	}
}

// power says how much work a type does, on a scale of its own kind: for GPUs, T4s; for others, vCPUs of the sixth
// generation. It is a judgement that serves to put offers in order and nothing else: each generation is taken to be 15 %
// faster than the one before, which is about what AWS claims; burstable types count with the baseline that their credits
// sustain, 30 % for large and 40 % above (EC2 user guide, "Key concepts for burstable performance instances"); flex types
// sustain full speed most of the time.
func (t machineType) power() float64 {
	if t.gpus > 0 {
		return float64(t.gpus) * bandwidth(t.gpu) / 320
	}
	power := float64(t.vcpus) * max(0.7, 1+0.15*float64(t.generation()-6))
	switch {
	case t.burstable() && t.vcpus <= 2:
		return power * 0.3
	case t.burstable():
		return power * 0.4
	case t.family()[max(0, len(t.family())-5):] == "-flex":
		return power * 0.9
	default:
		return power
	}
}

// worth is what the type is to the user when work and price are balanced: twice the power or memory is worth more, but not
// twice as much, to a stack that is idle most of the day.
func (t machineType) worth() float64 {
	memory := float64(t.memoryMiB) / enoughMiB
	if t.gpus > 0 {
		memory = float64(t.gpus*t.gpuMemoryMiB) / enoughGPUMiB
	}
	return math.Sqrt(t.power()) * math.Pow(memory, 0.25)
}

// pool is an offer with the type that it is of.
type pool struct {
	stack.Offer
	of machineType
}

// rank sorts pools of one market, best first.
//
//   - balanced: the lowest price for its worth. A current general-purpose type of the size that the stack needs comes
//     first; burstable types, cheap but slow under load, come last.
//   - lowest-cost: the lowest price.
//   - performance: the most power, then the lowest price.
//   - highest-availability: balanced, but the zones where requests are likeliest to succeed come first, as far as their scores
//     are known, and one pool of each family before the second of any, since capacity runs out by family.
func rank(pools []pool, preference string, scores map[string]int) {
	slices.SortStableFunc(pools, func(a, b pool) int {
		price := cmp.Compare(a.Hourly, b.Hourly)
		name := cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Zone, b.Zone))
		switch preference {
		case "lowest-cost":
			return cmp.Or(price, name)
		case "performance":
			return cmp.Or(-cmp.Compare(a.of.power(), b.of.power()), price, name)
		case "highest-availability":
			return cmp.Or(-cmp.Compare(scores[a.Zone], scores[b.Zone]), cmp.Compare(a.perWorth(), b.perWorth()), name)
		default:
			return cmp.Or(cmp.Compare(a.perWorth(), b.perWorth()), name)
		}
	})
	if preference == "highest-availability" {
		spread(pools)
	}
}

// perWorth is the price for what one gets. What has no known price comes last.
func (p pool) perWorth() float64 {
	if p.Hourly == 0 {
		return math.Inf(1)
	}
	return float64(p.Hourly) / p.of.worth()
}

// spread deals the pools out in rounds: the best of each family, then the second best of each, and so on.
func spread(pools []pool) {
	type dealt struct {
		pool
		round int
	}
	seen := map[string]int{}
	hands := make([]dealt, len(pools))
	for i, p := range pools {
		hands[i] = dealt{p, seen[p.of.family()]}
		seen[p.of.family()]++
	}
	slices.SortStableFunc(hands, func(a, b dealt) int { return cmp.Compare(a.round, b.round) })
	for i := range hands {
		pools[i] = hands[i].pool
	}
}

// shortlist picks the types that are worth asking prices for: the best by their list prices.
func shortlist(types []machineType, c stack.Config, most int) []machineType {
	var pools []pool
	for _, t := range types {
		if t.suits(c) && (c.Market != stack.MarketSpot || t.spot) {
			pools = append(pools, pool{stack.Offer{Type: t.name, Hourly: t.list}, t})
		}
	}
	rank(pools, c.Preference, nil)
	var chosen []machineType
	for _, p := range pools[:min(len(pools), most)] {
		chosen = append(chosen, p.of)
	}
	return chosen
}
