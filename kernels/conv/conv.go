// Package conv convolves pictures that lie channels-last (batch, line, column, channel), in float32 and in 8-bit
// integers, for any kernel size, stride, dilation, padding and group count, with bias, activation and requantization
// applied as results are stored. A graph, a tensor type, another layout and an allocation outside of Pack may not enter.
//
// Contract. Weights are packed once for a Geometry whose spatial sizes and batch do not matter; Run takes the geometry of
// the data. The caller guarantees that the geometry passes Check, that src and dst have the sizes it says and do not
// overlap, and that scratch has at least Scratch bytes (its content does not matter, before or after). A packed value is
// read-only and safe for concurrent use, each use with its own scratch. A float result is one chain of fused
// multiply-adds that starts at the bias (+0 without), in the order line of the kernel, column of the kernel, channel;
// padding takes part as +0. An integer result is the exact int32 sum, where padding counts as the zero point, then
// numeric.Requant. Every tier gives the same bits.
package conv

import (
	"fmt"
	"unsafe"
)

// Geometry describes a convolution: sizes are in pixels, channels and pictures. Batch and pictures may be empty.
type Geometry struct {
	Batch, H, W, C                         int // of the input [Batch][H][W][C]
	OC, KH, KW                             int // output channels; lines and columns of the kernel
	StrideH, StrideW, DilationH, DilationW int // 1 or more: 1 is neither stride nor dilation
	PadTop, PadLeft, PadBottom, PadRight   int // 0 or more
	Group                                  int // divides C and OC: outputs of group q see channels q*C/Group and on
	// Apart is the distance in elements of the output's pixels, 0 (as everything below OC) for OC: above, they are some channels of a
	// wider picture. Dense and grouped convolutions alone know it, see TakesApart.
	Apart int
}

// apart is the distance of the output's pixels.
func (g Geometry) apart() int { return max(g.OC, g.Apart) }

// OutH is the number of lines of the output. It is floor((H + pads - DilationH*(KH-1) - 1) / StrideH) + 1, and wants a
// geometry that Check accepts.
func (g Geometry) OutH() int {
	return (g.H+g.PadTop+g.PadBottom-g.DilationH*(g.KH-1)-1)/g.StrideH + 1
}

// OutW is the number of columns of the output, by the formula of OutH.
func (g Geometry) OutW() int {
	return (g.W+g.PadLeft+g.PadRight-g.DilationW*(g.KW-1)-1)/g.StrideW + 1
}

// Check reports a geometry that no convolution has. It does not look for sizes whose product leaves an int.
func (g Geometry) Check() error {
	if err := g.checkKernel(); err != nil {
		return err
	}
	switch {
	case g.Batch < 0 || g.H < 0 || g.W < 0:
		return fmt.Errorf("convolution input %dx%dx%d: a size is negative", g.Batch, g.H, g.W)
	case g.PadTop < 0 || g.PadLeft < 0 || g.PadBottom < 0 || g.PadRight < 0:
		return fmt.Errorf("convolution pads %d, %d, %d, %d: a pad is negative: crop the input first",
			g.PadTop, g.PadLeft, g.PadBottom, g.PadRight)
	case g.H+g.PadTop+g.PadBottom < g.DilationH*(g.KH-1)+1 || g.W+g.PadLeft+g.PadRight < g.DilationW*(g.KW-1)+1:
		return fmt.Errorf("convolution kernel %dx%d with dilation %dx%d covers %dx%d, more than the padded input %dx%d (%dx%d with pads %d, %d, %d, %d)",
			g.KH, g.KW, g.DilationH, g.DilationW, g.DilationH*(g.KH-1)+1, g.DilationW*(g.KW-1)+1,
			g.H+g.PadTop+g.PadBottom, g.W+g.PadLeft+g.PadRight, g.H, g.W, g.PadTop, g.PadLeft, g.PadBottom, g.PadRight)
	}
	return nil
}

// checkKernel checks what packing needs. Sizes of the picture do not matter to it.
func (g Geometry) checkKernel() error {
	switch {
	case g.C <= 0 || g.OC <= 0 || g.KH <= 0 || g.KW <= 0:
		return fmt.Errorf("convolution of %d to %d channels with a %dx%d kernel: sizes must be positive", g.C, g.OC, g.KH, g.KW)
	case g.StrideH <= 0 || g.StrideW <= 0 || g.DilationH <= 0 || g.DilationW <= 0:
		return fmt.Errorf("convolution strides %dx%d, dilations %dx%d: they must be positive",
			g.StrideH, g.StrideW, g.DilationH, g.DilationW)
	case g.Group <= 0 || g.C%g.Group != 0 || g.OC%g.Group != 0:
		return fmt.Errorf("convolution of %d to %d channels in %d groups: the groups must divide both", g.C, g.OC, g.Group)
	}
	return nil
}

// depthwise says that each output channel is made of one input channel. A single channel goes to the dense kernels. A
// channel multiplier (OC a multiple of C) is a grouped convolution.
func (g Geometry) depthwise() bool { return g.Group == g.C && g.OC == g.C && g.C > 1 }

// padded says that some output sees outside of the picture.
func (g Geometry) padded() bool { return g.PadTop|g.PadLeft|g.PadBottom|g.PadRight != 0 }

// checkWeights checks the lengths of weights and bias against the geometry.
func (g Geometry) checkWeights(weights, bias int, hasBias bool) error {
	if err := g.checkKernel(); err != nil {
		return err
	}
	if want := g.OC * (g.C / g.Group) * g.KH * g.KW; weights != want {
		return fmt.Errorf("convolution weights have %d elements: %d x %d x %d x %d make %d",
			weights, g.OC, g.C/g.Group, g.KH, g.KW, want)
	}
	if hasBias && bias != g.OC {
		return fmt.Errorf("convolution bias has %d elements for %d output channels", bias, g.OC)
	}
	return nil
}

// carve takes n elements, aligned to a cache line, off the front of scratch. scratch must have room(n times T's size)
// bytes; nothing is cleared.
func carve[T uint8 | int16 | int | int32 | float32](scratch []byte, n int) ([]T, []byte) {
	var t T
	if n == 0 {
		return nil, scratch
	}
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(scratch)))) & (line - 1)
	size := n * int(unsafe.Sizeof(t))
	part := scratch[skip : skip+size]
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(part))), n), scratch[skip+size:]
}

// line is the size of a cache line in bytes; room is what carve may take for a number of bytes.
const line = 64

func room(bytes int) int { return bytes + line }
