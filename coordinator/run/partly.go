package run

import (
	"assay/coordinator/search"
	"assay/shared/plan"
	"assay/shared/wire"
)

// parts is into how many parts a round is cut at which the outlook hears of it.
const parts = 8

// due reports whether the outlook is to hear of a round of which so many cells of all have ended.
func (w *watcher) due(ended, all int) bool {
	if ended < w.ended+max(1, all/parts) {
		return false
	}
	w.ended = ended
	return true
}

// partly lets the estimate see what is done, and tells the outlook how everything INT8 does while that is being measured, and
// the plans of a ranking that are through before the others.
func (w *work) partly(requests []request, known map[plan.Digest]wire.Result) {
	switch phase := w.gauge.at(); {
	case phase != PhaseStart && phase != PhaseRank:
		w.watch.expect()
	case phase == PhaseRank && !w.watch.pays():
		w.watch.expect()
	case !w.watch.due(len(known), len(requests)):
		if phase == PhaseRank {
			w.watch.expect()
		}
	case phase == PhaseRank:
		w.watch.places(w.asker.through(w.watch.ranked, requests, known))
	default:
		w.halfway(requests, known)
	}
}

// halfway compares everything INT8 with the float model on the samples that both have records of.
func (w *work) halfway(requests []request, known map[plan.Digest]wire.Result) {
	float := w.asker.known[plan.Digest{}]
	if float == nil {
		return
	}
	var seen []uint32
	var records []byte
	for _, r := range requests {
		if res, ok := known[r.digest]; ok && len(res.Records) == w.meter.RecordSize()*len(r.block) && float.all(r.block) {
			seen, records = append(seen, r.block...), append(records, res.Records...)
		}
	}
	if len(seen) == 0 {
		return
	}
	reference := float.join(seen)
	a, b := w.meter.Each(0, reference), w.meter.Each(0, records)
	for i := range a {
		a[i] -= b[i]
	}
	sign := float64(w.meter.Direction(0))
	w.watch.part(sign*(w.meter.Value(0, reference).F-w.meter.Value(0, records).F), a)
}

// through is what trials measure of which every sample has a record, in a ledger or in results that are not learned yet, and nil for others.
func (a *asker) through(trials []search.Trial, requests []request, results map[plan.Digest]wire.Result) [][]search.Value {
	size := a.meter.RecordSize()
	found := map[plan.Digest]*ledger{}
	for _, r := range requests {
		res, ok := results[r.digest]
		if !ok || len(res.Records) != size*len(r.block) {
			continue
		}
		l := found[r.cell.Plan]
		if l == nil {
			l = &ledger{map[uint32][]byte{}}
			found[r.cell.Plan] = l
		}
		for i, s := range r.block {
			l.records[s] = res.Records[i*size : (i+1)*size]
		}
	}
	out := make([][]search.Value, len(trials))
	for i, t := range trials {
		p := plan.EffectiveDigest(a.params, t.Plan)
		if records, ok := both(found[p], a.known[p], t.View.Samples); ok {
			for m := range a.meter.Metrics {
				out[i] = append(out[i], search.Value(a.meter.Value(m, records)))
			}
		}
	}
	return out
}

// both joins the records of samples from two ledgers, of which any may be nil; ok is false where a sample has none.
func both(a, b *ledger, samples []uint32) (out []byte, ok bool) {
	for _, s := range samples {
		r, ok := []byte(nil), false
		if a != nil {
			r, ok = a.records[s]
		}
		if !ok && b != nil {
			r, ok = b.records[s]
		}
		if !ok {
			return nil, false
		}
		out = append(out, r...)
	}
	return out, true
}
