package term

import (
	"fmt"
	"strconv"
	"time"
)

// Age is how old something is, in its largest unit: "42s", "5m", "3h", "2d".
func Age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
}

// Duration is how long something took, in whole seconds: "42s", "1m10s", "1h02m".
func Duration(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// usually says how long such work takes as a rule. Up to two minutes it counts seconds, as people do who wait.
func usually(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("usually ~%ds", d.Round(time.Second)/time.Second)
	}
	return fmt.Sprintf("usually ~%dm", d.Round(time.Minute)/time.Minute)
}

// Memory is an amount of memory, given in MiB: "16 GiB".
func Memory(mib int) string {
	if mib%1024 != 0 {
		return strconv.Itoa(mib) + " MiB"
	}
	return strconv.Itoa(mib>>10) + " GiB"
}

// Bytes is an amount of data in decimal units, as downloads and disks are sold: "312 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%d kB", n/1000)
	case n < 1000_000_000:
		return fmt.Sprintf("%d MB", n/1000_000)
	default:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
}
