package console

import (
	"bytes"
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/run"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEvents pins every event with all of its fields, first with a value of its own in each, then with nothing in any. Programs read these:
// a field may be added, and none may go or change its unit. Rewrite testdata/events.jsonl with -update.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := JSON(&b)
		l.Note("a \"note\" of <two>\nlines")
		l.Probed(run.Probe{Samples: 64, Like: "unit", Flags: "--scale 255", Tried: []run.Tried{{Like: "unit", Correct: 45, Chance: 1, Best: true}, {Like: "raw255", Misfit: "channels"}}})
		l.Loaded(run.Loaded{Model: "net.onnx", Nodes: 58, Opset: 13, MACs: 41_000_000, Data: "images", Calibration: 250, Search: 1000, Inferences: 3250})
		l.Quantizable(run.Quantizable{Operations: 28, Groups: 27, AlwaysFloat: 3})
		l.Phase(run.Phase{Name: run.PhaseRevert, Subject: []string{"a", "b"}, Models: 1, Samples: 1000, Inferences: 960, Left: 1500 * time.Millisecond, Undone: []string{"c"}})
		l.Progress(run.Progress{
			Phase: run.PhaseDecode, Done: 1, Total: 9, Least: 5, Reused: 2, Unsure: true, Rough: true, Read: 120, Samples: 250, Slots: 4, Elapsed: 2500 * time.Millisecond, Left: 3500 * time.Millisecond,
			Soon: run.Ending{Total: 8, Left: 4500 * time.Millisecond}, Late: run.Ending{Total: 11, Left: 5500 * time.Millisecond},
		})
		l.Step(run.Measured{Kind: run.MeasuredRevert, Operations: []string{"a"}, Value: 0.75, Noise: "24.0 dB", Drop: -0.25, Met: true})
		l.Step(run.Measured{Kind: run.MeasuredINT8, Value: math.NaN(), Drop: math.Inf(1)})
		<-time.After(progressEvery)
		l.Probed(run.Probe{})
		l.Loaded(run.Loaded{})
		l.Quantizable(run.Quantizable{})
		l.Phase(run.Phase{})
		l.Progress(run.Progress{})
		l.Step(run.Measured{})
		l.Close()
		const path = "testdata/events.jsonl"
		if *update {
			require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), b.String(), "run with -update if this is meant")
	})
}

// TestProgressIsSeldom: twice a second at most, and the first at once.
func TestProgressIsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := JSON(&b)
		for range 100 {
			l.Progress(run.Progress{})
			<-time.After(50 * time.Millisecond)
		}
		require.Equal(t, 10, strings.Count(b.String(), "\n"))
	})
}
