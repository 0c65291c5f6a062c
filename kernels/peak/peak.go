// Package peak is the most that one core can compute: loops of multiply-adds that live in registers. A benchmark
// measures them beside its kernels, since clocks differ by machine, by minute and by instruction. Memory, data and a
// kernel that computes something may not enter.
package peak

import "assay/kernels/tier"

// Loop is one kind of multiply-add of a tier. Ops is the operations of a round, two for each multiply-add. Run does n
// rounds, 1 or more; it returns within about 200 microseconds, since a garbage collection waits for it, if n is at most
// Rounds. The plain loops take longer and let others run.
type Loop struct {
	Name string
	Tier tier.Tier
	Type string // f32 or u8s8
	Ops  float64
	Run  func(n int)
}

// Rounds is how many rounds a caller asks for at a time.
const Rounds = 20_000

// Of is the loop of a type, f32 or u8s8, that bounds the kernels of the current tier. Of another type it is zero: Run is nil.
func Of(typ string) Loop {
	best, now := Loop{}, tier.Current()
	for _, l := range loops {
		if l.Type == typ && l.Tier <= now && (best.Run == nil || l.Tier > best.Tier) {
			best = l
		}
	}
	return best
}
