package host

// A memoryShare bounds the memory of one container, in MiB and in percent of what the machine has beyond its own needs.
type memoryShare struct {
	service string
	floor   int
	percent int
	ceiling int // 0 means none
}

// systemMemory, in MiB, is left to the kernel, Docker and the agents.
const systemMemory = 768

// memoryShares are limits, not reservations, and add up to more than the machine has: they keep one service from taking it
// all while the others idle. Floors are what each needs to start (n8n's Helm chart limits it to 1 GiB; Crawl4AI's README asks
// for 4 GiB under load); models and vectors live in memory, so Ollama and Qdrant have no ceiling.
var memoryShares = []memoryShare{
	{"crawl4ai", 1024, 40, 6144},
	{"gateway", 128, 5, 512},
	{"n8n", 1024, 30, 8192},
	{"ollama", 1024, 80, 0},
	{"postgres", 384, 15, 4096},
	{"qdrant", 512, 40, 0},
}

// limit is the container's memory in MiB on a machine of total MiB.
func (s memoryShare) limit(total int) int {
	limit := max(s.floor, (total-systemMemory)*s.percent/100)
	if s.ceiling > 0 {
		limit = min(limit, s.ceiling)
	}
	return limit
}
