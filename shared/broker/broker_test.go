package broker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// TestMain looks for goroutines that outlive their test. One kind is not ours: nats.go's object store starts a goroutine for
// every Put and may clean up, at its end, before that goroutine has looked at what it shall wait for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

// generous ends waits that a loaded machine may stretch. A test that passes never waits for it.
const generous = time.Minute

func embed(t *testing.T, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Embed(dir)
	require.NoError(t, err)
	return b
}

// serve starts a server on loopback, as a user would have one, and returns its address and its end.
func serve(t *testing.T, o *server.Options) (url string, stop func()) {
	t.Helper()
	o.Host, o.NoSigs = "127.0.0.1", true
	if o.Port == 0 {
		o.Port = -1
	}
	s, err := server.NewServer(o)
	require.NoError(t, err)
	go s.Start()
	require.True(t, s.ReadyForConnections(generous))
	return s.ClientURL(), func() { s.Shutdown(); s.WaitForShutdown() }
}

// quietPort is a port that is free now and stays so while its server is away: below the range that systems give to
// connections, and to listeners that name no port.
func quietPort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		if l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func result(cell byte, records string) wire.Result {
	return wire.Result{V: wire.ResultVersion, Cell: plan.Digest{cell}, Records: []byte(records)}
}

// TestEmbedded: no socket, everything made, and what was stored is there again after a restart.
func TestEmbedded(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	b := embed(t, dir)
	require.True(t, b.Embedded())
	require.Empty(t, b.URL())
	won, err := b.PublishResult(ctx, result(1, "one"), nats.Header{wire.HeaderNode: {"n"}})
	require.NoError(t, err)
	require.True(t, won)
	object, err := b.Objects.Put(ctx, []byte("object"))
	require.NoError(t, err)
	b.Close()

	b = embed(t, dir)
	defer b.Close()
	r, h, ok, err := b.StoredResult(ctx, plan.Digest{1})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, result(1, "one"), r)
	require.Equal(t, "n", h.Get(wire.HeaderNode))
	got, err := b.Objects.Get(ctx, object)
	require.NoError(t, err)
	require.Equal(t, "object", string(got))
	_, _, ok, err = b.StoredResult(ctx, plan.Digest{2})
	require.NoError(t, err)
	require.False(t, ok)
}

// TestEmbeddedTasksCostNoDisk: tasks of an embedded server are gone with it, results and objects stay. A stream that is on the disk, from
// before, stays there.
func TestEmbeddedTasksCostNoDisk(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, dir)
	require.Equal(t, jetstream.MemoryStorage, b.Tasks.CachedInfo().Config.Storage)
	require.Equal(t, jetstream.FileStorage, b.Results.CachedInfo().Config.Storage)
	require.NoError(t, b.JS.DeleteStream(t.Context(), wire.TaskStream))
	c := b.Tasks.CachedInfo().Config
	c.Storage = jetstream.FileStorage
	_, err := b.JS.CreateStream(t.Context(), c)
	require.NoError(t, err)
	b.Close()

	b = embed(t, dir)
	defer b.Close()
	require.Equal(t, jetstream.FileStorage, b.Tasks.CachedInfo().Config.Storage)
}

// TestFirstResultWins: of many writers of one cell exactly one wins and none has an error.
func TestFirstResultWins(t *testing.T) {
	b := embed(t, t.TempDir())
	defer b.Close()
	wins := make(chan bool, 8)
	for range cap(wins) {
		go func() {
			won, err := b.PublishResult(t.Context(), result(1, "same"), nil)
			if err != nil {
				t.Error(err)
			}
			wins <- won
		}()
	}
	n := 0
	for range cap(wins) {
		if <-wins {
			n++
		}
	}
	require.Equal(t, 1, n)
	info, err := b.Results.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), info.State.Msgs)
}

// TestForeignResult: bytes in the result stream that are no result are an error that says so, not a value.
func TestForeignResult(t *testing.T) {
	b := embed(t, t.TempDir())
	defer b.Close()
	_, err := b.JS.Publish(t.Context(), wire.ResultSubject(plan.Digest{7}), []byte("\x95\x63"))
	require.NoError(t, err)
	_, _, _, err = b.StoredResult(t.Context(), plan.Digest{7})
	require.ErrorIs(t, err, wire.ErrVersion)
	require.NotErrorIs(t, err, store.ErrUnavailable)
}

// TestOpenedByMany: processes that come at the same time, or later with the same settings, agree on streams and consumer.
func TestOpenedByMany(t *testing.T) {
	url, stop := serve(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	defer stop()
	done := make(chan *broker.Broker, 4)
	for range cap(done) {
		go func() {
			b, err := broker.Dial(t.Context(), url, generous, nil)
			if err == nil {
				_, err = b.Consumer(t.Context(), "3")
			}
			if err != nil {
				t.Error(err)
			}
			done <- b
		}()
	}
	for range cap(done) {
		b := <-done
		require.False(t, b.Embedded())
		require.Equal(t, url, b.URL())
		b.Close()
	}
}

// TestWorkQueue: a consumer sees the tasks of its numerics only, silence delivers a task MaxDeliver times, is then told to whom
// it may concern when the next one asks for work, and a terminated task is gone.
func TestWorkQueue(t *testing.T) {
	b := embed(t, t.TempDir())
	defer b.Close()
	b.AckWait = 100 * time.Millisecond
	ctx := t.Context()
	c, err := b.Consumer(ctx, "3")
	require.NoError(t, err)
	told, err := b.Conn.SubscribeSync("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.TASKS.numerics-3")
	require.NoError(t, err)
	for _, numerics := range []string{"3", "4"} {
		_, err = b.JS.Publish(ctx, wire.TaskSubject(numerics, "job"), []byte(numerics))
		require.NoError(t, err)
	}
	for n := range broker.MaxDeliver {
		m, err := c.Next(jetstream.FetchMaxWait(generous))
		require.NoError(t, err)
		require.Equal(t, "3", string(m.Data()))
		meta, err := m.Metadata()
		require.NoError(t, err)
		require.Equal(t, uint64(n+1), meta.NumDelivered)
	}
	require.Eventually(t, func() bool { // the server says so when the task's time is up and somebody asks
		if m, err := c.Next(jetstream.FetchMaxWait(300 * time.Millisecond)); err == nil {
			t.Errorf("delivered once more: %s", m.Data())
		}
		_, err := told.NextMsg(time.Millisecond)
		return err == nil
	}, generous, time.Millisecond)
	other, err := b.Consumer(ctx, "4")
	require.NoError(t, err)
	m, err := other.Next(jetstream.FetchMaxWait(generous))
	require.NoError(t, err)
	require.NoError(t, m.TermWithReason("nobody waits"))
	require.Eventually(t, func() bool {
		info, err := b.Tasks.Info(ctx)
		return err == nil && info.State.Msgs == 1 // the exhausted one stays until it is taken out
	}, generous, 10*time.Millisecond)
}

// TestNoBroker: what cannot be opened is one error with what to do; nobody waits for it who was not told to.
func TestNoBroker(t *testing.T) {
	bare, stop := serve(t, &server.Options{})
	defer stop()
	const closed = "nats://127.0.0.1:1" // a port that is nobody's, where one that was just closed may be anybody's
	for name, url := range map[string]string{"nobody there": closed, "no JetStream": bare, "no address": "nats://%"} {
		t.Run(name, func(t *testing.T) {
			_, err := broker.Dial(t.Context(), url, 0, nil)
			require.ErrorContains(t, err, "is a NATS server with JetStream running there?")
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := broker.Dial(ctx, closed, time.Hour, nil)
	require.Error(t, err)
}

// TestOutage: while the server is away, calls are store.ErrUnavailable; when it is back, the same connection works.
func TestOutage(t *testing.T) {
	dir := t.TempDir()
	port := quietPort(t)
	url, stop := serve(t, &server.Options{JetStream: true, StoreDir: dir, Port: port})
	b, err := broker.Dial(t.Context(), url, generous, nil)
	require.NoError(t, err)
	defer b.Close()
	d, err := b.Objects.Put(t.Context(), []byte("x"))
	require.NoError(t, err)
	stop()
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	_, err = b.PublishResult(short(), result(1, "one"), nil)
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, _, _, err = b.StoredResult(short(), plan.Digest{1})
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = b.Objects.Get(short(), d)
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = b.Objects.Put(short(), []byte("y"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, stop = serve(t, &server.Options{JetStream: true, StoreDir: dir, Port: port})
	defer stop()
	require.Eventually(t, func() bool {
		got, err := b.Objects.Get(t.Context(), d)
		return err == nil && string(got) == "x"
	}, 2*generous, 50*time.Millisecond)
}
