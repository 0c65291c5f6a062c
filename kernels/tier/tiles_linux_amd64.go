//go:build !noasm

package tier

import "golang.org/x/sys/unix"

// tilesGranted asks Linux for the tile registers on behalf of this process: their state is large, so signal frames grow
// only for processes that asked (arch_prctl(2), ARCH_REQ_XCOMP_PERM for XFEATURE_XTILEDATA). Go's signal stacks have room.
func tilesGranted() bool {
	const request, tileData = 0x1023, 18
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, request, tileData, 0)
	return errno == 0
}
