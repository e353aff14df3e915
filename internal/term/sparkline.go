package term

// bars are the eight heights that a character can show.
const bars = "▁▂▃▄▅▆▇█"

// Sparkline draws values as a row of bars, the lowest as the smallest bar. Equal values are all drawn in the middle.
func Sparkline(values []int64) string {
	if len(values) == 0 {
		return ""
	}
	heights := []rune(bars)
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	line := make([]rune, len(values))
	for i, v := range values {
		n := len(heights) / 2
		if high > low {
			n = int(float64(v-low) / float64(high-low) * float64(len(heights)-1))
		}
		line[i] = heights[n]
	}
	return string(line)
}
