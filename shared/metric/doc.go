// Package metric turns model outputs into per-sample records, and records into exact values, drops and bounds. A metric
// is one entry of a table: direction, the adapters whose records it reads, value, value per sample, bounds. A file, a
// broker, a plan and a kernel may not enter.
//
// Contract. A record is a function of one sample's outputs and annotation, never of its batch neighbours; it has a fixed
// little-endian layout. Merging is concatenation in data order. Counts are kept as integers and compared as exact
// fractions, so a drop equal to the limit is within it on every machine. Values over the whole set (correlations) are
// float64 sums in data order, each operation rounded once. Ties of scores go to the lowest class; -0 equals +0; NaN ranks
// below every number and is flagged. All functions are pure and safe for concurrent use.
package metric
