package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/shared/dataset/resample"
)

// Flags are the command-line flags that mean p, as a user would copy them; "" for the zero Prep. Usual is not among them:
// call At first. Orient has no flag beside the reader.
func (p Prep) Flags() string {
	var f []string
	add := func(name, value string) {
		if value != "" {
			f = append(f, "--"+name+" "+value)
		}
	}
	add("reader", p.Reader)
	if p.Fraction != 0 {
		add("central-fraction", strconv.FormatFloat(p.Fraction, 'g', -1, 64))
	}
	add("resize", p.Resize.String())
	add("crop", cropString(p.Crop, p.CropFloor))
	add("pad", p.Pad.String())
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
	if r.Keep != "" {
		s += "," + string(r.Keep)
	}
	if r.Filter != resample.Bilinear {
		s += "," + r.Filter.String()
	}
	return s
}

// cropString is the text that ParseCrop reads.
func cropString(s Size, floor bool) string {
	if floor && s != (Size{}) {
		return s.String() + ",floor"
	}
	return s.String()
}

// String is the text that ParsePad reads.
func (p Pad) String() string {
	s := p.Size.String()
	if p.Stride > 0 {
		s = strings.TrimPrefix(fmt.Sprintf("%s,stride:%d", s, p.Stride), ",")
	}
	if p.At != "" && s != "" {
		s += "," + p.At
	}
	if v := p.Value; v != [3]byte{} && s != "" {
		s += fmt.Sprintf(",value:%d:%d:%d", v[0], v[1], v[2])
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

// ParseResize reads "256" (the shorter side) or "320x240" (width x height), then, each behind a comma, a filter and one of
// Aspects: "256,bicubic", "1024x600,fit_to_window,opencv-linear". The filter is bilinear when none is given.
func ParseResize(s string) (Resize, error) {
	size, rest, _ := strings.Cut(s, ",")
	var r Resize
	v, err := ParseSize(size)
	if err != nil {
		return r, fmt.Errorf("resize: %w", err)
	}
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, ",")
		if slices.Contains(Aspects(), word) {
			r.Keep = Aspect(word)
		} else if r.Filter, err = resample.ParseFilter(word); err != nil {
			return r, fmt.Errorf("resize: %w; or how the aspect is kept: %s", err, strings.Join(Aspects(), ", "))
		}
	}
	if strings.Contains(size, "x") || r.Keep != "" {
		r.Size = v
	} else {
		r.Short = v.W
	}
	return r, nil
}

// ParseCrop reads "224" or "320x240", with ",floor" behind it for CropFloor.
func ParseCrop(s string) (size Size, floor bool, err error) {
	text, word, named := strings.Cut(s, ",")
	if named && word != "floor" {
		return size, false, fmt.Errorf("crop: %q; behind the size only floor may stand", word)
	}
	if size, err = ParseSize(text); err != nil {
		return size, false, fmt.Errorf("crop: %w", err)
	}
	return size, named, nil
}

// ParsePad reads a size ("300", "320x240"), "stride:32" or both, then where new pixels go (center, left_top, right_bottom)
// and "value:114" or "value:R:G:B", each behind a comma.
func ParsePad(s string) (Pad, error) {
	var p Pad
	for word := range strings.SplitSeq(s, ",") {
		stride, isStride := strings.CutPrefix(word, "stride:")
		value, isValue := strings.CutPrefix(word, "value:")
		var err error
		switch {
		case isStride:
			if p.Stride, err = strconv.Atoi(stride); err != nil || p.Stride < 1 || p.Stride > maxSide {
				return p, fmt.Errorf("pad: %q: a stride of 1..%d is needed", word, maxSide)
			}
		case isValue:
			if p.Value, err = parseColour(value); err != nil {
				return p, fmt.Errorf("pad: %w", err)
			}
		case word == padPlaces[0]:
		case slices.Contains(padPlaces, word):
			p.At = word
		default:
			if p.Size, err = ParseSize(word); err != nil {
				return p, fmt.Errorf("pad: %w; or stride:N, value:N, %s", err, strings.Join(padPlaces, ", "))
			}
		}
	}
	if p.none() {
		return p, fmt.Errorf("pad: %q has neither a size nor a stride", s)
	}
	return p, nil
}

// parseColour reads one byte for all channels or three between colons.
func parseColour(s string) (v [3]byte, err error) {
	parts := strings.Split(s, ":")
	for i := range v {
		n, err := strconv.ParseUint(parts[i%len(parts)], 10, 8)
		if err != nil || len(parts) != 1 && len(parts) != 3 {
			return v, fmt.Errorf("value %q: one byte, or three between colons, is needed", s)
		}
		v[i] = byte(n)
	}
	return v, nil
}
