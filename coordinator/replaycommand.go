package main

import (
	"assay/coordinator/report"
	"assay/coordinator/run"
)

// replayCommand is `assay replay`.
type replayCommand struct {
	State string `arg:"" help:"State directory of the job (run.state in report.json)." type:"path"`
}

// Help is the long help of the command.
func (replayCommand) Help() string {
	return `Prints what was measured, step by step, and how the search ended. No evaluator has to be alive.

Examples:
  assay replay ~/.cache/assay/model-0011aabb2233
  assay replay "$(jq -r .run.state results/report.json)"`
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
