package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestTypeCodes: every code with every sign of byte order, and codes that look like them.
func TestTypeCodes(t *testing.T) {
	for code, d := range elements {
		for _, order := range []string{"", "<", ">", "|", "="} {
			got, big, err := element(order + code)
			require.NoError(t, err, order+code)
			require.Equal(t, d, got)
			require.Equal(t, order == ">", big)
		}
		for _, bad := range []string{"<<" + code, "|>" + code, code + "<", " " + code, code + "0", strings.ToUpper(code) + "x"} {
			_, _, err := element(bad)
			require.ErrorContains(t, err, "is not read", bad)
		}
	}
}

// TestHeaders: what a header's dictionary may look like, and each way in which it is broken, by its text.
func TestHeaders(t *testing.T) {
	ones := func(n int) string { return "(" + strings.Repeat("1,", n) + ")" }
	for _, c := range []struct{ dict, want string }{
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}`, ""},
		{`  {'descr':'|u1','fortran_order':False,'shape':(1,)}  `, ""},
		{`{"descr" : "|u1" , "fortran_order" : False , "shape" : ( 1 , 1 ) , }`, ""},
		{`{'shape': (1,), 'descr': '|u1', 'fortran_order': True}`, ""},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': ` + ones(maxRank) + `}`, ""},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': ` + ones(maxRank+1) + `}`, "is impossible"},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1.0,)}`, "shape (1.0,) is impossible"},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,)}`, "shape (1099511627776,) is impossible"},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627775,)}`, "truncated: shape [1099511627775] of uint8 needs 1099511627775 bytes, 1 follow"},
		{`{'descr': '<u2', 'fortran_order': False, 'shape': (1099511627775,)}`, "truncated: shape [1099511627775] of uint16 needs more than 1099511627776 bytes, 1 follow"},
		{`{'descr': '<u2', 'fortran_order': False, 'shape': (549755813888,)}`, "truncated: shape [549755813888] of uint16 needs 1099511627776 bytes, 1 follow"},
		{`{'descr': '|u1', 'fortran_order': false, 'shape': (1,)}`, `header: fortran_order is "false": True or False is needed`},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1,)`, "header: no dictionary in braces"},
		{`'descr': '|u1', 'fortran_order': False, 'shape': (1,)}`, "header: no dictionary in braces"},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1,`, "no dictionary in braces"},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1,}`, "header: shape: a tuple does not end"},
		{`{'descr': '|u1}`, "header: descr: a quoted string does not end"},
		{`{'descr}`, "header: a quoted string does not end"},
		{`{'descr' '|u1'}`, `header: no colon behind "descr"`},
		{`{'descr':}`, "header: descr: a value is missing"},
		{`{descr: '|u1'}`, `header: a quoted string is needed at "descr: '|u1'"`},
		{`{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}`, `header: key "more" is unknown`},
		{`{'descr': '|u1', 'fortran_order': False}`, "header: shape is missing"},
		{`{'fortran_order': False, 'shape': (1,)}`, `header: element type "" is not read`},
		{`{}`, `header: element type "" is not read`},
	} {
		_, err := Decode(file(1, c.dict, 7))
		if c.want == "" {
			require.NoError(t, err, c.dict)
			continue
		}
		require.ErrorContains(t, err, c.want, c.dict)
	}
}

// TestCutFiles: a file of either layout that ends anywhere before its last element is refused; its length in a header counts to the byte.
func TestCutFiles(t *testing.T) {
	for version := range byte(4) {
		whole := file(version, head("<u2", "False", "(2,)"), 1, 0, 2, 0)
		for n := range whole {
			_, err := Decode(whole[:n])
			require.Error(t, err, "version %d cut to %d bytes", version, n)
		}
		a, err := Decode(append(whole, 9))
		if version == 0 {
			require.EqualError(t, err, ".npy version 0 is unknown; known are 1 to 3")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []byte{1, 0, 2, 0}, a.Data)
		require.Equal(t, 4, cap(a.Data), "nobody reaches what stands behind")
	}
	_, err := Decode([]byte(magic + "\x01\x00\x05\x00ab"))
	require.EqualError(t, err, "truncated: the header has 5 bytes, 2 follow")
	_, err = Decode([]byte(magic + "\x02\x00\x05\x00\x00\x00ab"))
	require.EqualError(t, err, "truncated: the header has 5 bytes, 2 follow")
	_, err = Decode([]byte(magic + "\x02\x00\x05\x00\x00"))
	require.EqualError(t, err, "truncated within its header")
	for _, size := range []int{maxHeader, maxHeader + 1} {
		b := file(2, head("|u1", "False", "(1,)")+strings.Repeat(" ", size), 7)
		binary.LittleEndian.PutUint32(b[8:], uint32(size))
		b = append(b[:12+size], 7)
		_, err := Decode(b)
		if size == maxHeader {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, "a header of 1048577 bytes, at most 1048576 are read")
		}
	}
}

// TestDecodeAliasesWhereItCan: little-endian rows are the file's bytes; another order is a copy, unless it is the same.
func TestDecodeAliasesWhereItCan(t *testing.T) {
	for _, c := range []struct {
		descr, fortran, shape string
		alias                 bool
	}{
		{"<u2", "False", "(1, 2)", true}, {"<u2", "True", "(2,)", true}, {"|u1", "False", "(4,)", true}, {">u1", "False", "(4,)", true},
		{">u2", "False", "(2,)", false}, {"<u2", "True", "(2, 1)", false},
	} {
		b := file(1, head(c.descr, c.fortran, c.shape), 1, 2, 3, 4)
		a, err := Decode(b)
		require.NoError(t, err)
		require.Equal(t, c.alias, &a.Data[0] == &b[len(b)-4], fmt.Sprint(c))
	}
}

// zipped is an archive of members of zeros, one for each method, each of these bytes.
func zipped(t *testing.T, raw []byte, methods ...uint16) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, method := range methods {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("m%d.npy", i), Method: method})
		require.NoError(t, err)
		_, err = f.Write(raw)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestLimitIsForAllMembers: the limit counts unpacked bytes of all members together, to the byte.
func TestLimitIsForAllMembers(t *testing.T) {
	zeros := file(1, head("|u1", "False", "(100000,)"), make([]byte, 100000)...)
	b := zipped(t, zeros, zip.Deflate, zip.Store, zip.Deflate)
	as, err := DecodeArchive(b, 3*int64(len(zeros)))
	require.NoError(t, err)
	require.Len(t, as, 3)
	for i, a := range as {
		require.Equal(t, fmt.Sprintf("m%d", i), a.Name)
		require.Equal(t, tensor.New(tensor.Uint8, 100000), a.Tensor)
	}
	for limit, member := range map[int64]string{3*int64(len(zeros)) - 1: "m2", 2*int64(len(zeros)) - 1: "m1", int64(len(zeros)) - 1: "m0", 0: "m0", -5: "m0"} {
		_, err := DecodeArchive(b, limit)
		require.ErrorContains(t, err, fmt.Sprintf("member %q: it claims %d bytes", member, len(zeros)))
		require.ErrorContains(t, err, "are left of the limit")
	}
}

// TestArchivesThatLie: a directory entry that claims more or fewer bytes than the member has, one that claims more than any member of
// so few packed bytes can have, a damaged member and one that is no array are errors with the member's name.
func TestArchivesThatLie(t *testing.T) {
	zeros := file(1, head("|u1", "False", "(100000,)"), make([]byte, 100000)...)
	claim := func(size uint32) []byte {
		b := zipped(t, zeros, zip.Deflate)
		at := bytes.Index(b, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(b[at+24:], size)
		return b
	}
	packed := binary.LittleEndian.Uint32(claim(0)[bytes.Index(claim(0), []byte("PK\x01\x02"))+20:])
	most := packed*1032 + 64
	for size, want := range map[uint32]string{
		uint32(len(zeros)): "", uint32(len(zeros)) - 1: `member "m0": `, uint32(len(zeros)) + 1: `member "m0": `,
		most: `member "m0": `, most + 1: fmt.Sprintf(`member "m0": it claims %d bytes from %d, and 1073741824 are left of the limit`, most+1, packed),
	} {
		_, err := DecodeArchive(claim(size), 1<<30)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, size == most+1, strings.Contains(err.Error(), "it claims"), err.Error())
	}
	bad := zipped(t, zeros, zip.Store)
	bad[bytes.Index(bad, []byte("NUMPY"))+80] ^= 1
	_, err := DecodeArchive(bad, 1<<30)
	require.ErrorContains(t, err, `member "m0": zip: checksum error`)
	_, err = DecodeArchive(zipped(t, []byte("hello"), zip.Store), 1<<30)
	require.ErrorContains(t, err, `member "m0": it is no .npy file`)
	foreign := zipped(t, zeros, zip.Store)
	for _, sign := range []string{"PK\x03\x04", "PK\x01\x02"} {
		at := bytes.Index(foreign, []byte(sign)) + 8
		if sign == "PK\x01\x02" {
			at += 2
		}
		foreign[at] = 99
	}
	_, err = DecodeArchive(foreign, 1<<30)
	require.EqualError(t, err, `member "m0": zip: unsupported compression algorithm`)
}

// TestMembersAreCounted: an archive holds at most 1024 arrays.
func TestMembersAreCounted(t *testing.T) {
	one := file(1, head("|u1", "False", "(1,)"), 5)
	as, err := DecodeArchive(zipped(t, one, make([]uint16, maxMembers)...), 1<<20)
	require.NoError(t, err)
	require.Len(t, as, maxMembers)
	_, err = DecodeArchive(zipped(t, one, make([]uint16, maxMembers+1)...), 1<<20)
	require.EqualError(t, err, "an archive of 1025 members, at most 1024 are read")
}
