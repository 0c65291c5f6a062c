// Package config reads the job file: POT's own configuration (sections model, engine, compression) as JSON with comments,
// trailing commas and a byte order mark, plus a few keys of ours, and merges the flags of the command line over it. It
// knows names and values only: a model, a sample, a broker or a clock may not enter, so whatever needs one of them
// (does that node exist, are there so many samples) is checked by the caller, with the position that the Job kept.
//
// Contract: keysOf is the only list of keys. A key that is not in it is an error with line, column and the nearest
// spelling; one that POT has and we do not is in it with the reason and what to do instead. Nothing is ever ignored.
// All errors of a file are reported at once, in the order of the file. Paths of a job file are relative to its folder,
// those of flags to the working directory. Functions are pure but for Read and safe for concurrent use.
package config
