package broker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// TestReachable: a server with JetStream passes; one without, and none, do not, and are told apart.
func TestReachable(t *testing.T) {
	good, stop := serve(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	defer stop()
	bare, stopBare := serve(t, &server.Options{})
	defer stopBare()
	require.NoError(t, broker.Reachable(t.Context(), good))
	require.ErrorContains(t, broker.Reachable(t.Context(), bare), "JetStream must be enabled")
	err := broker.Reachable(t.Context(), "nats://127.0.0.1:1")
	require.ErrorContains(t, err, "broker nats://127.0.0.1:1: ")
	require.NotContains(t, err.Error(), "JetStream")
}

// TestDialEndsWithItsContext: a server that takes the connection and then says nothing holds nobody longer than ctx lives.
func TestDialEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go mute(c)
		}
	}()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("told to stop")
	time.AfterFunc(300*time.Millisecond, func() { cancel(stop) })
	start := time.Now()
	_, err = broker.Dial(ctx, "nats://"+l.Addr().String(), time.Hour, nil)
	require.ErrorContains(t, err, "stream TASKS")
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(start), 8*time.Second, "a try for the streams alone has 15")
}

// mute is a NATS server that is there and answers no request.
func mute(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "INFO {\"server_id\":\"x\",\"version\":\"2.12.0\",\"proto\":1,\"headers\":true,\"jetstream\":true,\"max_payload\":1048576}\r\n")
	for in := bufio.NewScanner(c); in.Scan(); {
		if in.Text() == "PING" {
			fmt.Fprint(c, "PONG\r\n")
		}
	}
}

// TestAlive: a node is alive when it answers a call with a heartbeat of its own name that says no farewell.
func TestAlive(t *testing.T) {
	url, stop := serve(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	defer stop()
	node, err := nats.Connect(url)
	require.NoError(t, err)
	defer node.Close()
	encode := func(h wire.Heartbeat) []byte {
		h.V = wire.Version
		b, err := wire.Encode(h)
		require.NoError(t, err)
		return b
	}
	ada := encode(wire.Heartbeat{Node: "ada", Numerics: "3", Slots: 1})
	for _, c := range []struct {
		name  string
		says  [][]byte
		alive bool
	}{
		{"answers", [][]byte{ada}, true},
		{"says nothing", nil, false},
		{"leaves", [][]byte{encode(wire.Heartbeat{Node: "ada", Numerics: "3", Leaving: true})}, false},
		{"is another", [][]byte{encode(wire.Heartbeat{Node: "bob", Numerics: "3", Slots: 1})}, false},
		{"answers among others and garbage", [][]byte{[]byte("\x93garbage"), encode(wire.Heartbeat{Node: "bob", Numerics: "3"}), ada}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub, err := node.Subscribe(wire.CallSubject, func(*nats.Msg) {
				for _, b := range c.says {
					_ = node.Publish(wire.HeartbeatSubject, b)
				}
			})
			require.NoError(t, err)
			defer func() { _ = sub.Unsubscribe() }()
			require.NoError(t, node.Flush())
			wait := generous
			if !c.alive {
				wait = 100 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			err = broker.Alive(ctx, url, func(node string) bool { return node == "ada" })
			if c.alive {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "no evaluator of this name spoke")
			}
		})
	}
	require.ErrorContains(t, broker.Alive(t.Context(), "nats://127.0.0.1:1", func(string) bool { return true }), "broker nats://127.0.0.1:1: ")
}

// TestRefusedResult: a stream that takes no more is an error of the moment, and no victory of somebody else's; a cell that is
// stored already is that, even then.
func TestRefusedResult(t *testing.T) {
	b := embed(t, t.TempDir())
	defer b.Close()
	won, err := b.PublishResult(t.Context(), result(1, "one"), nil)
	require.NoError(t, err)
	require.True(t, won)
	c := b.Results.CachedInfo().Config
	c.MaxMsgs, c.Discard = 1, jetstream.DiscardNew
	_, err = b.JS.UpdateStream(t.Context(), c)
	require.NoError(t, err)
	won, err = b.PublishResult(t.Context(), result(2, "two"), nil)
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorContains(t, err, "result of cell 02000000")
	require.False(t, won)
	won, err = b.PublishResult(t.Context(), result(1, "one"), nil)
	require.NoError(t, err)
	require.False(t, won)
	_, _, ok, err := b.StoredResult(t.Context(), plan.Digest{2})
	require.NoError(t, err)
	require.False(t, ok)
}

// TestNoStream: a consumer of a stream that somebody removed is an error that names it; what follows may heal it.
func TestNoStream(t *testing.T) {
	b := embed(t, t.TempDir())
	defer b.Close()
	require.NoError(t, b.JS.DeleteStream(t.Context(), wire.TaskStream))
	c, err := b.Consumer(t.Context(), "3")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
	require.ErrorContains(t, err, "consumer "+wire.ConsumerName("3"))
	require.Nil(t, c)
}

// TestEmbedNowhere: a directory that cannot be used is one error that names it, and leaves nothing running.
func TestEmbedNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := broker.Embed(filepath.Join(file, "below"))
	require.ErrorContains(t, err, "embedded broker in "+file)
}
