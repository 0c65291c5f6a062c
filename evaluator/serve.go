package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"assay/evaluator/cell"
	"assay/evaluator/engine"
	"assay/evaluator/worker"
	"assay/kernels/tier"
	"assay/shared/broker"
	"assay/shared/config"
	"assay/shared/outlet"
	"assay/shared/store"
	"assay/shared/version"
)

// commands is the command line; without a command's name it is Work.
type commands struct {
	Work    flags            `cmd:"" default:"withargs" help:"Pull tasks and publish results until interrupted."`
	Health  healthCommand    `cmd:"" help:"Say by the exit code whether this machine's evaluator works."`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

// flags are those of work.
type flags struct {
	NATS      string        `name:"nats" env:"ASSAY_NATS" placeholder:"URL" required:"" help:"NATS server with JetStream, such as nats://host:4222. Credentials may stand in the URL."`
	Slots     int           `default:"0" env:"ASSAY_SLOTS" help:"Tasks worked on at a time; 0 means one per CPU."`
	Name      string        `help:"Name of this node in results and reports. Default: host name and process."`
	Memory    string        `default:"" env:"ASSAY_MEMORY" placeholder:"SIZE" help:"Most memory for models and activations, such as 2GB. Default: half of the machine's."`
	AllowSlow bool          `help:"Work even where only the plain kernels run (hundreds of times slower)."`
	Wait      time.Duration `default:"30s" help:"How long to wait for the server to come up."`
	Verbose   bool          `short:"v" help:"Log every broker event."`
}

const description = `Compute for Assay's coordinators: pull tasks from a NATS server with JetStream and publish results.

Start any number on any machines, stop any at any time: nothing is lost but the work of the moment.

Example: assay-evaluator --nats nats://10.0.0.5:4222`

// serve runs one command line, the evaluator until ctx ends, and returns the exit code: 0 after an interrupt or an answered
// question, 2 when the command line is at fault or an answer could not be written, outlet.Unread when nobody reads what it says any
// more, 1 for anything else. Errors go to stderr, one line each. A closed pipe ends work as an interrupt does, but only while SIGPIPE
// is ignored, see main; a log that finds no room is a courtesy less.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unread := func() { cancel(outlet.ErrUnread) }
	out, errs := outlet.New(stdout, unread), outlet.New(stderr, unread)
	code, lost := outlet.Conclude(command(ctx, args, out, errs), out, errs)
	if lost == nil {
		return code
	}
	fmt.Fprintf(errs, "assay-evaluator: standard output: %v: what it holds is not all\n", lost)
	return 2
}

// command is serve as if everything could be written.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("assay-evaluator"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Vars{"version": "assay-evaluator " + version.String()}, kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(stderr, "assay-evaluator:", err)
		return 1
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	var lost *outlet.Failure
	if errors.As(err, &lost) { // of the help
		return 2
	}
	if err != nil {
		fmt.Fprintf(stderr, "assay-evaluator: %s (see --help)\n", err)
		return 2
	}
	if k.Command() == "health" {
		if err := c.Health.ask(ctx); err != nil {
			fmt.Fprintln(stderr, "assay-evaluator:", err)
			return 1
		}
		return 0
	}
	if err := work(ctx, c.Work, stderr); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "assay-evaluator:", err)
		var bad *badFlag
		if errors.As(err, &bad) {
			return 2
		}
		return 1
	}
	return 0
}

// mostSlots is beyond any machine, as for the evaluators of a job: each slot has goroutines and asks for tasks of its own.
const mostSlots = 4096

// badFlag is an error of the command line, or of the environment that stands for flags.
type badFlag struct{ error }

func (b *badFlag) Unwrap() error { return b.error }

// work checks the flags, joins the server and computes until ctx ends, which is no error of the broker's or the worker's. A
// badFlag is wrapped when nothing was begun because of what the user gave.
func work(ctx context.Context, f flags, stderr io.Writer) error {
	if err := tier.Check(); err != nil {
		return &badFlag{err}
	}
	if f.NATS == "" { // kong takes an empty environment variable for an answer
		return &badFlag{errors.New("--nats, or ASSAY_NATS, is empty: name a NATS server with JetStream, such as nats://host:4222")}
	}
	current := tier.Current()
	if current == tier.Plain && !f.AllowSlow {
		return &badFlag{errors.New("this machine has neither AVX2 with FMA nor AVX-512 VNNI, or ASSAY_TIER=plain is set: the plain kernels are hundreds of times slower (use --allow-slow to work all the same)")}
	}
	memory := int64(0)
	if f.Memory != "" {
		var err error
		if memory, err = config.ParseBytes(f.Memory); err != nil {
			return &badFlag{fmt.Errorf("--memory: %w", err)}
		}
	}
	if f.Slots < 0 || f.Slots > mostSlots {
		return &badFlag{fmt.Errorf("--slots: %d: want 1 to %d, or 0 for one per CPU", f.Slots, mostSlots)}
	}
	if f.Slots == 0 {
		f.Slots = runtime.GOMAXPROCS(0)
	}
	if f.Name == "" {
		host, _ := os.Hostname()
		f.Name = fmt.Sprintf("%s-%d", strings.ToLower(host), os.Getpid())
	}
	log := logger(stderr, f.Verbose)
	dial := func(patience time.Duration) (*broker.Broker, error) {
		return broker.Dial(ctx, f.NATS, patience, func(err error) { log.Warn("broker", zap.Error(err)) })
	}
	b, err := dial(0)
	if err != nil && f.Wait > 0 && ctx.Err() == nil {
		log.Warn("waiting", zap.Stringer("at most", f.Wait), zap.Error(err))
		b, err = dial(f.Wait)
	}
	if err != nil {
		return err
	}
	defer b.Close()
	log.Info("ready", zap.String("node", f.Name), zap.Int("slots", f.Slots), zap.String("tier", current.String()), zap.String("broker", b.URL()), zap.String("version", version.String()))
	objects := store.NewCache(b.Objects, engine.DefaultMemory(memory)/8)
	return worker.Run(ctx, b, cell.New(objects, engine.Options{Memory: memory, Slots: f.Slots}), worker.Config{
		Node: f.Name, Build: version.String(), Slots: f.Slots, Tier: current.String(), Log: log,
	})
}

// logger writes one line an event to w: from level info on, or everything when verbose.
func logger(w io.Writer, verbose bool) *zap.Logger {
	level := zapcore.InfoLevel
	if verbose {
		level = zapcore.DebugLevel
	}
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.ISO8601TimeEncoder
	// Without ErrorOutput zap complains about w on the standard error that w is.
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(c), zapcore.AddSync(w), level), zap.ErrorOutput(zapcore.AddSync(io.Discard)))
}
