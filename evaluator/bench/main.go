// Command bench measures the kernels and the engine: for each layer of a list and each model its speed, the share of what
// the machine can do (measured in the same run) and the kernel that the dispatcher picks. Where ASSAY_PYTHON names an
// interpreter with onnxruntime, ONNX Runtime runs the same layers and models by turns in another process, and ratios are
// printed. A decision may not enter: what is measured here decides nothing.
//
//	go run ./evaluator/bench                                    # everything found in ../shared: a few minutes
//	go run ./evaluator/bench --nets bert_base --no-models        # some layers
//	go run ./evaluator/bench --no-layers --models resnet50       # some models
//
// Figures are medians of rounds in which both sides take turns, on one thread, in the thread's CPU time: a neighbour on
// the core costs cache, not seconds. It ends with 0, 1 on a failure and 2 on a bad flag.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/alecthomas/kong"

	"assay/kernels/tier"
)

// flags is the command line.
type flags struct {
	Shapes   string        `placeholder:"FILE" default:"../shared/peers/layer_shapes.json" help:"Layers to measure; a few built-in ones if the file is absent."`
	Nets     []string      `placeholder:"NET" help:"Only layers of these networks."`
	Names    string        `placeholder:"WORD" help:"Only layers whose name contains this."`
	Models   []string      `placeholder:"WORD" help:"Only models whose name contains one of these."`
	Assets   string        `placeholder:"DIR" default:"../shared/assets/models" help:"Folder of labelled models."`
	Peers    string        `placeholder:"DIR" default:"../shared/peers" help:"Folder of ort_bench.py and make_arch.py."`
	Arch     string        `placeholder:"DIR" help:"Folder of models that make_arch.py wrote, made there if absent. Default: none of them."`
	Batch    []int         `default:"1,8" help:"Batches of models."`
	NoLayers bool          `help:"Leave the layers out."`
	NoModels bool          `help:"Leave the models out."`
	Rounds   int           `default:"5" help:"Rounds of each comparison."`
	Slice    time.Duration `default:"10ms" help:"Time of one side in one round of a layer; models take thirty times as long, or one run."`
	Core     int           `default:"-1" help:"Core to run on, together with ONNX Runtime; -1 takes the last one (Linux)."`
	Page     string        `placeholder:"FILE" help:"Write one HTML page here."`
	Profile  string        `placeholder:"MODEL" help:"Print where the time of this model file goes, by operator, and end."`
	Ranking  string        `placeholder:"MODEL" help:"Print what stored activations save in a ranking round of this model file, and end."`
	Resident string        `placeholder:"MODEL" help:"Print the memory that this model file takes at the first batch, and end."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, pin)
	stop()
	os.Exit(code)
}

// run parses args, puts the process on a core, measures, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, pin func(core int) error) int {
	var f flags
	exited := -1
	parser, err := kong.New(&f, kong.Name("bench"), kong.Description("Measure kernels and models, beside ONNX Runtime where ASSAY_PYTHON has it."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err == nil {
		_, err = parser.Parse(args)
	}
	if exited >= 0 {
		return exited
	}
	if err == nil && f.Rounds < 1 {
		err = errors.New("--rounds: at least one round is needed")
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %s (see --help)\n", err)
		return 2
	}
	if err := errors.Join(tier.Check(), pin(f.Core)); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	if err := measure(ctx, f, stdout); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// measure does what the flags ask for.
func measure(ctx context.Context, f flags, out io.Writer) error {
	if f.Profile != "" && len(f.Batch) > 0 {
		return profile(ctx, f.Profile, f.Rounds, f.Batch[0], out)
	}
	if f.Ranking != "" {
		return ranking(ctx, f.Ranking, out)
	}
	if f.Resident != "" && len(f.Batch) > 0 {
		return resident(ctx, f.Resident, f.Batch[0], out)
	}
	peer, err := startPeer(ctx, f.Peers)
	if err != nil {
		return err
	}
	defer peer.close()
	r := &results{Tier: tier.Current().String(), Peer: peer.version(), Rounds: f.Rounds}
	if !f.NoLayers {
		if err := measureLayers(ctx, f, peer, r, out); err != nil {
			return err
		}
	}
	if !f.NoModels {
		if err := measureModels(ctx, f, peer, r, out); err != nil {
			return err
		}
	}
	r.summary(out)
	if f.Page == "" {
		return nil
	}
	return r.write(f.Page)
}
