package market

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"geusemaker/internal/stack"
)

// defaultSizes are the parameters, in millions, of what a name without a tag pulls (Ollama library, the tag "latest" of each
// page).
var defaultSizes = sync.OnceValue(func() map[string]int {
	return map[string]int{
		"all-minilm": 23, "bge-m3": 567, "codellama": 7_000, "deepseek-coder-v2": 16_000, "deepseek-r1": 8_000, "devstral": 24_000,
		"gemma2": 9_000, "gemma3": 4_000, "gpt-oss": 21_000, "llama2": 7_000, "llama3": 8_000, "llama3.1": 8_000, "llama3.2": 3_000,
		"llama3.3": 70_000, "llava": 7_000, "mistral": 7_000, "mistral-nemo": 12_000, "mistral-small": 24_000, "mixtral": 47_000,
		"mxbai-embed-large": 335, "nomic-embed-text": 137, "phi3": 4_000, "phi4": 14_000, "qwen2.5": 7_000, "qwen2.5-coder": 7_000,
		"qwen3": 8_000, "qwq": 32_000, "smollm2": 1_700, "tinyllama": 1_100,
	}
})

// sizePattern finds the number of parameters in a tag: 8b, 1.5b, 137m, 8x7b.
var sizePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[-_])(?:(\d+)x)?(\d+)(?:\.(\d))?([bm])(?:$|[-_])`)
})

// quantPattern finds the bits of a weight in a tag: q4_K_M, q8_0, fp16, bf16.
var quantPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[-_])(?:i?q(\d)|fp(16)|bf(16)|f(16))`) })

// bytesPerThousand is what a thousand weights take by their nominal bits, with the scales that are stored beside them
// (llama.cpp, "quantize": Q4_K_M takes 4.9 bits a weight, Q8_0 8.5). Ollama's tags without a quantization are of 4 bits.
func bytesPerThousand(bits string) int {
	switch bits {
	case "2":
		return 370
	case "3":
		return 490
	case "5":
		return 710
	case "6":
		return 820
	case "8":
		return 1_065
	case "16":
		return 2_000
	default:
		return 610
	}
}

// runtimeMiB is what a loaded model takes beside its weights: buffers, and a context of 4,096 tokens, Ollama's default.
const runtimeMiB = 1536

// modelMiB is the memory that a model of Ollama takes while it runs; false where its name does not tell.
func modelMiB(name string) (int, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	name = name[strings.LastIndexByte(name, '/')+1:]
	family, tag, _ := strings.Cut(name, ":")
	millions := defaultSizes()[family]
	if m := sizePattern().FindStringSubmatch(tag); m != nil {
		tenths, _ := strconv.Atoi(m[2] + "0")
		if m[3] != "" {
			tenths, _ = strconv.Atoi(m[2] + m[3])
		}
		experts, _ := strconv.Atoi(m[1])
		millions = tenths * max(1, experts) / 10
		if m[4] == "b" {
			millions = tenths * 100 * max(1, experts)
		}
	}
	if millions <= 0 || millions > 2_000_000 {
		return 0, false
	}
	bits := ""
	if m := quantPattern().FindStringSubmatch(tag); m != nil {
		bits = m[1] + m[2] + m[3] + m[4]
	}
	return millions*bytesPerThousand(bits)*1000>>20 + runtimeMiB, true
}

// largestModel is the memory that the largest of the models takes. Ollama unloads one model to load another, so the largest
// decides. One whose name does not tell its size counts as one of 7 billion weights.
func largestModel(c stack.Config) (name string, mib int) {
	for _, model := range c.Models {
		need, known := modelMiB(model)
		if !known {
			need, _ = modelMiB("mistral")
		}
		if need > mib {
			name, mib = model, need
		}
	}
	return name, mib
}
