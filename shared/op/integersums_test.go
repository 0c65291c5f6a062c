package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestIntegerSumsAreExact: depths on both sides of where a float32 ends to be exact, the largest products, and every way
// in which the operands come, against the plain loops, which zero points of single rows call for.
func TestIntegerSumsAreExact(t *testing.T) {
	for _, depth := range []int{1, 255, 256, 257, 512, 1000} {
		for _, types := range [][2]string{{"uint8", "int8"}, {"uint8", "uint8"}, {"int8", "int8"}, {"int8", "uint8"}} {
			t.Run(fmt.Sprint(depth, types), func(t *testing.T) {
				const rows, columns = 67, 5
				a, b, za, zb := furthest(types[0]), furthest(types[1]), zeroOf(types[0]), zeroOf(types[1])
				inputs := fmt.Sprintf("x: %s[%d,%d]; w: %s[%d,%d]; z: %s[%%s] = const [%%s]; v: %s[] = const [%d]", types[0], rows, depth, types[1], depth, columns, types[0], types[1], zb)
				each := fmt.Sprint(za)
				for range rows - 1 {
					each += fmt.Sprintf(", %d", za)
				}
				n, in := parseCase(t, fmt.Sprintf(inputs, "", fmt.Sprint(za)), "MatMulInteger(x, w, z, v)")
				plain, slow := parseCase(t, fmt.Sprintf(inputs, fmt.Sprint(rows), each), "MatMulInteger(x, w, z, v)")
				for _, fill := range []func([]byte){a, random(9)} {
					fill(in[0].Data)
					for _, other := range []func([]byte){b, random(8)} {
						other(in[1].Data)
						slow[0], slow[1] = in[0], in[1]
						want, err := Eval(plain, slow)
						require.NoError(t, err)
						for mask := range 16 {
							w, ok := lower(t, n, in, Logical, mask)
							require.True(t, ok)
							w.k.Run(w.c)
							require.Equal(t, tensor.View[int32](want[0]), tensor.View[int32](w.out[0]), "computed inputs %v", w.computed())
						}
					}
				}
			})
		}
	}
}

// furthest fills with the number that is furthest from zeroOf.
func furthest(d string) func([]byte) {
	far := map[string]byte{"uint8": 0, "int8": 0x80}[d]
	return func(b []byte) {
		for i := range b {
			b[i] = far
		}
	}
}

// zeroOf is the largest number of a type.
func zeroOf(d string) int { return map[string]int{"uint8": 255, "int8": 127}[d] }

func random(seed uint64) func([]byte) {
	return func(b []byte) {
		r := rand.New(rand.NewPCG(seed, seed))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
	}
}
