package config

import (
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset"
	"assay/shared/dataset/resample"
	"assay/shared/metric"
)

func pointer[T any](v T) *T { return &v }

// flagCases give every flag one value that is taken, what the job has then, and values that are refused.
var flagCases = map[string]struct {
	value any
	got   func(j *Job) any
	want  any
	bad   []any
}{
	"Model":      {"x.onnx", func(j *Job) any { return j.Model }, "x.onnx", nil},
	"Data":       {"pictures", func(j *Job) any { return j.Data.Source }, "pictures", nil},
	"Labels":     {"l.txt", func(j *Job) any { return j.Data.Labels }, "l.txt", nil},
	"Metric":     {"accuracy, agreement@top3", func(j *Job) any { return j.Metrics }, []metric.Spec{{Name: "accuracy", Type: "accuracy", TopK: 1}, {Name: "agreement@top3", Type: "agreement", TopK: 3}}, []any{"accurracy", "accuracy@top0", "accuracy@top1000000", "accuracy,accuracy", "accuracy,"}},
	"Output":     {"scores", func(j *Job) any { return j.Data.Output }, "scores", nil},
	"Like":       {"imagenet-tf", func(j *Job) any { return j.Data.Like }, "imagenet-tf", []any{"imagenet"}},
	"Mean":       {"0.1, -2,3", func(j *Job) any { return j.Data.Prep.Mean }, []float32{0.1, -2, 3}, []any{"a", "1,,2", "1e99", "NaN", ","}},
	"Std":        {"0.5", func(j *Job) any { return j.Data.Prep.Std }, []float32{0.5}, []any{"0", "-1", "1,0"}},
	"Scale":      {"255", func(j *Job) any { return j.Data.Prep.Scale }, float32(255), []any{"0.5", "1,2", "x"}},
	"Resize":     {"320x240,nearest", func(j *Job) any { return j.Data.Prep.Resize }, dataset.Resize{Size: dataset.Size{W: 320, H: 240}, Filter: resample.Nearest}, []any{"0", "12,cubic"}},
	"Crop":       {"224,floor", func(j *Job) any { return []any{j.Data.Prep.Crop, j.Data.Prep.CropFloor} }, []any{dataset.Size{W: 224, H: 224}, true}, []any{"-1"}},
	"Pad":        {"stride:32", func(j *Job) any { return j.Data.Prep.Pad.Stride }, 32, []any{"stride:x"}},
	"Fraction":   {"0.875", func(j *Job) any { return j.Data.Prep.Fraction }, 0.875, []any{"0", "1.01", "0.5,0.5", "half"}},
	"Reader":     {"opencv_imread", func(j *Job) any { return []any{j.Data.Prep.Reader, j.Data.Prep.Channels, j.Data.Prep.Orient} }, []any{"opencv_imread", "bgr", true}, []any{"opencv"}},
	"Layout":     {"HWC", func(j *Job) any { return j.Data.Prep.Layout }, "NHWC", []any{"CWH"}},
	"Channels":   {"grey", func(j *Job) any { return j.Data.Prep.Channels }, "grey", []any{"gray"}},
	"MaxDrop":    {"0.25", func(j *Job) any { return j.Drop }, "0.25", []any{"-0.1", "1%", "0x1p-2"}},
	"DropType":   {"relative", func(j *Job) any { return j.Relative }, true, []any{"rel"}},
	"Preset":     {"mixed", func(j *Job) any { return j.Quantize.Preset }, Mixed, []any{"accuracy"}},
	"Placement":  {"pot", func(j *Job) any { return j.Quantize.Placement }, PlacePOT, []any{"POT"}},
	"Calib":      {"every:4", func(j *Job) any { return j.Calibration }, Calibration{Count: 300, Every: 4}, []any{"0", "-3", "every:1"}},
	"Seed":       {pointer(uint64(0)), func(j *Job) any { return j.Calibration }, Calibration{Count: 300, Shuffle: true}, nil},
	"MaxIter":    {pointer(0), func(j *Job) any { return j.Iterations }, 0, []any{pointer(-1)}},
	"OutputDir":  {"o", func(j *Job) any { return j.OutputDir }, "o", nil},
	"StateDir":   {"s", func(j *Job) any { return j.StateDir }, "s", nil},
	"Evaluators": {pointer(0), func(j *Job) any { return j.Evaluators }, 0, []any{pointer(-1), pointer(4097)}},
	"NATS":       {"nats://h:4222", func(j *Job) any { return j.NATS }, "nats://h:4222", nil},
	"Memory":     {"2GiB", func(j *Job) any { return j.Memory }, int64(2 << 30), []any{"0", "some"}},
	"JSON":       {true, func(j *Job) any { return j.JSON }, true, nil},
}

// with is Flags with one field set.
func with(field string, value any) Flags {
	var f Flags
	reflect.ValueOf(&f).Elem().FieldByName(field).Set(reflect.ValueOf(value))
	return f
}

// TestEveryFlag: every flag changes its own part of a job, the job is told so by Settings, and what it refuses names the flag and
// leaves an error and no other trace of success.
func TestEveryFlag(t *testing.T) {
	for i := range reflect.TypeFor[Flags]().NumField() {
		field := reflect.TypeFor[Flags]().Field(i)
		t.Run(field.Name, func(t *testing.T) {
			c, ok := flagCases[field.Name]
			require.True(t, ok, "no case")
			j := New()
			require.NotEqual(t, c.want, c.got(j), "the case shows nothing")
			f := with(field.Name, c.value)
			require.NoError(t, f.Apply(j))
			require.Equal(t, c.want, c.got(j))
			told := 0
			for _, s := range j.Settings(f) {
				if s.From != "default" {
					told++
					require.Equal(t, "--"+flagName(field), s.From)
				}
			}
			require.Equal(t, field.Name != "JSON", told == 1, "%d settings", told)
			for _, bad := range c.bad {
				err := with(field.Name, bad).Apply(New())
				var es Errors
				require.ErrorAs(t, err, &es, "%v", bad)
				require.Len(t, es, 1, "%v", err)
				require.Equal(t, "--"+flagName(field), es[0].Key)
				require.NotContains(t, es[0].Text, "%!")
			}
		})
	}
}

// TestPreparedByFlags: a flag that says some part of the preprocessing says that it is known; one that does not, does not.
func TestPreparedByFlags(t *testing.T) {
	prepares := map[string]bool{"Like": true, "Mean": true, "Std": true, "Scale": true, "Resize": true, "Crop": true, "Pad": true, "Fraction": true, "Reader": true, "Channels": true}
	for field, c := range flagCases {
		j := New()
		require.NoError(t, with(field, c.value).Apply(j))
		require.Equal(t, prepares[field], j.Data.Prepared, field)
	}
}

// TestFlagsOverFile: what a flag takes along of a job file, and what it leaves.
func TestFlagsOverFile(t *testing.T) {
	file := `{"model": {"model": "m.onnx", "model_name": "n"},
"engine": {"data_source": "d", "labels": "l", "like": "imagenet-torch", "resize": 300, "channels": "bgr", "orient": true, "calibration_every": 5},
"compression": {"algorithms": [{"name": "DefaultQuantization", "params": {"preset": "performance", "stat_subset_size": 7, "activations": {"mode": "asymmetric"}}}]}}`
	for _, c := range []struct {
		name  string
		flags Flags
		got   func(j *Job) any
		want  any
	}{
		{"none", Flags{}, func(j *Job) any { return []any{j.Model, j.Name, j.Data.Source, j.Data.Labels, j.Aware} }, []any{"dir/m.onnx", "n", "dir/d", "dir/l", false}},
		{"other data have other labels", Flags{Data: "e"}, func(j *Job) any { return []any{j.Data.Source, j.Data.Labels, j.Name} }, []any{"e", "", "n"}},
		{"other data, labels given", Flags{Data: "e", Labels: "k"}, func(j *Job) any { return j.Data.Labels }, "k"},
		{"labels alone", Flags{Labels: "k"}, func(j *Job) any { return []any{j.Data.Source, j.Data.Labels} }, []any{"dir/d", "k"}},
		{"another model has its own name", Flags{Model: "x/o.onnx"}, func(j *Job) any { return []any{j.Name, j.Stem()} }, []any{"", "o"}},
		{"a limit asks for a search", Flags{MaxDrop: "0"}, func(j *Job) any { return []any{j.Aware, j.Drop} }, []any{true, "0"}},
		{"a preset says the mode too", Flags{Preset: Mixed}, func(j *Job) any { return []any{j.Quantize.Preset, j.Quantize.Mode} }, []any{Mixed, ""}},
		{"a convention replaces all parts", Flags{Like: "unit"}, func(j *Job) any { p, _ := dataset.Like("unit"); return reflect.DeepEqual(p, j.Data.Prep) }, true},
		{"a part changes that part", Flags{Crop: "8"}, func(j *Job) any {
			return []any{j.Data.Prep.Resize.Short, j.Data.Prep.Channels, j.Data.Prep.Orient, j.Data.Prep.Crop.W}
		}, []any{300, "bgr", true, 8}},
		{"a reader leaves an order that is known", Flags{Reader: "opencv_imread", Like: "unit", Channels: "rgb"}, func(j *Job) any { return j.Data.Prep.Channels }, "rgb"},
		{"a count takes the place of a share", Flags{Calib: "9"}, func(j *Job) any { return j.Calibration }, Calibration{Count: 9}},
		{"a path takes the place of a share", Flags{Calib: "c"}, func(j *Job) any { return j.Calibration }, Calibration{Count: 7, Source: "c"}},
		{"a share keeps the count", Flags{Calib: "every:2", Seed: pointer(uint64(4))}, func(j *Job) any { return j.Calibration }, Calibration{Count: 7, Every: 2, Shuffle: true, Seed: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, err := Parse("dir/job.json", []byte(file))
			require.NoError(t, err)
			require.NoError(t, c.flags.Apply(j))
			require.Equal(t, c.want, c.got(j))
		})
	}
}

// TestApplyIsWhole: after an error of one flag the job is what it was, whatever else was given; without one the file's own lists
// are not written to.
func TestApplyIsWhole(t *testing.T) {
	file := []byte(`{"model": {"model": "m.onnx", "model_name": "n"}, "engine": {"data_source": "d", "labels": "l", "mean": [1, 2, 3], "std": [4, 5, 6], "calibration_every": 3},
"compression": {"algorithms": [{"name": "AccuracyAwareQuantization", "params": {"metrics": [{"name": "accuracy@top1"}, {"name": "accuracy@top5"}], "ignored": {"scope": ["a"]}}}]}}`)
	parse := func() *Job {
		j, err := Parse("dir/job.json", file)
		require.NoError(t, err)
		return j
	}
	var all Flags
	for field, c := range flagCases {
		reflect.ValueOf(&all).Elem().FieldByName(field).Set(reflect.ValueOf(c.value))
	}
	for field, c := range flagCases {
		for _, bad := range c.bad {
			f := all
			reflect.ValueOf(&f).Elem().FieldByName(field).Set(reflect.ValueOf(bad))
			j := parse()
			require.Error(t, f.Apply(j), "%s %v", field, bad)
			require.Equal(t, parse(), j, "%s %v", field, bad)
		}
	}
	j := parse()
	before := *j
	require.NoError(t, all.Apply(j))
	require.Equal(t, *parse(), before)
	again := *j
	require.NoError(t, all.Apply(j), "a second time")
	require.Equal(t, again, *j)
}

// TestCalibration: what stands for what, and what is no change.
func TestCalibration(t *testing.T) {
	old := Calibration{Count: 7, Every: 3, Source: "old", Shuffle: true, Seed: 9}
	for s, want := range map[string]Calibration{
		"12": {Count: 12, Shuffle: true, Seed: 9}, "every:2": {Count: 7, Every: 2, Shuffle: true, Seed: 9}, "./12": {Count: 7, Source: "./12", Shuffle: true, Seed: 9},
		"12.npy": {Count: 7, Source: "12.npy", Shuffle: true, Seed: 9}, "Every:2": {Count: 7, Source: "Every:2", Shuffle: true, Seed: 9},
	} {
		got, err := ParseCalibration(s, old)
		require.NoError(t, err)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "0", "-1", "every:", "every:1", "every:-2", "every:x"} {
		got, err := ParseCalibration(s, old)
		require.Error(t, err, s)
		require.Equal(t, old, got, s)
	}
}

// TestUnreadableJobFile: the error of the system is an Errors of the path, and still the system's.
func TestUnreadableJobFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "job.json")
	for path, want := range map[string]syscall.Errno{missing: syscall.ENOENT, filepath.Dir(missing): syscall.EISDIR} {
		j, err := Read(path)
		require.Nil(t, j)
		var es Errors
		require.ErrorAs(t, err, &es)
		require.ErrorIs(t, err, want)
		require.EqualError(t, err, path+": the job file cannot be read: "+want.Error())
	}
	require.NoError(t, os.WriteFile(missing, make([]byte, maxFile+1), 0o600))
	_, err := Read(missing)
	require.ErrorContains(t, err, missing+": larger than 1048576 bytes")
}

// TestAllErrorsOfFlags: every wrong flag is told, not the first alone.
func TestAllErrorsOfFlags(t *testing.T) {
	err := Flags{Like: "x", Std: "0", MaxDrop: "-1", Memory: "x", MaxIter: pointer(-2)}.Apply(New())
	require.Len(t, err, 5)
}
