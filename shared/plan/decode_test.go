package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// tree nests as deep as its words say.
type tree struct{ Kids []tree }

// encoded is the encoding of kind T with this msgpack in it.
func encoded(msgpack string) []byte { return []byte("assay.T\x00" + msgpack) }

// TestDecodeSaysWhereAndWhat: the error of a broken encoding names the byte behind which it is, the field and element, and the cause.
func TestDecodeSaysWhereAndWhat(t *testing.T) {
	type small struct {
		A int8
		B uint16
	}
	type fixed struct {
		D [2]byte
		E [2]uint16
	}
	for _, c := range []struct {
		msgpack string
		into    any
		want    string
	}{
		{"\x92\x7f\xcd\xff\xff", &small{}, ""},
		{"\x92\xd0\x80\x00", &small{}, ""},
		{"\x92\xcc\x80\x00", &small{}, "T: byte 11 of 12: A: 128 does not fit int8"},
		{"\x92\xd1\xff\x7f\x00", &small{}, "T: byte 12 of 13: A: -129 does not fit int8"},
		{"\x92\x00\xce\x00\x01\x00\x00", &small{}, "T: byte 15 of 15: B: 65536 does not fit uint16"},
		{"\x92\xa1a\x00", &small{}, "T: byte 10 of 12: A: msgpack: invalid code=a1 decoding int64"},
		{"\x92\x00\xa1a", &small{}, "T: byte 11 of 12: B: msgpack: invalid code=a1 decoding uint64"},
		{"\x91\x00", &small{}, "T: byte 9 of 10: plan.small has 2 fields, 1 were written (by another version?)"},
		{"\x07", &small{}, "T: byte 9 of 9: msgpack: invalid code=7 decoding array length"},
		{"\x92\x00\x00\x00", &small{}, "T: 1 bytes stand behind the end"},
		{"\x92\x00\xcc\x00", &small{}, "T: encoding is not the canonical one"},
		{"\x92\xc4\x02ab\x92\x01\x02", &fixed{}, ""},
		{"\x92\xc4\x01a\x92\x01\x02", &fixed{}, "T: byte 12 of 15: D: 1 bytes where 2 are needed"},
		{"\x92\xc4\x03abc\x92\x01\x02", &fixed{}, "T: byte 14 of 17: D: 3 bytes where 2 are needed"},
		{"\x92\x07\x92\x01\x02", &fixed{}, "T: byte 10 of 13: D: msgpack: invalid code=7 decoding string/bytes length"},
		{"\x92\xc4\x02ab\x91\x01", &fixed{}, "T: byte 14 of 15: E: 1 elements where 2 are needed"},
		{"\x92\xc4\x02ab\x93\x01\x02\x03", &fixed{}, "T: byte 14 of 17: E: 3 elements where 2 are needed"},
		{"\x92\xc4\x02ab\x92\x01\xce\x00\x01\x00\x00", &fixed{}, "T: byte 20 of 20: E: element 1: 65536 does not fit uint16"},
		{"\x91\x93\x01\x02\x03", &View{}, ""},
		{"\x91\xc0", &View{}, "T: byte 10 of 10: Samples: list of -1 elements in 0 bytes: unexpected EOF"},
		{"\x91\x93\x01\x02", &View{}, "T: byte 10 of 12: Samples: list of 3 elements in 2 bytes: unexpected EOF"},
		{"\x91\x07", &View{}, "T: byte 10 of 10: Samples: msgpack: invalid code=7 decoding array length"},
		{"\x91\x92\x01\xa0", &View{}, "T: byte 12 of 12: Samples: element 1: msgpack: invalid code=a0 decoding uint64"},
		{"\x91\x07", &struct{ B bool }{}, "T: byte 10 of 10: B: msgpack: invalid code=7 decoding bool"},
		{"\x91\xa0", &struct{ F float32 }{}, "T: byte 10 of 10: F: msgpack: invalid code=a0 decoding float32"},
		{"\x91\xa0", &struct{ F float64 }{}, "T: byte 10 of 10: F: msgpack: invalid code=a0 decoding float32"},
		{"\x91\x07", &struct{ S string }{}, "T: byte 10 of 10: S: msgpack: invalid code=7 decoding string/bytes length"},
	} {
		err := Decode("T", encoded(c.msgpack), c.into)
		if c.want == "" {
			require.NoError(t, err, "%q", c.msgpack)
			continue
		}
		require.EqualError(t, err, c.want, "%q", c.msgpack)
	}
	require.EqualError(t, Decode("T", []byte("assay.T"), &View{}), `T: encoding of 7 bytes does not begin with "assay.T\x00"`)
}

// TestDecodeBoundsDepth: a struct and a list count one each, and what stands deeper than MaxDepth is refused before more of it is read.
func TestDecodeBoundsDepth(t *testing.T) {
	nested := func(structs int) tree {
		var v tree
		for range structs - 1 {
			v = tree{Kids: []tree{v}}
		}
		return v
	}
	var got tree
	require.NoError(t, Decode("T", Encode("T", nested(MaxDepth/2)), &got))
	require.Equal(t, nested(MaxDepth/2), got)
	err := Decode("T", Encode("T", nested(MaxDepth/2+1)), &got)
	require.ErrorContains(t, err, "nested deeper than 16")
	require.ErrorContains(t, err, "T: byte 25 of 26: Kids: element 0: Kids: ")
}

// TestTextOfADigest: UnmarshalText takes either case, replaces what was there, and leaves nothing of it after an error.
func TestTextOfADigest(t *testing.T) {
	want := Digest{0xab, 31: 0xcd}
	got := Digest{1}
	require.NoError(t, got.UnmarshalText([]byte(want.String())))
	require.Equal(t, want, got)
	require.NoError(t, got.UnmarshalText([]byte("AB"+want.String()[2:])))
	require.Equal(t, want, got)
	require.ErrorContains(t, got.UnmarshalText([]byte(want.String()[1:]+"g")), "digest ")
	require.True(t, got.IsZero())
	require.EqualError(t, got.UnmarshalText([]byte("abc")), `digest "abc" has 3 characters, 64 hexadecimal digits are needed`)
}

// TestPlanErrorsSayTheBorder: the last group that params have, or where two groups and points meet.
func TestPlanErrorsSayTheBorder(t *testing.T) {
	p := Plan{Params: Digest{0xab}, Float: []uint64{1 << 10}}
	require.EqualError(t, p.Check(10), "plan ab000000: group 10 is float, params end at group 9 (state of another model?)")
	require.NoError(t, p.Check(11))
	require.EqualError(t, Plan{p.Params, []uint64{1, 0}}.Check(10), "plan ab000000: last of 2 words is 0, so it is not the one encoding of its set")
	require.EqualError(t, Plan{Float: []uint64{3}}.Check(10), "plan without params names 2 float groups")
	_, err := p.Restore(10, 10)
	require.EqualError(t, err, "plan ab000000: restore group 10: params end at group 9 (state of another model?)")
	_, err = p.Revert(-1, 10)
	require.EqualError(t, err, "plan ab000000: revert group -1: params end at group 9 (state of another model?)")

	for want, groups := range map[string][][]uint32{
		"params: group 1 begins with point 0, after a group that begins with point 0": {{0}, {0, 1, 2}},
		"params: group 1 begins with point 0, after a group that begins with point 1": {{1, 2}, {0}},
		"params: point 2 is in groups 0 and 1":                                        {{0, 2}, {1, 2}},
		"params: group 0 is not ascending at point 1":                                 {{0, 1, 1}, {2}},
		"params: group 0 names point 3, there are 3":                                  {{0, 1, 2, 3}},
		`params: point 1 on "w" is in no group`:                                       {{0}, {2}},
	} {
		params := sample()
		params.Groups = groups
		require.EqualError(t, params.Check(), want)
	}
}

// TestEachGroupHasItsBit: reverting and restoring any group changes it and no other, across the borders of words.
func TestEachGroupHasItsBit(t *testing.T) {
	const groups = 200
	floats := func(p Plan) (out []int) {
		for g := -1; g < groups+64; g++ {
			if p.Has(g) {
				out = append(out, g)
			}
		}
		return out
	}
	var all Plan
	for g := range groups {
		one, err := Plan{}.Revert(g, groups)
		require.NoError(t, err)
		require.Equal(t, []int{g}, floats(one))
		require.Len(t, one.Float, g/64+1)
		all, err = all.Revert(g, groups)
		require.NoError(t, err)
	}
	require.Equal(t, groups, all.Count())
	for g := range groups {
		rest, err := all.Restore(g, groups)
		require.NoError(t, err)
		require.NotContains(t, floats(rest), g)
		require.Equal(t, groups-1, rest.Count())
	}
	require.False(t, all.Equal(Plan{Params: Digest{1}, Float: all.Float}))
	require.False(t, all.Equal(Plan{Float: all.Float[:3]}))
}

// TestEffectiveDigestForgetsGrouping: params that cut the same points and patches into other groups compute the same, and a plan
// without params computes what the float model does, whatever params stand beside it.
func TestEffectiveDigestForgetsGrouping(t *testing.T) {
	a, b := sample(), sample()
	b.Groups, b.Patches[0].Group = [][]uint32{{0}, {1}, {2}}, 2
	require.NoError(t, b.Check())
	require.NotEqual(t, a.Digest(), b.Digest())
	require.Equal(t, EffectiveDigest(a, All(a)), EffectiveDigest(b, All(b)))
	half, err := All(b).Revert(0, 3)
	require.NoError(t, err)
	require.NotEqual(t, EffectiveDigest(b, All(b)), EffectiveDigest(b, half))
	require.True(t, EffectiveDigest(a, Plan{}).IsZero())
	points, patches := Effective(a, Plan{})
	require.Empty(t, points)
	require.Empty(t, patches)
}
