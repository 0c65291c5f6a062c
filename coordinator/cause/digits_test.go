package cause

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDigits: three digits that count, without an exponent where people write none.
func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.00221: "0.00221", 1.236: "1.24", 52.6: "52.6", 999.4: "999", 999.5: "1,000", 1004: "1,000", 7874: "7,870", -14949: "-14,900", 999_600: "1,000,000",
		1_234_567: "1,230,000", 9_990_000: "9,990,000", 1e7: "1e+07", -3.4e38: "-3.4e+38", 1 << 30: "1.07e+09", 1.2e-9: "1.2e-09",
	} {
		require.Equal(t, want, fmt.Sprintf("%v", digits(v)))
	}
}
