package console

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"assay/coordinator/run"
)

// Terminal draws one bar at the bottom of a terminal and writes lines above it, broken between words. width is asked for the
// terminal's columns before each line, since a user may change them; 0 is unknown, and breaks nothing. It starts a goroutine that draws,
// which ends in Close.
func Terminal(w io.Writer, width func() int) Listener {
	pool := mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond), mpb.WithAutoRefresh())
	var mu sync.Mutex
	var now run.Progress
	state := func(f func(run.Progress) string) decor.Decorator {
		return decor.Any(func(decor.Statistics) string {
			mu.Lock()
			defer mu.Unlock()
			return f(now)
		})
	}
	bar := pool.New(0, mpb.BarStyle().Lbound("").Filler("━").Tip("━").Padding("─").Rbound(""), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(state(func(p run.Progress) string { return fmt.Sprintf("%-12s", doing(p.Phase)) })),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), state(func(p run.Progress) string {
			if p.Left <= 0 {
				return ""
			}
			return fmt.Sprintf("  %s, %s", left(p), plural(p.Slots, "evaluator slot"))
		})))
	l := Listener{
		Events: told(func(text string) { fmt.Fprintf(pool, "%s\n", Wrap(text, width())) }),
		Close:  func() { bar.Abort(true); pool.Wait() },
	}
	say := l.Phase
	l.Phase = func(p run.Phase) {
		mu.Lock()
		now.Phase = p.Name
		mu.Unlock()
		say(p)
	}
	l.Progress = func(p run.Progress) {
		mu.Lock()
		now = p
		mu.Unlock()
		done, of := filled(p)
		bar.SetTotal(of, false)
		bar.SetCurrent(done)
	}
	return l
}

// filled is how far a bar is filled, of more than that: while samples are decoded by these, then by inferences.
func filled(p run.Progress) (done, of int64) {
	done, of = p.Done, p.Total
	if p.Phase == run.PhaseDecode {
		done, of = int64(p.Read), int64(p.Samples)
	}
	return done, max(of, done+1)
}
