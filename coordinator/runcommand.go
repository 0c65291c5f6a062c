package main

import (
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"assay/coordinator/console"
	"assay/coordinator/report"
	"assay/coordinator/run"
	"assay/shared/broker"
	"assay/shared/config"
)

// runCommand is `assay run`.
type runCommand struct {
	Job string `arg:"" optional:"" help:"Job file: POT's configuration as JSON with comments. Flags override it." type:"path"`
	config.Flags
}

// Help is the long help of the command.
func (runCommand) Help() string {
	return `Examples:
  assay run deployments/examples/digits/job.json
  assay run -m model.onnx --data images/ --labels labels.txt --like imagenet-torch --max-drop 0.01 --output-dir out/
  assay run job.json --max-drop 0.005          another limit: what was measured before is not measured again
  assay run job.json --nats nats://host:4222 --evaluators 0          external evaluators do the work

The output directory receives <model>_int8.onnx, report.json and report.html.
Exit codes: 0 limit met, 3 not met (the best model is written), 2 bad input, 1 internal error, 130 interrupted.`
}

// Run implements the command.
func (c runCommand) Run(t *terminal) error {
	job, err := readJob(c.Job, c.Flags)
	if err != nil {
		return err
	}
	listener := listenerFor(t, job.JSON)
	res, err := run.Job(t.ctx, job, commandLine(t.args), listener.Events)
	listener.Close()
	if err != nil {
		return err
	}
	if err := tell(t, job.JSON, res); err != nil {
		return err
	}
	if !res.Report.Decisions.Met {
		return errMissed
	}
	return nil
}

// tell says how the run ended: to programs in a line, to people in a page as wide as their terminal.
func tell(t *terminal, json bool, res *run.Result) error {
	if json {
		return console.Result(t.stdout, res)
	}
	var b strings.Builder
	if err := res.Report.Summary(&b, res.Files); err != nil {
		return err
	}
	_, err := io.WriteString(t.stdout, console.Wrap(b.String(), columns(t.stdout.File())))
	return err
}

// columns is how wide the terminal f is, 0 when that is not known or f is nil or none.
func columns(f *os.File) int {
	if f == nil {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// listenerFor chooses how the run is shown: JSON lines, a bar on a terminal, or plain lines.
func listenerFor(t *terminal, json bool) console.Listener {
	if json {
		return console.JSON(t.stdout)
	}
	if f := t.stderr.File(); f != nil && term.IsTerminal(int(f.Fd())) {
		return console.Terminal(f, func() int { return columns(f) })
	}
	return console.Lines(t.stderr, 5*time.Second)
}

// commandLine is the command that reports show, which people send to each other: it can be copied, but for credentials, which are hidden.
func commandLine(args []string) string {
	out := []string{"assay"}
	for _, a := range args {
		out = append(out, broker.Redacted(a))
	}
	return report.Quoted(out...)
}
