package cause

import "fmt"

// Ties makes a finding for each group of a ranking that shares its score with others. scores are those of the groups that
// were asked, by group.
func Ties(groups []int, scores []float64) map[int]Cause {
	same := map[float64]int{}
	for _, v := range scores {
		same[v]++
	}
	out := map[int]Cause{}
	for i, g := range groups {
		if n := same[scores[i]] - 1; n > 0 {
			out[g] = Cause{TiedScores, "", float64(n), fmt.Sprintf("%d of %d groups in the ranking have the score %.4f of this one; the order among them is only that of the graph", n, len(groups)-1, scores[i])}
		}
	}
	return out
}
