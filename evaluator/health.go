package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"assay/shared/broker"
)

// healthCommand is `assay-evaluator health`: it asks the broker whether this machine's evaluator speaks, which takes both
// of them and the way between.
type healthCommand struct {
	NATS    string        `name:"nats" env:"ASSAY_NATS" placeholder:"URL" required:"" help:"The server that the evaluator works for."`
	Name    string        `help:"Name of the node. Default: any evaluator of this host."`
	Timeout time.Duration `default:"4s" help:"How long to wait for a sign of life."`
}

// ask waits for a heartbeat of the node called Name, or of any node that bears this host's name as serve gives it by default. It
// is an error when none comes within Timeout.
func (c healthCommand) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	host, _ := os.Hostname()
	return broker.Alive(ctx, c.NATS, func(node string) bool {
		if c.Name != "" {
			return node == c.Name
		}
		return named(node, host)
	})
}

// named says that node has the name that an evaluator on host takes by default: host name and process.
func named(node, host string) bool {
	process, ok := strings.CutPrefix(node, strings.ToLower(host)+"-")
	_, err := strconv.ParseUint(process, 10, 64)
	return ok && err == nil
}
