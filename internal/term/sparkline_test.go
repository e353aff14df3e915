package term

import (
	"math"
	"testing"
)

func TestSparkline(t *testing.T) {
	for want, values := range map[string][]int64{
		"":         nil,
		"▅":        {7},
		"▅▅▅":      {7, 7, 7},
		"▁█":       {1, 2},
		"█▁▄":      {10, -10, 0},
		"▁▂▃▄▅▆▇█": {0, 10, 20, 30, 40, 50, 60, 70},
		"▁█▄":      {math.MinInt32, math.MaxInt32, 0},
	} {
		if got := Sparkline(values); got != want {
			t.Errorf("%v: %s, want %s", values, got, want)
		}
	}
}
