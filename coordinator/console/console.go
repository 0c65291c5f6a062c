// Package console shows a run to whoever watches: a bar with the time left on a terminal, plain lines elsewhere, one JSON
// object a line for programs. It turns events into text; it decides and measures nothing.
package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

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
	last := time.Now()
	line := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, text)
	}
	l := Listener{Events: told(line), Close: func() {}}
	l.Progress = func(p run.Progress) {
		mu.Lock()
		due := time.Since(last) >= interval && p.Done > 0
		if due {
			last = time.Now()
		}
		mu.Unlock()
		if due {
			line(progress(p))
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
