module assay/kernels/gen

go 1.26.0

require (
	github.com/mmcloughlin/avo v0.6.0
	golang.org/x/tools v0.52.0 // indirect; newer than avo asks for, whose choice does not compile with current Go
)

require (
	assay v0.0.0
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
)

replace assay => ../..
