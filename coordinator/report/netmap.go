package report

import (
	"fmt"
	"strings"
)

// netmap is the network from input to output, one box an operation, laid out for netmap.svg.tmpl: columns by depth, in bands
// that run left to right and right to left by turns, so that one ends where the next begins.
type netmap struct {
	Width, Height     int
	BoxW, BoxH        int
	Boxes             []box
	Lines             []edge
	Labels, Truncated bool
	Most              float64 // the largest share of the multiply-adds; 0 where nothing multiplies
}

// box is one operation. Share is the width of the bar that shows its part of the multiply-adds: the largest of the network fills
// the box but for its rims, since in a deep network even that one is a small part of the whole.
type box struct {
	Class, Label, Title string
	X, Y                int
	TextX, TextY        int
	BarX, BarY          int
	Share               string
}

// edge is a way from one box to another. Far ones reach over more than a band, as those of a mask that every layer reads: they
// stand back, since they cross what lies between.
type edge struct {
	Path string
	Far  bool
}

// Sizes in the map's units. Up to so many boxes carry the operator's name; no more than mostBoxes are drawn.
const (
	mapWidth   = 1000
	mapMargin  = 24
	labelled   = 70
	mostBoxes  = 600
	wideBox    = 76
	narrowBox  = 22
	boxHeight  = 26
	columnGap  = 20
	laneGap    = 12
	bandGap    = 26
	barRim     = 4
	longestTag = 11
)

// cell is a box before it has a place: its operation, what it follows, its depth and lane.
type cell struct {
	op          *Placed
	from        []int // indices of cells
	depth, lane int
}

// newMap lays the network out. Operations that only follow their neighbours are lines.
func newMap(d *Decisions, short func(string) string) *netmap {
	cells, truncated := cellsOf(d.Operations)
	if len(cells) == 0 {
		return nil
	}
	m := &netmap{Width: mapWidth, BoxW: narrowBox, BoxH: boxHeight, Labels: len(cells) <= labelled, Truncated: truncated}
	if m.Labels {
		m.BoxW = wideBox
	}
	perBand := (mapWidth - 2*mapMargin + columnGap) / (m.BoxW + columnGap)
	tops := place(cells, perBand)
	m.Height = tops[len(tops)-1]
	at := func(c cell) (x, y int, reversed bool) {
		band, column := c.depth/perBand, c.depth%perBand
		if reversed = band%2 == 1; reversed {
			column = perBand - 1 - column
		}
		return mapMargin + column*(m.BoxW+columnGap), tops[band] + c.lane*(boxHeight+laneGap), reversed
	}
	for _, c := range cells {
		if c.op.MACs > 0 {
			m.Most = max(m.Most, c.op.MACShare)
		}
	}
	for _, c := range cells {
		x, y, reversed := at(c)
		m.Boxes = append(m.Boxes, m.box(c, x, y, short))
		for _, f := range c.from {
			fx, fy, back := at(cells[f])
			steps := c.depth - cells[f].depth
			m.Lines = append(m.Lines, edge{m.line(fx, fy, back, x, y, reversed, steps), steps > perBand})
		}
	}
	return m
}

// cellsOf keeps what computes; lines run through the others.
func cellsOf(ops []Placed) (cells []cell, truncated bool) {
	behind := make([][]int, len(ops)) // cells whose results reach the operation's result
	for i := range ops {
		var from []int
		for _, j := range ops[i].After {
			if j >= 0 && j < i {
				from = union(from, behind[j])
			}
		}
		behind[i] = from
		if ops[i].Precision == Follows {
			continue
		}
		if len(cells) == mostBoxes {
			return cells, true
		}
		c := cell{op: &ops[i], from: from}
		for _, f := range from {
			c.depth = max(c.depth, cells[f].depth+1)
		}
		behind[i] = []int{len(cells)}
		cells = append(cells, c)
	}
	return cells, false
}

// union keeps at most a few sources, so that a long chain of shape arithmetic cannot make many lines.
func union(a, b []int) []int {
	const few = 8
	for _, x := range b {
		known := false
		for _, y := range a {
			known = known || x == y
		}
		if !known && len(a) < few {
			a = append(a, x)
		}
	}
	return a
}

// place gives every cell a lane, as near to its first source's as is free, and returns where each band begins; the last
// entry is the height of all.
func place(cells []cell, perBand int) []int {
	taken := map[[2]int]bool{}
	var lanes []int // of each band
	for i := range cells {
		c := &cells[i]
		if len(c.from) > 0 {
			c.lane = cells[c.from[0]].lane
		}
		for off := 0; taken[[2]int{c.depth, c.lane}]; off++ {
			c.lane = off
		}
		taken[[2]int{c.depth, c.lane}] = true
		band := c.depth / perBand
		for len(lanes) <= band {
			lanes = append(lanes, 1)
		}
		lanes[band] = max(lanes[band], c.lane+1)
	}
	tops := []int{laneGap}
	for _, n := range lanes {
		tops = append(tops, tops[len(tops)-1]+n*(boxHeight+laneGap)-laneGap+bandGap)
	}
	tops[len(tops)-1] += laneGap - bandGap
	return tops
}

// box draws one operation.
func (m *netmap) box(c cell, x, y int, short func(string) string) box {
	b := box{Class: c.op.class(), X: x, Y: y, TextX: x + m.BoxW/2, TextY: y + 16, BarX: x + barRim, BarY: y + boxHeight - 6, Title: fmt.Sprintf("%s (%s): %s", short(c.op.Name), c.op.Type, c.op.runs())}
	if c.op.MACs > 0 && m.Most > 0 {
		b.Title += fmt.Sprintf(", %s of the multiply-adds", percent(c.op.MACShare))
		b.Share = fmt.Sprintf("%.1f", float64(m.BoxW-2*barRim)*c.op.MACShare/m.Most)
	}
	if m.Labels {
		b.Label = tag(c.op.Type)
	}
	return b
}

// shorter are the words of long operator names, and what a box has room for.
var shorter = strings.NewReplacer("Average", "Avg", "Normalization", "Norm", "Transpose", "T", "Global", "Gl.", "Quantize", "Quant", "Linear", "Lin", "Reduce", "Red.", "Hard", "H.", "Attention", "Attn")

// tag is an operator's name as it fits into a box.
func tag(name string) string {
	if len(name) > longestTag {
		name = shorter.Replace(name)
	}
	if len(name) > longestTag {
		name = name[:longestTag-1] + "…"
	}
	return name
}

// class is how an operation is drawn: given back to float is not the same as never INT8.
func (p *Placed) class() string {
	if p.Precision == Float && len(p.Groups) == 0 {
		return "never"
	}
	return p.Precision
}

// runs says what an operation computes in.
func (p *Placed) runs() string {
	switch p.class() {
	case INT8:
		return "INT8"
	case Float:
		return "given back to float"
	case Follows:
		return "follows its neighbours"
	}
	return "float"
}

// line is the way from one box to another. It leaves and enters on the sides to which the bands run; over further boxes of
// the same lane it takes a bow.
func (m *netmap) line(fx, fy int, back bool, x, y int, reversed bool, steps int) string {
	out, in := 1, -1
	if !back {
		fx += m.BoxW
	} else {
		out = -1
	}
	if reversed {
		x, in = x+m.BoxW, 1
	}
	fy, y = fy+boxHeight/2, y+boxHeight/2
	pull := columnGap / 2
	if back != reversed {
		pull = columnGap + mapMargin/2
	}
	if steps > 1 && fy == y && back == reversed {
		bow := y - boxHeight/2 - laneGap/2
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %dL%d %dC%d %d %d %d %d %d", fx, fy, fx+out*8, fy, fx+out*4, bow, fx+out*14, bow, x+in*14, bow, x+in*4, bow, x+in*8, y, x, y)
	}
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", fx, fy, fx+out*pull, fy, x+in*pull, y, x, y)
}

// namePrefix is what the names of all operations in groups begin with, up to a slash; "" when it is not worth leaving out.
func namePrefix(d *Decisions) string {
	prefix, first := "", true
	for _, g := range d.Groups {
		for _, name := range g.Operations {
			if first {
				prefix, first = name[:strings.LastIndexByte(name, '/')+1], false
			}
			for prefix != "" && !strings.HasPrefix(name, prefix) {
				prefix = prefix[:strings.LastIndexByte(prefix[:len(prefix)-1], '/')+1]
			}
		}
	}
	const worth = 8
	if len(prefix) < worth {
		return ""
	}
	return prefix
}
