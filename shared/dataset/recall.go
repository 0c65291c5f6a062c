package dataset

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"assay/shared/plan"
)

// settled is how long before now a file must have been written last, so that a later write must show in its time.
const settled = 2 * time.Second

// Key names what Build would decode: the decoder, what is done to pixels, what the model wants of a picture (size, channels,
// layout), the folder, and name, length and time of every picture. What is applied when samples are fed (normalisation, rgb or
// bgr) is no part of it. ok is false where nothing is decoded (arrays), where a file cannot be looked at, or where one was written
// less than two seconds before now, so that it could change without a trace: then Build.
func (set *Set) Key(now time.Time) (key plan.Digest, ok bool, err error) {
	r, pictures := set.reader.(*images)
	if !pictures {
		return key, false, nil
	}
	bound, err := r.bind(set.src, nil)
	if err != nil {
		return key, false, err
	}
	r = bound.(*images)
	folder, err := filepath.Abs(r.folder)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		return key, false, nil // Build says what is wrong
	}
	p, h := r.prep, sha256.New()
	fmt.Fprintf(h, "%s %q %v %+v %v %v %+v %v %+v\n", Decoder, p.Reader, p.Fraction, p.Resize, p.Crop, p.CropFloor, p.Pad, p.Orient, r.canvas)
	fmt.Fprintf(h, "%q\n", folder) // archives give the files of many folders one name and time
	for _, i := range set.pick {
		info, err := os.Stat(filepath.Join(r.folder, filepath.FromSlash(r.files[i])))
		if err != nil || now.Sub(info.ModTime()) < settled {
			return key, false, nil // Build says what is wrong
		}
		fmt.Fprintf(h, "%q %d %d\n", r.files[i], info.Size(), info.ModTime().UnixNano())
	}
	h.Sum(key[:0])
	return key, true, nil
}

// Recall is what Build would give, made of a manifest that it gave under the same Key, whose pieces are still stored.
// An error says that the two do not fit.
func (set *Set) Recall(old Inputs) (Inputs, error) {
	streams, _, err := set.reader.plan(set.src)
	if err != nil {
		return Inputs{}, err
	}
	if len(streams) != len(old.Streams) || old.Decoder != Decoder || int(old.Count) != set.Len() {
		return Inputs{}, fmt.Errorf("data: what was decoded before are %d samples of %d streams by %s", old.Count, len(old.Streams), old.Decoder)
	}
	for i, s := range old.Streams {
		if s.DType != streams[i].DType || s.From != streams[i].From || s.Rows != streams[i].Rows {
			return Inputs{}, fmt.Errorf("data: stream %d was stored in another form", i)
		}
		streams[i].Pieces = s.Pieces
	}
	in := Inputs{Decoder: Decoder, Count: old.Count, Streams: streams}
	return in, in.Check()
}
