package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandLineKeepsSecrets: the command of a report is that of the user, without the password of his broker.
func TestCommandLineKeepsSecrets(t *testing.T) {
	require.Equal(t, "assay run 'my job.json' --nats nats://hidden@host:4222,nats://other --data img@2x",
		commandLine([]string{"run", "my job.json", "--nats", "nats://ada:secret@host:4222,nats://other", "--data", "img@2x"}))
	require.Equal(t, "assay run --nats=nats://hidden@host", commandLine([]string{"run", "--nats=nats://to$ken@host"}))
}
