package deployments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// engine stands in for a container engine: it runs what the compose file says, commands, environment and health checks,
// as processes of this machine. Paths of the image and names of services become paths and addresses here.
type engine struct {
	t       *testing.T
	project *types.Project
	rename  *strings.Replacer
	port    int
}

func newEngine(t *testing.T) *engine {
	bin, dir := t.TempDir(), t.TempDir()
	for name, pkg := range map[string]string{"assay": "../coordinator", "assay-evaluator": "../evaluator", "nats-server": "github.com/nats-io/nats-server/v2"} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name), pkg).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	port := quietPort(t)
	examples, err := filepath.Abs("examples")
	require.NoError(t, err)
	conf, err := os.ReadFile("nats.conf")
	require.NoError(t, err)
	data, here := filepath.Join(dir, "data"), filepath.Join(dir, "nats.conf")
	text := strings.NewReplacer("0.0.0.0:4222", fmt.Sprint("127.0.0.1:", port), "/data", filepath.Join(dir, "broker")).Replace(string(conf))
	require.NoError(t, os.WriteFile(here, []byte(text), 0o600))
	require.NoError(t, os.MkdirAll(data, 0o755))
	return &engine{t, project(t), strings.NewReplacer(
		"/assay-evaluator", filepath.Join(bin, "assay-evaluator"), "/etc/assay/nats.conf", here, "/nats-server", filepath.Join(bin, "nats-server"),
		"/assay", filepath.Join(bin, "assay"), "/data", data, "/results", filepath.Join(dir, "results"), "/jobs", examples,
		"nats://nats:4222", fmt.Sprint("nats://127.0.0.1:", port), "127.0.0.1:4222", fmt.Sprint("127.0.0.1:", port),
	), port}
}

// quietPort is a port that is free now and stays so while its server is away: below the range that systems give to
// connections, and to listeners that name no port.
func quietPort(t *testing.T) int {
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

// command is what a service runs; args replace its own command, as in `docker compose run`.
func (e *engine) command(service string, args ...string) *exec.Cmd {
	s := e.project.Services[service]
	if args == nil {
		args = s.Command
	}
	return e.process(service, slices.Concat(s.Entrypoint, args))
}

func (e *engine) process(service string, argv []string) *exec.Cmd {
	argv = slices.Clone(argv)
	for i, a := range argv {
		argv[i] = e.rename.Replace(a)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{}
	for k, v := range e.project.Services[service].Environment {
		cmd.Env = append(cmd.Env, k+"="+e.rename.Replace(*v))
	}
	return cmd
}

// healthy runs the health check of a service until it passes.
func (e *engine) healthy(service string) {
	check := e.project.Services[service].HealthCheck.Test[1:]
	require.EventuallyWithT(e.t, func(c *assert.CollectT) {
		out, err := e.process(service, check).CombinedOutput()
		require.NoError(c, err, "%s", out)
	}, 3*time.Minute, 200*time.Millisecond)
}

// output is what a process wrote so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// service is a running process; kill ends it at once and waits for its end.
type service struct {
	cmd  *exec.Cmd
	out  output
	done chan error
}

func (e *engine) start(cmd *exec.Cmd) *service {
	s := &service{cmd: cmd, done: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &s.out, &s.out
	require.NoError(e.t, cmd.Start())
	go func() { s.done <- cmd.Wait() }()
	e.t.Cleanup(func() { s.kill() })
	return s
}

func (s *service) kill() {
	_ = s.cmd.Process.Kill()
	s.done <- <-s.done // a second kill finds the end as well
}

// TestServicesSurviveKills runs the example on the services of the compose file and kills each of them on the way: the
// answer is that of one undisturbed process.
func TestServicesSurviveKills(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts processes")
	}
	e := newEngine(t)
	job := []string{"run", "/jobs/digits/job.json"}

	alone := e.command("coordinator", append(slices.Clone(job), "--output-dir", "/results/alone", "--state-dir", t.TempDir())...)
	alone.Env = slices.DeleteFunc(alone.Env, func(v string) bool { return strings.HasPrefix(v, "ASSAY_") })
	out, err := alone.CombinedOutput()
	require.NoError(t, err, "%s", out)

	nats := e.start(e.command("nats"))
	e.healthy("nats")
	evaluators := []*service{e.start(e.command("evaluator")), e.start(e.command("evaluator"))}
	e.healthy("evaluator")

	first := e.start(e.command("coordinator", job...))
	e.reaches(first, "everything INT8")
	evaluators[0].kill()
	first.kill()
	evaluators[0] = e.start(e.command("evaluator"))

	second := e.start(e.command("coordinator", job...))
	e.reaches(second, "can be    INT8")
	nats.kill()
	e.start(e.command("nats"))
	e.healthy("nats")
	e.healthy("evaluator")
	select {
	case err := <-second.done:
		second.done <- err
		require.NoError(t, err, "%s", second.out.String())
	case <-time.After(5 * time.Minute):
		t.Fatalf("the job does not end:\n%s", second.out.String())
	}
	require.JSONEq(t, e.decisions("/results/alone"), e.decisions("/results"))
}

// reaches waits until the process has written text.
func (e *engine) reaches(s *service, text string) {
	require.Eventually(e.t, func() bool { return strings.Contains(s.out.String(), text) }, 5*time.Minute, time.Millisecond, "%q is not written", text)
}

// decisions is that half of a report.
func (e *engine) decisions(dir string) string {
	b, err := os.ReadFile(filepath.Join(e.rename.Replace(dir), "report.json"))
	require.NoError(e.t, err)
	var r struct{ Decisions json.RawMessage }
	require.NoError(e.t, json.Unmarshal(b, &r))
	return string(r.Decisions)
}
