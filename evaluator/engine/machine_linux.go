package engine

import "golang.org/x/sys/unix"

// machineMemory is the machine's physical memory in bytes, 0 when it cannot be told.
func machineMemory() int64 {
	var s unix.Sysinfo_t
	if err := unix.Sysinfo(&s); err != nil {
		return 0
	}
	return int64(uint64(s.Totalram) * uint64(s.Unit))
}
