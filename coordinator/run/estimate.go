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
	mu      sync.Mutex
	begin   time.Time
	now     func() time.Time // time.Now, but for tests
	phase   string
	met     map[plan.Digest]map[string]bool // plans, by what of which model they are asked, that a node has computed
	done    int64                           // inferences computed
	reused  int64                           // inferences answered from the store
	open    int64                           // asked by the present round and not answered yet
	ranks   bool                            // a ranking has begun
	unsure  bool                            // INT8 is not measured: whether the search has anything to do is not known
	later   map[string]int64                // still to be asked, by phase
	slow    float64                         // of the search that is to come, see prospect
	early   prospect                        // of a search that ends soon
	late    prospect                        // and of one that takes long
	causes  int64                           // inferences that look for causes after a search
	each    map[string]int64                // samples of a plan of a search, by phase
	samples int                             // that are decoded, all in all
	first   reading                         // of them: the rate of decoding is between this
	latest  reading                         // and this
	pace    pace
	coda    time.Duration // of a pass of timing models after the last inference, on a slot of its own; wall time on an idle machine
	report  func(Progress)
	slots   func() int
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

// search sets what the search will still ask: what is likely, and what it asks if it ends early or late. Causes are looked for after a
// ranking, and expected where even the early end has one.
func (m *meterOfWork) search(likely, early, late prospect) {
	later := map[string]int64{PhaseRank: likely.rank, PhaseRevert: likely.revert}
	m.mu.Lock()
	if later[PhaseExplain] = 0; m.ranks || early.rank > 0 {
		later[PhaseExplain] = m.causes
	}
	m.slow, m.early, m.late = likely.slow, early, late
	m.mu.Unlock()
	m.expect(later)
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
		m.ranks = m.ranks || name == PhaseRank
	case PhaseVerify, PhaseExplain:
		clear(m.later) // the search is over
		if name == PhaseVerify && m.ranks {
			m.later[PhaseExplain] = m.causes
		}
		m.slow, m.early, m.late = 0, prospect{}, prospect{}
		m.unsure = false
	default:
		m.later[name] = 0
	}
}

// countSlots says who counts the slots from now on.
func (m *meterOfWork) countSlots(slots func() int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slots = slots
}

// reading is a moment while samples are decoded.
type reading struct {
	at   time.Time
	done int
}

// read enters that so many of the samples of a job are decoded.
func (m *meterOfWork) read(done, total int) {
	m.mu.Lock()
	m.phase, m.samples, m.latest = PhaseDecode, total, reading{m.clock(), done}
	if m.first.at.IsZero() {
		m.first = m.latest
	}
	m.mu.Unlock()
	m.tell()
}

// tried enters how long one sample took through the float model. The decoding stood still since the latest reading.
func (m *meterOfWork) tried(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pace.trial = took.Seconds()
	if !m.first.at.IsZero() {
		m.first.at = m.first.at.Add(m.clock().Sub(m.latest.at))
	}
}

// reads is the time that the rest of the samples takes to be decoded, as long as those before it did; ok is false where that is not known.
// It takes as long as the decoding does.
func (m *meterOfWork) reads() (left time.Duration, ok bool) {
	if m.phase != PhaseDecode {
		return 0, true
	}
	done := m.latest.done - m.first.done
	if done <= 0 {
		return 0, false
	}
	took := m.latest.at.Sub(m.first.at)
	return time.Duration(float64(took) * float64(m.samples-m.latest.done) / float64(done)), true
}

// at is the present phase.
func (m *meterOfWork) at() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.phase
}

// asks sets how many samples a plan of a ranking and of a revert runs on.
func (m *meterOfWork) asks(rank, revert int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.each = map[string]int64{PhaseRank: int64(rank), PhaseRevert: int64(revert)}
}

// settle says whether it is still open that the search has anything to do.
func (m *meterOfWork) settle(unsure bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unsure = unsure
}

// standing is what is done or was known, and what the whole job takes without what is still expected of a search.
func (m *meterOfWork) standing() (done, certain int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	done = m.done + m.reused
	return done, done + m.open + m.certain()
}

// foresee sets the ends of a search, ascending, of which nothing is measured.
func (m *meterOfWork) foresee(ends []prospect) {
	early, late := apart(ends)
	m.search(likely(ends, m.standing), early, late)
}

// certain is what is expected after the present round whatever a search asks.
func (m *meterOfWork) certain() int64 {
	n := m.ahead() - m.later[PhaseRank] - m.later[PhaseRevert]
	if !m.ranks {
		n -= m.later[PhaseExplain]
	}
	return n
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
	return m.open + m.ahead(), m.pace.left(map[string]int64{phase: n}, 0, m.slots(), m.each)
}

// tell reports the state. report is called without the lock, so listeners may ask back.
func (m *meterOfWork) tell() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	likely := prospect{m.later[PhaseRank], m.later[PhaseRevert], m.slow}
	p := Progress{
		Phase: m.phase, Done: m.done, Reused: m.reused, Total: m.done + m.open + m.ahead(), Elapsed: m.clock().Sub(m.begin),
		Slots: m.slots(), Left: m.left(likely), Unsure: m.unsure, Rough: m.pace.rough(),
	}
	p.Least = p.Done + m.open + m.certain()
	p.Soon, p.Late = Ending{p.Total, p.Left}, Ending{p.Total, p.Left}
	if early := m.early; early.sum() < likely.sum() {
		p.Soon = Ending{p.Total + early.sum() - likely.sum(), m.left(early)}
	}
	if late := m.late; late.sum() > likely.sum() {
		p.Late = Ending{p.Total + late.sum() - likely.sum(), m.left(late)}
	}
	if m.phase == PhaseDecode {
		p.Read, p.Samples = m.latest.done, m.samples
		reads, ok := m.reads()
		for _, left := range []*time.Duration{&p.Left, &p.Soon.Left, &p.Late.Left} {
			if *left += reads; !ok || *left == reads {
				*left = 0
			}
		}
	}
	m.mu.Unlock()
	m.report(p)
}

// left guesses the time that the rest of the job takes if the search asks p; 0 while nothing can be said. It is the caller's to lock.
func (m *meterOfWork) left(p prospect) time.Duration {
	waiting, slots := maps.Clone(m.later), m.slots()
	if waiting == nil {
		waiting = map[string]int64{}
	}
	waiting[PhaseRank], waiting[PhaseRevert] = p.rank, p.revert
	waiting[m.phase] += m.open
	left := m.pace.left(waiting, p.slow, slots, m.each)
	if left > 0 {
		left += time.Duration(float64(m.pace.timing(m.coda)) * m.pace.load(slots))
	}
	return left
}

// inferences is the number computed so far.
func (m *meterOfWork) inferences() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}
