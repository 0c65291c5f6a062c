package broker

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/wire"
)

// Reachable reports whether the server at url can be used now: it answers and JetStream is enabled. It does not wait for
// a server to come up, and makes nothing there.
func Reachable(ctx context.Context, url string) error {
	conn, err := nats.Connect(url, nats.Name("assay-health"), nats.NoReconnect())
	if err != nil {
		return fmt.Errorf("broker %s: %w", Redacted(url), refusal{err})
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		return fmt.Errorf("broker %s: %w (JetStream must be enabled on the server)", Redacted(url), refusal{err})
	}
	return nil
}

// Alive waits until a node whose name match accepts says at the server of url that it works; ctx bounds the wait and is wrapped by
// the error of a wait in vain. Nodes are called, so one that works answers at once. match runs on the calling goroutine.
func Alive(ctx context.Context, url string, match func(node string) bool) error {
	conn, err := nats.Connect(url, nats.Name("assay-health"), nats.NoReconnect())
	if err != nil {
		return fmt.Errorf("broker %s: %w", Redacted(url), refusal{err})
	}
	defer conn.Close()
	sub, err := conn.SubscribeSync(wire.HeartbeatSubject)
	if err == nil {
		err = conn.Publish(wire.CallSubject, nil)
	}
	if err != nil {
		return fmt.Errorf("broker %s: %w", Redacted(url), refusal{err})
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("broker %s: no evaluator of this name spoke: %w", Redacted(url), refusal{err})
		}
		if h, err := wire.DecodeHeartbeat(m.Data); err == nil && !h.Leaving && match(h.Node) {
			return nil
		}
	}
}
