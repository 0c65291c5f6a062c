package op

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// boxOps choose boxes. Like the other selections they are evaluated by the shape rule. Boxes are corners in any order, or
// centres and sizes with center_point_box 1. Without a third input nothing is selected, which is ONNX's default of 0 boxes a
// class. Of equal scores the first is taken first.
var boxOps = []*Op{{
	Name: "NonMaxSuppression", Opsets: []int{10, 11}, Types: float32Only, Attrs: []string{"center_point_box"},
	Inputs: Arity{2, 5}, Outputs: Arity{1, 1}, Infer: inferSuppression, RowWise: never,
}}

// suppression are the limits of a NonMaxSuppression. boxes is [batches][count][4], scores [batches][classes][count],
// both dense. most is a number per image and class; 0, ONNX's default, selects nothing.
type suppression struct {
	boxes, scores           []float32
	batches, classes, count int
	most                    int64
	overlap, score          float32 // score -Inf where none is asked for
	centered                bool
}

// number reads the one element of optional input i. def holds where the input is omitted or empty. The value is one
// float64 whatever the input's type, exact for integers up to 2^53.
func (x *Infer) number(i int, def float64) (float64, error) {
	if !x.filled(i) {
		return def, nil
	}
	t, err := x.elements(i)
	if err != nil {
		return 0, err
	}
	w, err := convert(t, tensor.Float64)
	if err != nil {
		return 0, err
	}
	if w.Len() != 1 {
		return 0, fmt.Errorf("input %d has shape %v, one number is required", i, t.Shape)
	}
	return view[float64](w.Data)[0], nil
}

// suppressionOf needs every element before the run: how many boxes are chosen is the output's shape, and shapes may not
// depend on what only the run computes. An *Unknown tells the engine to cut the program in front of this node.
func suppressionOf(x *Infer) (s suppression, err error) {
	boxes, err := x.elements(0)
	if err != nil {
		return s, err
	}
	scores, err := x.elements(1)
	if err != nil {
		return s, err
	}
	if boxes, err = convert(boxes, tensor.Float32); err == nil {
		scores, err = convert(scores, tensor.Float32)
	}
	if err != nil {
		return s, err
	}
	b, c := boxes.Shape, scores.Shape
	if len(b) != 3 || len(c) != 3 || b[0] != c[0] || b[1] != c[2] || b[2] != 4 {
		return s, fmt.Errorf("boxes %v and scores %v do not fit", b, c)
	}
	most, err := x.number(2, 0)
	if err != nil {
		return s, err
	}
	overlap, err := x.number(3, 0)
	if err != nil {
		return s, err
	}
	score, err := x.number(4, math.Inf(-1))
	if err != nil {
		return s, err
	}
	return suppression{
		boxes: boxes.F32(), scores: scores.F32(), batches: b[0], classes: c[1], count: b[1], most: cutTo(most, 0, math.MaxInt32),
		overlap: float32(overlap), score: float32(score), centered: x.Node.Int("center_point_box", 0) != 0,
	}, nil
}

// inferSuppression takes, for each image and class, boxes by descending score (ties: the first), leaving out those that
// overlap one that was taken by more than the threshold.
func inferSuppression(x *Infer) error {
	s, err := suppressionOf(x)
	if err != nil {
		return err
	}
	var out []int64
	for n := range s.batches {
		for c := range s.classes {
			for _, box := range s.take(n, c) {
				out = append(out, int64(n), int64(c), int64(box))
			}
		}
	}
	x.give(0, tensor.Of(tensor.Int64, []int{len(out) / 3, 3}, out))
	return nil
}

// take is greedy suppression for one image and class: O(count * taken). It keeps a box whose score is above the
// threshold, strictly, as ONNX Runtime does; a score of NaN is above none, and is kept only where no threshold is
// given. The order is total (score, then index), so sort's instability is invisible.
func (s *suppression) take(n, c int) (taken []int) {
	scores := s.scores[(n*s.classes+c)*s.count:][:s.count]
	order := make([]int, 0, s.count)
	for i, v := range scores {
		if v > s.score || math.IsInf(float64(s.score), -1) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		if d := ordered(scores[b], scores[a]); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	for _, i := range order {
		if int64(len(taken)) >= s.most {
			return taken
		}
		if !slices.ContainsFunc(taken, func(k int) bool { return s.overlaps(n*s.count+i, n*s.count+k) }) {
			taken = append(taken, i)
		}
	}
	return taken
}

// corners returns a box as its lower and upper ends along both axes. The two corners may be given in any order, for
// ONNX says that any diagonal pair will do. With centres, half of a side is exact: a division by 2.
func (s *suppression) corners(i int) (lo, hi [2]float32) {
	b := s.boxes[4*i:][:4]
	if s.centered { // x, y, width, height
		for a := range 2 {
			half := b[2+a] / 2
			lo[a], hi[a] = b[a]-half, b[a]+half
		}
		return lo, hi
	}
	for a := range 2 {
		lo[a], hi[a] = min(b[a], b[2+a]), max(b[a], b[2+a])
	}
	return lo, hi
}

// overlaps reports whether intersection over union is above the threshold. The arithmetic is float32 with each product
// rounded before the sum, and the union is area1 + area2 - intersection in that order. A box without area overlaps
// nothing.
func (s *suppression) overlaps(i, k int) bool {
	alo, ahi := s.corners(i)
	blo, bhi := s.corners(k)
	w, h := min(ahi[0], bhi[0])-max(alo[0], blo[0]), min(ahi[1], bhi[1])-max(alo[1], blo[1])
	if !(w > 0 && h > 0) {
		return false
	}
	a := float32((ahi[0] - alo[0]) * (ahi[1] - alo[1]))
	b := float32((bhi[0] - blo[0]) * (bhi[1] - blo[1]))
	both := float32(w * h)
	union := a + b - both
	return a > 0 && b > 0 && union > 0 && both/union > s.overlap
}
