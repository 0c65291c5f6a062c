package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"assay/shared/dataset"
	"assay/shared/metric"
)

// Unlimited is the value of Job.Iterations that sets no limit.
const Unlimited = -1

// Presets and placements, by the words of the job file.
const (
	Performance  = "performance"
	Mixed        = "mixed"
	PlaceRegions = "regions"
	PlacePOT     = "pot"
)

// Job is one job with all defaults filled in, as New, Parse and Flags.Apply make it. Paths are ready to open. Model and Data.Source
// are empty until a file or a flag gives them; Check says so.
type Job struct {
	File  string // the job file, "" without one
	Model string // the ONNX file
	Name  string // stem of the written file; Stem gives it when empty

	Data        Data
	Calibration Calibration
	Quantize    Quantize

	Aware      bool          // AccuracyAwareQuantization; false: DefaultQuantization, which stops after everything INT8
	Drop       string        // maximal_drop as it is written, a decimal; Limit reads it
	Relative   bool          // drop_type
	Subset     int           // ranking_subset_size, 1 or more
	Iterations int           // max_iter_num, Unlimited or 0 and more
	KeepWorse  bool          // use_prev_if_drop_increase is false
	Agreement  bool          // annotation_free: agreement with the float model counts, labels do not
	Metrics    []metric.Spec // empty: accuracy

	OutputDir  string
	StateDir   string // "": the user's cache directory
	Evaluators int    // in-process evaluators; Unset: the number of CPUs
	NATS       string // URL, several with commas between; "": a broker inside the process
	Memory     int64  // bytes of an evaluator process; 0: half of the machine's
	JSON       bool   // one event a line

	given []given // what the file says, for Settings
}

// Unset is the value of Job.Evaluators that nobody gave.
const Unset = -1

// Data says where samples come from and how images become inputs. Prepared says that some preprocessing was given, by a
// convention's name or by a key; without it images stop the job or are probed.
type Data struct {
	Source string // files, a folder, a pattern; Globs and lists are read by package dataset
	Labels string
	// Background says that the model has a class for the background in front, which the labels do not count.
	Background bool
	Output     string // the model's outputs that are measured, with commas between; "": its first, or all where the metric compares outputs
	Mask       string // the model's input that marks positions of a sequence; "": by its name, "none": no input does
	Like       string // the convention that Prep began with
	Prep       dataset.Prep
	Prepared   bool
}

// Quantize is what becomes of the model before any search.
type Quantize struct {
	Placement    string // PlaceRegions or PlacePOT
	Transformer  bool   // POT's model_type
	Preset       string // Performance, Mixed, or empty: as fits the model (package quant)
	Mode         string // activations.mode: symmetric, asymmetric, or empty: as the preset has it
	PerTensor    bool   // weights with one scale a tensor instead of one an output channel
	Weights      Estimator
	Activations  Estimator
	NoFastBias   bool    // biases stay as they are
	Threshold    float64 // of fast bias correction, above 0
	IgnoredNames []Name  // nodes by name; the caller checks that they exist, with Job.At
	IgnoredTypes []Name  // operators
}

// Estimator changes single parts of the range estimator that follows from kind and mode (pot-spec 1.4). The zero
// Estimator changes nothing.
type Estimator struct {
	Quantile bool // preset quantile instead of default
	Min, Max End
}

// End is one side of an estimator. Zero values mean: as the preset has it.
type End struct {
	Type       string
	Aggregator string
	Outlier    float64  // outlier_prob
	Clip       *float64 // clipping_value
}

// Name is a word of the job file with its place.
type Name struct {
	Text string
	Pos  Pos
	Key  string // as in compression.algorithms[0].params.ignored.scope[2]
}

// New is the job without file and flags: all defaults.
func New() *Job {
	return &Job{
		Aware: true, Drop: "0.01", Subset: 300, Iterations: Unlimited, OutputDir: "results", Evaluators: Unset,
		Calibration: Calibration{Count: 300},
		Quantize:    Quantize{Placement: PlaceRegions, Threshold: 2},
	}
}

// Stem is the name of the written file without folder and ending: Name, or the model's.
func (j *Job) Stem() string {
	if j.Name != "" {
		return j.Name
	}
	base := filepath.Base(j.Model)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Limit is the allowed drop.
func (j *Job) Limit() (metric.Limit, error) { return metric.ParseLimit(j.Drop, j.Relative) }

// Check reports, as an Errors, what is still missing after file and flags, and what contradicts itself. Nothing is opened for it.
func (j *Job) Check() error {
	var es Errors
	add := func(key, text string) { es = append(es, &Error{File: j.File, Key: key, Text: text}) }
	if j.Model == "" {
		add("model.model", "no model; name an ONNX file here or by -m")
	}
	if j.Data.Source == "" {
		add("engine.data_source", "no data; name samples here or by --data")
	}
	if j.Evaluators == 0 && j.NATS == "" {
		add("run.evaluators", "0 evaluators in this process, and no broker where others could wait: give --nats URL as well, or 1 evaluator or more")
	}
	if j.Calibration.Every > 0 && j.Calibration.Source != "" {
		add("engine.calibration_every", "calibration data of its own and a share of the search data exclude each other; keep one")
	}
	if err := j.Data.Prep.Check(); err != nil {
		add("engine", err.Error())
	}
	if _, err := j.Limit(); err != nil {
		add("maximal_drop", err.Error())
	}
	if len(es) > 0 {
		return es
	}
	return nil
}

// At makes an *Error about n that names its line, for checks that need the model: unknown node names, for example.
func (j *Job) At(n Name, format string, args ...any) error {
	return &Error{File: j.File, Pos: n.Pos, Key: n.Key, Text: fmt.Sprintf(format, args...)}
}

// Unknown makes the error for a name that should be one of known, with the nearest of them (see Nearest), if any is near.
func (j *Job) Unknown(n Name, what string, known []string) error {
	return j.At(n, "%s %q is not in the model%s", what, n.Text, suggest(n.Text, known))
}

// NoOperator makes the error for a name that should be an ONNX operator, with the nearest of them.
func (j *Job) NoOperator(n Name, operators []string) error {
	return j.At(n, "%q is no ONNX operator that is supported%s", n.Text, suggest(n.Text, operators))
}
