//go:build !noasm

package tier

import "golang.org/x/sys/cpu"

var hasVBMI = cpu.X86.HasAVX512VBMI

// detect asks the CPU and the operating system; x/sys/cpu reports a vector extension only if its registers are saved on
// a context switch.
func detect() Tier {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Plain
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI:
		if x.HasAMXTile && x.HasAMXInt8 && tilesGranted() {
			return AMX
		}
		return AVX512VNNI
	}
	return AVX2
}
