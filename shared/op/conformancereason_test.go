package op_test

import (
	"regexp"
	"strings"
)

// unsorted begins the reason of a case for which the table below has none yet.
const unsorted = "Not sorted yet: "

// reasonsByError say why a case is left out, by what its error or its name matches; the first row that fits counts. They
// serve -update for cases that are not on the list yet.
var reasonsByError = []struct{ name, err, reason string }{}

// reasonFor is the reason of a case that is new on the list.
func reasonFor(name string, err error) string {
	for _, r := range reasonsByError {
		if regexp.MustCompile(r.name).MatchString(name) && regexp.MustCompile(r.err).MatchString(err.Error()) {
			return r.reason
		}
	}
	message := regexp.MustCompile(`\(?node "[^"]*"( \([\w.]+\): |\))`).ReplaceAllString(err.Error(), "")
	return unsorted + strings.ReplaceAll(message, "\n", " ")
}
