package market

import (
	"strings"
	"testing"
)

// What models take, against the sizes that Ollama's library shows plus 1.5 GiB to run in.
func TestModelMemory(t *testing.T) {
	for name, want := range map[string][2]int{ // GiB, from and to
		"llama3.2":                       {3, 4},
		"llama3.2:1b":                    {2, 3},
		"qwen2.5:0.5b":                   {1, 2},
		"llama3.1:8b":                    {6, 7},
		"mistral":                        {5, 6},
		"llama3.1:8b-instruct-q8_0":      {9, 10},
		"llama3.1:8b-instruct-fp16":      {16, 17},
		"mixtral:8x7b":                   {32, 36},
		"llama3.3:70b":                   {40, 43},
		"llama3.1:405b":                  {230, 235},
		"nomic-embed-text":               {1, 2},
		"registry.example/me/phi4:14b":   {9, 10},
		"snowflake-arctic-embed:137m":    {1, 2},
		"hf.co/bartowski/Llama-3.2:Q4_K": {0, 0},
		"somebody/else":                  {0, 0},
		"x:999999b":                      {0, 0},
		"":                               {0, 0},
	} {
		mib, known := modelMiB(name)
		if known != (want != [2]int{}) || mib < want[0]<<10 || mib > want[1]<<10 {
			t.Errorf("%q takes %d MiB (%v), want %v GiB", name, mib, known, want)
		}
	}
}

func FuzzModelMemory(f *testing.F) {
	for _, seed := range []string{"llama3.1:8b", "mixtral:8x22b", "a:99999999999999999999b", ":1.5b-q4_0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if mib, known := modelMiB(name); known != (mib > 0) || mib > 5<<20 {
			t.Errorf("%q takes %d MiB, %v", name, mib, known)
		}
	})
}

// The largest model decides how much memory a machine must have, or its GPU.
func TestMachineHoldsTheLargestModel(t *testing.T) {
	known, err := readTypes()
	if err != nil {
		t.Fatal(err)
	}
	for changes, want := range map[string][2]int{ // the least memory and GPU memory of what is chosen, in GiB
		"":                                       {8, 0},
		"models=llama3.2:3b":                     {12, 0},
		"models=llama3.2:3b,phi4":                {17, 0},
		"models=llama3.3:70b":                    {49, 0},
		"workload=gpu":                           {16, 14},
		"workload=gpu models=gpt-oss":            {16, 14},
		"workload=gpu models=llama3.3:70b":       {16, 41},
		"workload=gpu models=command-r:104b":     {16, 60},
		"workload=gpu models=x,nomic-embed-text": {16, 14},
	} {
		c := config(strings.Fields(changes)...)
		suitable := 0
		for _, m := range known {
			if !m.suits(c) {
				continue
			}
			suitable++
			if m.memoryMiB < want[0]<<10-1024 || m.gpuMemoryMiB < want[1]<<10 {
				t.Errorf("%q: %s has %d and %d MiB", changes, m.name, m.memoryMiB, m.gpuMemoryMiB)
			}
		}
		if suitable == 0 {
			t.Errorf("%q: nothing suits", changes)
		}
	}
	_, _, err = rich().market().candidates(t.Context(), config("workload=gpu", "models=llama3.1:405b"), mostAsked)
	if err == nil || !strings.Contains(err.Error(), "llama3.1:405b, which takes about 2") {
		t.Errorf("got %v", err)
	}
	_, warnings, err := rich().market().candidates(t.Context(), config("workload=gpu", "instance_type=g4dn.xlarge", "models=llama3.3:70b"), mostAsked)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "the rest will run on the CPU") {
		t.Errorf("got %q, %v", warnings, err)
	}
}
