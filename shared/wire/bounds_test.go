package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
)

// TestBoundedFindsTheEndOfEveryValue: whatever the encoder of msgpack writes of the kinds that messages hold is one value to its last
// byte; a byte less ends in the middle of it, and a byte more stands behind its end.
func TestBoundedFindsTheEndOfEveryValue(t *testing.T) {
	values := []any{nil, true, false, 0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, uint64(1<<64 - 1), -1, -32, -33, -128, -129, -32768, -32769, -1 << 31, -1<<31 - 1,
		float32(1.5), 2.5, "", "a", strings.Repeat("a", 31), strings.Repeat("a", 32), strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", MaxText),
		[]byte{}, []byte("ab"), make([]byte, 255), make([]byte, 256), make([]byte, 65535), make([]byte, 65536),
		[]int{}, []int{1, 300}, make([]int, 15), make([]int, 16), make([]int, MaxWords), [][]string{{"a", "b"}, nil, {}}}
	for _, v := range values {
		for _, compact := range []bool{false, true} {
			var b bytes.Buffer
			e := msgpack.NewEncoder(&b)
			e.UseCompactInts(compact)
			require.NoError(t, e.Encode(v))
			require.NoError(t, bounded(b.Bytes()), "%T of %d bytes", v, b.Len())
			require.Error(t, bounded(b.Bytes()[:b.Len()-1]), "%T of %d bytes", v, b.Len())
			require.EqualError(t, bounded(append(b.Bytes(), 0x90)), "1 bytes behind its end")
		}
	}
	for b := range 256 { // one byte alone
		whole := b <= 0x80 && b != 0x80 || b == 0x90 || b == 0xa0 || b == 0xc0 || b == 0xc2 || b == 0xc3 || b >= 0xe0
		require.Equal(t, whole, bounded([]byte{byte(b)}) == nil, "%#x", b)
	}
}

// TestBoundedSaysWhatIsWrong: each refusal with its numbers, at the first value past each bound.
func TestBoundedSaysWhatIsWrong(t *testing.T) {
	for msgpack, want := range map[string]string{
		"":     "ends in the middle of a value",
		"\xcc": "ends in the middle of a value", "\xcd\x01": "ends in the middle of a value", "\xa2a": "ends in the middle of a value",
		"\xc5\x00": "ends in the middle of a value", "\xdb\x00\x00\x00": "ends in the middle of a value", "\x91": "a list of 1 where 0 bytes are left",
		"\x93\x01\x02": "a list of 3 where 2 bytes are left", "\xdc\x00\x03\x01\x02": "a length of 3 where 2 bytes are left",
		"\xdd\x00\x00\x00\x03\x01\x02": "a length of 3 where 2 bytes are left", "\xc4\x02a": "a length of 2 where 1 bytes are left", "\xd9\x02a": "a length of 2 where 1 bytes are left",
		"\xc1": "byte 0xc1 starts no value that messages hold", "\x80": "byte 0x80 starts no value that messages hold", "\xc7\x00": "byte 0xc7 starts no value that messages hold",
		"\xda\x10\x01" + strings.Repeat("a", 4097):         "a text of 4097 bytes, at most 4096 are allowed",
		"\xdb\x00\x00\x10\x01" + strings.Repeat("a", 4097): "a text of 4097 bytes, at most 4096 are allowed",
		"\xc5\x10\x01" + strings.Repeat("a", 4097):         "", // bytes are bounded by the message alone
		"\xdc\x10\x01" + strings.Repeat("a", 4097):         "a list of 4097, at most 4096 are allowed",
		"\xdd\x00\x00\x10\x01" + strings.Repeat("a", 4097): "a list of 4097, at most 4096 are allowed",
		"\xdd\x00\x00\x10\x00" + strings.Repeat("a", 4096): "",
		strings.Repeat("\x91", maxDepth) + "\x01":          "",
		strings.Repeat("\x91", maxDepth+1) + "\x01":        "nested deeper than 8",
		"\x92\x01\xc1": "byte 0xc1 starts no value that messages hold",
	} {
		err := bounded([]byte(msgpack))
		if want == "" {
			require.NoError(t, err, "%.20q", msgpack)
			continue
		}
		require.EqualError(t, err, want, "%.20q", msgpack)
	}
}

// TestWhatIsNoMessage: bytes that are no list, or no number in front, are told from messages of another version.
func TestWhatIsNoMessage(t *testing.T) {
	for b, want := range map[string]string{
		"":             "claim: not a message of this program (0 bytes)",
		"\x07":         "claim: not a message of this program (1 bytes)",
		"\xc0":         "claim: not a message of this program (1 bytes)",
		"\x90":         "claim: not a message of this program (1 bytes)",
		"\x91\xa1x":    "claim: no version in front: msgpack: invalid code=a1 decoding uint64",
		"\x91\x07":     "claim of version 7, this program speaks 2 (update the older side): message of another version",
		"\x91\x02":     "claim: msgpack: number of fields in array-encoded struct has changed",
		"\x91\x02\x01": "claim: 1 bytes behind its end",
	} {
		_, err := DecodeClaim([]byte(b))
		require.ErrorContains(t, err, want, "%q", b)
	}
}

// TestLargestMessage: one of MaxMessage bytes goes out and comes in, one byte more does neither.
func TestLargestMessage(t *testing.T) {
	r := Result{V: ResultVersion, Records: make([]byte, 70000)}
	b, err := Encode(r)
	require.NoError(t, err)
	r.Records = make([]byte, len(r.Records)+MaxMessage-len(b))
	b, err = Encode(r)
	require.NoError(t, err)
	require.Len(t, b, MaxMessage)
	again, err := DecodeResult(b)
	require.NoError(t, err)
	require.Equal(t, r, again)

	r.Records = append(r.Records, 0)
	_, err = Encode(r)
	require.EqualError(t, err, "message wire.Result of 524289 bytes is over the bound of 524288")
	_, err = DecodeResult(append(b, 0))
	require.EqualError(t, err, "result of 524289 bytes is over the bound of 524288")
	require.Len(t, Clip(strings.Repeat("\xff", MaxText)), MaxText, "what fits stays as it is")
}
