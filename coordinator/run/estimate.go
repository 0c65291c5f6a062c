package run

import (
	"sync"
	"time"

	"assay/coordinator/search"
)

// meterOfWork estimates how many inferences a job needs and how long it will take. What is certain (baseline, INT8, their
// calibration and verification) is counted; the search's length is guessed from the number of groups until a ranking says
// how much each group brings. Safe for concurrent use.
type meterOfWork struct {
	mu      sync.Mutex
	start   time.Time
	phase   string
	done    int64 // inferences computed
	reused  int64 // inferences answered from the store
	certain int64 // asked so far, and those that every job needs at its end
	guess   int64 // of rounds that are still to come
	report  func(Progress)
	slots   func() int
}

// Shares of a search that nothing is known about yet: a quarter of the groups goes back to float, each after one full
// evaluation. Measured on the models of the project's tests it is 0 to a third.
const revertShare = 4

// expect sets what the rest of the job will need, as known after the all-INT8 model was measured.
func (m *meterOfWork) expect(p search.Problem, met bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.guess = 0
	if !met && p.Groups > 0 {
		n := int64(len(p.View.Samples))
		subset := min(int64(p.Subset), n)
		m.guess = int64(p.Groups)*subset + int64((p.Groups+revertShare-1)/revertShare)*n
	}
}

// round enters a round of the search: what it asks becomes certain and leaves the guess.
func (m *meterOfWork) round(name string, inferences int64) {
	m.mu.Lock()
	m.phase = name
	m.certain += inferences
	m.guess = max(0, m.guess-inferences)
	m.mu.Unlock()
	m.tell()
}

// cell enters a finished cell.
func (m *meterOfWork) cell(known bool, samples int) {
	m.mu.Lock()
	if known {
		m.reused += int64(samples)
	} else {
		m.done += int64(samples)
	}
	m.mu.Unlock()
	m.tell()
}

// tell reports the state.
func (m *meterOfWork) tell() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	p := Progress{Phase: m.phase, Done: m.done, Reused: m.reused, Total: max(m.done, m.certain+m.guess), Elapsed: time.Since(m.start), Slots: m.slots()}
	m.mu.Unlock()
	if p.Done > 0 {
		p.Left = time.Duration(float64(p.Elapsed) / float64(p.Done) * float64(max(0, p.Total-p.Done)))
	}
	m.report(p)
}

// inferences is the number computed so far.
func (m *meterOfWork) inferences() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}
