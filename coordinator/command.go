package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"assay/coordinator/run"
	"assay/shared/outlet"
	"assay/shared/version"
)

// Exit codes.
const (
	exitMet         = 0
	exitInternal    = 1
	exitInput       = 2
	exitMissed      = 3
	exitInterrupted = 130 // as a shell says of a program that SIGINT ended
	exitUnread      = outlet.Unread
)

// commands is the command line.
type commands struct {
	Run         runCommand       `cmd:"" help:"Quantize a model within an accuracy limit."`
	Explain     explainCommand   `cmd:"" help:"Print a job as it is understood; nothing is evaluated."`
	Replay      replayCommand    `cmd:"" help:"Make a job's decisions again from its stored results; nothing is computed."`
	Prune       pruneCommand     `cmd:"" help:"List what jobs keep on disk, and remove it."`
	Health      healthCommand    `cmd:"" help:"Say by the exit code whether a NATS server can be used."`
	Completion  completion       `cmd:"" help:"Print what makes a shell complete assay's commands and flags."`
	Version     versionCommand   `cmd:"" help:"Print the version."`
	VersionFlag kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

const description = `Assay quantizes a float ONNX model to INT8 and keeps its accuracy within the limit that you set.

It quantizes everything, measures, finds the layers that cost accuracy, gives those back to float, and proves the result.

Begin with: assay run -m model.onnx --data images/ --labels labels.txt --like imagenet-torch`

// completion is `assay completion`.
type completion struct{ kongcompletion.Completion }

// Help is the long help of the command.
func (*completion) Help() string {
	return `Prints a line that makes the shell complete assay's commands and flags: bash, zsh or fish; your own shell without a name.

Examples:
  source <(assay completion -c bash)                    for this shell
  assay completion -c bash >> ~/.bashrc                 for every one from now on
  assay completion -c fish > ~/.config/fish/completions/assay.fish`
}

// terminal is what a command is given. ctx ends at an interruption, and when nobody reads stdout or stderr any more.
type terminal struct {
	ctx    context.Context
	args   []string // of the whole command line, without the program's name
	stdout *outlet.Outlet
	stderr *outlet.Outlet
}

// execute runs the command line and returns the exit code. Results go to stdout, events with --json among them; notes, progress and errors
// to stderr. A closed pipe is an ordinary error here only while SIGPIPE is ignored, see main.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unread := func() { cancel(outlet.ErrUnread) }
	out, errs := outlet.New(stdout, unread), outlet.New(stderr, unread)
	return conclude(command(ctx, args, out, errs), out, errs)
}

// conclude is the exit code of a command that would have ended with code, had all of its output been written; what was lost is said.
func conclude(code int, stdout, stderr *outlet.Outlet) int {
	end, lost := outlet.Conclude(code, stdout, stderr)
	if lost == nil {
		return end
	}
	fmt.Fprintf(stderr, "assay: standard output: %v: what it holds is not all (results so far are kept: the same command says it again)\n", lost)
	if code == exitInternal {
		return code
	}
	return exitInput
}

// command is execute as if everything could be written.
func command(ctx context.Context, args []string, stdout, stderr *outlet.Outlet) int {
	var c commands
	exited := -1
	helped := len(args) == 0 // no command: the help is the answer, though not the one that was wanted
	if helped {
		args, stdout = []string{"--help"}, stderr
	}
	parser, err := kong.New(&c, kong.Name("assay"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"version": "assay " + version.String()}, kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(stderr, "assay:", err)
		return exitInternal
	}
	kongcompletion.Register(parser)
	if i := slices.IndexFunc(args, func(a string) bool { return !utf8.ValidString(a) }); i >= 0 {
		fmt.Fprintf(stderr, "assay: the argument %q is no UTF-8 text: name the file by a link, or rename it\n", args[i])
		return exitInput
	}
	k, err := parser.Parse(joinNegative(args))
	switch {
	case helped:
		return exitInput
	case exited >= 0:
		return exited
	}
	var lost *outlet.Failure
	if errors.As(err, &lost) { // of the help
		return exitInput
	}
	if err != nil {
		fmt.Fprintf(stderr, "assay: %s (see assay --help)\n", explainFlag(err.Error()))
		return exitInput
	}
	err = k.Run(&terminal{ctx, args, stdout, stderr})
	return exitCode(ctx, err, stderr)
}

// negative is a number below 0, or a list that begins with one: the parser takes it for a short flag.
var (
	negative = regexp.MustCompile(`^-\.?[0-9]`)
	longFlag = regexp.MustCompile(`^--[a-z][a-z-]*$`)
)

// joinNegative writes --flag -1 as --flag=-1, so that what checks the value says what is wrong with it, if anything.
func joinNegative(args []string) []string {
	var out []string
	for i, a := range args {
		if i > 0 && negative.MatchString(a) && longFlag.MatchString(args[i-1]) {
			out[len(out)-1] += "=" + a
			continue
		}
		out = append(out, a)
	}
	return out
}

// errMissed is the limit missed: an answer, not a fault.
var errMissed = errors.New("the limit is not met")

// exitCode prints err as one line and says how the program ends. A missed limit is no fault and has been said, as has an error of an outlet; after
// an interruption err does not matter, since everything that was cancelled complains in its own words.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	var (
		input *run.InputError
		lost  *outlet.Failure
	)
	switch {
	case err == nil:
		return exitMet
	case errors.Is(err, errMissed):
		return exitMissed
	case errors.As(err, &lost):
		return exitInput
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "assay: interrupted; what was computed is kept: the same command goes on from here")
		return exitInterrupted
	case errors.As(err, &input):
		fmt.Fprintln(stderr, "assay:", oneLine(err))
		return exitInput
	}
	fmt.Fprintln(stderr, "assay:", oneLine(err))
	return exitInternal
}

// oneLine keeps an error on one line; lists of errors keep their lines, indented.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  ")
}

// versionCommand prints the version.
type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.stdout, "assay", version.String())
	return err
}
