package report

import (
	"math"

	"assay/coordinator/cause"
	"assay/coordinator/search"
	"assay/shared/metric"
)

// examples are the reports that the golden files show.
func examples() map[string]*Report {
	return map[string]*Report{"untouched": untouched(), "reverted": oneReverted(), "missed": missed(), "nothing": nothing(), "losses": losses()}
}

// base is a report of three groups and one operation that never was INT8.
func base() *Report {
	r := &Report{
		Decisions: Decisions{
			Flips: Flips{Samples: []Flip{}},
			Job: Job{
				Placement: "regions", Preset: "performance", Weights: "perchannel", MaximalDrop: "0.01", DropType: "absolute",
				Subset: 300, Iterations: -1, Inputs: "1f", Meter: "2e",
			},
			Numerics: "1",
			Model:    Model{Name: "net", Digest: "00112233445566778899", Nodes: 6, Operations: 3, Groups: 3, MACs: 1_000_000, Bytes: 4_200_000},
			Samples:  Samples{Calibration: 100, Search: 1000}, MACShare: 0.95,
			Groups: []Group{
				{Index: 0, Operations: []string{"stem"}, MACs: 600_000, MACShare: 0.6, Causes: []cause.Cause{}},
				{Index: 1, Operations: []string{"body", "add"}, MACs: 300_000, MACShare: 0.3, Causes: []cause.Cause{}},
				{Index: 2, Operations: []string{"head"}, MACs: 50_000, MACShare: 0.05, Causes: []cause.Cause{}},
			},
			Operations: []Placed{
				{"stem", "Conv", []int{0}, INT8, 600_000, 0.6, []int{}},
				{"relu", "Relu", []int{}, Follows, 0, 0, []int{0}},
				{"body", "Conv", []int{1}, INT8, 300_000, 0.3, []int{1}},
				{"add", "Add", []int{1}, INT8, 0, 0, []int{2, 1}},
				{"head", "Gemm", []int{2}, INT8, 50_000, 0.05, []int{3}},
				{"score", "MatMul", []int{}, Float, 50_000, 0.05, []int{3, 4}},
			},
			AlwaysFloat: []Operation{{"score", "MatMul", 50_000, 0.05, "both inputs are computed, and one of them has no range <here>"}},
			Output:      Output{File: "net_int8.onnx", Digest: "aa", Bytes: 1_100_000, Verified: true, Integer: 4, Quantize: 1, Dequantize: 2, Unfused: []string{}},
		},
		Run: Run{
			Seconds: 12.34, Inferences: 5100, CellsComputed: 160, CellsReused: 0,
			Nodes: []Node{{"laptop-1", "avx2", "0.1.0", 8, 160}}, Versions: map[string]string{"assay": "0.1.0", "go": "go1.26"},
			Speed: &Speed{Float: 2.5, Int8: 0.8125, Final: 1.25, Turns: 40}, Command: "assay run job.json --max-drop 0.01", Check: "import onnxruntime\n", State: "/cache/assay/net-0011",
		},
	}
	return r
}

func hits(n int64) search.Value { return metric.Count(n, 1000) }

var accuracy = search.Metric{Name: "accuracy@top1", Direction: metric.HigherBetter}

func limit(text string, relative bool) metric.Limit {
	l, err := metric.ParseLimit(text, relative)
	if err != nil {
		panic(err) // a constant of the tests
	}
	return l
}

// start is the two trials that every search begins with.
func start(int8 int64) []search.Asked {
	return []search.Asked{
		{Round: "start", Samples: 1000, Values: []search.Value{hits(900)}},
		{Round: "start", Samples: 1000, Values: []search.Value{hits(int8)}},
	}
}

func untouched() *Report {
	r := base()
	r.Decisions.Flips = Flips{Wrong: 7, Right: 3, Samples: []Flip{{Sample: 4, Name: "images/4.jpg", Wrong: true, Label: whole(0), Float: whole(0), Final: whole(2)}, {Sample: 9}}}
	r.Decisions.Fill(search.Outcome{
		Met: true, Reason: search.Met, Trials: start(896),
		Metrics: []search.Result{{Metric: accuracy, Baseline: hits(900), Int8: hits(896), Final: hits(896), Drop: hits(4), Met: true}},
	}, limit("0.01", false))
	return r
}

func oneReverted() *Report {
	r := base()
	d := &r.Decisions
	d.MACShare, d.Flips = 0.35, Flips{Wrong: 4, Right: 2, Samples: []Flip{}}
	d.Operations[0].Precision = Float
	d.Fill(search.Outcome{
		Met: true, Reason: search.Met, Float: []search.Revert{{Group: 0, Gain: hits(18)}},
		Metrics: []search.Result{{Metric: accuracy, Baseline: hits(900), Int8: hits(880), Final: hits(898), Drop: hits(2), Met: true}},
		Trials: append(start(880),
			search.Asked{Round: "rank", Float: []int{0}, Samples: 300, Values: []search.Value{metric.Count(290, 300)}},
			search.Asked{Round: "rank", Float: []int{1}, Samples: 300, Values: []search.Value{metric.Count(282, 300)}},
			search.Asked{Round: "rank", Float: []int{2}, Samples: 300, Values: []search.Value{metric.Count(276, 300)}},
			search.Asked{Round: "revert", Float: []int{0}, Samples: 1000, Values: []search.Value{hits(898)}}),
		Rankings: []search.Ranking{{
			Samples: make([]uint32, 300), Worse: 31,
			Scores: []search.Score{{Group: 0, Value: metric.Count(290, 300), Known: true}, {Group: 1, Value: metric.Count(282, 300), Known: true}, {Group: 2, Value: metric.Count(276, 300), Known: true}},
		}},
		Steps: []search.Step{{Group: 0, Float: []int{0}, Values: []search.Value{hits(898)}, Drops: []search.Value{hits(2)}, Verdict: search.Within, Best: true}},
	}, limit("0.01", false))
	d.Rankings[0].Current = pointer(280.0 / 300)
	d.Gains()
	d.Groups[0].Causes = []cause.Cause{{Kind: cause.RangeOutlier, Value: "image <x>", Figure: 20, Text: "the range reaches to 20, 20 times as far as 99 % of the values, which stay below 1"}}
	d.Groups[1].Causes = []cause.Cause{{Kind: cause.TiedScores, Figure: 1, Text: "1 of 2 groups"}}
	return r
}

// missed has what may go wrong: a step that is undone, a value that is no number, a tie, a group that was not asked, notes.
func missed() *Report {
	r := base()
	d := &r.Decisions
	d.MACShare, d.Flips, d.Job.MaximalDrop = 0.65, Flips{Wrong: 12, Right: 4, Samples: []Flip{}}, "0"
	d.Operations[2].Precision, d.Operations[3].Precision = Float, Float
	r.Run.Speed, r.Run.Nodes = &Speed{Float: 1, Int8: 1.5, Final: 1.5, Turns: 40, NotFaster: true}, []Node{}
	d.Output.Unfused = []string{"add"}
	nan := metric.Float(math.NaN())
	d.Fill(search.Outcome{
		Reason: search.Iterations, Float: []search.Revert{{Group: 1, Gain: hits(12)}},
		Metrics: []search.Result{{Metric: accuracy, Baseline: hits(900), Int8: hits(880), Final: hits(892), Drop: hits(8)}},
		Trials:  start(880),
		Rankings: []search.Ranking{
			{Samples: make([]uint32, 1000), Scores: []search.Score{{Group: 1, Value: hits(892), Known: true}, {Group: 0, Value: nan, Known: true}}},
			{Before: 2, Samples: make([]uint32, 1000), Tied: true, Scores: []search.Score{{Group: 0, Value: hits(890), Known: true}, {Group: 2, Value: hits(890), Known: true}}},
			{Before: 3, Scores: []search.Score{{Group: 2}}},
		},
		Steps: []search.Step{
			{Group: 1, Float: []int{1}, Values: []search.Value{hits(892)}, Drops: []search.Value{hits(8)}, Verdict: search.Improved, Best: true},
			{Group: 0, Ranking: 0, Float: []int{0, 1}, Values: []search.Value{nan}, Drops: []search.Value{nan}, Verdict: search.RolledBack},
			{Group: 2, Ranking: 1, Float: []int{1, 2}, Values: []search.Value{hits(890)}, Drops: []search.Value{hits(10)}, Verdict: search.Forgiven},
		},
		Notes: []string{"ranking 1 tells nothing: all 2 groups score 890/1000 (0.89)"},
	}, limit("0", false))
	d.Rankings[0].Current, d.Rankings[1].Current = pointer(0.88), pointer(0.892)
	return r
}

// nothing is a model without a quantizable operation.
func nothing() *Report {
	r := base()
	d := &r.Decisions
	d.Model.Operations, d.Model.Groups, d.Groups, d.MACShare = 0, 0, []Group{}, 0
	d.Operations = []Placed{{"score", "MatMul", []int{}, Float, 50_000, 1, []int{}}}
	d.Fill(search.Outcome{
		Met: true, Reason: search.Nothing, Trials: start(900), Notes: []string{"the model has no quantizable layer: nothing is INT8"},
		Metrics: []search.Result{{Metric: accuracy, Baseline: hits(900), Int8: hits(900), Final: hits(900), Drop: hits(0), Met: true}},
	}, limit("0.01", false))
	return r
}

// losses has two metrics, one of which grows when it gets worse, and a relative limit.
func losses() *Report {
	r := base()
	d := &r.Decisions
	d.Job.DropType, d.Job.MaximalDrop = "relative", "0.1"
	error1 := search.Metric{Name: "loss", Direction: metric.HigherWorse}
	d.Fill(search.Outcome{
		Met: true, Reason: search.Met,
		Metrics: []search.Result{
			{Metric: error1, Baseline: metric.Float(0.5), Int8: metric.Float(0.52), Final: metric.Float(0.52), Drop: metric.Float(0.04), Met: true},
			{Metric: accuracy, Baseline: hits(900), Int8: hits(890), Final: hits(890), Drop: metric.Float(0.0111), Met: true},
		},
	}, limit("0.1", true))
	return r
}

func whole(n int) *int { return &n }

func pointer(v float64) *Number { n := Number(v); return &n }
