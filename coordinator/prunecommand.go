package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"assay/coordinator/run"
)

// pruneCommand is `assay prune`.
type pruneCommand struct {
	States []string `arg:"" optional:"" name:"state" help:"State directories to remove (run.state in report.json)." type:"path"`
	Unused *age     `name:"unused-for" placeholder:"AGE" help:"Remove every state directory in the user's cache that no job opened for so long, such as 30d or 12h."`
	DryRun bool     `name:"dry-run" short:"n" help:"Say what would be removed and remove nothing."`
}

// Help is the long help of the command.
func (pruneCommand) Help() string {
	return `A state directory keeps what was measured, so that an interrupted job goes on and another limit is answered at once. Nothing
in it expires. Without a directory and without --unused-for, prune lists those in the user's cache. The models and reports that
jobs wrote lie in their output directories and stay.

Examples:
  assay prune                        what is kept, and how large it is
  assay prune --unused-for 30d -n
  assay prune ~/.cache/assay/model-0011aabb2233`
}

// age is a duration that may be given in days.
type age time.Duration

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// UnmarshalText reads 30d or what time.ParseDuration reads; less than nothing is refused.
func (a *age) UnmarshalText(b []byte) error {
	if m := days.FindSubmatch(b); m != nil {
		n, err := strconv.Atoi(string(m[1]))
		*a = age(time.Duration(n) * 24 * time.Hour)
		return err
	}
	d, err := time.ParseDuration(string(b))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no age: write 30d or 12h", b)
	}
	*a = age(d)
	return nil
}

// Run implements the command.
func (c pruneCommand) Run(t *terminal) error {
	kept, err := c.chosen()
	if err != nil {
		return err
	}
	if len(c.States) == 0 && c.Unused == nil {
		return list(t.stdout, kept)
	}
	var freed int64
	var troubles []error
	done, verb := 0, "removed"
	if c.DryRun {
		verb = "would remove"
	}
	for _, k := range kept {
		if !c.DryRun {
			if err := run.Prune(k.Dir); err != nil {
				troubles = append(troubles, err)
				continue
			}
		}
		done, freed = done+1, freed+k.Bytes
		fmt.Fprintf(t.stdout, "%s %s (%s)\n", verb, k.Dir, units.HumanSize(float64(k.Bytes)))
	}
	if done != 1 {
		fmt.Fprintf(t.stdout, "%s %d state directories, %s\n", verb, done, units.HumanSize(float64(freed)))
	}
	return errors.Join(troubles...)
}

// chosen is what the command line names, or what lies in the user's cache and is old enough.
func (c pruneCommand) chosen() ([]run.Kept, error) {
	var out []run.Kept
	for _, dir := range c.States {
		k, err := run.StateAt(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(out) > 0 {
		return out, nil
	}
	base, err := run.StatesDir()
	if err != nil {
		return nil, err
	}
	all, err := run.States(base)
	for _, k := range all {
		if c.Unused == nil || time.Since(k.Used) >= time.Duration(*c.Unused) {
			out = append(out, k)
		}
	}
	return out, err
}

// list writes what is kept, the one that was not used for longest first.
func list(w io.Writer, kept []run.Kept) error {
	if len(kept) == 0 {
		_, err := fmt.Fprintln(w, "nothing is kept in the user's cache")
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignRight}})
	t.AppendHeader(table.Row{"size", "last used", "state directory"})
	var total int64
	for _, k := range kept {
		total += k.Bytes
		t.AppendRow(table.Row{units.HumanSize(float64(k.Bytes)), k.Used.Format(time.DateTime), k.Dir})
	}
	_, err := fmt.Fprintf(w, "%s\n%s in all; remove with: assay prune DIRECTORY, or assay prune --unused-for 30d\n", t.Render(), units.HumanSize(float64(total)))
	return err
}
