package main

import (
	"context"
	"time"

	"assay/shared/broker"
)

// healthCommand is `assay health`.
type healthCommand struct {
	NATS    string        `name:"nats" env:"ASSAY_NATS" placeholder:"URL" required:"" help:"The server to ask."`
	Timeout time.Duration `default:"3s" help:"How long to wait for the answer."`
}

// Help is the long help of the command.
func (healthCommand) Help() string {
	return `For health checks of containers: silent with exit code 0, or one line with exit code 1.

Example: assay health --nats nats://127.0.0.1:4222`
}

// Run implements the command.
func (c healthCommand) Run(t *terminal) error {
	ctx, cancel := context.WithTimeout(t.ctx, c.Timeout)
	defer cancel()
	return broker.Reachable(ctx, c.NATS)
}
