package lint

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What no function of assembly may hold, and why.
var (
	// approximate instructions give other bits on another maker's processor.
	approximate = regexp.MustCompile(`^V?(RCP|RSQRT|EXP2)`)
	// modes of rounding, flushing and faults belong to the thread and are never changed.
	modes = regexp.MustCompile(`^V?LDMXCSR|^FLDCW|^XRSTOR`)
	// kept registers belong to Go: the frame, the goroutine, and position-independent code.
	kept = regexp.MustCompile(`\b(BP|R14|R15)\b`)
	// vectors are registers whose upper halves slow down what follows unless they are cleared.
	vectors = regexp.MustCompile(`\b[YZ][0-9]+\b`)
)

// checkAssembly returns the violations in the text of one file of assembly.
func checkAssembly(name, text string) []violation {
	var bad []violation
	wide, before := false, ""
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "//")
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") || strings.HasSuffix(line, ":") {
			continue
		}
		report := func(format string, args ...any) {
			bad = append(bad, violation{name, i + 1, fmt.Sprintf(format, args...)})
		}
		switch {
		case fields[0] == "TEXT":
			wide = false
			if !strings.Contains(line, "NOSPLIT") {
				report("a function may grow the stack: mark it NOSPLIT")
			}
		case fields[0] == "RET":
			if wide && before != "VZEROUPPER" {
				report("a function of wide vectors returns without VZEROUPPER")
			}
		case approximate.MatchString(fields[0]):
			report("%s differs between processors", fields[0])
		case modes.MatchString(fields[0]):
			report("%s changes the modes of the thread", fields[0])
		case kept.MatchString(line):
			report("a register that belongs to Go is used: %s", line)
		}
		wide = wide || vectors.MatchString(line)
		before = fields[0]
	}
	return bad
}

// TestAssembly: every function keeps the registers of Go, leaves no upper halves behind, and gives the same bits everywhere.
func TestAssembly(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(root(t), "kernels"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".s") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, v := range checkAssembly(filepath.Base(path), string(text)) {
			t.Error(v)
		}
		return nil
	}))
	require.Greater(t, files, 15)
}

// TestAssemblyRulesCatchViolations: the named violations and no others are found.
func TestAssemblyRulesCatchViolations(t *testing.T) {
	const head = "#include \"textflag.h\"\n\n// func f(x *float32)\nTEXT \xc2\xb7f(SB), NOSPLIT, $0-8\n"
	for body, want := range map[string]string{
		"\tVADDPS Y0, Y1, Y1\n\tVZEROUPPER\n\tRET\n":                            "",
		"\tMOVQ AX, BX\n\tRET\n":                                                "",
		"\tVADDPS X0, X1, X1\n\tRET\n":                                          "",
		"\tVADDPS Y0, Y1, Y1\n\tRET\n":                                          "f.s:6: a function of wide vectors returns without VZEROUPPER",
		"\tVADDPS Y0, Y1, Y1\n\tVZEROUPPER\n\tRET\nend:\n\tRET\n":               "f.s:9: a function of wide vectors returns without VZEROUPPER",
		"\tVRCPPS Y0, Y1\n\tVZEROUPPER\n\tRET\n":                                "VRCPPS differs between processors",
		"\tRSQRTSS X0, X1\n\tRET\n":                                             "RSQRTSS differs between processors",
		"\tVRSQRT14PS Z0, Z1\n\tVZEROUPPER\n\tRET\n":                            "VRSQRT14PS differs between processors",
		"\tLDMXCSR (AX)\n\tRET\n":                                               "LDMXCSR changes the modes of the thread",
		"\tMOVQ AX, R14\n\tRET\n":                                               "a register that belongs to Go is used: MOVQ AX, R14",
		"\tMOVQ (R15), AX // a comment of R14\n\tRET\n":                         "a register that belongs to Go is used: MOVQ (R15), AX",
		"\tVZEROUPPER\n\tRET\nTEXT \xc2\xb7g(SB), $8-0\n\tMOVQ AX, BX\n\tRET\n": "f.s:7: a function may grow the stack",
	} {
		got := checkAssembly("f.s", head+body)
		if want == "" {
			require.Empty(t, got, body)
			continue
		}
		require.Len(t, got, 1, body)
		require.Contains(t, got[0].String(), want)
	}
}
