package onnx

import (
	"bytes"
	"unicode/utf8"
)

// magics are the openings of files that people pass for ONNX models, at an offset.
var magics = []struct {
	at   int
	text string
	what string
}{
	{0, "\xff\xd8\xff", "a JPEG image"},
	{0, "\x89PNG", "a PNG image"},
	{0, "GIF8", "a GIF image"},
	{0, "version https://git-lfs", "a Git LFS pointer; fetch the content with `git lfs pull`"},
	{0, "PK\x03\x04", "a zip archive (PyTorch .pt, Keras .keras, NumPy .npz?); export to ONNX first"},
	{0, "\x80\x02", "a Python pickle (PyTorch .pt?); export to ONNX first"},
	{0, "\x89HDF", "an HDF5 file (Keras .h5?); export to ONNX first"},
	{4, "TFL3", "a TensorFlow Lite model; export to ONNX first"},
	{4, "ORTM", "an ONNX Runtime .ort file; give the .onnx file it was made from"},
	{8, "{\"", "a safetensors file; export to ONNX first"},
	{0, "\x93NUMPY", "a NumPy array"},
	{0, "\x1f\x8b", "a gzip file; unpack it first"},
	{0, "\x28\xb5\x2f\xfd", "a zstd file; unpack it first"},
	{0, "\x7fELF", "an executable"},
	{0, "%PDF", "a PDF document"},
}

// looksLike says what b is when it is no ONNX model, "" when there is no telling.
func looksLike(b []byte) string {
	if len(b) == 0 {
		return "an empty file"
	}
	for _, m := range magics {
		if len(b) >= m.at && bytes.HasPrefix(b[m.at:], []byte(m.text)) {
			return m.what
		}
	}
	head := bytes.TrimSpace(b[:min(len(b), 512)])
	lower := bytes.ToLower(head)
	switch {
	case len(head) == 0:
		return "blank text"
	case bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")):
		return "an HTML page (a download that answered with a web page?)"
	case bytes.HasPrefix(lower, []byte("<?xml")) || bytes.HasPrefix(lower, []byte("<net")):
		return "XML (OpenVINO IR?); give the ONNX file"
	case head[0] == '{' && text(head):
		return "JSON"
	case text(head):
		return "text"
	case len(bytes.Trim(head, "\x00")) == 0:
		return "zeros (an unfinished download?)"
	}
	return ""
}

// text reports whether b holds only characters that text has; a rune cut off at the end is forgiven.
func text(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && utf8.FullRune(b) || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}
