// Package dataset turns what a user has (folders of pictures, arrays, idx files, label files) into samples that every
// evaluator reads alike. Samples are decoded once, on the coordinator's side, and kept as the bytes they were (uint8
// where they were uint8) in pieces of equal shape named by SHA-256; normalisation is a description in the manifest,
// Inputs, and is applied by Feed. So a decoder cannot split nodes, and a change of mean or deviation stores nothing anew.
// A model, a kernel, a broker, a metric and a clock may not enter.
//
// Contract. Order: samples have the order of the label file, of the array, or of the sorted paths of a folder; it does
// not depend on how many files are decoded at once. Numbers: the value of an element is
//
//	float32( float32( float32(x) / Scale - Mean[c] ) / Std[c] )
//
// each operation in float32 and rounded once, in this order, and left out where its operand is the neutral one. That is
// what numpy and PyTorch compute for (x/255 - mean)/std, x/127.5 - 1 and (x - 127)/128 on float32 arrays. Pixels: JPEG,
// resizing and colour conversion give the bytes that Pillow gives with libjpeg-turbo (packages jpeg and resample).
// Bounds: every size that a file claims is checked against the file's own length before memory is allocated for it.
// All values are safe for concurrent reads.
package dataset
