// Package numeric is the only room that may define how a number is computed: fused multiply-add, rounding, saturation,
// comparison, sums, transcendental functions, and the version that stands for all of them. A tensor, a layout or an
// operator may not enter; neither may a CPU feature, since every tier computes these same forms.
//
// Contract for every kernel: results are those of these functions bit for bit, in every tier, on every architecture.
// That holds only if every float product is rounded by an explicit conversion where it is made, or goes through FMA32 (Go
// may fuse x*y with a later +z, across assignments and inlined calls too), no function of package math that asks the CPU
// is called, denormals are kept, and each NaN is stored as NaN (0x7fc00000). All functions are pure and safe for concurrent
// use.
package numeric

// Version names this set of canonical forms. A change that may alter one output bit of any kernel bumps it, with the
// reason in VERSION.md; cells of different versions are never merged.
const Version = "2"
