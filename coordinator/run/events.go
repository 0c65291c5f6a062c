package run

import "time"

// Events hears what a run has to say. Every field may be nil. Calls come from several goroutines, one at a time; they must
// return quickly. The terminal, plain lines and JSON lines are three listeners.
type Events struct {
	// Note is a line that the user should read now.
	Note func(text string)
	// Phase says that a new part of the work began: loading, baseline, statistics, rank, revert and so on.
	Phase func(name, detail string)
	// Progress says how far the whole job is.
	Progress func(Progress)
	// Step tells a measured model: the baseline, all-INT8, each revert.
	Step func(Measured)
}

// Progress counts sample runs of the model ("inferences"). Total is an estimate until the last phase; it rises when the
// search turns out longer. Left is 0 while nothing can be said.
type Progress struct {
	Phase   string
	Done    int64
	Total   int64
	Reused  int64
	Slots   int
	Elapsed time.Duration
	Left    time.Duration
}

// Measured is one full evaluation.
type Measured struct {
	Name  string // baseline, int8, or the operations that just went to float
	Value float64
	Drop  float64
	Met   bool
}

func (e Events) note(text string) {
	if e.Note != nil {
		e.Note(text)
	}
}

func (e Events) phase(name, detail string) {
	if e.Phase != nil {
		e.Phase(name, detail)
	}
}
