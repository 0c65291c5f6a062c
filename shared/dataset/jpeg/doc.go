// Package jpeg decodes JPEG to the bytes that libjpeg-turbo gives with its defaults, which are Pillow's and PyTorch's:
// the integer inverse DCT "islow", triangle ("fancy") up-sampling of chroma, and the fixed-point YCbCr conversion. The
// standard library's decoder is not used because its inverse DCT changed between Go releases and it replicates chroma.
// Resizing, orientation and models may not enter.
//
// Read are 8-bit baseline, extended and progressive files with Huffman coding: grey, YCbCr, RGB, CMYK and YCCK at all
// whole sampling ratios. Refused by name are arithmetic coding, lossless and hierarchical files, other precisions, and a
// height that comes after the data.
//
// A truncated or corrupt file is an error, never half a picture; so is a progressive file without all of its scans, which
// other decoders show blurred. Memory is bounded twice: at most MaxPixels, and at most
// as many blocks as the file has bits. All functions are pure.
package jpeg
