package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/kernels/numeric"
	"assay/kernels/tier"
	"assay/shared/broker"
	"assay/shared/wire"
)

// asMain makes this binary the program itself: its arguments are those of the command line.
const asMain = "ASSAY_TEST_AS_MAIN"

// TestMain looks for goroutines that outlive their test.
func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

// generous ends waits that a loaded machine may stretch. A test that passes never waits for it.
const generous = time.Minute

// nobody is an address where no server can be: a port that no user may listen on.
const nobody = "nats://127.0.0.1:1"

// page is what a program writes, readable at any time.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// TestExitCodes: what a command line that does not get to work ends with, and what it says on which side.
func TestExitCodes(t *testing.T) {
	t.Setenv("ASSAY_NATS", "")
	for _, c := range []struct {
		name           string
		args           []string
		tier           tier.Tier
		code           int
		stdout, stderr string
	}{
		{"help", []string{"--help"}, tier.Best(), 0, "Compute for Assay's coordinators", ""},
		{"help of work", []string{"work", "--help"}, tier.Best(), 0, "--allow-slow", ""},
		{"version", []string{"--version"}, tier.Best(), 0, "assay-evaluator ", ""},
		{"no server named", nil, tier.Best(), 2, "", "--nats, or ASSAY_NATS, is empty"},
		{"unknown flag", []string{"--nats", nobody, "--slow"}, tier.Best(), 2, "", "unknown flag --slow"},
		{"unknown command", []string{"serve"}, tier.Best(), 2, "", "unexpected argument serve"},
		{"no number", []string{"--nats", nobody, "--slots", "two"}, tier.Best(), 2, "", "--slots"},
		{"fewer slots than none", []string{"--nats", nobody, "--allow-slow", "--slots=-1"}, tier.Best(), 2, "", "--slots: -1: want 1 to 4096, or 0 for one per CPU"},
		{"a slot too many", []string{"--nats", nobody, "--allow-slow", "--slots", "4097"}, tier.Best(), 2, "", "--slots: 4097: want 1 to 4096"},
		{"as many as there may be", []string{"--nats", nobody, "--allow-slow", "--wait", "0s", "--slots", "4096"}, tier.Best(), 1, "", "broker " + nobody},
		{"a password", []string{"--nats", "nats://ada:secret@127.0.0.1:1", "--allow-slow", "--wait", "0s"}, tier.Best(), 1, "", "broker nats://hidden@127.0.0.1:1"},
		{"no size", []string{"--nats", nobody, "--memory", "much"}, tier.Best(), 2, "", `--memory: "much": want bytes`},
		{"plain kernels", []string{"--nats", nobody}, tier.Plain, 2, "", "use --allow-slow to work all the same"},
		{"plain kernels, allowed", []string{"--nats", nobody, "--allow-slow", "--wait", "0s"}, tier.Plain, 1, "", "broker " + nobody},
		{"nobody there", []string{"--nats", nobody, "--allow-slow", "--wait", "0s"}, tier.Best(), 1, "", "is a NATS server with JetStream running there?"},
		{"health of nobody", []string{"health", "--nats", nobody}, tier.Best(), 1, "", "broker " + nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer tier.Force(c.tier)()
			var stdout, stderr page
			require.Equal(t, c.code, serve(t.Context(), c.args, &stdout, &stderr), stderr.String())
			require.Contains(t, stdout.String(), c.stdout)
			require.Contains(t, stderr.String(), c.stderr)
			if c.code == 0 {
				require.Empty(t, stderr.String())
				return
			}
			require.Empty(t, stdout.String())
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %q", stderr.String())
		})
	}
}

// TestSaysThatItWaits: a server that is not there yet is waited for, with a word about it at once.
func TestSaysThatItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr page
	done := make(chan int, 1)
	go func() {
		done <- serve(ctx, []string{"--nats", nobody, "--allow-slow", "--wait", "1h"}, &stdout, &stderr)
	}()
	require.Eventually(t, func() bool { return strings.Contains(stderr.String(), "waiting") }, generous, 5*time.Millisecond)
	require.Contains(t, stderr.String(), "broker "+nobody)
	require.Contains(t, stderr.String(), "1h")
	cancel()
	<-done
}

// TestAsProgram is no test of its own: the one below runs this binary as the program, in another environment.
func TestAsProgram(t *testing.T) {
	if os.Getenv("ASSAY_TEST_AS_PROGRAM") == "" {
		t.Skip("runs only as the child of another test")
	}
	var stdout, stderr page
	code := serve(t.Context(), []string{"--nats", nobody, "--allow-slow", "--wait", "0s"}, &stdout, &stderr)
	fmt.Printf("code %d: %s", code, stderr.String())
}

// TestTierIsAWish: a tier that is misspelt, or that this machine has not, is a bad flag; it is not replaced silently.
func TestTierIsAWish(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for wish, want := range map[string]string{
		"":       "code 1: ",
		"plain":  "code 1: ",
		"AVX512": `code 2: assay-evaluator: ASSAY_TIER: instruction-set tier "AVX512" is unknown: use one of plain, `,
	} {
		t.Run("tier "+wish, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestAsProgram$")
			cmd.Env = append(os.Environ(), "ASSAY_TEST_AS_PROGRAM=1", tier.Variable+"="+wish)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), want)
		})
	}
}

// TestNodesOfAHost: the name that serve gives by default, and no name of another host that begins like it.
func TestNodesOfAHost(t *testing.T) {
	for node, want := range map[string]bool{
		"web-17": true, "web-2-17": false, "website-17": false, "web-": false, "web": false, "web-17a": false, "web--17": false, "ada": false,
	} {
		require.Equal(t, want, named(node, "Web"), node)
	}
	require.True(t, named("web-2-17", "web-2"))
}

// jetStream is the address of a server that ends with the test.
func jetStream(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	require.NoError(t, err)
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(generous))
	return s.ClientURL()
}

// TestServes: the program joins the server that it is told, says who it is, passes its own health check and no other's, and
// leaves with a word and code 0 when it is interrupted.
func TestServes(t *testing.T) {
	url := jetStream(t)
	b, err := broker.Dial(t.Context(), url, generous, nil)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		args  []string
		node  string
		slots uint16
	}{
		{"by default", []string{"--slots", "3"}, fmt.Sprintf("%s-%d", strings.ToLower(host), os.Getpid()), 3},
		{"named", []string{"--name", "Ada", "--slots", "1", "--memory", "64MiB", "--verbose"}, "Ada", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			beats, err := b.Conn.SubscribeSync(wire.HeartbeatSubject)
			require.NoError(t, err)
			defer func() { _ = beats.Unsubscribe() }()
			require.NoError(t, b.Conn.Flush())
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var stdout, stderr page
			ended := make(chan int, 1)
			go func() {
				ended <- serve(ctx, append([]string{"work", "--nats", url, "--allow-slow", "--wait", generous.String()}, c.args...), &stdout, &stderr)
			}()
			h := heard(t, beats)
			require.Equal(t, []any{c.node, numeric.Version, c.slots, false}, []any{h.Node, h.Numerics, h.Slots, h.Leaving})
			require.Equal(t, tier.Current().String(), h.Tier)
			for name, code := range map[string]int{c.node: 0, "somebody else": 1} {
				wait := generous
				if code != 0 {
					wait = 100 * time.Millisecond
				}
				require.Equal(t, code, serve(t.Context(), []string{"health", "--nats", url, "--name", name, "--timeout", wait.String()}, &page{}, &page{}), name)
			}
			if c.node != "Ada" {
				require.Zero(t, serve(t.Context(), []string{"health", "--nats", url, "--timeout", generous.String()}, &page{}, &page{}), "any of this host")
			}
			interrupt()
			require.Zero(t, <-ended, stderr.String())
			for h = heard(t, beats); !h.Leaving; h = heard(t, beats) {
			}
			require.Empty(t, stdout.String())
			require.Contains(t, stderr.String(), `ready	{"node": "`+c.node+`"`)
		})
	}
}

// heard is the next heartbeat.
func heard(t *testing.T, beats *nats.Subscription) wire.Heartbeat {
	t.Helper()
	m, err := beats.NextMsg(generous)
	require.NoError(t, err)
	h, err := wire.DecodeHeartbeat(m.Data)
	require.NoError(t, err)
	return h
}
