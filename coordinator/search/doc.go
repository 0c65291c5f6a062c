// Package search decides which groups go back to float. An algorithm is a plain function over an Asker: it asks rounds of
// trials, reads exact answers and returns an Outcome that names every step. A goroutine, a clock, a network, a disk or a
// random source may not enter, nor may anything that knows how a trial is computed: the same function runs over a
// cluster, over stored results (resume and replay) and over a table in a test.
//
// Contract with an Asker: answers come in the order of Round.Need, one each; a full answer has Seen == the samples of its
// view and Lo == Hi for every metric; equal trials have equal answers. What an Asker did with Round.Maybe is invisible. A
// search calls its Asker from its own goroutine, one round at a time. Values, records, plans and views that pass between
// the two are kept by both, so neither changes them. Searches share nothing: several may run at once.
//
// # What differs from POT
//
// The loop is that of POT's AccuracyAwareQuantization with these differences. Each has a test named after it.
//
//   - Q7: no metric is an error, not a silent float model.
//   - Q9: nothing is drawn at random. All samples are compared.
//   - Q10: the ranking subset is filled up as POT does (worse samples first, then unchanged, then better ones), because the
//     unchanged ones show what a revert breaks. But a tie at the border is cut evenly over the data order instead of
//     arbitrarily: data folders are sorted by class, and a prefix of a tie would be a few classes only.
//   - Q15: after a roll-back the value to beat is that of the model returned to. The rejected group is not tried again
//     until another group was accepted, since the same plan has the same drop.
//   - Q16: the best plan seen is returned: within all limits before not, then smallest excess, then fewest float groups,
//     then earliest.
//   - Q17: a ranking is asked only when a step follows that needs it.
//   - Ties go to the lowest index: groups (POT: reverse name order), metrics (POT: the last).
//   - Drops and limits are package metric's: counts are exact fractions, a drop equal to the limit is within it, and
//     relative drops use the baseline's magnitude, so that a negative metric keeps its direction.
//   - A NaN or infinite value is worse than every number (POT: every comparison false).
//   - A single remaining group is not ranked.
package search
