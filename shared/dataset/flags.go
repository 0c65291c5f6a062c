package dataset

import (
	"fmt"
	"strconv"
	"strings"

	"assay/shared/dataset/resample"
)

// Flags are the command-line flags that mean p, as a user would copy them; "" for the zero Prep. Usual is not among them:
// call At first.
func (p Prep) Flags() string {
	var f []string
	add := func(name, value string) {
		if value != "" {
			f = append(f, "--"+name+" "+value)
		}
	}
	add("resize", p.Resize.String())
	add("crop", p.Crop.String())
	if p.Scale != 0 {
		add("scale", float(p.Scale))
	}
	add("mean", floats(p.Mean))
	add("std", floats(p.Std))
	add("layout", p.Layout)
	add("channels", p.Channels)
	return strings.Join(f, " ")
}

func float(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) }

func floats(v []float32) string {
	out := make([]string, len(v))
	for i, x := range v {
		out[i] = float(x)
	}
	return strings.Join(out, ",")
}

// String is the text that ParseSize reads: W or WxH, "" for none.
func (s Size) String() string {
	switch {
	case s == Size{}:
		return ""
	case s.W == s.H:
		return strconv.Itoa(s.W)
	}
	return fmt.Sprintf("%dx%d", s.W, s.H)
}

// String is the text that ParseResize reads.
func (r Resize) String() string {
	s := ""
	switch {
	case r.none():
		return ""
	case r.Short > 0:
		s = strconv.Itoa(r.Short)
	default:
		s = fmt.Sprintf("%dx%d", r.Size.W, r.Size.H)
	}
	if r.Filter != resample.Bilinear {
		s += "," + r.Filter.String()
	}
	return s
}

// ParseSize reads "224" (a square) or "320x240" (width x height).
func ParseSize(s string) (Size, error) {
	w, h, pair := strings.Cut(s, "x")
	if !pair {
		h = w
	}
	a, err1 := strconv.Atoi(w)
	b, err2 := strconv.Atoi(h)
	if err1 != nil || err2 != nil || a < 1 || b < 1 || a > maxSide || b > maxSide {
		return Size{}, fmt.Errorf("size %q: 224 or 320x240 (width x height, 1..%d) is needed", s, maxSide)
	}
	return Size{a, b}, nil
}

// ParseResize reads "256" (the shorter side) or "320x240" (width x height), with an optional filter behind a comma:
// "256,bicubic". The filter is bilinear when none is given.
func ParseResize(s string) (Resize, error) {
	size, filter, named := strings.Cut(s, ",")
	var r Resize
	v, err := ParseSize(size)
	if err != nil {
		return r, fmt.Errorf("resize: %w", err)
	}
	if strings.Contains(size, "x") {
		r.Size = v
	} else {
		r.Short = v.W
	}
	if named {
		if r.Filter, err = resample.ParseFilter(filter); err != nil {
			return r, fmt.Errorf("resize: %w", err)
		}
	}
	return r, nil
}
