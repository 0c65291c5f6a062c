package numeric

import "math"

// Places in Table. Polynomials take as many entries as they have coefficients, by ascending power.
const (
	TableLog2e = iota
	TableMagic // 1.5 * 2^52
	TableLn2Hi
	TableLn2Lo
	TableBias // the integer 1023
	TableOne
	TableTwo
	TableFour
	TableQuarter
	TableLimit // of arguments of exp
	TableLower
	TableSign      // the sign bit
	TableMagnitude // all other bits
	TableExp
	TableTanh = TableExp + 11
	TableErf  = TableTanh + len(tanhCoef)
	TableErfc = TableErf + len(erfCoef)
	tableSize = TableErfc + len(erfcCoef)
)

// Table is what assembly reads to compute Exp, Sigmoid, Tanh and Erf by the same operations in the same order: the
// constants of those functions. It is read-only.
var Table = func() (t [tableSize]float64) {
	copy(t[:], []float64{log2e, magic64, ln2Hi, ln2Lo, math.Float64frombits(1023), 1, 2, 4, 0.25, expLimit, -expLimit,
		math.Copysign(0, -1), math.Float64frombits(1<<63 - 1)})
	copy(t[TableExp:], expCoef[:11])
	copy(t[TableTanh:], tanhCoef[:])
	copy(t[TableErf:], erfCoef[:])
	copy(t[TableErfc:], erfcCoef[:])
	return t
}()
