package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// settings are those of a file and flags that are no defaults, as "key = value (from)".
func settings(t *testing.T, file string, f Flags) []string {
	t.Helper()
	j := New()
	if file != "" {
		var err error
		j, err = Parse("dir/job.json", []byte(file))
		require.NoError(t, err)
	}
	require.NoError(t, f.Apply(j))
	var out []string
	for _, s := range j.Settings(f) {
		if s.From != "default" {
			out = append(out, s.Key+" = "+s.Value+" ("+s.From+")")
		}
	}
	return out
}

// TestSettings: every value says where it came from, and a flag wins over the file.
func TestSettings(t *testing.T) {
	file := `{
"model": {"model": "m.onnx", "model_name": "n"},
"engine": {"data_source": "x.npy", "labels": "y.npy", "calibration_every": 5, "mean": [1, 2, 3], "like": "unit"},
"compression": {"algorithms": [{"name": "AccuracyAwareQuantization", "params": {
  "maximal_drop": 0.02, "ignored": {"scope": ["a", "b"]}}}]}}`
	require.Equal(t, []string{
		"model.model_name = n (job.json:2)", "model.model = m.onnx (job.json:2)", "engine.data_source = x.npy (job.json:3)", "engine.labels = y.npy (job.json:3)",
		"engine.calibration_every = 5 (job.json:3)", "engine.like = unit (job.json:3)", "engine.mean[0] = 1 (job.json:3)", "engine.mean[1] = 2 (job.json:3)", "engine.mean[2] = 3 (job.json:3)",
		"compression.algorithms[0].name = AccuracyAwareQuantization (job.json:4)",
		"…params.ignored.scope[0] = a (job.json:5)", "…params.ignored.scope[1] = b (job.json:5)", "…params.maximal_drop = 0.02 (job.json:5)",
	}, settings(t, file, Flags{}))
	seed := uint64(3)
	require.Equal(t, []string{
		"model.model_name = replaced (--model)", "model.model = other.onnx (--model)", "engine.data_source = z (--data)", "engine.labels = replaced (--data)",
		"engine.calibration_every = replaced (--calib)", "engine.like = imagenet-tf (--like)", "engine.mean = replaced (--like)",
		"compression.algorithms[0].name = AccuracyAwareQuantization (job.json:4)", "…params.stat_subset_size = 50 (--calib)", "…params.seed = 3 (--seed)",
		"…params.ignored.scope[0] = a (job.json:5)", "…params.ignored.scope[1] = b (job.json:5)", "…params.maximal_drop = 0.5 (--max-drop)",
	}, settings(t, file, Flags{Model: "other.onnx", Data: "z", Calib: "50", Like: "imagenet-tf", Seed: &seed, MaxDrop: "0.5"}))
	require.Equal(t, []string{"engine.calibration_source = more (--calib)"}, settings(t, "", Flags{Calib: "more"}))
}

// TestSettingsAreAll: every supported key is listed once with its default, and every flag stands for a key that exists.
func TestSettingsAreAll(t *testing.T) {
	listed := map[string]int{}
	for _, s := range New().Settings(Flags{}) {
		require.Equal(t, "default", s.From, s.Key)
		listed[s.Key]++
	}
	paths := map[string]bool{"": true}
	for _, k := range keysOf() {
		paths[k.path] = true
		if k.refused == "" && k.kind&(text|number|whole|truth) != 0 && !inList(k.path) {
			require.Equal(t, 1, listed[shortKey(k.path)], k.path)
		}
	}
	for i := range reflect.TypeFor[Flags]().NumField() {
		f := reflect.TypeFor[Flags]().Field(i)
		key, ok := flagKeys[f.Name]
		require.True(t, ok || f.Name == "Calib", "flagKeys lacks %s", f.Name)
		require.True(t, paths[key], "%s: no key %s", f.Name, key)
	}
	for flag, keys := range replaced {
		require.Contains(t, flagKeys, flag)
		for _, k := range keys {
			require.True(t, paths[k] || paths[strings.TrimSuffix(k, "[]")], "no key %s", k)
		}
	}
}
