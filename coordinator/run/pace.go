package run

import (
	"math"
	"time"
)

// pace is how long inferences take, by phase: the float model, statistics, INT8 models and suffixes behind shared
// prefixes differ several times, so one speed for all would be wrong whenever the phase changes. It knows seconds of an
// evaluator's slot for one sample, from what evaluators say of their cells, and how wall time follows from them. The
// zero value knows nothing. Not safe for concurrent use.
type pace struct {
	phases  map[string]*chronicle
	marks   []mark    // of all phases
	at      time.Time // when the newest cell ended
	startup float64   // seconds that the first cells of the newest phase took above the later ones
	trial   float64   // seconds of one sample that went through the float model alone, 0 where none did
}

// chronicle is the cells of a phase. The first cell on each slot stands apart, and the first of each plan on a node: they also compile
// the plan and pack its weights. In a ranking that takes several times as long as the samples of a deep model, and the first cells
// each bring another plan.
type chronicle struct {
	first, rest []spent // of rest the latest
}

// spent is what one cell took on its slot.
type spent struct {
	seconds float64
	samples int
}

// mark says how long a cell had taken when it ended, and how long the one before it had ended by then. First cells have none:
// while they are worked on, as long as many others together, wall time passes and nothing ends.
type mark struct {
	since, seconds float64
}

// Cells of a phase that are remembered, and marks, and the fewest marks that say how wall time goes.
const manyCells, manyMarks, fewMarks = 64, 96, 8

// fewCells of a phase are believed alone.
const fewCells = 8

// add enters a cell of one of so many slots that took so many seconds and ended at a time; meets says that its node met its plan.
func (p *pace) add(phase string, at time.Time, took time.Duration, samples, slots int, meets bool) {
	if samples <= 0 || took < 0 {
		return
	}
	if p.phases == nil {
		p.phases = map[string]*chronicle{}
	}
	c := p.phases[phase]
	if c == nil {
		c = &chronicle{}
		p.phases[phase] = c
	}
	one := spent{took.Seconds(), samples}
	if meets || len(c.first) < slots {
		c.first = append(c.first, one)
		c.first = c.first[max(0, len(c.first)-manyCells):]
	} else {
		c.rest = append(c.rest, one)
		c.rest = c.rest[max(0, len(c.rest)-manyCells):]
		p.startup = max(0, (mean(c.first)-mean(c.rest))*float64(samples))
		p.marks = append(p.marks, mark{at.Sub(p.at).Seconds(), took.Seconds()})
		p.marks = p.marks[max(0, len(p.marks)-manyMarks):]
	}
	p.at = at
}

// prior says what a phase that was not seen yet is likely to take: a share of another's time. Shares are middles of those
// measured on the models that the project is tested with: statistics take 1.3 to 2.8 times the float model's time where that is more than
// 0.2 ms, since they look at every value; the first plan 0.3 to 1.2; of that the written file 0.4 to 2.6, more where much went back to
// float; a plan of a ranking and a revert 0.3 to 1.2 and 0.5 to 1.7, as they start in the middle.
var prior = map[string]struct {
	of    string
	share float64
}{
	PhaseStatistics: {PhaseBaseline, 1.9},
	PhaseStart:      {PhaseBaseline, 0.55},
	PhaseVerify:     {PhaseStart, 1},
	PhaseExplain:    {PhaseStatistics, 1},
	PhaseRevert:     {PhaseStart, 0.9},
	PhaseRank:       {PhaseStart, 0.7},
}

// suffix is the part of a model that plans of a search run, which start in the middle.
const suffix = 0.75

// alone is the time of a sample that goes through a model alone, of what it takes among those of a cell, whose values do not stay in the
// caches: 0.4 to 0.85 measured.
const alone = 0.63

// likeness is the order in which phases stand for the float model's time where it was not measured, since it was known.
var likeness = []string{PhaseBaseline, PhaseProbe, PhaseStart, PhaseRevert, PhaseVerify, PhaseRank, PhaseStatistics, PhaseExplain}

// sample is the seconds of a slot for one sample in a phase; ok is false while nothing is known of it, of what its time is a
// share of, or of any other phase. First cells count only where there is nothing else. The first few others are often as slow,
// each plan of a ranking being compiled when its turn comes, so they count by their number against what was expected.
func (p *pace) sample(phase string) (seconds float64, ok bool) {
	c := p.phases[phase]
	expected, ok := p.expected(phase)
	switch {
	case c == nil || len(c.rest) == 0:
		return expected, ok
	case !ok || len(c.rest) >= fewCells:
		return mean(c.rest), true
	}
	known := float64(len(c.rest)) / fewCells
	return float64(known*mean(c.rest)) + float64((1-known)*expected), true
}

// expected is what sample is before any but the first cells of the phase have ended.
func (p *pace) expected(phase string) (seconds float64, ok bool) {
	first, share := 0.0, 1.0
	for at := phase; ; {
		if c := p.phases[at]; c != nil && len(c.rest) > 0 && at != phase {
			return shared(mean(c.rest), share), true
		} else if c != nil && first == 0 {
			first = shared(mean(c.first), share)
		}
		like, known := prior[at]
		if !known {
			break
		}
		at, share = like.of, share*like.share
	}
	if c := p.phases[phase]; c != nil && len(c.rest) > 0 {
		return 0, false
	}
	if first == 0 {
		first = shared(p.float(), share)
	}
	return first, first > 0
}

// shared is a share of so many seconds, of which those that INT8 makes no faster stay.
func shared(seconds, share float64) float64 {
	return max(share*seconds, min(seconds, unsped))
}

// unsped is the seconds of a sample that are none of the model's multiply-adds, at most: small models take in INT8 what they take in float.
const unsped = 0.08e-3

// float guesses the float model's time from the phase that says most of it; 0 while nothing is known.
func (p *pace) float() float64 {
	for _, phase := range likeness {
		c := p.phases[phase]
		if c == nil {
			continue
		}
		cells, share := c.rest, 1.0
		if len(cells) == 0 {
			cells = c.first
		}
		for like, ok := prior[phase]; ok; like, ok = prior[like.of] {
			share *= like.share
		}
		return mean(cells) / share
	}
	return p.trial / alone
}

// rough reports whether nothing is known but what first cells took, or one sample.
func (p *pace) rough() bool {
	for _, c := range p.phases {
		if len(c.rest) > 0 {
			return false
		}
	}
	return true
}

// timing is what models take that are timed at the end in passes of budget (speed.go): many turns of about two float models where they are fast,
// at least a few, and so many passes that turns which all agree are no accident.
func (p *pace) timing(budget time.Duration) time.Duration {
	turn, pass := 2*alone*p.float(), budget.Seconds()
	if turn <= 0 || pass <= 0 {
		return budget
	}
	turns := min(passTurns, max(passFew, math.Floor(pass/turn)))
	passes := min(speedEnough, math.Ceil(passAgree/turns))
	return time.Duration(((passes*turns+2)*turn + besides) * float64(time.Second))
}

// besides is the seconds of what is not in cells, and of little else in small jobs: ranges, groups, the written file, the reports.
const besides = 0.05

// Turns of a pass, at most and at least (evaluator/cell), and how many that all agree are no accident: 2^-n < speedAlpha/speedPasses.
const passTurns, passFew, passAgree = 25, 3, 11

// mean is the time of a sample over cells.
func mean(cells []spent) float64 {
	seconds, samples := 0.0, 0
	for _, c := range cells {
		seconds += c.seconds
		samples += c.samples
	}
	return seconds / float64(samples)
}

// stretch is how much wall time a second of a slot's work takes: 1/slots on an idle machine, more where slots wait for work
// or share a CPU. It is the wall time between ends of cells over the time that cells took.
func (p *pace) stretch(slots int) float64 {
	if len(p.marks) < fewMarks {
		return 1 / float64(max(1, slots))
	}
	work, wall := 0.0, 0.0
	for _, m := range p.marks {
		work += m.seconds
		wall += m.since
	}
	if work <= 0 {
		return 1 / float64(max(1, slots))
	}
	return wall / work
}

// meeting is the seconds of a slot that a plan of a phase takes once on a node, to be compiled, beyond its samples. In a small transformer's
// ranking that is a quarter of all. Few plans count by their number against half of what the newest phase took.
func (p *pace) meeting(phase string) float64 {
	c := p.phases[phase]
	if c == nil || len(c.first) == 0 || len(c.rest) == 0 {
		return p.startup / 2
	}
	samples := 0
	for _, s := range c.first {
		samples += s.samples
	}
	n := float64(len(c.first))
	took := max(0, (mean(c.first)-mean(c.rest))*float64(samples)/n)
	known := min(1, n/fewCells)
	return float64(known*took) + float64((1-known)*p.startup/2)
}

// handover is the seconds that a cell takes on an idle machine besides its computation: to be asked, sent, received and kept.
const handover = 0.8e-3

// load is how much longer work on one slot takes than on an idle machine, by the cells that ended: they take their computation and a handover.
func (p *pace) load(slots int) float64 {
	work, wall := 0.0, 0.0
	for _, m := range p.marks {
		work += m.seconds/float64(max(1, slots)) + handover
		wall += m.since
	}
	if len(p.marks) < fewMarks || work <= 0 {
		return 1
	}
	return max(1, wall/work)
}

// left is the wall time that so many inferences of each phase are likely to take; 0 while nothing is known of one of them.
// slow inferences take longer by what float takes longer than INT8. each is the samples of a plan in phases of many plans, which are compiled
// one by one. Another phase that has not begun starts about half as slowly as the newest did: the model is compiled, the files are cached.
func (p *pace) left(inferences map[string]int64, slow float64, slots int, each map[string]int64) time.Duration {
	total := 0.0
	if int8, ok := p.sample(PhaseStart); ok {
		total += slow * suffix * max(0, p.float()-int8) * p.stretch(slots)
	}
	for phase, n := range inferences {
		s, ok := p.sample(phase)
		if n > 0 && !ok {
			return 0
		}
		total += float64(n) * s * p.stretch(slots)
		switch {
		case n > 0 && each[phase] > 0:
			total += float64(n) / float64(each[phase]) * p.meeting(phase) * p.stretch(slots)
		case n > 0 && p.phases[phase] == nil:
			total += p.startup / 2
		}
	}
	return time.Duration(total * float64(time.Second))
}
