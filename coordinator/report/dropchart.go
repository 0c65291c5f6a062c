package report

import (
	"fmt"
	"math"
)

// state is one model that was measured on all samples: how many groups are float, and what it loses.
type state struct {
	title  string
	float  int
	drop   float64
	within bool
	undone bool
}

// states lists everything INT8, the steps, and the float model, which loses nothing.
func states(d *Decisions) []state {
	m := d.Metrics[0]
	out := []state{{title: "everything INT8", drop: fall(d, m), within: fall(d, m) <= float64(m.Limit)}}
	for i, s := range d.Steps {
		out = append(out, state{
			title: fmt.Sprintf("step %d", i+1), float: len(s.Float), drop: float64(first(s.Drops)), within: s.holds(m),
			undone: s.undone(),
		})
	}
	return append(out, state{title: "the float model", float: d.Model.Groups, within: true})
}

// undone reports whether the step was taken back. One that is kept though it is worse is a part of the way.
func (s Step) undone() bool { return s.Verdict == "rolled-back" }

// dropChart shows the drop against the number of float groups: what the next group back in float buys. nil without a search.
func dropChart(d *Decisions) *chart {
	if len(d.Steps) == 0 {
		return nil
	}
	all := states(d)
	var values []float64
	most := 1
	for _, s := range all {
		values, most = append(values, s.drop), max(most, s.float)
	}
	c, y := frame(d.Metrics[0].Name+": drop against the number of float groups", values, float64(d.Metrics[0].Limit))
	named := map[int]bool{}
	lastX := math.Inf(-1)
	for _, s := range all {
		x := left + (chartW-left-right)*(0.03+0.94*float64(s.float)/float64(most))
		p := point{X: coordinate(x), Known: !math.IsNaN(s.drop), Within: s.within, Title: fmt.Sprintf("%s: %s float, drop %s", s.title, plural(s.float, "group"), signed(Number(s.drop)))}
		if p.Known {
			p.Y, p.ValueY = coordinate(y(s.drop)), coordinate(y(s.drop)-12)
		}
		if !named[s.float] && (x-lastX > 38 || s.float == most) {
			named[s.float], lastX = true, x
			p.Name = fmt.Sprint(s.float)
		}
		c.Points = append(c.Points, p)
	}
	c.join(func(i int) bool { return !all[i].undone })
	return &c
}
