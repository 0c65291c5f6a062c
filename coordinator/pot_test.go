package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/config"
)

// potKey is a line of testdata/potkeys.txt.
type potKey struct{ path, value string }

func potKeys(t *testing.T) []potKey {
	b, err := os.ReadFile("testdata/potkeys.txt")
	require.NoError(t, err)
	var out []potKey
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line[0] == '#' {
			continue
		}
		path, value, _ := strings.Cut(line, " ")
		if p, ok := strings.CutPrefix(path, "P."); ok {
			path = "compression.algorithms[].params." + p
		}
		out = append(out, potKey{path, value})
	}
	require.Greater(t, len(out), 150)
	return out
}

// beside is what an element of a list needs so that only the key in question can be wrong.
var beside = map[string]string{
	"algorithms": `"name": "AccuracyAwareQuantization"`, "metrics": `"name": "own", "type": "accuracy"`, "operations": `"type": "Add"`,
	"datasets": `"data_source": "images"`, "preprocessing": `"type": "bgr_to_rgb"`,
}

// file is a job file whose fifth line holds the last key of path, called name, with the value.
func (k potKey) file(name, value string) string {
	parts := strings.Split(k.path, ".")
	inside := parts[:len(parts)-1]
	var b strings.Builder
	b.WriteString("{\n\n")
	closing := ""
	for i, part := range inside {
		key, element := strings.CutSuffix(part, "[]")
		b.WriteString(`"` + key + `": `)
		if !element {
			b.WriteString("{")
			closing = "}" + closing
			continue
		}
		b.WriteString("[{")
		closing = "}]" + closing
		if with := beside[key]; with != "" && (i < len(inside)-1 || !strings.Contains(with, `"`+k.last()+`"`)) {
			b.WriteString(with + ", ")
		}
	}
	b.WriteString("\n\n\"" + name + `": ` + value + "\n" + closing + "\n}")
	return b.String()
}

func (k potKey) last() string { return k.path[strings.LastIndexByte(k.path, '.')+1:] }

// transposed swaps the first two neighbours that differ, not the first letter if that can be helped.
func transposed(s string) string {
	for i := len(s) - 2; i >= 0; i-- {
		if s[i] != s[i+1] {
			return s[:i] + string(s[i+1]) + string(s[i]) + s[i+2:]
		}
	}
	return s + "s"
}

// wrong is a value of another type.
func wrong(value string) string {
	switch value[0] {
	case '"', '{', '[':
		return "12345"
	}
	return `"a text"`
}

// TestEveryKeyOfPOT: each key is taken or refused by name; misspelt it is told with its line and what was meant; with a
// value of another type it is told with its line. Nothing is ignored, and the exit code is that of bad input.
func TestEveryKeyOfPOT(t *testing.T) {
	w := newWorld(t)
	for _, k := range potKeys(t) {
		t.Run(k.path, func(t *testing.T) {
			text := k.file(k.last(), k.value)
			_, err := config.Parse("job.json", []byte(text))
			if err != nil && strings.Contains(err.Error(), "job.json:5:") { // what is missing beside the key does not count
				require.ErrorContains(t, err, "not supported", text)
			}
			w.refuses(t, k.file(transposed(k.last()), k.value), "job.json:5:1: ", "unknown key", "did you mean "+k.last()+"?")
			w.refuses(t, k.file(k.last(), wrong(k.value)), "job.json:5:")
		})
	}
}

// refuses runs a job file and wants exit code 2 and all of want in one message.
func (w *world) refuses(t *testing.T, text string, want ...string) {
	t.Helper()
	w.write("job.json", []byte(text))
	code, stdout, stderr := w.execute(t.Context(), "run", w.path("job.json"))
	require.Equal(t, exitInput, code, "%s\n%s", text, stderr)
	require.Empty(t, stdout)
	for _, s := range want {
		require.Contains(t, stderr, s, text)
	}
}

// TestEverySpellingThatPOTLetPass: words that POT's own examples misspell, and values that mean another device.
func TestEverySpellingThatPOTLetPass(t *testing.T) {
	w := newWorld(t)
	for text, want := range map[string]string{
		`{"compression": {"inplace_statistic": true}}`:  "did you mean inplace_statistics?",
		`{"compression": {"inplase_statistics": true}}`: "did you mean inplace_statistics?",
		`{"compression": {"target_device": "NPU"}}`:     "the INT8 model is made for CPUs",
		`{"compression": {"target_device": "GNA3.5"}}`:  "the INT8 model is made for CPUs",
		`{"compression": {"target_device": "ANYY"}}`:    "did you mean ANY?",
		`{"modle": {}}`: "did you mean model?",
		`{"engine": {"type": "acuracy_checker"}}`:                                  "did you mean accuracy_checker?",
		`{"compression": {"algorithms": [{"name": "AccuracyAwareQuantizaiton"}]}}`: "did you mean AccuracyAwareQuantization?",
	} {
		require.True(t, json.Valid([]byte(text)), text)
		w.refuses(t, text, "job.json:1:", want)
	}
}

// TestEveryFlagOfPOT: the flags of POT's command line are ours, or refused by name with what to do; misspelt ones too.
func TestEveryFlagOfPOT(t *testing.T) {
	w := newWorld(t)
	for flag, want := range map[string]string{
		"--config=x": "assay run job.json", "-c=x": "assay run job.json", "--quantize=default": "DefaultQuantization", "-q=default": "DefaultQuantization",
		"-w=x": "ONNX file", "--weights=x": "ONNX file", "--name=x": "model.model_name", "-n=x": "model.model_name", "--engine=simplified": "--data",
		"--ac-config=x": "engine.datasets", "--data-source=x": "write --data", "-e": "always evaluated", "--evaluate": "always evaluated",
		"-d": "--output-dir", "--direct-dump": "--output-dir", "--log-level=INFO": "--json", "--progress-bar": "by itself", "--stream-output": "by itself",
		"--keep-uncompressed-weights": "stored as INT8", "-sm": "not copied", "--save-model": "not copied",
		"--perset=mixed": "--preset", "--max-dorp=1": "--max-drop", "--output-dri=x": "--output-dir", "--mdoel=x": "--model",
	} {
		code, _, stderr := w.execute(t.Context(), "run", flag)
		require.Equal(t, exitInput, code, flag)
		require.Contains(t, stderr, want, flag)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}
