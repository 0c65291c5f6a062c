package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write JOBFILE.md again")

// TestPage keeps JOBFILE.md what the table of keys says.
func TestPage(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile("JOBFILE.md", []byte(page()), 0o644))
	}
	b, err := os.ReadFile("JOBFILE.md")
	require.NoError(t, err)
	require.Equal(t, page(), string(b))
}

// TestEveryKeyIsOnce: the table has no key twice, each has a type, and each is either documented or refused.
func TestEveryKeyIsOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range keysOf() {
		require.False(t, seen[k.path], k.path)
		seen[k.path] = true
		require.NotZero(t, k.kind, k.path)
		if k.kind&object == 0 && !strings.HasSuffix(k.path, "[]") && k.refused == "" {
			require.True(t, k.doc != "" || k.initial != "", "%s says nothing", k.path)
			require.NotEmpty(t, k.initial, "%s: what holds without it?", k.path)
		}
	}
	var missing func(n *node, at string)
	missing = func(n *node, at string) {
		if at != "" {
			require.NotZero(t, n.key.kind, "%s is only a prefix", at)
		}
		for _, c := range n.children {
			missing(c, at+"."+c.key.name())
		}
		if n.element != nil {
			missing(n.element, at+"[]")
		}
	}
	missing(schema(), "")
}

// TestScripts runs testdata/*.txt. Commands:
//
//	parse [file=NAME]    reads the input as a job file and prints Describe, or the errors
//	params               the input is the inside of params of AccuracyAwareQuantization
//	show [file=NAME]     prints the whole Job
//	flags FLAG=VALUE...  over the job parsed last, then Check; prints Describe
//	nearest WORD         the nearest of the words of the input
//	split n=N CALIB...   indices of calibration and search
//	bytes                ParseBytes on every line
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := &script{job: New()}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				out, err := s.run(t, d)
				if err != nil {
					return err.Error()
				}
				return out
			})
		})
	}
}

type script struct{ job *Job }

func (s *script) run(t *testing.T, d *datadriven.TestData) (string, error) {
	file := "dir/job.json"
	d.MaybeScanArgs(t, "file", &file)
	switch d.Cmd {
	case "params":
		d.Input = `{"model": {"model": "m.onnx"}, "engine": {"data_source": "data"}, "compression": {"algorithms": [{"name": "AccuracyAwareQuantization", "params": {` +
			"\n" + d.Input + "\n}}]}}"
		fallthrough
	case "parse", "show":
		if strings.HasSuffix(file, ".yaml") {
			_, err := Read(file)
			return "", err
		}
		j, err := Parse(file, []byte(strings.ReplaceAll(d.Input, "<BOM>", "\ufeff")))
		if err != nil {
			return "", err
		}
		s.job = j
		if d.Cmd == "show" {
			return show(j), nil
		}
		return j.Describe(), nil
	case "flags":
		return s.flags(d)
	case "nearest":
		return Nearest(d.CmdArgs[0].Key, strings.Fields(d.Input)), nil
	case "split":
		return split(t, d)
	case "bytes":
		var b strings.Builder
		for line := range strings.Lines(d.Input) {
			n, err := ParseBytes(strings.TrimSpace(line))
			fmt.Fprintln(&b, n, err)
		}
		return b.String(), nil
	}
	return "", fmt.Errorf("unknown command %q", d.Cmd)
}

// show prints the fields that Describe leaves out too.
func show(j *Job) string {
	q := j.Quantize
	return fmt.Sprintf("name %s\nprep %+v prepared %v background=%v\ncalibration %+v\nquantize %s %s mode=%v pertensor=%v transformer=%v fastbias=%v threshold=%v\n"+
		"weights %+v\nactivations %+v\nmetrics %+v agreement=%v\naware=%v drop=%s relative=%v subset=%d iterations=%d keepworse=%v\n"+
		"output=%s state=%s evaluators=%d nats=%s memory=%d\n",
		j.Stem(), j.Data.Prep, j.Data.Prepared, j.Data.Background, j.Calibration, q.Placement, q.Preset, q.Mode, q.PerTensor, q.Transformer, !q.NoFastBias, q.Threshold,
		end(q.Weights), end(q.Activations), j.Metrics, j.Agreement, j.Aware, j.Drop, j.Relative, j.Subset, j.Iterations, j.KeepWorse,
		j.OutputDir, j.StateDir, j.Evaluators, j.NATS, j.Memory)
}

// end prints an estimator with its clipping values instead of their addresses.
func end(e Estimator) string {
	one := func(x End) string {
		clip := "none"
		if x.Clip != nil {
			clip = strconv.FormatFloat(*x.Clip, 'g', -1, 64)
		}
		return fmt.Sprintf("{%s %s %v clip %s}", x.Type, x.Aggregator, x.Outlier, clip)
	}
	return fmt.Sprintf("quantile=%v min%s max%s", e.Quantile, one(e.Min), one(e.Max))
}

// flags applies the arguments, by the names of the command line.
func (s *script) flags(d *datadriven.TestData) (string, error) {
	var f Flags
	texts := map[string]*string{
		"model": &f.Model, "data": &f.Data, "labels": &f.Labels, "like": &f.Like, "mean": &f.Mean, "std": &f.Std, "scale": &f.Scale,
		"resize": &f.Resize, "crop": &f.Crop, "pad": &f.Pad, "central-fraction": &f.Fraction, "reader": &f.Reader, "layout": &f.Layout, "channels": &f.Channels, "max-drop": &f.MaxDrop,
		"drop-type": &f.DropType, "preset": &f.Preset, "placement": &f.Placement, "calib": &f.Calib, "output-dir": &f.OutputDir,
		"state-dir": &f.StateDir, "nats": &f.NATS, "memory": &f.Memory,
	}
	for _, arg := range d.CmdArgs {
		v := strings.Join(arg.Vals, ",")
		if to := texts[arg.Key]; to != nil {
			*to = v
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return "", err
		}
		switch arg.Key {
		case "seed":
			u := uint64(n)
			f.Seed = &u
		case "max-iter":
			f.MaxIter = &n
		case "evaluators":
			f.Evaluators = &n
		}
	}
	j := *s.job
	if err := f.Apply(&j); err != nil {
		return "", err
	}
	if err := j.Check(); err != nil {
		return "", err
	}
	return j.Describe() + show(&j), nil
}

func split(t *testing.T, d *datadriven.TestData) (string, error) {
	n, count, seed := 0, 300, -1
	var calib string
	d.ScanArgs(t, "n", &n)
	d.MaybeScanArgs(t, "count", &count)
	d.MaybeScanArgs(t, "seed", &seed)
	d.MaybeScanArgs(t, "calib", &calib)
	c := Calibration{Count: count}
	if seed >= 0 {
		c.Shuffle, c.Seed = true, uint64(seed)
	}
	if d.HasArg("calib") {
		var err error
		if c, err = ParseCalibration(calib, c); err != nil {
			return "", err
		}
	}
	cal, search, err := c.Split(n)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("calibration %v\nsearch %v\n", cal, search), nil
}
