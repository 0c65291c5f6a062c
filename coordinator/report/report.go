// Package report says what a job decided and how: report.json for programs, report.html for people (one file that needs no
// network), and the summary on a terminal. It only presents: whatever it prints was decided or measured before. A broker, a
// model or a clock may not enter.
//
// report.json has two halves. decisions is a function of the job: equal jobs have equal bytes there, however many evaluators
// took part and however often the job was interrupted. run is about this run: times, nodes, versions. SCHEMA.md lists every
// field.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"assay/coordinator/cause"
)

// Report is report.json. It is filled once and then only read; its methods change nothing.
type Report struct {
	Decisions Decisions `json:"decisions"`
	Run       Run       `json:"run"`
}

// Decisions is what equal jobs agree on. Metrics, Met, Reason, FloatGroups, Trials, Steps, Rankings and Notes come from Fill. Whoever makes
// it sees to it that no list is nil, since lists are never null in report.json. Metrics has one element at least.
type Decisions struct {
	Job         Job          `json:"job"`
	Numerics    string       `json:"numerics"`
	Model       Model        `json:"model"`
	Samples     Samples      `json:"samples"`
	Metrics     []Metric     `json:"metrics"`
	Met         bool         `json:"met"`
	Reason      string       `json:"reason"`
	FloatGroups []FloatGroup `json:"float_groups"`
	MACShare    float64      `json:"int8_mac_share"` // 0 to 1, of the written model
	Flips       Flips        `json:"flips"`
	Groups      []Group      `json:"groups"`
	Operations  []Placed     `json:"operations"`
	AlwaysFloat []Operation  `json:"always_float"`
	Trials      []Trial      `json:"trials"`
	Steps       []Step       `json:"steps"`
	Rankings    []Ranking    `json:"rankings"`
	Notes       []string     `json:"notes"`
	Output      Output       `json:"output"`
}

// Job is the part of the job's settings that decisions depend on, in the words of the job file. Digests are SHA-256 in hexadecimal.
type Job struct {
	Placement   string `json:"placement"`
	ModelType   string `json:"model_type"`
	Preset      string `json:"preset"`
	Weights     string `json:"weights"`
	MaximalDrop string `json:"maximal_drop"` // as it was written: a number in the unit that DropType says
	DropType    string `json:"drop_type"`
	Subset      int    `json:"ranking_subset_size"`
	Iterations  int    `json:"max_iter_num"` // -1 is no limit
	Inputs      string `json:"inputs_digest"`
	Meter       string `json:"meter_digest"`
}

// Model is the model that was quantized, after normalisation. Operations counts those that could be INT8, Nodes all
// of the graph, MACs the multiply-adds of one sample, Bytes the size of the float model as a file. Name is the written file's stem.
type Model struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	Nodes      int    `json:"nodes"`
	Operations int    `json:"operations"`
	Groups     int    `json:"groups"`
	MACs       int64  `json:"macs"`
	Bytes      int    `json:"bytes"`
}

// Samples counts what was used for what: calibration gives ranges, and every full evaluation is on all of Search.
type Samples struct {
	Calibration int `json:"calibration"`
	Search      int `json:"search"`
}

// Metric is one metric at the end. Drop is from Float to Final, positive for worse. Drop and Limit are in the limit's unit: the metric's own, or
// with a relative drop a share of the magnitude of Float. Exact holds the three values, float, INT8 and final, as fractions where the metric
// counts; whether the limit is met was decided by those and not by the rounded numbers.
type Metric struct {
	Name      string   `json:"name"`
	Direction string   `json:"direction"`
	Float     Number   `json:"float"`
	Int8      Number   `json:"int8"`
	Final     Number   `json:"final"`
	Drop      Number   `json:"drop"`
	Limit     Number   `json:"limit"`
	Met       bool     `json:"met"`
	Exact     []string `json:"exact"`
}

// FloatGroup is a group that went back to float, in the order of the reverts. Gain is how much its step lowered the drop of the metric that was
// optimised then, in the limit's unit; below 0 it raised it.
type FloatGroup struct {
	Index      int      `json:"index"`
	Operations []string `json:"operations"`
	Gain       Number   `json:"gain"`
}

// Flips are the samples whose outcome changed between the float and the final model under the first metric: all counted, the first 200 listed,
// those that became wrong before those that became right. A metric that does not count samples has none.
type Flips struct {
	Wrong   int    `json:"wrong"`
	Right   int    `json:"right"`
	Samples []Flip `json:"samples"`
}

// Flip is one such sample. Classes are nil where the metric knows none, Label also where the float model's answers stand for labels.
type Flip struct {
	Sample int    `json:"sample"` // its index in the data set
	Name   string `json:"name"`
	Wrong  bool   `json:"wrong"`
	Label  *int   `json:"label"`
	Float  *int   `json:"float_class"`
	Final  *int   `json:"final_class"`
}

// Group is one group with what it holds and how it fared in the first ranking: Score is the metric on the ranking subset
// with this group alone in float, nil when no ranking was needed; Gain is by how much that is better than with everything
// INT8 on the same samples, in the metric's own unit, which is what the group costs. MACs are those of one sample, MACShare is of the
// whole model's. Causes are empty where no rule of package cause applies. Fill enters Float and Score, Gains enters Gain.
type Group struct {
	Index      int      `json:"index"`
	Operations []string `json:"operations"`
	MACs       int64    `json:"macs"`
	MACShare   float64  `json:"mac_share"`
	Score      *Number  `json:"score"`
	Gain       *Number  `json:"gain"`
	Float      bool     `json:"float"`

	Causes []cause.Cause `json:"causes"`
}

// Operation is one that was never INT8 and why. MACs are those of one sample, MACShare is 0 to 1 of the whole model's.
type Operation struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	MACs     int64   `json:"macs"`
	MACShare float64 `json:"mac_share"`
	Reason   string  `json:"reason"`
}

// What an operation of the final model computes in.
const (
	INT8    = "int8"
	Float   = "float"
	Follows = "follows" // it only moves or clamps what its neighbours compute, or computes shapes
)

// Placed is one operation of the graph, in topological order. Groups are those that it belongs to; it is float as soon as
// one of them is. After are the indices, in the same list, of the operations whose results it reads. Precision is INT8, Float or Follows.
type Placed struct {
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Groups    []int   `json:"groups"`
	Precision string  `json:"precision"`
	MACs      int64   `json:"macs"`
	MACShare  float64 `json:"mac_share"`
	After     []int   `json:"after"`
}

// Trial is one question of the search, in order. The first is the float model, whose Float is empty like that of everything INT8.
type Trial struct {
	Round   string   `json:"round"`
	Float   []int    `json:"float_groups"`
	Samples int      `json:"samples"`
	Values  []Number `json:"values"`
}

// Step is one revert that was tried, as search.Step has it. Drops are in the limit's unit.
type Step struct {
	Group   int      `json:"group"`
	Float   []int    `json:"float_groups"`
	Values  []Number `json:"values"`
	Drops   []Number `json:"drops"`
	Verdict string   `json:"verdict"`
	Best    bool     `json:"best"`
}

// Ranking is one order of groups, best first. Before counts the steps made before it. Current is the metric of the model
// that was to be mended, on the samples that scored: a group's score minus Current is what the group brings there. It is nil where it was not
// measured, and out of Fill. Metric is an index of Decisions.Metrics.
type Ranking struct {
	Before  int     `json:"before_step"`
	Current *Number `json:"current"`
	Metric  int     `json:"metric"`
	Samples int     `json:"samples"`
	Worse   int     `json:"samples_worse_than_float"`
	Tied    bool    `json:"tied"`
	Scores  []Score `json:"scores"`
}

// Score is a group's place in a ranking: the metric's value, nil for the only group that was left.
type Score struct {
	Group int     `json:"group"`
	Value *Number `json:"value"`
}

// Output is the file that was written. Verified says that it was read back and gave the records of the final plan, byte by
// byte; a job whose file does not is an error, so false means that nothing was written. File is a name in the output directory. Integer counts the operations that
// the runtimes run in integers; at Quantize and Dequantize borders values change between float and INT8 at run time; Unfused
// stand between two such borders and run in float.
type Output struct {
	File     string `json:"file"`
	Digest   string `json:"digest"`
	Bytes    int    `json:"bytes"`
	Verified bool   `json:"verified"`

	Integer    int      `json:"integer_operations"`
	Quantize   int      `json:"quantize_borders"`
	Dequantize int      `json:"dequantize_borders"`
	Unfused    []string `json:"unfused"`
}

// Run is about this run only. Inferences are samples that went through a model. CellsReused were known from before, CellsUnused were computed
// ahead of the search and not asked for; neither is among CellsComputed. Check is a Python program that measures the written file in ONNX
// Runtime. Command repeats the run in a shell, State is what a replay takes. Speed is nil when it was not measured.
type Run struct {
	Seconds       float64           `json:"seconds"` // wall time, from start to report
	Inferences    int64             `json:"inferences"`
	CellsComputed int64             `json:"cells_computed"`
	CellsReused   int64             `json:"cells_reused"`
	CellsUnused   int64             `json:"cells_unused"`
	Nodes         []Node            `json:"nodes"`
	Versions      map[string]string `json:"versions"`
	Speed         *Speed            `json:"speed"`
	Command       string            `json:"command"`
	Check         string            `json:"check"`
	State         string            `json:"state"`
}

// Node is an evaluator that took part, with the slots that it last said it had and the cells that it delivered.
type Node struct {
	Name  string `json:"name"`
	Tier  string `json:"tier"`
	Build string `json:"build"`
	Slots int    `json:"slots"`
	Cells uint64 `json:"cells"`
}

// Counted is Cells as the page prints it.
func (n Node) Counted() string { return count(int64(n.Cells)) } //nolint:gosec // cells fit an int64

// Speed is the median milliseconds of one sample on the coordinator's machine, one core, Assay's own kernels, over turns in which
// the three models ran one after the other. NotFaster is the finding that the written model is not faster than the float one: so
// in the median, and in so many of the turns that it is no accident.
type Speed struct {
	Float     float64 `json:"float_ms"`
	Int8      float64 `json:"int8_ms"`
	Final     float64 `json:"final_ms"`
	Turns     int     `json:"turns"`
	NotFaster bool    `json:"not_faster"`
}

// Number is a float64 that is null in JSON when it is NaN or infinite; null is read as NaN. A pointer to one that is null is read as nil.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// JSON is the file's text, indented, with a final line end: a function of r to the byte, since fields are in the order of the types. An error
// is a number outside Number that JSON has none for.
func (r *Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("report.json: %w", err)
	}
	return b.Bytes(), nil
}

// Parse reads report.json of this or another version: fields that are unknown are passed over, missing ones are zero. It checks nothing else.
func Parse(b []byte) (*Report, error) {
	r := &Report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("report.json: %w", err)
	}
	return r, nil
}
