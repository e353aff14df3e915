package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// lifeOf names one life of a process: its number is used again, but not with the same start. It is empty when the process
// is gone or cannot be seen (XNU, bsd/sys/proc.h: p_starttime).
func lifeOf(pid int) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid {
		return ""
	}
	t := info.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", t.Sec, t.Usec)
}
