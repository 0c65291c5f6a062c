package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fieldCase is a case.json: a small model or file after a trouble that users of other tools met, and what must be true of it.
type fieldCase struct {
	dir string

	Area  string
	Model string
	// Inputs and Outputs name the arrays: one file whose first axis counts samples, or a list of one file a sample.
	Inputs []struct {
		Name              string
		Calibration, Test files
	}
	Outputs []struct {
		Name     string
		Expected files
	}
	Check struct {
		Float         *float64       `json:"float_max_abs_error"`
		Int8          []float64      `json:"int8_max_abs_error"`
		Levels        []float64      `json:"level_max_abs_error"`
		Mentions      []string       `json:"error_mentions"`
		Warns         []string       `json:"warn_mentions"`
		Model         string         `json:"model"`
		Data          string         `json:"data"`
		Job           string         `json:"job"`
		Quantize      string         `json:"quantize"`
		MustQuantize  []string       `json:"must_quantize"`
		MustStayFloat []string       `json:"must_stay_float"`
		MinQuantized  int            `json:"min_quantized_weighted_nodes"`
		WeightAxis    map[string]int `json:"weight_axis"`
		DataInputs    []string       `json:"data_inputs"`
		Exact         []string       `json:"exact_outputs"`
		NonNegative   []struct {
			Output string
			Axis   int
			Range  [2]int
		} `json:"non_negative"`
		MinOpset      int                     `json:"min_opset"`
		MaxRSS        int64                   `json:"max_rss_mb"`
		Batch         int                     `json:"batch"`
		SameBytes     []int                   `json:"same_bytes_for_batches"`
		Estimator     string                  `json:"estimator"`
		Labels        map[string]int          `json:"labels"`
		Accuracy      json.RawMessage         `json:"accuracy"`
		Rotated       *float64                `json:"accuracy_if_rotated"`
		Preprocessing struct{ Scale float64 } `json:"preprocessing"`
		Arrays        []string                `json:"arrays"`
		FloatMetric   float64                 `json:"float_metric"`
		Met           *bool                   `json:"met"`
		FloatLayers   []string                `json:"float_layers"`
		Ranking       *bool                   `json:"ranking"`
		Value         map[string]int          `json:"value"`
	}
}

// files is one .npy or a list of them.
type files []string

// UnmarshalJSON implements json.Unmarshaler.
func (f *files) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*f = files{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(f))
}

// fieldDir is the field folder beside the repository.
const fieldDir = "../../shared/assets/field"

// TestFieldCases runs every field case through the command line; there is no list of those that may fail. With ASSAY_PYTHON the
// exported models are run in ONNX Runtime as well, at every level of optimisation.
func TestFieldCases(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: sixty jobs")
	}
	entries, err := os.ReadDir(fieldDir)
	if err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	oracle := startOracle(t)
	for _, e := range entries {
		if e.IsDir() {
			t.Run(e.Name(), func(t *testing.T) { require.NoError(t, runFieldCase(t, filepath.Join(fieldDir, e.Name()), oracle)) })
		}
	}
}

func readCase(t *testing.T, dir string) *fieldCase {
	b, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	c := &fieldCase{dir: dir}
	require.NoError(t, json.Unmarshal(b, c))
	return c
}

// runFieldCase checks one case; the error says what is not as it should be.
func runFieldCase(t *testing.T, dir string, oracle *oracle) error {
	c := readCase(t, dir)
	w := &world{t, t.TempDir()}
	switch c.Area {
	case "data":
		return c.runData(t, w)
	case "metric":
		return c.runMetric(t)
	case "search":
		return c.runSearch(t, w)
	case "config":
		return c.runConfig(t, w)
	}
	if c.Check.Model == "refuse" {
		return c.runRefused(w)
	}
	return c.runModel(t, w, oracle)
}

// all joins errors into one line each.
func all(errs ...error) error { return errors.Join(errs...) }

// expect is an error unless ok.
func expect(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// refused checks a refusal: exit code 2 and one error that holds every text, and nothing written.
func refused(w *world, code int, stderr string, mentions []string) error {
	if err := all(expect(code == exitInput, "exit code %d: %s", code, stderr), expect(strings.Count(stderr, "assay: ") == 1, "not one error: %s", stderr)); err != nil {
		return err
	}
	text := stderr[strings.Index(stderr, "assay: "):]
	for _, m := range mentions {
		if !strings.Contains(text, m) {
			return fmt.Errorf("the refusal does not name %q: %s", m, text)
		}
	}
	left, err := filepath.Glob(w.path("out/*"))
	return all(err, expect(len(left) == 0, "a refused job leaves %v", left))
}
