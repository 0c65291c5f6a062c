package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/metric"
)

// forecasts are the jobs whose estimates are judged: labelled models under several limits, presets, placements and metrics.
func forecasts() (out []forecast) {
	add := func(model, data string, variants ...string) {
		for _, v := range variants {
			out = append(out, forecast{model, data, v})
		}
	}
	add("digits", "digits", "0", "0.005", "0.01", "0.02", "0.01 pot", "0.005 agreement", "0.01 agreement", "0 mixed")
	add("mnist-cntk", "mnist", "0", "0.01", "0.001 agreement")
	add("mnist-mlp-256x2", "mnist", "0", "0.01 sqnr", "0.0003 sqnr", "0.001 agreement", "0.001 sqnr")
	add("mlperf-tiny-ic-resnet8", "raw255", "0", "0.005", "0.01", "0.02 agreement", "0.01 agreement", "0.005 agreement", "0.01 sqnr", "0.003 sqnr", "0.001 sqnr")
	add("cifar10-resnet20", "imagenet-torch", "0.01", "0", "0.02 agreement", "0.01 agreement", "0.005 agreement", "0.005 sqnr", "0.002 sqnr")
	add("cifar10-cnn-medium", "unit", "0", "0.01 agreement", "0.005 agreement", "0.002 sqnr")
	add("magika-v3_3", "magika", "0.01", "0.01 pot", "0.005 pot", "0.01 agreement", "0.02 pot agreement")
	add("cifar10-vit-3x3", "vit", "0", "0.005", "0 pot", "0.01 sqnr", "0.005 sqnr", "0.003 sqnr", "0.02 agreement", "0.01 agreement")
	add("mobilenet_v1_0.25_224", "imagenet-tf", "0.01", "0.02", "0", "0.05 agreement", "0.1 agreement", "0.05 sqnr", "0.02 sqnr", "0.01 sqnr", "0.01 tensor", "0.02 tensor")
	add("squeezenet1.1", "imagenet-torch every", "0.01", "0.02 agreement", "0.005 agreement", "0.005 sqnr", "0")
	add("efficientnet-lite0", "imagenet-lite", "0.01 tensor", "0.02 tensor", "0.02 agreement", "0.01 agreement", "0.005 agreement", "0.01 sqnr", "0", "0.01", "0.01 pot")
	add("all-minilm-l6-v2", "sts", "0.01", "0.002 pearson")
	return out
}

// heldOut are more jobs of that kind, which judge the estimate and tune nothing: one that is looked into moves to forecasts.
func heldOut() (out []forecast) {
	add := func(model, data string, variants ...string) {
		for _, v := range variants {
			out = append(out, forecast{model, data, v})
		}
	}
	add("digits", "digits", "0.003", "0.02 agreement")
	add("mnist-cntk", "mnist", "0.002 sqnr")
	add("mnist-mlp-256x2", "mnist", "0.0002")
	add("mlperf-tiny-ic-resnet8", "raw255", "0.015 agreement", "0.002 sqnr", "0 pot")
	add("cifar10-resnet20", "imagenet-torch", "0.008 agreement", "0.001 sqnr", "0.002")
	add("cifar10-cnn-medium", "unit", "0.02 agreement", "0.0003 sqnr")
	add("cifar10-vit-3x3", "vit", "0.03 agreement", "0.002 sqnr", "0.02 pot")
	add("mobilenet_v1_0.25_224", "imagenet-tf", "0.005", "0.07 agreement", "0.015 sqnr", "0.03 tensor", "0.01 mixed")
	add("squeezenet1.1", "imagenet-torch every", "0.01 agreement", "0.0003 sqnr", "0 pot")
	add("efficientnet-lite0", "imagenet-lite", "0.005 tensor", "0.004 sqnr", "0.02 pot")
	return out
}

// forecast is one of them: a model, a way of its data, and a limit with what else is set.
type forecast struct{ model, data, variant string }

func (f forecast) String() string { return f.model + " " + f.variant }

// file is the name of its diary.
func (f forecast) file() string { return strings.ReplaceAll(f.String(), " ", "_") + ".json.gz" }

// job sets it up.
func (f forecast) job(t *testing.T) *config.Job {
	j := config.New()
	f.feed(t, j)
	words := strings.Fields(f.variant)
	j.Drop, j.OutputDir, j.StateDir = words[0], t.TempDir(), t.TempDir()
	for _, w := range words[1:] {
		switch w {
		case "pot":
			j.Quantize.Placement = config.PlacePOT
		case "mixed":
			j.Quantize.Preset = config.Mixed
		case "tensor":
			j.Quantize.PerTensor = true
		case "agreement":
			j.Agreement = true
		default:
			j.Metrics = []metric.Spec{{Name: w, Type: w, TopK: 1}}
		}
	}
	return j
}

// feed names model and data.
func (f forecast) feed(t *testing.T, j *config.Job) {
	if f.model != "digits" {
		j.Model = asset(t, "models/"+f.model+".onnx")
	}
	examples := filepath.Join("..", "..", "deployments", "examples")
	switch like := strings.Fields(f.data)[0]; like {
	case "digits":
		at := filepath.Join(examples, "digits")
		j.Model, j.Data.Source, j.Data.Labels = filepath.Join(at, "model.onnx"), filepath.Join(at, "images.npy"), filepath.Join(at, "labels.npy")
		j.Calibration.Source, j.Calibration.Count = filepath.Join(at, "calibration.npy"), 200
	case "mnist":
		j.Data.Source, j.Data.Labels = asset(t, "mnist/t10k-images-idx3-ubyte.gz"), asset(t, "mnist/t10k-labels-idx1-ubyte.gz")
		convention(t, j, "unit")
	case "magika":
		at := filepath.Join(examples, "magika")
		j.Data.Source, j.Data.Labels, j.Calibration.Every = filepath.Join(at, "features"), filepath.Join(at, "labels.txt"), 5
	case "sts":
		j.Data.Source, j.Data.Labels, j.Calibration.Count = asset(t, "sts"), asset(t, "sts/scores.npy"), 50
		j.Metrics = []metric.Spec{{Name: "spearman", Type: "spearman", TopK: 1}}
	case "vit":
		j.Data.Source, j.Data.Prepared = thinned(t, asset(t, "cifar10/test"), 40), true
		j.Data.Prep = dataset.Prep{Affine: dataset.Affine{Scale: 255, Mean: []float32{.4914, .4822, .4465}, Std: []float32{.2471, .2435, .2616}}}
	default:
		if strings.HasPrefix(f.model, "cifar10") || strings.HasPrefix(f.model, "mlperf") {
			j.Data.Source = thinned(t, asset(t, "cifar10/test"), 60)
			convention(t, j, like)
			return
		}
		dir := asset(t, "imagenet")
		j.Data.Source, j.Data.Labels, j.Calibration.Every = filepath.Join(dir, "images"), filepath.Join(dir, "labels.txt"), 5
		if like == "imagenet-lite" {
			p, err := dataset.Like("imagenet-tf")
			require.NoError(t, err)
			p.Affine = dataset.Affine{Scale: 1, Mean: []float32{127}, Std: []float32{128}}
			j.Data.Prep, j.Data.Prepared = p, true
			return
		}
		convention(t, j, like)
	}
}

// row is how the estimate of one job did, on the clock of an idle machine (quiet) and on the real one.
func row(t *testing.T, name string, d diary) (line string, work judgement) {
	quiet := d.quiet()
	seen, onTime := playBack(t, quiet), playBack(t, d)
	work, clock := atTenth(quiet, seen)
	real, _ := atTenth(d, onTime)
	return fmt.Sprintf("%-36s %6.1f %6.1f %7d   %5.2f %5.2f %5.2f   %5.2f %5.2f   %4.0f%%", name, quiet[len(d)-1].At, d[len(d)-1].At, seen[len(seen)-1].done,
		work.inferences, work.time, real.time, clock.inferences, clock.time, 100*steady(seen)), work
}

// header explains row: seconds of CPU and of the clock; told over true at a tenth of the inferences, then at a tenth of the CPU time; and
// in which part of the rest all inferences were told within a factor of two.
const header = "job                                   CPU s      s  infer.   infer.  left (real)   infer.  left   steady"

// TestForecasts carries out whole jobs, or takes their diaries from ASSAY_DIARIES where they are, and tells how their
// estimates did. Most of them must be within a factor of two at a tenth of the inferences; which, depends on what else the machine does.
func TestForecasts(t *testing.T) {
	if os.Getenv("ASSAY_LONG") == "" {
		t.Skip("skipped: whole jobs on real models, an hour; run with ASSAY_LONG=1, and ASSAY_DIARIES=folder to keep what they did")
	}
	dir := os.Getenv("ASSAY_DIARIES")
	if dir == "" {
		dir = t.TempDir()
	}
	table := []string{header}
	var sum score
	for _, f := range append(forecasts(), heldOut()...) {
		t.Run(f.String(), func(t *testing.T) {
			path := filepath.Join(dir, f.file())
			if _, err := os.Stat(path); err != nil {
				recorded(t, f.job(t)).write(t, path)
			}
			line, work := row(t, f.String(), diaryAt(t, path))
			t.Log(line)
			table = append(table, line)
			sum.add(work)
		})
	}
	t.Logf("%v\n%s", sum, strings.Join(table, "\n"))
	require.GreaterOrEqual(t, 10*sum.inferences, 9*sum.jobs)
	require.GreaterOrEqual(t, 10*sum.time, 8*sum.jobs)
}

// score counts jobs whose estimates at a tenth of the inferences were within a factor of two: of inferences, and of the time left.
type score struct{ jobs, inferences, time int }

func (s *score) add(j judgement) {
	s.jobs++
	if j.inferences >= 0.5 && j.inferences <= 2 {
		s.inferences++
	}
	if j.time >= 0.5 && j.time <= 2 {
		s.time++
	}
}

// TestHeldOutDiaries: jobs that tuned nothing keep the promise as often as they did when they were recorded: at a tenth of the inferences,
// on the clock of an idle machine, and something is told at a tenth of the time, though that is mostly samples being decoded. Three in four ends
// lie in the range that is told.
func TestHeldOutDiaries(t *testing.T) {
	var all, long score // long of 5 s and more
	silent, inside := 0, 0
	for _, f := range heldOut() {
		d := diaryAt(t, filepath.Join("testdata", "diaries", "heldout", f.file()))
		quiet := d.quiet()
		seen := playBack(t, quiet)
		work, _ := atTenth(quiet, seen)
		all.add(work)
		if within(seen) {
			inside++
		}
		if d[len(d)-1].At < 5 {
			continue
		}
		long.add(work)
		if _, clock := atTenth(d, playBack(t, d)); clock.time == 0 {
			silent++
		}
	}
	t.Logf("all %v, of 5 s and more %v, %d of them silent; %d end in the range that was told", all, long, silent, inside)
	require.Equal(t, []int{26, 11}, []int{all.jobs, long.jobs})
	require.GreaterOrEqual(t, all.inferences, 24)
	require.GreaterOrEqual(t, all.time, 21)
	require.GreaterOrEqual(t, long.inferences, 10)
	require.GreaterOrEqual(t, long.time, 8)
	require.GreaterOrEqual(t, inside, 20)
	require.LessOrEqual(t, silent, 1)
}

// TestDiaries makes the estimates of recorded jobs again: at a tenth of the inferences, all inferences and the time left are within a factor
// of two on the clock of an idle machine, and all inferences through most of the rest. Exceptions say what cannot be known by then.
func TestDiaries(t *testing.T) {
	exceptions := map[string]float64{ // the factor, where it is more than 2
		// Before INT8 is measured at all: a search asks 4.3 times what a job without one does, and the loss is next to the limit.
		"cifar10-resnet20_0":                    2.1,
		"mlperf-tiny-ic-resnet8_0.02_agreement": 2.3,
		// The first revert misses the limit by one sample of 200, and a second ranking follows.
		"mobilenet_v1_0.25_224_0.05_agreement": 2.1,
	}
	files, err := filepath.Glob("testdata/diaries/*.json.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		t.Run(name, func(t *testing.T) {
			d := diaryAt(t, path).quiet()
			seen := playBack(t, d)
			work, _ := atTenth(d, seen)
			t.Logf("%.1f s, inferences %.2f of the truth, time left %.2f", d[len(d)-1].At, work.inferences, work.time)
			require.LessOrEqual(t, work.offBy(), max(2, exceptions[name]))
			require.GreaterOrEqual(t, steady(seen), 0.95)
		})
	}
}

// TestDiaryKeepsAJob: a job is recorded, written, read and played back: what its user was told last is what it did.
func TestDiaryKeepsAJob(t *testing.T) {
	path := filepath.Join(t.TempDir(), "diary.json.gz")
	recorded(t, forecast{"digits", "digits", "0.005 agreement"}.job(t)).write(t, path)
	d := diaryAt(t, path)
	seen := playBack(t, d)
	last := seen[len(seen)-1]
	require.Equal(t, last.total, last.done)
	require.Zero(t, last.left)
	cells := int64(0)
	for i, e := range d {
		require.True(t, i == 0 || e.At >= d[i-1].At && e.CPU >= d[i-1].CPU, "entry %d", i)
		if e.Kind == "cell" && !e.Known {
			cells += int64(e.Samples)
		}
	}
	require.Equal(t, cells, last.done)
	require.Equal(t, "report", d[len(d)-1].Name)
	var groups []int
	for _, e := range d {
		if e.Kind == "problem" {
			groups = append(groups, e.Problem.Groups)
		}
	}
	require.Equal(t, []int{4}, groups, "placement knows before calibration")
}
