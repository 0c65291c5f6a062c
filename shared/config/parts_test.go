package config

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSplitShares: for any data and setting, what is searched and what calibrates is in order, within the data and, with a share,
// apart and together everything.
func TestSplitShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := 1 + r.IntN(60)
		c := Calibration{Count: 1 + r.IntN(40), Shuffle: r.IntN(2) == 0, Seed: r.Uint64()}
		if r.IntN(2) == 0 {
			c.Every = 2 + r.IntN(8)
		}
		own, search, err := c.Split(n)
		if n < 2 && c.Every > 0 {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		share := n // samples that may calibrate
		if c.Every > 0 {
			share = (n + c.Every - 1) / c.Every
			require.Len(t, search, n-share)
			for _, s := range own {
				require.Zero(t, int(s)%c.Every)
				require.NotContains(t, search, s)
			}
		} else {
			require.Len(t, search, n)
		}
		require.Len(t, own, min(c.Count, share))
		for _, list := range [][]uint32{own, search} {
			require.True(t, slices.IsSorted(list))
			require.Equal(t, list, slices.Compact(slices.Clone(list)))
			require.Less(t, int(list[len(list)-1]), n)
		}
	}
}

// TestDrawIsFair: over many seeds every sample is drawn about as often as any other.
func TestDrawIsFair(t *testing.T) {
	const seeds, n, count = 6000, 12, 4
	var times [n]int
	for seed := range uint64(seeds) {
		for _, s := range (Calibration{Count: count, Shuffle: true, Seed: seed}).Pick(n) {
			times[s]++
		}
	}
	for s, k := range times { // mean 2000, standard deviation 36.5
		require.InDelta(t, seeds*count/n, k, 200, "sample %d", s)
	}
}

// TestBytesOfEveryUnit: n units are n times the unit's bytes in any case, up to what 63 bits hold and not beyond.
func TestBytesOfEveryUnit(t *testing.T) {
	for name, unit := range units {
		for _, n := range []int64{1, 7, math.MaxInt64 / unit} {
			for _, text := range []string{name, " " + name, strings.ToUpper(name), " " + strings.ToUpper(name) + " "} {
				got, err := ParseBytes(fmt.Sprint(n) + text)
				require.NoError(t, err)
				require.Equal(t, n*unit, got)
			}
		}
		if unit > 1 {
			_, err := ParseBytes(fmt.Sprint(math.MaxInt64/unit+1) + name)
			require.Error(t, err, name)
		}
	}
	for s, want := range map[string]int64{
		"4gb": 4e9, "4GB": 4e9, "4g": 4 << 30, "4Gi": 4 << 30, "4GiB": 4 << 30, "1.5 GiB": 3 << 29, "0.001kb": 1, "1.9b": 1, "64K": 64 << 10,
		"9223372036854775807": math.MaxInt64, "9223372036854775807.9": math.MaxInt64, "0.999999999999999999TiB": 1<<40 - 1, "0.5M": 1 << 19,
	} {
		got, err := ParseBytes(s)
		require.NoError(t, err)
		require.Equal(t, want, got, s)
	}
	for _, bad := range []string{
		"", "B", "1 B B", "1.", ".5", "1.2.3", "0", "0B", "0.9", "0.0009KB", "+1", "-1", "1GiBi", "1ib", "1e3", "1 2", "0x10", "NaN",
		"9223372036854775808", "8388608TiB", "8388607.999999999999999999 TiB1", "12345678901234567890123", "0.1234567890123456789GB", "1\u212a",
	} {
		_, err := ParseBytes(bad)
		require.EqualError(t, err, fmt.Sprintf("%q: want bytes such as 1048576, 500MB or 4GiB", bad))
	}
}

// TestFractionsOfBytes: for any decimal, the result is the whole part of the exact product.
func TestFractionsOfBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{1,19}\.[0-9]{1,18}`).Draw(t, "number")
		unit := rapid.SampledFrom(slices.Sorted(maps.Keys(units))).Draw(t, "unit")
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		exact.Mul(exact, new(big.Rat).SetInt64(units[unit]))
		want := new(big.Int).Quo(exact.Num(), exact.Denom())
		got, err := ParseBytes(text + unit)
		if !want.IsInt64() || want.Sign() == 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.Int64(), got)
	})
}

// plainDistance is distance by its definition: the cheapest way over prefixes, without rolling rows.
func plainDistance(a, b []rune) int {
	memo := map[[2]int]int{}
	var of func(i, j int) int
	of = func(i, j int) int {
		if i == 0 || j == 0 {
			return 2 * (i + j)
		}
		if d, ok := memo[[2]int{i, j}]; ok {
			return d
		}
		d := min(of(i-1, j)+2, of(i, j-1)+2, of(i-1, j-1)+substitution(a[i-1], b[j-1]))
		if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
			d = min(d, of(i-2, j-2)+2)
		}
		memo[[2]int{i, j}] = d
		return d
	}
	return of(len(a), len(b))
}

// TestDistance holds the rolling rows against the definition, and the definition against what it promises.
func TestDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	word := func() []rune {
		w := make([]rune, r.IntN(7))
		for i := range w {
			w[i] = []rune("abAB._é")[r.IntN(7)]
		}
		return w
	}
	for range 3000 {
		a, b := word(), word()
		d := distance(a, b)
		require.Equal(t, plainDistance(a, b), d, "%q %q", string(a), string(b))
		require.Equal(t, d, distance(b, a))
		require.Equal(t, slices.Equal(a, b), d == 0)
		require.LessOrEqual(t, d, 2*max(len(a), len(b)))
		require.GreaterOrEqual(t, d, 2*max(len(a)-len(b), len(b)-len(a)))
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"ab", "ba", 2}, {"ab", "aB", 1}, {"a.b", "a_b", 1}, {"a.b", "acb", 2}, {"acb", "a_b", 2}, {"[", "{", 2}, {"@", "`", 2}, {"model", "modle", 2}, {"", "abc", 6}, {"é", "e", 2}, {"K", "\u212a", 2}} {
		require.Equal(t, c.want, distance([]rune(c.a), []rune(c.b)), "%v", c)
	}
}

// TestNearestLimits: one change is near in short words, two from five letters on, then a third of the letters; of equals the first.
func TestNearestLimits(t *testing.T) {
	for _, c := range []struct{ word, candidate, want string }{
		{"ab", "ax", "ax"}, {"ab", "xy", ""}, {"abcd", "abxy", ""}, {"abcde", "abcxy", "abcxy"}, {"abcde", "abxyz", ""},
		{"abcdefghi", "abcdefxyz", "abcdefxyz"}, {"abcdefghi", "abcdewxyz", ""}, {"abcdefgh", "abcdexyz", ""}, {"", "a", "a"}, {"", "ab", ""},
		{strings.Repeat("a", maxWord), strings.Repeat("a", maxWord), strings.Repeat("a", maxWord)}, {"a", strings.Repeat("a", maxWord+1), ""},
		{"éà", "éx", "éx"}, {"éàü", "éxy", ""}, {"日本語", "日本x", "日本x"},
	} {
		require.Equal(t, c.want, Nearest(c.word, []string{c.candidate}), "%v", c)
	}
	require.Equal(t, "ax", Nearest("ab", []string{"zzz", "ax", "ay"}))
	require.Equal(t, "ab", Nearest("ab", []string{"ax", "ab"}))
	require.Empty(t, Nearest("ab", nil))
}

// TestMessagesRepeatLittle: a word of the file of up to 200 bytes stands in a message as it is, of a longer one the beginning.
func TestMessagesRepeatLittle(t *testing.T) {
	whole := strings.Repeat("a", 200)
	require.Equal(t, whole, clip(whole))
	require.Equal(t, whole+"...", clip(whole+"b"))
	require.Empty(t, clip(""))
}

// TestPositions: lines and characters count from 1; a character of several bytes is one.
func TestPositions(t *testing.T) {
	text := []byte("{\r\n \"é\": 1,\n\n}")
	for _, c := range []struct {
		offset int
		want   Pos
	}{{-3, Pos{1, 1}}, {0, Pos{1, 1}}, {1, Pos{1, 2}}, {3, Pos{2, 1}}, {4, Pos{2, 2}}, {7, Pos{2, 4}}, {8, Pos{2, 5}}, {13, Pos{3, 1}}, {14, Pos{4, 1}}, {1000, Pos{4, 2}}} {
		require.Equal(t, c.want, positionAt(text, c.offset), "%d", c.offset)
	}
	require.Equal(t, "2:5", Pos{2, 5}.String())
	require.Equal(t, "f:2:5: k: t", (&Error{File: "f", Pos: Pos{2, 5}, Key: "k", Text: "t"}).Error())
	require.Equal(t, "--mean: t", (&Error{Key: "--mean", Text: "t"}).Error())
	require.Equal(t, "t", (&Error{Text: "t"}).Error())
}

// TestBracketsAreCounted: depth is that of brackets which the parser opens; what closes again does not add up, and neither an
// empty comment nor an open one hides what follows.
func TestBracketsAreCounted(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1)
	for _, c := range []struct {
		text string
		want int
	}{
		{"", -1}, {strings.Repeat("[", maxDepth), -1}, {deep, maxDepth}, {strings.Repeat("[]", 500), -1}, {strings.Repeat("{}", 500) + deep, 1000 + maxDepth},
		{"/**/" + deep, 4 + maxDepth}, {"//\n" + deep, 3 + maxDepth}, {"/*" + deep + "*/", -1}, {"//" + deep, -1}, {"/*" + deep, -1}, {`"` + deep + `"`, -1},
		{`"\"` + deep + `"`, -1}, {`"\\"` + deep, 4 + maxDepth}, {`"` + deep, -1}, {"/" + deep, 1 + maxDepth}, {`"\`, -1},
	} {
		require.Equal(t, c.want, tooDeep([]byte(c.text)), "%.20q", c.text)
	}
}

// TestWordsOfKinds: what a key takes, in words that a message can carry.
func TestWordsOfKinds(t *testing.T) {
	for _, c := range []struct {
		k    key
		want string
	}{
		{key{kind: text}, "a string"}, {key{kind: text | whole}, "a string or a whole number"}, {key{kind: text | number | list}, "a string, a number or a list [...]"},
		{key{kind: whole, min: "1"}, "a whole number of 1 or more"}, {key{kind: number, min: "0", over: true}, "a number above 0"},
		{key{kind: number, min: "0", over: true, max: "1"}, "a number of 0 to 1"}, {key{kind: whole, min: "1", max: "9"}, "a whole number of 1 to 9"},
		{key{kind: text, words: []string{"a", "b", "c"}}, "a, b or c"}, {key{kind: truth}, "true or false"},
	} {
		require.Equal(t, c.want, wanted(c.k))
	}
}

// TestNumbersAreExact: bounds are compared as decimals, so no rounding lets a number in or keeps it out; what nobody means is
// refused before it costs anything.
func TestNumbersAreExact(t *testing.T) {
	over, closed, size := key{kind: number, min: "0", over: true}, key{kind: number, min: "0", max: "1"}, key{kind: whole, min: "1", max: "16384"}
	for _, c := range []struct {
		k    key
		x    string
		want bool
	}{
		{over, "0", false}, {over, "-0", false}, {over, "1e-60", true}, {over, "1e-61", false}, {over, "0.000", false},
		{closed, "1", true}, {closed, "1.0000000000000000000001", false}, {closed, "0.9999999999999999999999", true}, {closed, "-1e-30", false}, {closed, "0", true},
		{size, "16384", true}, {size, "16385", false}, {size, "0", false}, {key{kind: whole}, "9007199254740992", true}, {key{kind: whole}, "-9007199254740993", false},
		{key{kind: number}, "1e30", true}, {key{kind: number}, "1.1e30", false}, {key{kind: number}, "-1e31", false}, {key{kind: number}, "1E+400", false},
		{key{kind: number}, strings.Repeat("1", 30), true}, {key{kind: number}, "0." + strings.Repeat("1", 39), false},
	} {
		require.Equal(t, c.want, inRange(c.k, c.x), "%s %v", c.x, c.k)
	}
}
