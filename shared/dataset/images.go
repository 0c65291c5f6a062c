package dataset

import (
	"fmt"

	"assay/shared/tensor"
)

// images is a folder of pictures: samples of the only input, stored as bytes in rows of pixels.
type images struct {
	folder string
	files  []string
	prep   Prep
	canvas canvas
}

// canvas is what the model wants of a picture. Size is zero where an axis is free. flat is the row shape of a model that
// takes grey pixels on other axes than a picture's.
type canvas struct {
	size     Size
	channels int
	layout   string
	flat     []uint32
}

// canvasOf reads the model's input. Channels are 1 or 3; where both sides could hold them, the first does.
func canvasOf(p Prep, shape []int) (c canvas, err error) {
	switch {
	case len(shape) == 4 && p.Layout != "":
		c.layout = p.Layout
	case len(shape) == 4:
		c.layout = channelsOf(shape)
	default:
		return flatCanvas(p, shape)
	}
	h, w := shape[2], shape[3]
	c.channels = shape[1]
	if c.layout == NHWC {
		h, w, c.channels = shape[1], shape[2], shape[3]
	}
	if c.channels < 0 {
		c.channels = 3
		if p.Channels == "grey" {
			c.channels = 1
		}
	}
	if c.channels != 1 && c.channels != 3 || c.channels == 3 && p.Channels == "grey" || c.channels == 1 && p.Channels == "bgr" {
		return c, fmt.Errorf("model input shape %v in layout %s has %d channels; pictures give 1 (grey) or 3 (check --layout and --channels)", shape, c.layout, c.channels)
	}
	if h > 0 && w > 0 {
		c.size = Size{w, h}
	}
	return c, nil
}

// flatCanvas is for inputs such as [n, 784], [n, 784, 1] or [n, 28, 28]: grey pixels in rows.
func flatCanvas(p Prep, shape []int) (canvas, error) {
	n := 1
	for _, d := range shape[min(1, len(shape)):] {
		if d < 0 || n > maxSide*maxSide {
			return canvas{}, fmt.Errorf("model input shape %v takes no pictures: four axes are needed, or fixed ones for grey pixels", shape)
		}
		n *= d
	}
	if len(shape) < 2 || p.Channels == "rgb" || p.Channels == "bgr" {
		return canvas{}, fmt.Errorf("model input shape %v takes no pictures: four axes are needed", shape)
	}
	c := canvas{channels: 1, flat: dims(shape[1:])}
	if len(shape) == 3 && shape[1] > 1 && shape[2] > 1 {
		c.size = Size{shape[2], shape[1]}
	}
	return c, nil
}

func (r *images) plan(s Source) ([]Stream, []string, error) {
	if len(s.Inputs) != 1 {
		return nil, nil, fmt.Errorf("data: pictures feed one input, the model has %d: %s (give arrays: a .npz, or a folder of .npy)", len(s.Inputs), inputNames(s.Inputs))
	}
	if err := s.Prep.readsPictures(); err != nil {
		return nil, nil, err
	}
	w := s.Inputs[0]
	c, err := canvasOf(s.Prep, w.Shape)
	if err != nil {
		return nil, nil, fmt.Errorf("data: model input %q: %w", w.Name, err)
	}
	p := s.Prep.At(c.size)
	if got := p.result(); got != (Size{}) && c.size != (Size{}) && got != c.size {
		return nil, nil, fmt.Errorf("data: preprocessing gives %dx%d pixels, model input %q wants %dx%d (change --resize, --crop or --pad)", got.W, got.H, w.Name, c.size.W, c.size.H)
	}
	st := Stream{Input: w.Name, DType: tensor.Uint8, Want: w.DType, Affine: p.Affine, Rows: 1, Swap: p.Channels == "bgr", From: NHWC, To: c.layout}
	if c.flat != nil {
		st.From, st.To = "", ""
	}
	if w.DType != tensor.Float32 && w.DType != tensor.Uint8 {
		return nil, nil, fmt.Errorf("data: model input %q wants %s; pictures feed float32 or uint8", w.Name, w.DType)
	}
	if err := st.check(1, Piece{Shape: r.shape(c, Size{1, 1}), Count: 1}); err != nil {
		return nil, nil, fmt.Errorf("data: model input %q: %w", w.Name, err)
	}
	return []Stream{st}, nil, nil
}

// bind implements reader: what Prep says is fixed from here on. The receiver stays as it is.
func (r *images) bind(s Source, _ []Stream) (reader, error) {
	c, err := canvasOf(s.Prep, s.Inputs[0].Shape)
	if err != nil {
		return nil, err
	}
	return &images{r.folder, r.files, s.Prep.At(c.size), c}, nil
}

// read implements reader: it decodes picture i, turns it upright when Prep says so and places it on the canvas. One picture is
// in memory at a time.
func (r *images) read(i int) ([][]byte, [][]uint32, error) {
	b, err := open(r.folder, r.files[i])
	if err != nil {
		return nil, nil, err
	}
	im, err := decodePicture(b, r.prep.Reader)
	if err != nil {
		return nil, nil, err
	}
	if r.prep.Orient {
		im = im.Upright()
	}
	if im, err = r.prep.place(toChannels(im, r.canvas.channels, r.prep.Reader), r.canvas); err != nil {
		return nil, nil, err
	}
	return [][]byte{im.Pix}, [][]uint32{r.shape(r.canvas, Size{im.W, im.H})}, nil
}

// shape is the stored shape of a picture.
func (r *images) shape(c canvas, s Size) []uint32 {
	if c.flat != nil {
		return c.flat
	}
	return []uint32{uint32(s.H), uint32(s.W), uint32(c.channels)}
}

// Pictures says that samples are decoded from image files, so that what they become depends on the preprocessing.
func (s *Set) Pictures() bool {
	_, ok := s.reader.(*images)
	return ok
}
