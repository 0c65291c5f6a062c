package main

import (
	"fmt"
	"io"
	"math"

	"assay/kernels/layer"
)

// results is what a run found.
type results struct {
	Tier, Peer string
	Rounds     int
	Peaks      map[string]float64 // operations a second by type
	Layers     []layerRow
	Models     []modelRow
}

// layerRow is one layer in one type. Times are seconds of a run, Theirs 0 where the peer has no such form. Ops counts a multiply-add
// as two, of the layer as it is defined; Share is Ops/Ours over the peak of the same type, which a depthwise layer does not
// come near in INT8, since it reads much for what it multiplies. A 3x3 convolution may exceed it: in Winograd's form it multiplies less
// often, and what its kernel sees beyond the picture is left out.
type layerRow struct {
	Name, Net, Class, Type, Form, Pick string
	Ops, Ours, Theirs, Share           float64
}

// Speed is ours in thousand million operations a second.
func (r layerRow) Speed() float64 { return r.Ops / r.Ours / 1e9 }

// PeerSpeed is theirs, 0 where there is none.
func (r layerRow) PeerSpeed() float64 {
	if r.Theirs == 0 {
		return 0
	}
	return r.Ops / r.Theirs / 1e9
}

// Ratio is how many times as fast as the peer we are, 0 without one.
func (r layerRow) Ratio() float64 { return r.Theirs / r.Ours }

func (r layerRow) String() string {
	s := fmt.Sprintf("%-36s %-9s %-4s %8.1f MOP %6.1f GOP/s %3.0f%% of peak  %-28s", r.Name, r.Class, r.Type, r.Ops/1e6, r.Speed(), 100*r.Share, r.Pick)
	if r.Theirs > 0 {
		s += fmt.Sprintf(" %-12s %6.1f  x%.2f", r.Form, r.PeerSpeed(), r.Ratio())
	}
	return s
}

// modelRow is one model at one batch. Type is float or int8. Ours and Theirs are seconds of a batch, not of a sample.
type modelRow struct {
	Name, Type   string
	Batch        int
	Ours, Theirs float64
	Allocs       float64 // allocations of a run
	Resident     int64   // bytes of arenas and packed weights
	Plain        string  // the operators that run in plain form, with their numbers
	Note         string
}

// Ratio is how many times as fast as the peer we are, 0 without one.
func (r modelRow) Ratio() float64 { return r.Theirs / r.Ours }

// Milliseconds are ours for a batch; PeerMilliseconds theirs.
func (r modelRow) Milliseconds() float64     { return 1e3 * r.Ours }
func (r modelRow) PeerMilliseconds() float64 { return 1e3 * r.Theirs }

func (r modelRow) String() string {
	s := fmt.Sprintf("%-28s %-5s batch %d %9.2f ms %3.0f allocations %6.1f MB", r.Name, r.Type, r.Batch, r.Milliseconds(), r.Allocs, float64(r.Resident)/1e6)
	if r.Theirs > 0 {
		s += fmt.Sprintf(" %9.2f ms  x%.2f", r.PeerMilliseconds(), r.Ratio())
	}
	return s + r.Note
}

// group is the geometric mean and the lowest of the ratios of some layers.
type group struct {
	Class, Type  string
	N            int
	Mean, Lowest float64
	Slowest      string
	Share        float64 // of the peak, geometric mean
}

// groups summarises ratios by class and type; the last two rows are of all classes. Ratios and shares are averaged as logarithms,
// so that twice and half cancel out; layers without a peer count nowhere, and classes without layers have no row.
func (r *results) groups() (out []group) {
	for _, class := range append(append([]string{}, layer.Classes...), "all") {
		for _, form := range forms {
			g := group{Class: class, Type: form.typ, Lowest: math.Inf(1)}
			logs, shares := 0.0, 0.0
			for _, l := range r.Layers {
				if l.Theirs == 0 || l.Type != form.typ || class != "all" && l.Class != class {
					continue
				}
				g.N++
				logs += math.Log(l.Ratio())
				shares += math.Log(l.Share)
				if l.Ratio() < g.Lowest {
					g.Lowest, g.Slowest = l.Ratio(), l.Name
				}
			}
			if g.N > 0 {
				g.Mean, g.Share = math.Exp(logs/float64(g.N)), math.Exp(shares/float64(g.N))
				out = append(out, g)
			}
		}
	}
	return out
}

// summary prints the means.
func (r *results) summary(out io.Writer) {
	for _, g := range r.groups() {
		fmt.Fprintf(out, "%-9s %-4s x%.2f of %s, geometric mean of %d layer%s; lowest x%.2f: %s; %.0f%% of peak\n",
			g.Class, g.Type, g.Mean, r.Peer, g.N, map[bool]string{false: "s"}[g.N == 1], g.Lowest, g.Slowest, 100*g.Share)
	}
}
