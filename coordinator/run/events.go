package run

import "time"

// Events hears what a run has to say. Every field may be nil. Calls come from several goroutines and may overlap: Progress and Note come
// while others are under way. Progress may come with the run's locks held, so whoever does not return keeps results waiting, and
// nothing may wait for the run. What is passed is not changed later. The terminal, plain lines and JSON lines are three listeners.
type Events struct {
	// Note is a line that the user should read now.
	Note func(text string)
	// Loaded says what there is to work on: once, before any inference.
	Loaded func(Loaded)
	// Probed tells what usual preprocessings of images give, when none was named: once, or twice if the first was not enough.
	Probed func(Probe)
	// Quantizable says what can be INT8: once, after calibration.
	Quantizable func(Quantizable)
	// Phase says that a new part of the work begins.
	Phase func(Phase)
	// Progress says how far the whole job is: after every sample that is decoded and every cell that ends, so it comes often.
	Progress func(Progress)
	// Step tells a measured model: the float one, all-INT8, each revert, in the order of the search, which asks again for what is known already.
	Step func(Measured)
}

// Loaded describes model and data.
type Loaded struct {
	Model       string // path, as the job has it
	Nodes       int    // after normalisation
	Opset       int    // of the file
	MACs        int64  // of one sample
	Data        string // path, as the job has it
	Calibration int    // samples that give ranges
	Search      int    // samples of every full evaluation
	Inferences  int64  // that the job needs if everything INT8 keeps the limit, those of earlier jobs included
}

// Quantizable counts what a search can choose from.
type Quantizable struct {
	Operations  int // that can be INT8
	Groups      int // each goes back to float as a whole
	AlwaysFloat int // operations that cannot be INT8 here
}

// Names of phases. Rounds of the search have the search's names.
const (
	PhaseDecode     = "decode"
	PhaseProbe      = "probe"
	PhaseBaseline   = "baseline"
	PhaseStatistics = "statistics"
	PhaseStart      = "start"
	PhaseRank       = "rank"
	PhaseRevert     = "revert"
	PhaseVerify     = "verify"
	PhaseExplain    = "explain"
	PhaseSpeed      = "speed"
)

// Phase is a part of the work. Counts that make no sense for it are 0.
type Phase struct {
	Name       string
	Subject    []string      // decode: the path; revert: the operations that go back to float
	Models     int           // models, or plans, that are evaluated
	Samples    int           // that each of them sees
	Inferences int64         // that this phase asks; what is stored from before comes back at once
	Left       time.Duration // guess of the wall time of this phase, 0 while nothing can be said
	Over       bool          // the first ranking: the limit is missed and a search begins
	Undone     []string      // a later ranking: the operations of the last revert, if it was undone
	Remaining  int64         // inferences that the rest of the job is likely to need, this phase included
}

// Progress counts sample runs of the model ("inferences"). Total is those that have to be computed, an estimate until the
// last phase; it rises when the search turns out longer. Least is what is certain: all but the search. While samples are decoded only
// they are counted, and of the search no more is in Left than is likely in any case. Left is 0 while nothing can be said.
type Progress struct {
	Phase   string
	Done    int64
	Total   int64
	Least   int64
	Reused  int64         // that were known from before; not in Done and, once found, not in Total
	Unsure  bool          // whether a search is needed is not known yet: Total is a guess between Least and the ends of a search
	Rough   bool          // no cell has ended but first ones: Left rests on these, or on one sample
	Read    int           // decode: samples that are decoded
	Samples int           // decode: samples that there are
	Slots   int           // of all live evaluators: tasks that can be in work at once
	Elapsed time.Duration // wall time since the job began
	Left    time.Duration // wall time, a guess
	Soon    Ending        // if the search ends early: of its imagined ends one in eight comes before
	Late    Ending        // and if it takes long: one in eight comes later
}

// Ending is all inferences of a job and the time that is left, if a search ends so.
type Ending struct {
	Total int64
	Left  time.Duration
}

// Measured is one full evaluation. Value and Drop are the first metric's: Value in its own unit, Drop from the float model, positive for worse, in
// the unit of the limit (0 of the float model itself). What is no number is NaN. Met says that all metrics are within the limit.
type Measured struct {
	Kind       string   // MeasuredFloat, MeasuredINT8 or MeasuredRevert
	Operations []string // that just went to float
	Value      float64
	Noise      string // for sqnr: the value as a ratio of signal to noise, such as "24.1 dB"
	Drop       float64
	Met        bool
}

// The kinds of Measured.
const (
	MeasuredFloat  = "float"
	MeasuredINT8   = "int8"
	MeasuredRevert = "revert"
)

func (e Events) note(text string) {
	if e.Note != nil {
		e.Note(text)
	}
}

func (e Events) loaded(l Loaded) {
	if e.Loaded != nil {
		e.Loaded(l)
	}
}

func (e Events) quantizable(q Quantizable) {
	if e.Quantizable != nil {
		e.Quantizable(q)
	}
}

func (e Events) probed(p Probe) {
	if e.Probed != nil {
		e.Probed(p)
	}
}

func (e Events) phase(p Phase) {
	if e.Phase != nil {
		e.Phase(p)
	}
}

func (e Events) step(m Measured) {
	if e.Step != nil {
		e.Step(m)
	}
}
