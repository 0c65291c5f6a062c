package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"assay/shared/broker"
)

// built is where the programs lie, "" before they are built.
var built string

// programs are the two programs as a user builds them, made once for all tests of this file.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "assay-programs-*"); err != nil {
		return "", err
	}
	built = dir
	out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), ".", "../evaluator").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return dir, nil
})

// removePrograms cleans up after the last test.
func removePrograms() {
	if built != "" {
		_ = os.RemoveAll(built)
	}
}

// hall is a broker with processes around it and a directory for what they write.
type hall struct {
	*world
	bin   string
	url   string
	watch *broker.Broker
}

func newHall(t *testing.T) *hall {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: starts processes")
	}
	bin, err := programs()
	require.NoError(t, err)
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	require.NoError(t, err)
	go s.Start()
	require.True(t, s.ReadyForConnections(time.Minute))
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	h := &hall{world: &world{t, t.TempDir()}, bin: bin, url: s.ClientURL()}
	h.watch, err = broker.Dial(t.Context(), h.url, time.Minute, nil)
	require.NoError(t, err)
	t.Cleanup(h.watch.Close)
	return h
}

// process is a program that runs. What it wrote may be read once it has ended.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
	once  sync.Once
}

func (h *hall) start(name string, env []string, args ...string) *process {
	h.t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(h.bin, name), args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.Env = append(os.Environ(), env...)
	require.NoError(h.t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // its state tells all
		close(p.ended)
	}()
	h.t.Cleanup(p.kill)
	return p
}

// kill is kill -9.
func (p *process) kill() {
	p.once.Do(func() { _ = p.cmd.Process.Kill() })
	<-p.ended
}

// wait waits for the end and returns the exit code.
func (h *hall) wait(p *process) int {
	h.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(5 * time.Minute):
		p.kill()
		h.t.Fatalf("%v does not end:\n%s", p.cmd.Args, p.out.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (h *hall) evaluator(i int) *process {
	return h.start("evaluator", nil, "--nats", h.url, "--slots", "1", "--name", fmt.Sprint("node-", i))
}

// job starts the example on the broker.
func (h *hall) job() *process {
	return h.start("coordinator", nil, "run", example, "--nats", h.url, "--evaluators", "0", "--output-dir", h.path("out"), "--state-dir", h.path("state"))
}

// alone runs the example in one process of a tier and returns what a cluster must give.
func (h *hall) alone(tier string, name string) answer {
	h.t.Helper()
	p := h.start("coordinator", []string{"ASSAY_TIER=" + tier}, "run", example, "--output-dir", h.path(name), "--state-dir", h.path(name+"-state"))
	require.Equal(h.t, exitMet, h.wait(p), p.out.String())
	return h.answer(name, name+"-state")
}

// answer is everything that must be equal: decisions, the model file, and what a replay prints.
type answer struct {
	decisions, model, replayed string
}

func (h *hall) answer(out, state string) answer {
	h.t.Helper()
	var r struct{ Decisions json.RawMessage }
	require.NoError(h.t, json.Unmarshal(h.read(out+"/report.json"), &r))
	p := h.start("coordinator", nil, "replay", h.path(state))
	require.Equal(h.t, exitMet, h.wait(p), p.out.String())
	return answer{string(r.Decisions), string(h.read(out + "/digits_int8.onnx")), p.out.String()}
}

// results counts the messages of the result stream.
func (h *hall) results() int {
	info, err := h.watch.Results.Info(context.Background())
	if err != nil {
		return 0
	}
	return int(info.State.Msgs)
}

// reached waits until the result stream holds n messages, or the job has ended.
func (h *hall) reached(n int, job *process) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		select {
		case <-job.ended:
			return true
		default:
			return h.results() >= n
		}
	}, 5*time.Minute, time.Millisecond)
}

// dam lets the result stream take no more than n messages, so that a job that needs more goes on but cannot end. n = -1 is no dam.
func (h *hall) dam(n int) {
	h.t.Helper()
	info, err := h.watch.Results.Info(h.t.Context())
	require.NoError(h.t, err)
	c := info.Config
	c.MaxMsgs, c.Discard = int64(n), jetstream.DiscardNew
	_, err = h.watch.JS.UpdateStream(h.t.Context(), c)
	require.NoError(h.t, err)
}

// TestEvaluatorProcesses: one, two and four external evaluators give the answer of one process, to the byte, and so does
// the plain tier. The example leaves at least a hundred results.
func TestEvaluatorProcesses(t *testing.T) {
	h := newHall(t)
	want := h.alone("", "alone")
	require.Equal(t, want, h.alone("plain", "plain"))
	for _, n := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			h := newHall(t)
			for i := range n {
				h.evaluator(i)
			}
			job := h.job()
			require.Equal(t, exitMet, h.wait(job), job.out.String())
			require.Equal(t, want, h.answer("out", "state"))
			require.GreaterOrEqual(t, h.results(), 100)
		})
	}
}

// TestKilledProcesses kills evaluators and the coordinator of a job without a word, at moments drawn from a seed, starts them
// again and expects the answer of an undisturbed process. An error names the seed.
func TestKilledProcesses(t *testing.T) {
	want := newHall(t).alone("", "alone")
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHall(t)
			r := rand.New(rand.NewPCG(seed, 7))
			at := 0 // results, of a hundred and more
			h.dam(1)
			evaluators := []*process{h.evaluator(0), h.evaluator(1)}
			job := h.job()
			for range 2 {
				first := at + 1 + r.IntN(24)
				at = first + 1 + r.IntN(24)
				h.dam(at) // the coordinator's end is nearer than the job's
				h.reached(first, job)
				i := r.IntN(len(evaluators))
				evaluators[i].kill()
				evaluators[i] = h.evaluator(i)
				h.reached(at, job)
				select {
				case <-job.ended:
					t.Fatalf("the job has ended before it was killed:\n%s", job.out.String())
				default:
				}
				job.kill()
				job = h.job()
			}
			h.dam(-1)
			require.Equal(t, exitMet, h.wait(job), job.out.String())
			require.Equal(t, want, h.answer("out", "state"))
		})
	}
}
