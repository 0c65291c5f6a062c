package wire_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
	"assay/shared/wire"
)

var update = flag.Bool("update", false, "write the golden files and the named seeds of the fuzzers")

// kind is one type of message without its type: how a sample is spelled, and how bytes are read.
type kind struct {
	name    string
	version uint8
	samples map[string]func() ([]byte, error)
	decode  func([]byte) (any, error)
	encode  func(any) ([]byte, error)
}

func kindOf[M wire.Task | wire.Result | wire.Claim | wire.Failure | wire.Heartbeat](name string, version uint8, decode func([]byte) (M, error), samples map[string]M) kind {
	k := kind{name: name, version: version, samples: map[string]func() ([]byte, error){}}
	for s, m := range samples {
		k.samples[s] = func() ([]byte, error) { return wire.Encode(m) }
	}
	k.decode = func(b []byte) (any, error) { return decode(b) }
	k.encode = func(m any) ([]byte, error) { return wire.Encode(m.(M)) }
	return k
}

func digest(b byte) (d plan.Digest) {
	for i := range d {
		d[i] = b + byte(i)
	}
	return d
}

// kinds has at least one sample of every message, with every field set in one of them.
func kinds() []kind {
	return []kind{
		kindOf("task", wire.Version, wire.DecodeTask, map[string]wire.Task{
			"full": {
				V: wire.Version, Problem: digest(1), Plans: []plan.Plan{{}, {Params: digest(2)}, {Params: digest(2), Float: []uint64{5, 1 << 63}}},
				View: digest(3), Blocks: []uint32{0, 1, 70000}, What: plan.Taps, Ref: digest(4), Job: "0123abcd-17", Number: 1 << 40, Deadline: 1900000000,
			},
			"small": {V: wire.Version, Plans: []plan.Plan{{}}, Blocks: []uint32{0}, Job: "j"},
		}),
		kindOf("result", wire.ResultVersion, wire.DecodeResult, map[string]wire.Result{
			"records": {V: wire.ResultVersion, Cell: digest(5), Records: []byte("twenty bytes of data")},
			"object":  {V: wire.ResultVersion, Cell: digest(5), Object: digest(6), Faults: []wire.SampleFault{{Sample: 300, Text: "cat.jpg: ends early"}}},
		}),
		kindOf("claim", wire.Version, wire.DecodeClaim, map[string]wire.Claim{
			"full": {V: wire.Version, Job: "0123abcd-17", Number: 9, Node: "box-12", Started: 1764000000123456789},
		}),
		kindOf("failure", wire.Version, wire.DecodeFailure, map[string]wire.Failure{
			"broken":    {V: wire.Version, Class: wire.Broken, Job: "j", Number: 9, Cell: digest(7), Node: "box-12", Text: "node conv_7: shapes differ"},
			"transient": {V: wire.Version, Class: wire.Transient, Job: "j", Number: 10, Node: "box-12", Text: "view 01020304: time-out"},
		}),
		kindOf("heartbeat", wire.Version, wire.DecodeHeartbeat, map[string]wire.Heartbeat{
			"full": {V: wire.Version, Node: "box-12", Started: 1764000000123456789, Numerics: "3", Tier: "avx2", Build: "v1.2.3", Slots: 8, Done: 1 << 33, Leaving: true},
		}),
	}
}

// hostile are bytes that no encoder writes, for a message of a version: each must be refused.
func hostile(version uint8) map[string][]byte {
	v := string([]byte{version})
	return map[string][]byte{
		"empty":              {},
		"no list":            {version},
		"map":                []byte("\x81\xa1V" + v),
		"nothing in it":      {0x90},
		"no version":         []byte("\x92\xa1x\x01"),
		"version below 0":    []byte("\x92\xff\x01"),
		"only the version":   {0x91, version},
		"two billion fields": []byte("\xdd\x7f\xff\xff\xff" + v),
		"two billion bytes":  []byte("\x95" + v + "\xc6\x7f\xff\xff\xff\x00"),
		"two billion text":   []byte("\x95" + v + "\xdb\x7f\xff\xff\xff\x00"),
		"long text":          []byte("\x95" + v + "\xda\x10\x01" + strings.Repeat("a", 0x1001)),
		"long list":          []byte("\x95" + v + "\xdc\x10\x01" + strings.Repeat("a", 0x1001)),
		"deep":               []byte("\x95" + v + strings.Repeat("\x91", 4000) + "\x01"),
		"extension":          []byte("\x95" + v + "\xd6\xff\x00\x00\x00\x00"),
		"reserved byte":      []byte("\x95" + v + "\xc1"),
		"nils":               []byte("\x95" + v + "\xc0\xc0\xc0\xc0"),
	}
}

// path of a golden file.
func golden(k kind, sample string) string { return filepath.Join("testdata", k.name+"."+sample+".hex") }

// TestGolden: the bytes of every message are those in the tree, wrapped hexadecimal. Bytes that change need a new version,
// since older programs read them.
func TestGolden(t *testing.T) {
	for _, k := range kinds() {
		for name, sample := range k.samples {
			t.Run(k.name+" "+name, func(t *testing.T) {
				b, err := sample()
				require.NoError(t, err)
				var text strings.Builder
				for at := 0; at < len(b); at += 32 {
					fmt.Fprintln(&text, hex.EncodeToString(b[at:min(at+32, len(b))]))
				}
				if *update {
					require.NoError(t, os.WriteFile(golden(k, name), []byte(text.String()), 0o644))
				}
				want, err := os.ReadFile(golden(k, name))
				require.NoError(t, err)
				require.Equal(t, string(want), text.String())
			})
		}
	}
}

// TestRoundTrip: what is read is what was written, and it is written the same again.
func TestRoundTrip(t *testing.T) {
	for _, k := range kinds() {
		for name, sample := range k.samples {
			t.Run(k.name+" "+name, func(t *testing.T) {
				b, err := sample()
				require.NoError(t, err)
				m, err := k.decode(b)
				require.NoError(t, err)
				again, err := k.encode(m)
				require.NoError(t, err)
				require.Equal(t, b, again)
			})
		}
	}
}

// TestRefusals: hostile bytes, other versions, and every cut or extended message are one error; other versions are told apart.
func TestRefusals(t *testing.T) {
	for _, k := range kinds() {
		for name, b := range hostile(k.version) {
			_, err := k.decode(b)
			require.Error(t, err, "%s %s", k.name, name)
			require.Less(t, len(err.Error()), 300)
		}
		for name, sample := range k.samples {
			good, err := sample()
			require.NoError(t, err)
			for n := range good {
				_, err := k.decode(good[:n])
				require.Error(t, err, "%s %s cut to %d", k.name, name, n)
			}
			_, err = k.decode(append(bytes.Clone(good), 0))
			require.Error(t, err, "%s %s with a byte behind", k.name, name)
			for _, v := range []byte{0, k.version - 1, k.version + 1, 127} {
				if v == k.version {
					continue
				}
				other := bytes.Clone(good)
				require.Equal(t, k.version, other[1], "the version stands in front")
				other[1] = v
				_, err = k.decode(other)
				require.ErrorIs(t, err, wire.ErrVersion)
				require.ErrorContains(t, err, fmt.Sprintf("version %d", v))
			}
		}
		_, err := k.decode(make([]byte, wire.MaxMessage+1))
		require.ErrorContains(t, err, "over the bound")
	}
}

// TestBounds: an encoder writes nothing that a decoder refuses for its size, and both name the bound.
func TestBounds(t *testing.T) {
	big := func(n int) wire.Result { return wire.Result{V: wire.ResultVersion, Records: make([]byte, n)} }
	b, err := wire.Encode(big(wire.MaxMessage - 200))
	require.NoError(t, err)
	_, err = wire.DecodeResult(b)
	require.NoError(t, err)
	_, err = wire.Encode(big(wire.MaxMessage))
	require.ErrorContains(t, err, "over the bound")
	_, err = wire.Encode(wire.Failure{V: wire.Version, Class: wire.Broken, Text: strings.Repeat("x", wire.MaxText+1)})
	require.ErrorContains(t, err, "text of 4097 bytes")
	_, err = wire.Encode(wire.Task{V: wire.Version, Plans: []plan.Plan{{Float: make([]uint64, wire.MaxWords+1)}}, Blocks: []uint32{0}})
	require.ErrorContains(t, err, "list of 4097")
	for _, c := range []struct {
		plans, blocks int
		last          uint64
		want          string
	}{
		{0, 1, 1, "between 1 and 64"}, {1, 0, 1, "between 1 and 64"}, {65, 1, 1, "between 1 and 64"}, {9, 8, 1, "between 1 and 64"},
		{1, 1, 0, "empty"}, {8, 8, 1, ""},
	} {
		task := wire.Task{V: wire.Version, Blocks: make([]uint32, c.blocks)}
		for range c.plans {
			task.Plans = append(task.Plans, plan.Plan{Float: []uint64{c.last}})
		}
		b, err := wire.Encode(task)
		require.NoError(t, err)
		_, err = wire.DecodeTask(b)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
	for class := range wire.Stuck + 2 {
		b, err := wire.Encode(wire.Failure{V: wire.Version, Class: class})
		require.NoError(t, err)
		_, err = wire.DecodeFailure(b)
		if class >= wire.Broken && class <= wire.Stuck {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, fmt.Sprintf("class %d", class))
		}
	}
}

// TestAtTheBounds: the longest text and the longest list that a message may hold come back, one more does not go out.
func TestAtTheBounds(t *testing.T) {
	f := wire.Failure{V: wire.Version, Class: wire.Broken, Text: wire.Clip(strings.Repeat("x", wire.MaxText))}
	require.Len(t, f.Text, wire.MaxText)
	b, err := wire.Encode(f)
	require.NoError(t, err)
	g, err := wire.DecodeFailure(b)
	require.NoError(t, err)
	require.Equal(t, f, g)

	words := make([]uint64, wire.MaxWords)
	words[wire.MaxWords-1] = 1
	task := wire.Task{V: wire.Version, Plans: []plan.Plan{{Float: words}}, Blocks: []uint32{0}}
	b, err = wire.Encode(task)
	require.NoError(t, err)
	again, err := wire.DecodeTask(b)
	require.NoError(t, err)
	require.Equal(t, task, again)
}

// TestClip: a text that is too long keeps whole characters.
func TestClip(t *testing.T) {
	require.Equal(t, "short", wire.Clip("short"))
	full := strings.Repeat("x", wire.MaxText-2) + "é"
	require.Equal(t, full, wire.Clip(full), "exactly as long as allowed")
	long := strings.Repeat("x", wire.MaxText-1) + "é"
	require.Equal(t, long[:wire.MaxText-1], wire.Clip(long))
}

// TestSubjects: what a subject promises about its parts.
func TestSubjects(t *testing.T) {
	require.Equal(t, "task.3.job-1", wire.TaskSubject("3", "job-1"))
	require.Equal(t, "task.3.>", wire.TaskFilter("3"))
	require.Equal(t, "numerics-3", wire.ConsumerName("3"))
	require.Equal(t, "result."+digest(0).String(), wire.ResultSubject(digest(0)))
	for _, s := range []string{wire.ClaimSubject("j"), wire.FailureSubject("j"), wire.CancelSubject("j"), wire.CancelTaskSubject("j", "7"), wire.HeartbeatSubject, wire.CallSubject} {
		for _, stored := range []string{"task.", "result."} {
			require.False(t, strings.HasPrefix(s, stored), "%s would be stored", s)
		}
	}
}
