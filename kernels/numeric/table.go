package numeric

import "math"

// Places in Table, which the generator of assembly reads too. Polynomials take as many entries as they have coefficients, by
// ascending power.
const (
	TableOne = iota
	TableTwo
	TableHalf
	TableSign // the sign bit
	TableNaN
	TableLog2e
	TableMinusLog2e
	TableMinusTwoLog2e
	TableLn2Hi
	TableLn2Lo
	TableMagic // for Exp and Erf, for Sigmoid, for Tanh
	TableSigmoidMagic
	TableTanhMagic
	TableExpHigh
	TableExpLow
	TableSigmoidHigh
	TableSigmoidOne
	TableTanhHigh
	TableErfNear
	TableErfHigh
	TableInvSqrt2
	TableExp
	TableErf  = TableExp + len(expCoef32)
	TableErfc = TableErf + len(erfCoef32)
	TableExp2 = TableErfc + len(erfcCoef32)
	tableSize = TableExp2 + len(exp2Coef32)
)

// Table is what assembly reads to compute Exp, Sigmoid, Tanh and Erf by the same operations in the same order: the
// constants of those functions, each eight times, for the lanes of a vector. It is read-only.
var Table = func() (t [tableSize][8]float32) {
	put := func(at int, v ...float32) {
		for i, x := range v {
			for j := range t[at+i] {
				t[at+i][j] = x
			}
		}
	}
	put(TableOne, 1, 2, 0.5, math.Float32frombits(signBit), NaN(), log2e32, -log2e32, -2*log2e32, ln2Hi32, ln2Lo32,
		magic, sigMagic, tanhMagic, expHigh, expLow, sigHigh, sigOne, tanhHigh, erfNear, erfHigh, invSqrt2)
	put(TableExp, expCoef32[:]...)
	put(TableErf, erfCoef32[:]...)
	put(TableErfc, erfcCoef32[:]...)
	put(TableExp2, exp2Coef32[:]...)
	return t
}()
