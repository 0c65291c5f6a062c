// Package tier says which instruction set the kernels use in this process. A tier is a speed, never an answer: every
// kernel gives the same bits in each of them. A kernel, a model or a flag of a program may not enter.
//
// The choice is made once, from the CPU, the build tag noasm and the environment variable ASSAY_TIER; only tests change
// it afterwards, with Force. A program calls Check at its start, so that a wish the machine cannot fulfil is an error and
// not a silent substitute. Kernels read Current on each call; reading is one atomic load and safe for concurrent use.
package tier

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// Tier is an instruction set. Each includes what the smaller ones need, so tiers compare with <.
type Tier uint8

// The tiers, slowest first.
const (
	Plain      Tier = iota // Go code only: the reference, on any architecture
	AVX2                   // x86-64 with AVX2 and FMA
	AVX512VNNI             // AVX-512 F, BW, DQ, VL and VNNI
	AMX                    // AMX tiles of bytes, given by the operating system
)

// Variable is the environment variable that asks for a tier by its name, for instance "plain".
const Variable = "ASSAY_TIER"

var names = [...]string{Plain: "plain", AVX2: "avx2", AVX512VNNI: "avx512vnni", AMX: "amx"}

// String returns the name that Variable accepts, "tier(N)" for a number that is no tier.
func (t Tier) String() string {
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("tier(%d)", uint8(t))
}

// Parse is the inverse of String; upper and lower case are one. Another name, the empty one included, is an error that lists all.
func Parse(s string) (Tier, error) {
	for t, n := range names {
		if strings.EqualFold(s, n) {
			return Tier(t), nil
		}
	}
	return Plain, fmt.Errorf("instruction-set tier %q is unknown: use one of %s", s, strings.Join(names[:], ", "))
}

var (
	best            = detect()
	chosen, errWish = choose(os.Getenv(Variable), best)
	current         atomic.Uint32
	_               = func() bool { current.Store(uint32(chosen)); return true }()
	_               = [1]struct{}{}[len(names)-1-int(AMX)] // names and constants have one length
)

// choose applies a wish (empty for none) to what the machine has. With an error the best tier is returned beside it.
func choose(wish string, best Tier) (Tier, error) {
	if wish == "" {
		return best, nil
	}
	t, err := Parse(wish)
	if err != nil {
		return best, fmt.Errorf("%s: %w", Variable, err)
	}
	if t > best {
		return best, fmt.Errorf("%s: this build and CPU have no tier %s: the best here is %s", Variable, t, best)
	}
	return t, nil
}

// Best is the fastest tier that this CPU, operating system and build can run.
func Best() Tier { return best }

// Current is the tier in use: Best, or what Variable or Force asked for.
func Current() Tier { return Tier(current.Load()) }

// Supported lists the tiers from Plain to Best; a property test runs over all of them.
func Supported() []Tier {
	all := make([]Tier, 0, len(names))
	for t := Plain; t <= best; t++ {
		all = append(all, t)
	}
	return all
}

// Permute reports whether the current tier may use AVX-512 VBMI, whose byte permutations hold a table of 256 entries in
// registers. Some CPUs of tier AVX512VNNI lack it.
func Permute() bool { return hasVBMI && Current() >= AVX512VNNI }

// Check reports a value of Variable that is unknown or that this machine cannot run. Current is Best in that case.
func Check() error { return errWish }

// Force makes t the current tier and returns a function that puts the previous one back. It is for tests, which do not
// run kernels of two tiers at the same time. It panics if t is above Best, since the next kernel would be an illegal
// instruction.
func Force(t Tier) (undo func()) {
	if t > best {
		panic(fmt.Sprintf("tier: force %s where the best is %s", t, best))
	}
	old := current.Swap(uint32(t))
	return func() { current.Store(old) }
}
