package run

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// playback makes the estimate of a diary again, on the diary's clock.
type playback struct {
	t     *testing.T
	d     diary
	i     int // the next entry
	now   time.Time
	slots int
	gauge *meterOfWork
	watch *watcher
	ask   entry // the round of the search that is asked
	race  race  // the ranking in work
	told  []told
}

// playBack is what the user of a job was told, moment by moment.
func playBack(t *testing.T, d diary) []told {
	p := newPlayback(t, d)
	for p.i < len(d) {
		p.step()
	}
	return p.told
}

func newPlayback(t *testing.T, d diary) *playback {
	begin := time.Unix(1000, 0)
	p := &playback{t: t, d: d, now: begin, slots: 1}
	p.gauge = &meterOfWork{begin: begin, now: func() time.Time { return p.now }, slots: func() int { return p.slots }, coda: speedBudget}
	p.gauge.report = func(r Progress) { p.told = append(p.told, told{p.now, r.Done, r.Total, r.Left, r.Soon, r.Late}) }
	p.watch = &watcher{asker: p, gauge: p.gauge}
	return p
}

// next takes an entry at its moment.
func (p *playback) next() entry {
	e := p.d[p.i]
	p.i++
	p.now = time.Unix(1000, 0).Add(seconds(e.At))
	return e
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// step plays an entry.
func (p *playback) step() {
	switch e := p.next(); e.Kind {
	case "read":
		if e.Took > 0 && p.gauge.pace.trial == 0 {
			p.gauge.tried(seconds(e.Took))
			p.gauge.expect(p.certain())
			p.gauge.foresee(p.unmeasured().ends())
		}
		p.gauge.read(e.Samples, e.Models)
	case "problem":
		p.watch.begin(p.problem(*e.Problem))
		p.watch.outlook.against = yardsticks[e.Problem.Metrics[0].Name]
	case "expect":
		p.gauge.expect(e.Later)
		p.gauge.causes = min(e.Later[PhaseStatistics], explainSamples)
	case "round":
		p.race = p.ranking(e)
		p.watch.round(e.Name, e.Models, e.Samples)
	case "cell":
		p.slots = e.Slots
		c := ended{known: e.Known, runs: e.Samples, took: seconds(e.Took)}
		c.cell.Plan = plan.DigestOf("Plan", []string{e.Plan, e.Name}) // of one problem and question each
		p.gauge.cell(c)
		switch ended := p.race.enter(e); {
		case p.gauge.at() == PhaseStart:
		case p.gauge.at() == PhaseRank && p.watch.due(ended, p.race.cells):
			p.watch.places(p.race.values())
		default:
			p.watch.expect()
		}
	case "part":
		p.watch.outlook.parted(e.Value, e.Samples, e.Spread)
		p.watch.ends = p.watch.outlook.ends()
		p.watch.expect()
	case "float":
		p.watch.float(e.Values[0])
	case "ask":
		p.ask = e
		r := p.round()
		_, err := p.watch.Ask(p.t.Context(), r)
		require.NoError(p.t, err)
	}
}

// certain is what the job expected before anything else.
func (p *playback) certain() map[string]int64 {
	for _, e := range p.d {
		if e.Kind == "expect" {
			return e.Later
		}
	}
	return nil
}

// unmeasured is the outlook of the job's search before anything was measured.
func (p *playback) unmeasured() *outlook {
	for _, e := range p.d {
		if e.Kind == "problem" {
			o := newOutlook(p.problem(*e.Problem))
			o.against = yardsticks[e.Problem.Metrics[0].Name]
			return o
		}
	}
	require.Fail(p.t, "a diary without a problem")
	return nil
}

// yardsticks are those of metrics without labels.
var yardsticks = map[string]yardstick{"agreement": byDecisions, "sqnr": byDistance}

// Ask implements search.Asker: it plays on up to the answers.
func (p *playback) Ask(_ context.Context, r search.Round) (out []search.Answer, err error) {
	for p.d[p.i].Kind != "answers" {
		p.step()
	}
	e := p.next()
	for i, t := range r.Need {
		out = append(out, search.Answer{Trial: t, Lo: e.Values[i], Hi: e.Values[i], Seen: 2, Records: swinging(float64(i) * e.Spread)})
	}
	return out, nil
}

// swinging is records whose two samples differ from the float model's by as much up as down.
type swinging float64

// Sample implements search.Records.
func (s swinging) Sample(_, i int) float64 { return float64(s) * float64(1-2*i) }

func (p *playback) problem(s searched) search.Problem {
	limit, err := metric.ParseLimit(s.Limit, s.Relative)
	require.NoError(p.t, err)
	return search.Problem{
		Params: plan.Digest{1}, Groups: s.Groups, Subset: s.Subset, Iterations: s.Iterations, KeepWorse: s.KeepWorse,
		Limit: limit, Metrics: s.Metrics, View: viewOf(s.Samples),
	}
}

// round is the question that is asked.
func (p *playback) round() search.Round {
	problem := p.watch.outlook.problem
	r := search.Round{Name: p.ask.Name}
	for _, a := range p.ask.Plans {
		t := search.Trial{View: problem.View}
		if !a.Full {
			t.View = viewOf(min(problem.Subset, len(problem.View.Samples)-1))
		}
		if !a.Float {
			t.Plan = plan.Plan{Params: problem.Params}
		}
		for _, g := range a.Groups {
			var err error
			t.Plan, err = t.Plan.Revert(g, problem.Groups)
			require.NoError(p.t, err)
		}
		r.Need = append(r.Need, t)
	}
	return r
}

// judgement is what was told at a moment, over the truth: of all inferences, and of the time that was left. 0 where nothing was said.
type judgement struct{ inferences, time float64 }

// offBy is the larger of the factors by which they are wrong.
func (j judgement) offBy() float64 {
	return max(j.inferences, 1/j.inferences, j.time, 1/j.time)
}

// atTenth judges what was told when a tenth of the inferences was done, and when a tenth of the time had gone.
func atTenth(d diary, seen []told) (work, clock judgement) {
	begin, took := time.Unix(1000, 0), seconds(d[len(d)-1].At)
	all := float64(seen[len(seen)-1].done)
	judge := func(s told, at time.Time) judgement {
		return judgement{float64(s.total) / all, s.left.Seconds() / begin.Add(took).Sub(at).Seconds()}
	}
	for _, s := range seen {
		if 10*float64(s.done) >= all {
			work = judge(s, s.at)
			break
		}
	}
	for _, s := range seen {
		if tenth := begin.Add(took / 10); !s.at.After(tenth) {
			clock = judge(s, tenth)
		}
	}
	return work, clock
}

// within reports whether all inferences lie in the range that was told when a tenth of them was done.
func within(seen []told) bool {
	all := seen[len(seen)-1].done
	for _, s := range seen {
		if 10*s.done >= all {
			return s.soon.Total <= all && all <= s.late.Total
		}
	}
	return false
}

// steady is the part of a job, from a tenth of its inferences on, in which all its inferences were told within a factor of two.
func steady(seen []told) float64 {
	all, good, n := float64(seen[len(seen)-1].done), 0.0, 0.0
	for _, s := range seen {
		if 10*float64(s.done) < all {
			continue
		}
		n++
		if r := float64(s.total) / all; r >= 0.5 && r <= 2 {
			good++
		}
	}
	return good / n
}

// quiet is the diary as an idle machine would have written it: its clock is the time that the process had of the CPUs, and cells took
// the same part of theirs. It is for diaries of one slot.
func (d diary) quiet() diary {
	var out diary
	at, cpu := 0.0, 0.0
	for _, e := range d {
		if e.Kind == "cell" || e.Kind == "round" {
			if e.At > at {
				e.Took *= min(1, (e.CPU-cpu)/(e.At-at))
			}
			at, cpu = e.At, e.CPU
		}
		e.At = e.CPU
		out = append(out, e)
	}
	return out
}

// race is a ranking of which cells end: what its plans measured is known when their last cell has.
type race struct {
	cells, ended int
	place        map[string]int // of plans, in the order of the question
	open         []int          // cells of each
	answers      [][]metric.Value
}

// ranking is the race of a round that begins; of other rounds, and where plans shared cells, it has no places.
func (p *playback) ranking(e entry) race {
	r := race{place: map[string]int{}}
	if e.Name != PhaseRank {
		return r
	}
	for _, e := range p.d[p.i:] {
		switch {
		case e.Kind == "cell":
			r.cells++
			i, ok := r.place[e.Plan]
			if !ok {
				i = len(r.place)
				r.place[e.Plan], r.open = i, append(r.open, 0)
			}
			r.open[i]++
		case e.Kind == "answers":
			if r.answers = e.Values; len(r.answers) != len(r.place) {
				r.place = nil
			}
			return r
		}
	}
	return r
}

// enter counts a cell and says how many have ended.
func (r *race) enter(e entry) int {
	r.ended++
	if i, ok := r.place[e.Plan]; ok {
		r.open[i]--
	}
	return r.ended
}

// values is what is known, nil for plans that have open cells.
func (r *race) values() [][]search.Value {
	out := make([][]search.Value, len(r.answers))
	for _, i := range r.place {
		if r.open[i] == 0 {
			out[i] = r.answers[i]
		}
	}
	return out
}
