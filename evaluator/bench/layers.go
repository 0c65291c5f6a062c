package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"assay/kernels/layer"
	"assay/kernels/peak"
	"assay/kernels/tier"
)

// question asks the peer for one form of a layer. Slice is in seconds of thread time.
type question struct {
	Layer layer.Layer `json:"layer"`
	Form  string      `json:"form"`
	Slice float64     `json:"slice"`
}

// forms are the peer's names of each type: as inside a network first, then alone.
var forms = []struct {
	typ   string
	inner [2]string
}{{"f32", [2]string{"f32_nchwc", "f32"}}, {"u8s8", [2]string{"qlinear_nhwc", "qlinear"}}}

// chosen reads the layers that the flags ask for: those of f.Shapes, or the built-in ones where there is no such file. None at
// all is an error that names the flag.
func chosen(f flags) ([]layer.Layer, error) {
	text, err := os.ReadFile(f.Shapes)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	all, err := layer.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Shapes, err)
	}
	all = slices.DeleteFunc(all, func(l layer.Layer) bool {
		return len(f.Nets) > 0 && !slices.Contains(f.Nets, l.Net) || !strings.Contains(l.Name, f.Names)
	})
	if len(all) == 0 {
		return nil, fmt.Errorf("no layer's name holds %q of --names within --nets %v (the table's first columns list both)", f.Names, f.Nets)
	}
	return all, nil
}

// peaks measures what one core can do in each type, in operations a second, a multiply-add counting as two: the best of ten slices
// of 2 ms, since a peak that something disturbed is none. Of the plain tier a hundredth of the rounds fill a slice.
func peaks() map[string]float64 {
	out := map[string]float64{}
	for _, form := range forms {
		l := peak.Of(form.typ)
		rounds := peak.Rounds
		if l.Tier == tier.Plain {
			rounds /= 100
		}
		for range 10 {
			s, _ := sample(2*time.Millisecond, func() error {
				l.Run(rounds)
				return nil
			})
			out[form.typ] = max(out[form.typ], l.Ops*float64(rounds)/s)
		}
	}
	return out
}

// measureLayers adds a row for each layer and type to r and prints it. It holds its thread from the peak to the last row, since all
// times are of one thread; a peer's turn is spent in its own process.
func measureLayers(ctx context.Context, f flags, p *peer, r *results, out io.Writer) error {
	all, err := chosen(f)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	limit := peaks()
	r.Peaks = limit
	fmt.Fprintf(out, "tier %s, peak %.1f GFLOP/s, %.1f GOP/s, %s\n", r.Tier, limit["f32"]/1e9, limit["u8s8"]/1e9, r.Peer)
	for _, l := range all {
		for _, form := range forms {
			if err := ctx.Err(); err != nil {
				return err
			}
			row := layerRow{Name: l.Name, Net: l.Net, Class: l.Class(), Type: form.typ, Ops: l.Operations(), Pick: l.Pick(form.typ)}
			ready, err := l.Ready(form.typ)
			if err != nil {
				return fmt.Errorf("layer %q: %w", l.Name, err)
			}
			ready()
			theirs, err := p.form(l, form.inner, f.Slice, &row)
			if err != nil {
				return err
			}
			row.Ours, row.Theirs, err = byTurns(f.Rounds, func() (float64, error) {
				return sample(f.Slice, func() error {
					ready()
					return nil
				})
			}, theirs)
			if err != nil {
				return err
			}
			row.Share = row.Ops / row.Ours / limit[form.typ]
			r.Layers = append(r.Layers, row)
			fmt.Fprintln(out, row)
		}
	}
	return nil
}

// form prepares a layer at the peer in the first of the forms inner that it has, and returns what times a slice of it; nil without a
// peer, or without a form. The inner form reads and writes the layout that the peer's optimiser keeps between layers, so that no
// reordering is counted; row.Form says which one it was. A peer holds one layer at a time: the next one ends what again times.
func (p *peer) form(l layer.Layer, inner [2]string, slice time.Duration, row *layerRow) (func() (float64, error), error) {
	if p == nil {
		return nil, nil
	}
	for _, name := range inner {
		s, err := p.ask(question{l, name, slice.Seconds()})
		if err != nil {
			return nil, err
		}
		if s > 0 {
			row.Form = name
			return p.again, nil
		}
	}
	return nil, nil
}
