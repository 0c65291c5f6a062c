// Package console shows a run to whoever watches: a bar with the time left on a terminal, plain lines elsewhere, one JSON
// object a line for programs. It turns events into text; it decides and measures nothing.
package console

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"assay/coordinator/run"
)

// Listener shows events. Close ends what it draws, and waits; it is called once, after the last event.
type Listener struct {
	run.Events
	Close func()
}

// Lines writes a plain line for what happens, and one for progress at most every interval.
func Lines(w io.Writer, interval time.Duration) Listener {
	var mu sync.Mutex
	var last time.Time
	line := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, format+"\n", args...)
	}
	return Listener{Close: func() {}, Events: run.Events{
		Note:  func(text string) { line("%s", text) },
		Phase: func(name, detail string) { line("%s: %s", name, detail) },
		Step:  func(m run.Measured) { line("%s", stepText(m)) },
		Progress: func(p run.Progress) {
			mu.Lock()
			due := time.Since(last) >= interval && p.Done > 0
			if due {
				last = time.Now()
			}
			mu.Unlock()
			if due {
				line("%s: %s of about %s inferences, %s left", p.Phase, count(p.Done), count(p.Total), roughly(p.Left))
			}
		},
	}}
}

// JSON writes one object a line: {"event": "note"|"phase"|"progress"|"step", ...}.
func JSON(w io.Writer) Listener {
	var mu sync.Mutex
	var last time.Time
	emit := func(event string, fields map[string]any) {
		fields["event"] = event
		b, err := json.Marshal(fields)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s\n", b)
	}
	return Listener{Close: func() {}, Events: run.Events{
		Note:  func(text string) { emit("note", map[string]any{"text": text}) },
		Phase: func(name, detail string) { emit("phase", map[string]any{"name": name, "detail": detail}) },
		Step: func(m run.Measured) {
			emit("step", map[string]any{"name": m.Name, "value": m.Value, "drop": m.Drop, "met": m.Met})
		},
		Progress: func(p run.Progress) {
			mu.Lock()
			due := time.Since(last) >= 500*time.Millisecond
			if due {
				last = time.Now()
			}
			mu.Unlock()
			if due {
				emit("progress", map[string]any{"phase": p.Phase, "done": p.Done, "total": p.Total, "reused": p.Reused, "slots": p.Slots, "seconds": p.Elapsed.Seconds(), "seconds_left": p.Left.Seconds()})
			}
		},
	}}
}

// Terminal draws one bar at the bottom of a terminal and writes lines above it.
func Terminal(w io.Writer) Listener {
	pool := mpb.New(mpb.WithOutput(w), mpb.WithWidth(44), mpb.WithRefreshRate(150*time.Millisecond))
	var mu sync.Mutex
	phase, left := "", time.Duration(0)
	state := func(f func() string) decor.Decorator {
		return decor.Any(func(decor.Statistics) string {
			mu.Lock()
			defer mu.Unlock()
			return f()
		})
	}
	bar := pool.New(1, mpb.BarStyle().Lbound("").Filler("━").Tip("━").Padding("─").Rbound(""), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(state(func() string { return fmt.Sprintf("%-20s ", phase) })),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), state(func() string {
			if left == 0 {
				return ""
			}
			return "  " + roughly(left) + " left"
		})))
	line := func(text string) { fmt.Fprintf(pool, "%s\n", text) }
	return Listener{
		Close: func() { bar.Abort(true); pool.Wait() },
		Events: run.Events{
			Note: line,
			Phase: func(name, detail string) {
				mu.Lock()
				phase = name
				mu.Unlock()
				line(fmt.Sprintf("%s: %s", name, detail))
			},
			Step: func(m run.Measured) { line(stepText(m)) },
			Progress: func(p run.Progress) {
				mu.Lock()
				phase, left = p.Phase, p.Left
				mu.Unlock()
				bar.SetTotal(max(p.Total, p.Done+1), false)
				bar.SetCurrent(p.Done)
			},
		},
	}
}

func stepText(m run.Measured) string {
	switch {
	case m.Name == "baseline":
		return fmt.Sprintf("  float     %8.4f", m.Value)
	case m.Name == "int8":
		return fmt.Sprintf("  all INT8  %8.4f  drop %+.4f  %s", m.Value, m.Drop, verdict(m.Met))
	}
	return fmt.Sprintf("  reverted  %8.4f  drop %+.4f  %s  %s", m.Value, m.Drop, verdict(m.Met), m.Name)
}

func verdict(met bool) string {
	if met {
		return "within the limit"
	}
	return "over the limit  "
}

// count writes 12345 as 12,345.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// roughly writes a duration as people say it: 8 s, 3 min 20 s, 2 h 10 min.
func roughly(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
