package run

import (
	"maps"
	"sync"
	"time"

	"assay/shared/plan"
)

// meterOfWork estimates how many inferences a job needs and how long it will take. What every job needs (calibration,
// float, INT8, verification) is counted; how long a search will be is guessed by outlook. Safe for concurrent use.
// Invariant: done + reused + open counts what was asked so far; later is a guess only.
type meterOfWork struct {
	mu     sync.Mutex
	begin  time.Time
	now    func() time.Time // time.Now, but for tests
	phase  string
	met    map[plan.Digest]map[string]bool // plans, by what of which model they are asked, that a node has computed
	done   int64                           // inferences computed
	reused int64                           // inferences answered from the store
	open   int64                           // asked by the present round and not answered yet
	later  map[string]int64                // still to be asked, by phase
	pace   pace
	coda   time.Duration // what a slot of its own takes after the last inference; wall time on an idle machine
	report func(Progress)
	slots  func() int
}

// expect sets how many inferences phases will still ask.
func (m *meterOfWork) expect(later map[string]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.later == nil {
		m.later = map[string]int64{}
	}
	for phase, n := range later {
		m.later[phase] = max(0, n)
	}
}

// round enters a round: what it asks leaves the expectation of phases that ask once. Phases in order, so what was expected of
// one that is over is expected no more.
func (m *meterOfWork) round(name string, inferences int64) {
	m.enter(name, inferences)
	m.tell()
}

// enter is round without telling: what is expected of a search is not set yet.
func (m *meterOfWork) enter(name string, inferences int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.later == nil {
		m.later = map[string]int64{}
	}
	m.phase, m.open = name, inferences
	switch name {
	case PhaseRank, PhaseRevert:
	case PhaseVerify, PhaseExplain:
		clear(m.later) // the search is over
	default:
		m.later[name] = 0
	}
}

// at is the present phase.
func (m *meterOfWork) at() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.phase
}

// standing is what is done or was known, and what the whole job takes without what is still expected of a search.
func (m *meterOfWork) standing() (done, certain int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	done = m.done + m.reused
	return done, done + m.open + m.ahead() - m.later[PhaseRank] - m.later[PhaseRevert]
}

// cell enters a finished cell.
func (m *meterOfWork) cell(e ended) {
	m.mu.Lock()
	m.open = max(0, m.open-int64(e.runs))
	if e.known {
		m.reused += int64(e.runs)
	} else {
		m.done += int64(e.runs)
		m.pace.add(m.phase, m.clock(), e.took, e.runs, m.slots(), m.meets(e))
	}
	m.mu.Unlock()
	m.tell()
}

// meets reports whether a node computed a plan for the first time, so that the cell's time holds its compilation. Cells are named as if
// they were of the first block of no view.
func (m *meterOfWork) meets(e ended) bool {
	if m.met == nil {
		m.met = map[plan.Digest]map[string]bool{}
	}
	p := plan.Cell{Problem: e.cell.Problem, Plan: e.cell.Plan, What: e.cell.What, Ref: e.cell.Ref}.Digest()
	if m.met[p] == nil {
		m.met[p] = map[string]bool{}
	}
	before := m.met[p][e.node]
	m.met[p][e.node] = true
	return !before
}

func (m *meterOfWork) clock() time.Time {
	if m.now != nil {
		return m.now()
	}
	return time.Now()
}

// ahead is what is expected after the present round.
func (m *meterOfWork) ahead() (sum int64) {
	for _, n := range m.later {
		sum += n
	}
	return sum
}

// remaining is what the job is likely to ask from the present round on, and a guess of the time of n inferences of a phase.
func (m *meterOfWork) remaining(phase string, n int64) (inferences int64, left time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open + m.ahead(), m.pace.left(map[string]int64{phase: n}, m.slots())
}

// tell reports the state. report is called without the lock, so listeners may ask back.
func (m *meterOfWork) tell() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	slots, waiting := m.slots(), maps.Clone(m.later)
	if waiting == nil {
		waiting = map[string]int64{}
	}
	waiting[m.phase] += m.open
	p := Progress{
		Phase: m.phase, Done: m.done, Reused: m.reused, Total: m.done + m.open + m.ahead(), Elapsed: m.clock().Sub(m.begin),
		Slots: slots, Left: m.pace.left(waiting, slots),
	}
	if p.Left > 0 {
		p.Left += time.Duration(float64(m.coda) * m.pace.stretch(slots) * float64(max(1, slots)))
	}
	m.mu.Unlock()
	m.report(p)
}

// inferences is the number computed so far.
func (m *meterOfWork) inferences() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}
