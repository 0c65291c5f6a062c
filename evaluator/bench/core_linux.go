package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// pin keeps all threads of this process, and what it starts, on one core: core, or the last one that it may use if that is
// negative. Two sides that take turns on different cores have different neighbours. Threads that do not exist yet are
// started by one that does, and stay with it.
func pin(core int) error {
	var set unix.CPUSet
	last := core
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return fmt.Errorf("the cores that may be used: %w", err)
	}
	for i := range 64 * len(set) {
		if core < 0 && set.IsSet(i) {
			last = i
		}
	}
	set.Zero()
	set.Set(last)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("core %d cannot be used alone (choose another with --core): %w", last, err)
		}
	}
	return nil
}
