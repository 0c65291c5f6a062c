package run

import (
	"sync"
	"time"
)

// meterOfWork estimates how many inferences a job needs and how long it will take. What every job needs (calibration,
// float, INT8, verification) is counted; how long a search will be is guessed by watcher. Safe for concurrent use.
type meterOfWork struct {
	mu      sync.Mutex
	begin   time.Time
	begun   time.Time // of the first inference; zero before
	phase   string
	done    int64 // inferences computed
	reused  int64 // inferences answered from the store
	asked   int64 // by rounds so far
	certain int64 // still to be asked by every job
	guess   int64 // still to be asked by the search, if it goes as expected
	recent  []mark
	report  func(Progress)
	slots   func() int
}

// mark says when how much was done. The latest ones give the speed: the first cells of a process also pack weights.
type mark struct {
	at   time.Time
	done int64
}

// Speed is taken over so many cells, at least and at most.
const fewMarks, manyMarks = 5, 48

// expect sets what the search will still ask.
func (m *meterOfWork) expect(inferences int64) {
	m.mu.Lock()
	m.guess = max(0, inferences)
	m.mu.Unlock()
}

// round enters a round: what it asks leaves the expectation.
func (m *meterOfWork) round(name string, inferences int64) {
	m.mu.Lock()
	if m.begun.IsZero() && inferences > 0 {
		m.begun = time.Now()
	}
	m.phase = name
	m.asked += inferences
	if name == PhaseRank || name == PhaseRevert {
		m.guess = max(0, m.guess-inferences)
	} else {
		m.certain = max(0, m.certain-inferences)
	}
	if name == PhaseVerify {
		m.certain, m.guess = 0, 0 // the search is over
	}
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
		m.recent = append(m.recent, mark{time.Now(), m.done})
		m.recent = m.recent[max(0, len(m.recent)-manyMarks):]
	}
	m.mu.Unlock()
	m.tell()
}

// took is the time that so many inferences are likely to take, 0 while nothing is known.
func (m *meterOfWork) took(inferences int64) time.Duration {
	if m.done == 0 || m.begun.IsZero() {
		return 0
	}
	elapsed, done := time.Since(m.begun), m.done
	if n := len(m.recent); n >= fewMarks {
		elapsed, done = m.recent[n-1].at.Sub(m.recent[0].at), m.recent[n-1].done-m.recent[0].done
	}
	return time.Duration(float64(elapsed) / float64(max(done, 1)) * float64(max(0, inferences)))
}

// remaining is what the job is likely to ask besides what was asked, and a guess of the time of n inferences.
func (m *meterOfWork) remaining(n int64) (inferences int64, left time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.certain + m.guess, m.took(n)
}

// tell reports the state.
func (m *meterOfWork) tell() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	p := Progress{
		Phase: m.phase, Done: m.done, Reused: m.reused, Total: max(m.done, m.asked-m.reused+m.certain+m.guess), Elapsed: time.Since(m.begin), Slots: m.slots(),
	}
	p.Left = m.took(p.Total - p.Done)
	m.mu.Unlock()
	m.report(p)
}

// inferences is the number computed so far.
func (m *meterOfWork) inferences() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}
