package config

import "strings"

// maxWord bounds the bytes of words that are compared, so that hostile input costs little.
const maxWord = 256

// Nearest is the candidate that word is most likely a misspelling of, "" when none is near: at most a third of word's
// characters would have to change, but one is always allowed and two from five characters on. An insertion, a removal, another
// character and a swap of neighbours are a change; a change of case (ASCII) or from one of . / _ - and blank to another counts
// half, since frameworks spell one name differently. Ties go to the first candidate. Characters are Unicode code points.
// Words of more than 256 bytes are near to nothing.
func Nearest(word string, candidates []string) string {
	if len(word) > maxWord {
		return ""
	}
	letters := []rune(word)
	changes := max(1, len(letters)/3)
	if len(letters) >= 5 {
		changes = max(2, changes)
	}
	best, at := 2*changes+1, ""
	for _, c := range candidates {
		if len(c) > maxWord {
			continue
		}
		if d := distance(letters, []rune(c)); d < best {
			best, at = d, c
		}
	}
	return at
}

// distance is the edit distance of a and b in halves: insertion, deletion, substitution and the swap of neighbours cost 2,
// a change of case or between separators 1.
func distance(a, b []rune) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = 2 * j
	}
	for i := range len(a) {
		next[0] = 2 * (i + 1)
		for j := range len(b) {
			next[j+1] = min(row[j]+substitution(a[i], b[j]), row[j+1]+2, next[j]+2)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+2)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// substitution is the cost of x in place of y, in halves. Letters are the ASCII ones: | 0x20 makes others equal too, so the
// result is checked to be a letter.
func substitution(x, y rune) int {
	const separators = "./_- "
	switch {
	case x == y:
		return 0
	case strings.ContainsRune(separators, x) && strings.ContainsRune(separators, y):
		return 1
	case x|0x20 == y|0x20 && x|0x20 >= 'a' && x|0x20 <= 'z':
		return 1
	}
	return 2
}

// suggest is " (did you mean X?)" or "".
func suggest(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return " (did you mean " + n + "?)"
	}
	return ""
}
