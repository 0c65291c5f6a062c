// Package console shows a run to whoever watches: a bar with the time left on a terminal, plain lines elsewhere, one JSON
// object a line for programs. It turns events into text; it decides and measures nothing.
//
// Events of one listener may come from several goroutines; it writes whole lines, one after the other. A write that fails is passed over, since
// a run does not end by what is said about it: who has to know gives a writer that remembers.
package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"assay/coordinator/run"
)

// Listener shows events. All of its functions are set. Close ends what it draws, and waits; it is called once, after the last event, and
// closes no writer.
type Listener struct {
	run.Events
	Close func()
}

// patience is the share of the time that has passed which goes by before the next line of progress: a long job leaves a log
// that can be read.
const patience = 20

// Lines writes a plain line for what happens, and one for progress at most every interval, and more seldom in long jobs: after a twentieth
// of the time that has passed, or a minute. None comes within the first interval, nor before anything is done. Where evaluators come or go
// the next one says so.
func Lines(w io.Writer, interval time.Duration) Listener {
	var mu sync.Mutex
	last, slots := time.Now(), 0
	line := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, text)
	}
	l := Listener{Events: told(line), Close: func() {}}
	l.Progress = func(p run.Progress) {
		mu.Lock()
		due := time.Since(last) >= max(interval, min(p.Elapsed/patience, time.Minute)) && p.Done+int64(p.Read) > 0
		text := progress(p)
		if due {
			last = time.Now()
			if slots > 0 && slots != p.Slots {
				text += fmt.Sprintf("; now %s", plural(p.Slots, "evaluator slot"))
			}
			slots = p.Slots
		}
		mu.Unlock()
		if due {
			line(text)
		}
	}
	return l
}

// told is the events that are lines wherever they are shown; Progress is none of them.
func told(line func(string)) run.Events {
	return run.Events{
		Note:        func(text string) { line("note      " + text) },
		Loaded:      func(l run.Loaded) { line(strings.Join(loaded(l), "\n")) },
		Probed:      func(p run.Probe) { line(strings.Join(probed(p), "\n")) },
		Quantizable: func(q run.Quantizable) { line(quantizable(q)) },
		Phase:       func(p run.Phase) { line(phase(p)) },
		Step:        func(m run.Measured) { line(step(m)) },
	}
}
