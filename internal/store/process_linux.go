package store

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// lifeOf names one life of a process: its number is used again, but not with the same start in the same boot. It is empty
// when the process is gone or cannot be seen (Linux man-pages, proc_pid_stat(5): field 3 is the state, field 22 the start
// in clock ticks since boot).
func lifeOf(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name in field 2 may hold anything, parentheses too.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}
