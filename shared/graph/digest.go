package graph

import (
	"crypto/sha256"
	"io"
)

// Digest names the content of a model: SHA-256 over its text form with whole digests for constants. Equal models have
// equal digests on every machine. What only describes the file it came from (IR version, the file's opset) does not
// count, nor do type hints of values that the model does not define. It rests on Print being a function of content:
// maps are printed sorted, constants by their own digests. A change of the text form is therefore a change of every
// model digest, and with it of every cell's.
func Digest(m *Model) [32]byte {
	p := printer{digits: 64}
	p.model(m)
	h := sha256.New()
	io.WriteString(h, "assay.graph\x00")
	io.WriteString(h, p.String())
	return [32]byte(h.Sum(nil))
}
