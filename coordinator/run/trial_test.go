package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTrialChangesNothing: a job that tried its model while samples were decoded says sooner how long it takes, and decides the same.
func TestTrialChangesNothing(t *testing.T) {
	decisions := map[bool]any{}
	for _, try := range []bool{false, true} {
		w := &work{job: forecast{"digits", "digits", "0.01"}.job(t), start: time.Now()}
		require.NoError(t, w.prepare(t.Context()))
		var told []Progress
		w.gauge.report = func(p Progress) { told = append(told, p) }
		if try {
			set, apart, err := openData(t.Context(), w.job, w.model)
			require.NoError(t, err)
			total := set.Len() + min(apart.Len(), w.job.Calibration.Count)
			hear := w.reading(t.Context(), set, time.Now().Add(-trialAfter))
			hear(1, total)
			hear(total/2, total)
			p := told[len(told)-1]
			require.Positive(t, w.gauge.pace.trial)
			require.True(t, p.Rough && p.Unsure)
			require.Equal(t, []int{total / 2, total}, []int{p.Read, p.Samples})
			require.Positive(t, p.Left)
			require.Equal(t, int64(3*set.Len()+total-set.Len()), p.Total)
			require.Equal(t, p.Total, p.Soon.Total)
			require.Greater(t, p.Late.Total, p.Total, "a search is foreseen")
			require.Greater(t, p.Late.Left, p.Left)
		}
		require.NoError(t, w.decode(t.Context()))
		require.NoError(t, w.search(t.Context()))
		require.NoError(t, w.export(t.Context()))
		res, err := w.report(t.Context())
		require.NoError(t, err)
		decisions[try] = res.Report.Decisions
		w.stop()
		require.NoError(t, w.seat.leave())
	}
	require.Equal(t, decisions[false], decisions[true])
}

// TestTrialIsNotForAll: what is decoded at once, or by a process without evaluators, is not tried.
func TestTrialIsNotForAll(t *testing.T) {
	for name, c := range map[string]struct {
		begun      time.Duration
		evaluators int
		done       int
	}{"at once": {time.Hour, 1, 1}, "no evaluators": {-time.Hour, 0, 1}, "the last sample": {-time.Hour, 1, 2}} {
		t.Run(name, func(t *testing.T) {
			w := &work{job: forecast{"digits", "digits", "0.01"}.job(t)}
			w.job.Evaluators, w.job.NATS = c.evaluators, "nats://elsewhere"
			w.gauge = &meterOfWork{slots: func() int { return 1 }}
			w.onRead = w.gauge.read
			set, _, err := openData(t.Context(), w.job, newModel(t, w))
			require.NoError(t, err)
			w.reading(t.Context(), set, time.Now().Add(c.begun))(c.done, 2)
			require.Zero(t, w.gauge.pace.trial)
			require.Equal(t, c.done, w.gauge.latest.done)
		})
	}
}

// newModel loads the model of a job.
func newModel(t *testing.T, w *work) *model {
	require.NoError(t, w.check())
	return w.model
}
