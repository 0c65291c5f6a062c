package broker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"assay/shared/broker"
)

// TestRedacted: what follows :// up to the last @ in front of the path is hidden, in each URL of a list, and nothing else.
func TestRedacted(t *testing.T) {
	for text, want := range map[string]string{
		"nats://host:4222":                            "nats://host:4222",
		"nats://ada:secret@host:4222":                 "nats://hidden@host:4222",
		"nats://token@host":                           "nats://hidden@host",
		"nats://ada:p@ss@host":                        "nats://hidden@host",
		"nats://a:b@one,nats://two,tls://c:d@three":   "nats://hidden@one,nats://two,tls://hidden@three",
		"/data/img@2x/a.png":                          "/data/img@2x/a.png",
		`parse "nats://a:s@h:port": invalid port`:     `parse "nats://hidden@h:port": invalid port`,
		"--nats=nats://ada:secret@host --out a://b/@": "--nats=nats://hidden@host --out a://b/@",
	} {
		require.Equal(t, want, broker.Redacted(text), text)
	}
}

// TestErrorsKeepSecrets: no error about a broker says a password, and neither does its address.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, url := range []string{"nats://ada:secret@127.0.0.1:1", "nats://ada:secret@127.0.0.1:port"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := broker.Dial(ctx, url, 0, nil)
		for _, err := range []error{err, broker.Reachable(ctx, url), broker.Alive(ctx, url, func(string) bool { return false })} {
			require.ErrorContains(t, err, "broker nats://hidden@127.0.0.1:")
			require.NotContains(t, err.Error(), "secret")
		}
		cancel()
	}
	url, stop := serve(t, &server.Options{JetStream: true, StoreDir: t.TempDir(), Username: "ada", Password: "secret"})
	defer stop()
	_, host, _ := strings.Cut(url, "://")
	host = host[strings.LastIndex(host, "@")+1:]
	b, err := broker.Dial(t.Context(), "nats://ada:secret@"+host, generous, nil)
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, "nats://hidden@"+host, b.URL())
}
