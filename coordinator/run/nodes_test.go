package run

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"assay/shared/wire"
)

// TestNodes: who counts as live, which process of a name, and with how many slots, as heartbeats come, cease and say farewell; and
// whom a report names.
func TestNodes(t *testing.T) {
	now := time.Unix(1000, 0)
	n := newNodes("3")
	n.now = func() time.Time { return now }
	beat := func(node string, started int64, slots uint16) {
		n.hear(wire.Heartbeat{Node: node, Started: started, Numerics: "3", Tier: "plain", Build: "b", Slots: slots})
	}
	beat("ada", 1, 2)
	beat("bob", 1, 3)
	n.hear(wire.Heartbeat{Node: "eve", Started: 1, Numerics: "4", Slots: 8}) // serves another queue
	require.Equal(t, 5, n.slots())
	require.True(t, n.lives(holder{"ada", 1}))
	require.False(t, n.lives(holder{"ada", 2}), "another process of that name")
	require.False(t, n.lives(holder{"eve", 1}))
	require.Equal(t, 2, n.others(nil))
	require.Equal(t, 1, n.others(map[string]bool{"ada": true, "nobody": true}))

	now = now.Add(n.timeout - 1)
	beat("ada", 2, 1) // restarted, and smaller
	require.Equal(t, 4, n.slots())
	require.False(t, n.lives(holder{"ada", 1}))
	require.True(t, n.lives(holder{"bob", 1}), "silent for less than the timeout")
	now = now.Add(1)
	require.False(t, n.lives(holder{"bob", 1}), "silent for the timeout")
	require.Equal(t, 1, n.slots())
	require.Equal(t, 0, n.others(map[string]bool{"ada": true}))

	n.credit("bob", "plain", "b") // what it made before it fell silent
	n.credit("carl", "avx2", "c") // never heard of
	n.credit("carl", "avx2", "c")
	n.hear(wire.Heartbeat{Node: "ada", Started: 2, Numerics: "3", Leaving: true})
	require.Zero(t, n.slots())
	require.False(t, n.lives(holder{"ada", 2}))
	beat("bob", 1, 3)
	require.Equal(t, 3, n.slots(), "back again")
	require.Equal(t, []Node{{Name: "bob", Tier: "plain", Build: "b", Slots: 3, Cells: 1}, {Name: "carl", Tier: "avx2", Build: "c", Cells: 2}}, n.all(), "ada and eve computed nothing")
}

// TestClaims: who claims a live task is one of its holders, each delivery anew; claims of tasks that are not, and bytes that are no
// claim, are passed over.
func TestClaims(t *testing.T) {
	d, p := silent(1, false, 0)
	claim := func(number uint64, node string, started int64) []byte {
		b, err := wire.Encode(wire.Claim{V: wire.Version, Job: "job", Number: number, Node: node, Started: started})
		require.NoError(t, err)
		return b
	}
	for _, b := range [][]byte{claim(7, "a", 1), claim(8, "a", 1), []byte("\x93no claim"), nil, claim(7, "b", 5), claim(7, "a", 1)} {
		d.claim(&nats.Msg{Data: b})
	}
	require.Equal(t, []holder{{"a", 1}, {"b", 5}, {"a", 1}}, p.holders)
}
