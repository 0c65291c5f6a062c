package console

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/coordinator/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// play sends the events of a short job.
func play(l Listener) {
	l.Phase(run.Phase{Name: run.PhaseProbe, Models: 5, Samples: 64, Inferences: 320})
	l.Probed(run.Probe{Samples: 64, Like: "unit", Flags: "--scale 255", Tried: []run.Tried{
		{Like: "unit", Correct: 45, Best: true, Chance: 1}, {Like: "raw255", Correct: 30, Chance: 0.0041}, {Like: "imagenet-caffe", Misfit: "channels"},
	}})
	l.Phase(run.Phase{Name: run.PhaseDecode, Subject: []string{"images"}, Samples: 1250})
	l.Loaded(run.Loaded{Model: "net.onnx", Nodes: 58, Opset: 13, MACs: 41_000_000, Data: "images", Calibration: 250, Search: 1000, Inferences: 3250})
	l.Phase(run.Phase{Name: run.PhaseBaseline, Models: 1, Samples: 1000, Inferences: 1000})
	l.Step(run.Measured{Kind: run.MeasuredFloat, Value: 0.9, Met: true})
	l.Phase(run.Phase{Name: run.PhaseStatistics, Models: 1, Samples: 250, Inferences: 250})
	l.Quantizable(run.Quantizable{Operations: 28, Groups: 27, AlwaysFloat: 1})
	l.Note("input x is far out in image_3.png")
	l.Phase(run.Phase{Name: run.PhaseStart, Models: 2, Samples: 1000, Inferences: 1000, Left: 75 * time.Second})
	l.Progress(run.Progress{Phase: run.PhaseStart, Done: 1000, Total: 3250, Slots: 2, Left: 50 * time.Second})
	l.Step(run.Measured{Kind: run.MeasuredINT8, Value: 0.85, Drop: 0.05})
	l.Phase(run.Phase{Name: run.PhaseRank, Models: 27, Samples: 300, Inferences: 8100, Left: 4 * time.Minute, Over: true, Remaining: 12100})
	l.Phase(run.Phase{Name: run.PhaseRevert, Subject: []string{"a", "b", "c", "d", "e"}, Models: 1, Samples: 1000})
	l.Step(run.Measured{Kind: run.MeasuredRevert, Operations: []string{"a"}, Value: math.NaN(), Drop: math.NaN()})
	l.Step(run.Measured{Kind: run.MeasuredRevert, Operations: []string{"b"}, Value: 0.996, Noise: "24.0 dB", Drop: 0.004, Met: true})
	l.Phase(run.Phase{Name: run.PhaseRank, Models: 26, Samples: 300, Inferences: 7800, Undone: []string{"b"}})
	l.Progress(run.Progress{Phase: run.PhaseRank, Done: 1300, Total: 9250, Slots: 1})
	l.Phase(run.Phase{Name: run.PhaseVerify, Models: 1, Samples: 1000, Inferences: 1})
	l.Phase(run.Phase{Name: run.PhaseSpeed, Models: 3, Samples: 1})
	l.Close()
}

const played = `no preprocessing is given: trying 5 usual ones on 64 samples: 320 inferences
  --like           right of 64     poorer than the best by accident?
  unit             45              best
  raw255           30              no: 1 in 244
  imagenet-caffe   does not fit: channels
taken     --like unit, which is --scale 255
reading 1,250 samples from images
model     net.onnx
          58 operations, opset 13, 41.0 million multiply-adds a sample
data      images
          1,000 samples to measure on, 250 to calibrate on
estimate  3,250 inferences if everything in INT8 keeps the limit; more if layers have to be searched
measuring the float model on 1,000 samples: 1,000 inferences
  float            0.9000
calibrating: ranges of the float model's values: 250 inferences
can be    INT8: 28 operations in 27 groups; 1 operation stays float in any case
note      input x is far out in image_3.png
measuring the model with everything INT8 on 1,000 samples: 1,000 inferences, about 1 min 15 s
  measuring: 1,000 of about 3,250 inferences, 50 s left
  everything INT8  0.8500  drop +0.0500  over the limit
over the limit, so layers are searched that go back to float
ranking 27 groups: each alone in float, on 300 samples: 8,100 inferences, about 4 min; about 12,100 in all
giving a, b, c and 2 more back to float: known already
  one more float   no number
  one more float   0.9960 (24.0 dB)  drop +0.0040  within the limit
  worse than before: b is in INT8 again
ranking 26 groups: each alone in float, on 300 samples: 7,800 inferences
  ranking: 1,300 of 9,250 inferences or more; now 1 evaluator slot
reading the written file back and measuring it: 1 inference
timing the float, the INT8 and the final model here, one sample at a time
`

func TestLines(t *testing.T) {
	var b bytes.Buffer
	play(Lines(&b, 0))
	require.Equal(t, played, b.String())
}

// TestProgressSaysWhatIsSure: rough times and open totals are told as such.
func TestProgressSaysWhatIsSure(t *testing.T) {
	for want, p := range map[string]run.Progress{
		"  reading: 120 of 250 samples":                           {Phase: run.PhaseDecode, Read: 120, Samples: 250},
		"  reading: 120 of 250 samples, roughly 8 s left or more": {Phase: run.PhaseDecode, Read: 120, Samples: 250, Rough: true, Unsure: true, Left: 8 * time.Second},
		"  reading: 120 of 250 samples, roughly 8 s left (8 s to 40 s)": {
			Phase: run.PhaseDecode, Read: 120, Samples: 250, Rough: true, Unsure: true, Left: 8 * time.Second,
			Soon: run.Ending{Total: 2100, Left: 8 * time.Second}, Late: run.Ending{Total: 21000, Left: 40 * time.Second},
		},
		"  reading: 120 of 250 samples, roughly 8 s left":                {Phase: run.PhaseDecode, Read: 120, Samples: 250, Rough: true, Left: 8 * time.Second},
		"  measuring: 928 of 2,100 inferences or more, roughly 8 s left": {Phase: run.PhaseStart, Done: 928, Total: 3990, Least: 2100, Unsure: true, Left: 8 * time.Second},
		"  measuring: 32 of about 2,100 inferences, roughly 8 s left":    {Phase: run.PhaseBaseline, Done: 32, Total: 2100, Least: 2100, Rough: true, Left: 8 * time.Second},
		"  measuring: 928 of about 2,100 inferences, 8 s left":           {Phase: run.PhaseBaseline, Done: 928, Total: 2100, Least: 2100, Left: 8 * time.Second},
		"  ranking: 3,000 of 9,000 inferences or more, 8 s left":         {Phase: run.PhaseRank, Done: 3000, Total: 9000, Least: 6000, Left: 8 * time.Second},
		"  ranking: 3,000 of about 9,000 inferences (6,000 to 22,000), 8 s left (3 s to 31 s)": {
			Phase: run.PhaseRank, Done: 3000, Total: 9000, Left: 8 * time.Second,
			Soon: run.Ending{Total: 6032, Left: 3 * time.Second}, Late: run.Ending{Total: 21675, Left: 31 * time.Second},
		},
		"  measuring: 928 of about 3,990 inferences (2,100 to 9,000), roughly 1 s left": {
			Phase: run.PhaseStart, Done: 928, Total: 3990, Unsure: true, Left: time.Second,
			Soon: run.Ending{Total: 2100, Left: time.Second / 2}, Late: run.Ending{Total: 9000, Left: time.Second},
		},
		"  ranking: 3,000 of 9,000 inferences or more, 9 s left": { // ends that lie close together
			Phase: run.PhaseRank, Done: 3000, Total: 9000, Left: 9 * time.Second,
			Soon: run.Ending{Total: 8000, Left: 8 * time.Second}, Late: run.Ending{Total: 11000, Left: 11 * time.Second},
		},
	} {
		require.Equal(t, want, progress(p))
	}
}

// TestCoarse: bounds keep two digits.
func TestCoarse(t *testing.T) {
	for n, want := range map[int64]int64{0: 0, 7: 7, 99: 99, 100: 100, 104: 100, 105: 110, 995: 1000, 21675: 22000, 99499: 99000} {
		require.Equal(t, want, coarse(n), "%d", n)
	}
}

// TestLinesAreFew: progress is told once an interval, and neither in the first one nor before anything is done.
func TestLinesAreFew(t *testing.T) {
	var b bytes.Buffer
	Lines(&b, 0).Progress(run.Progress{Phase: run.PhaseBaseline, Total: 100})
	l := Lines(&b, time.Hour)
	for range 100 {
		l.Progress(run.Progress{Phase: run.PhaseRank, Done: 10, Total: 100})
	}
	require.Empty(t, b.String())
}

// TestJSON: every line is an object with its event; what is no number is null.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	play(JSON(&b))
	var events []string
	for line := range strings.Lines(b.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		events = append(events, fields["event"].(string))
		if fields["kind"] == run.MeasuredRevert && fields["noise"] == "" {
			require.Contains(t, fields, "value")
			require.Nil(t, fields["value"])
		}
	}
	require.Equal(t, []string{
		"phase", "probed", "phase", "loaded", "phase", "step", "phase", "quantizable", "note", "phase", "progress", "step", "phase", "phase", "step", "step", "phase", "phase", "phase",
	}, events)
}

// TestTerminal: the lines are those of Lines, above the bar, and the bar is gone at the end.
func TestTerminal(t *testing.T) {
	var b bytes.Buffer
	play(Terminal(&b, func() int { return 0 }))
	text := b.String()
	at := 0
	for line := range strings.Lines(played) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "measuring: 1,000") || strings.HasPrefix(line, "ranking: 1,300") {
			continue // the bar says it
		}
		i := strings.Index(text[at:], line)
		require.GreaterOrEqual(t, i, 0, "%q in %q", line, text)
		at += i
	}
}

// TestFilled: a bar moves while samples are decoded, too, and is never full, since a full one is gone.
func TestFilled(t *testing.T) {
	for _, c := range []struct {
		p        run.Progress
		done, of int64
	}{
		{run.Progress{Phase: run.PhaseDecode, Read: 120, Samples: 250, Total: 650}, 120, 250},
		{run.Progress{Phase: run.PhaseDecode, Read: 250, Samples: 250}, 250, 251},
		{run.Progress{Phase: run.PhaseStart, Done: 300, Total: 650, Read: 250, Samples: 250}, 300, 650},
		{run.Progress{Phase: run.PhaseVerify, Done: 650, Total: 650}, 650, 651},
		{run.Progress{}, 0, 1},
	} {
		done, of := filled(c.p)
		require.Equal(t, []int64{c.done, c.of}, []int64{done, of})
	}
}

// TestTogether: events of several goroutines leave whole lines.
func TestTogether(t *testing.T) {
	var b bytes.Buffer
	for _, l := range []Listener{Lines(&b, 0), JSON(&b)} {
		b.Reset()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					l.Note("whole")
					l.Progress(run.Progress{Phase: run.PhaseRank, Done: 1, Total: 2})
				}
			})
		}
		wg.Wait()
		l.Close()
		for line := range strings.Lines(b.String()) {
			require.Regexp(t, `^(note      whole|  ranking: .*|\{.*\})\n$`, line)
		}
	}
}

// TestLinesOfLongJobs: the longer a job has run, the longer it waits for the next line of progress, up to a minute.
func TestLinesOfLongJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := Lines(&b, 5*time.Second)
		start := time.Now()
		for time.Since(start) < time.Hour {
			<-time.After(time.Second)
			l.Progress(run.Progress{Phase: run.PhaseRank, Done: 10, Total: 100, Elapsed: time.Since(start)})
			if time.Since(start) == 100*time.Second {
				require.Equal(t, 20, strings.Count(b.String(), "\n"))
			}
		}
		require.InDelta(t, 20+50+40, strings.Count(b.String(), "\n"), 15)
	})
}

// TestAccident: a difference is put in words that need no statistics.
func TestAccident(t *testing.T) {
	for p, want := range map[float64]string{
		1e-9: "no: less than 1 in 10,000", 0.0002: "no: 1 in 5,000", 0.0099: "no: 1 in 101", 0.012: "perhaps: 1 in 100", 0.3: "perhaps: 30 in 100", 1: "perhaps: 100 in 100",
	} {
		require.Equal(t, want, accident(p))
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 s", 400 * time.Millisecond: "1 s", 8 * time.Second: "8 s", 59499 * time.Millisecond: "59 s", time.Minute: "1 min", 599 * time.Second: "9 min 59 s", time.Hour: "1 h 0 min", 200 * time.Second: "3 min 20 s", 25 * time.Minute: "25 min", 130 * time.Minute: "2 h 10 min",
	} {
		require.Equal(t, want, roughly(d))
	}
}

// TestBorders: where one wording ends and the next begins.
func TestBorders(t *testing.T) {
	require.Equal(t, ": 7 inferences", cost(run.Phase{Inferences: 7, Left: time.Second - 1}))
	require.Equal(t, ": 7 inferences, about 1 s", cost(run.Phase{Inferences: 7, Left: time.Second}))
	require.NotContains(t, ranking(run.Phase{Inferences: 7, Remaining: 7, Over: true}), "in all", "the ranking is all that is to come")
	require.NotContains(t, ranking(run.Phase{Inferences: 7, Remaining: 9}), "in all", "a later one")
	require.Contains(t, ranking(run.Phase{Inferences: 7, Remaining: 8, Over: true}), "; about 8 in all")
	require.True(t, wide(run.Progress{Soon: run.Ending{Total: 100}, Late: run.Ending{Total: 150}}))
	require.False(t, wide(run.Progress{Soon: run.Ending{Total: 100}, Late: run.Ending{Total: 149}}))
	require.False(t, wide(run.Progress{Late: run.Ending{Total: 150}}))
	for want, names := range map[string][]string{"one group": nil, "a": {"a"}, "a, b, c": {"a", "b", "c"}, "a, b, c and 1 more": {"a", "b", "c", "d"}} {
		require.Equal(t, want, some(names))
	}
	for n, want := range map[int64]string{0: "0", 999_999: "999,999", 1_000_000: "1.0 million", 999_900_000: "999.9 million", 1_000_000_000: "1.0 billion"} {
		require.Equal(t, want, large(n))
	}
}
