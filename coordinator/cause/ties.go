package cause

import "fmt"

// Ties makes a finding for each group of a ranking that shares its score, to the bit, with others; by group. scores[i] is that of groups[i], and
// groups that were not asked are in neither. ranking is what the text calls it.
func Ties(ranking string, groups []int, scores []float64) map[int]Cause {
	same := map[float64]int{}
	for _, v := range scores {
		same[v]++
	}
	out := map[int]Cause{}
	for i, g := range groups {
		if n := same[scores[i]] - 1; n > 0 {
			have := "have"
			if n == 1 {
				have = "has"
			}
			out[g] = Cause{TiedScores, "", float64(n), fmt.Sprintf("%d of the %d other groups %s the same score in %s, %.4f, so that only the order of the graph puts one before the other", n, len(groups)-1, have, ranking, scores[i])}
		}
	}
	return out
}
