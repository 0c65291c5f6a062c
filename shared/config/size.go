package config

import (
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// units of ParseBytes, in lower case.
var units = map[string]int64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,19})(?:\.([0-9]{1,18}))?\s*([a-zA-Z]*)$`)

// ParseBytes reads a size of memory: a decimal number with an optional unit, in any case and with or without blanks between.
// KB, MB, GB and TB are powers of 1000; KiB, MiB, GiB and TiB powers of 1024, and so are K, Ki and their like, as tools that
// limit memory have it (docker, systemd, Java, Kubernetes' Ki). 1.5GiB is 1610612736; a fraction of a byte is cut. Less
// than one byte and more than 2^63 - 1 are errors, which repeat s.
func ParseBytes(s string) (int64, error) {
	bad := fmt.Errorf("%q: want bytes such as 1048576, 500MB or 4GiB", s)
	m := sizeForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, bad
	}
	unit, known := units[strings.ToLower(m[3])]
	n, err := strconv.ParseInt(m[1], 10, 64)
	if !known || err != nil || n > math.MaxInt64/unit {
		return 0, bad
	}
	n *= unit
	if m[2] != "" {
		part, power := uint64(0), uint64(1)
		for _, c := range m[2] {
			part, power = 10*part+uint64(c-'0'), 10*power
		}
		hi, lo := bits.Mul64(part, uint64(unit))
		q, _ := bits.Div64(hi, lo, power) // part < power, so q < unit
		if int64(q) > math.MaxInt64-n {
			return 0, bad
		}
		n += int64(q)
	}
	if n < 1 {
		return 0, bad
	}
	return n, nil
}
