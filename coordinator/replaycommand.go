package main

import (
	"assay/coordinator/report"
	"assay/coordinator/run"
)

// replayCommand is `assay replay`.
type replayCommand struct {
	State string `arg:"" help:"State directory of the job (run.state in report.json)." type:"path"`
}

// Run implements the command.
func (c replayCommand) Run(t *terminal) error {
	r, err := run.Replay(t.ctx, c.State)
	if err != nil {
		return err
	}
	if err := report.Decided(t.stdout, r.Outcome, r.Groups); err != nil {
		return err
	}
	if !r.Outcome.Met {
		return errMissed
	}
	return nil
}
