// Package broker is the connection to NATS JetStream: it starts a server inside the process or dials one, and makes sure
// that the streams, the consumer and the object bucket exist. What travels on them is package wire's business; what it
// means is the coordinator's and the evaluator's.
//
// One Broker is safe for concurrent use. Close ends the connection and, if it was embedded, the server, and waits for both.
package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/store"
	"assay/shared/wire"
)

// Broker is a connection with its streams.
type Broker struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Tasks   jetstream.Stream
	Results jetstream.Stream
	Objects store.Store
	AckWait time.Duration // of the consumer and those who work on its tasks; AckWait unless a test sets it before Consumer

	server *server.Server // nil when dialled
}

// AckWait is how long a task may stay silent before it is delivered to another evaluator; evaluators speak three times as
// often. MaxDeliver is how often a task is delivered before the broker gives up on it and says so. Only silence makes a
// second delivery: an evaluator that cannot go on ends the delivery and tells the coordinator, which sends the task anew.
const (
	AckWait    = 6 * time.Second
	MaxDeliver = 3
)

// Embed starts a JetStream server inside this process, without a listening socket, with its files under dir, and connects
// to it. The caller holds a lock on dir, which is made if it is missing. What was stored there before is there again. Writes are
// flushed to the disk every two seconds, so a power cut, unlike the death of the process, may take the newest with it: they are
// computed again.
func Embed(dir string) (*Broker, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { // the server would say nothing, and be waited for
		return nil, fmt.Errorf("embedded broker in %s: %w", dir, err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "assay", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true,
		SyncAlways: false, SyncInterval: 2 * time.Second, NoSystemAccount: true,
		// The server's own limit, three quarters of what was free when it started, would refuse a quarter of the disk.
		JetStreamMaxStore: 1 << 60,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded broker in %s: %w", dir, err)
	}
	go s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("embedded broker in %s: not ready after 20 s (is the disk full, or the directory not writable?)", dir)
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Name("assay"))
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("embedded broker in %s: connect: %w", dir, err)
	}
	b := &Broker{Conn: conn, server: s, AckWait: AckWait}
	if err := b.open(context.Background()); err != nil {
		b.Close()
		return nil, fmt.Errorf("embedded broker in %s: %w", dir, err)
	}
	return b, nil
}

// Dial connects to a server at url, or to one of several with commas between, waiting up to patience for it to come up, and makes
// what is missing there; patience 0 is one try. A try has 3 seconds to connect, whatever ctx says, and 15 for the streams. Once
// connected, the connection is made again whenever it breaks, for ever; calls meanwhile fail or wait as store.Patiently says.
// onError, if not nil, hears of asynchronous errors such as a denied permission, on a goroutine of its own; it must not block. The
// error wraps the last try's, also when ctx ended the tries.
func Dial(ctx context.Context, url string, patience time.Duration, onError func(error)) (*Broker, error) {
	opts := []nats.Option{
		nats.Name("assay"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.Timeout(3 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if onError != nil {
				onError(err)
			}
		}),
	}
	deadline := time.Now().Add(patience)
	for {
		conn, err := nats.Connect(url, opts...)
		if err == nil {
			b := &Broker{Conn: conn, AckWait: AckWait}
			if err = b.open(ctx); err == nil {
				return b, nil
			}
			conn.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, fmt.Errorf("broker %s: %w (is a NATS server with JetStream running there?)", Redacted(url), refusal{err})
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// open binds the streams and the bucket, making those that are missing. It changes nothing that exists with the same
// settings, so any number of processes may call it at the same time.
func (b *Broker) open(ctx context.Context) error {
	js, err := jetstream.New(b.Conn)
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	b.JS = js
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tasks := jetstream.FileStorage
	if b.server != nil { // no task outlives the process that sent it
		tasks = jetstream.MemoryStorage
	}
	b.Tasks, err = b.stream(ctx, jetstream.StreamConfig{
		Name: wire.TaskStream, Subjects: []string{wire.TaskSubjects}, Retention: jetstream.WorkQueuePolicy,
		Storage: tasks, Discard: jetstream.DiscardNew, MaxMsgSize: wire.MaxMessage,
	})
	if err != nil {
		return err
	}
	b.Results, err = b.stream(ctx, jetstream.StreamConfig{
		Name: wire.ResultStream, Subjects: []string{wire.ResultSubjects}, Retention: jetstream.LimitsPolicy,
		Storage: jetstream.FileStorage, AllowDirect: true, MaxMsgSize: wire.MaxMessage,
	})
	if err != nil {
		return err
	}
	objects, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: wire.ObjectBucket, Storage: jetstream.FileStorage})
	if err != nil {
		return fmt.Errorf("object bucket %s: %w", wire.ObjectBucket, err)
	}
	b.Objects = store.NewBucket(objects)
	return nil
}

// stream binds a stream, or makes it as c says. One that exists keeps its settings, also where they differ from c: they are its
// owner's.
func (b *Broker) stream(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := b.JS.Stream(ctx, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = b.JS.CreateStream(ctx, c)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody was faster
			s, err = b.JS.Stream(ctx, c.Name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w (JetStream must be enabled on the server)", c.Name, err)
	}
	return s, nil
}

// Consumer binds the durable pull consumer that evaluators of a numerics version share, making it if it is missing and giving it
// this program's settings, with b's AckWait, if it is there. Messages come one by one and must be acknowledged within AckWait, or be kept by a word of progress; the
// server's count of deliveries is per message. Errors wrap the server's (jetstream.ErrStreamNotFound when the stream is gone).
func (b *Broker) Consumer(ctx context.Context, numerics string) (jetstream.Consumer, error) {
	config := jetstream.ConsumerConfig{
		Durable: wire.ConsumerName(numerics), FilterSubject: wire.TaskFilter(numerics), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: b.AckWait, MaxDeliver: MaxDeliver, MaxAckPending: 4096,
	}
	var c jetstream.Consumer
	err := store.Patiently(ctx, func(ctx context.Context) (err error) {
		c, err = b.Tasks.CreateOrUpdateConsumer(ctx, config)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", wire.ConsumerName(numerics), err)
	}
	return c, nil
}

// Close ends the connection, then the embedded server if there is one, and waits. Calls that are under way end with an error; a
// second Close does nothing.
func (b *Broker) Close() {
	b.Conn.Close()
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}

// Embedded reports whether the server runs in this process, so that nobody else can use its streams.
func (b *Broker) Embedded() bool { return b.server != nil }

// URL is the address in use, which with several servers in the list may change: what a second process would dial, but for credentials,
// which are hidden; "" for an embedded server, which has no socket, and while the connection is broken.
func (b *Broker) URL() string {
	if b.server != nil {
		return ""
	}
	return Redacted(b.Conn.ConnectedUrl())
}
