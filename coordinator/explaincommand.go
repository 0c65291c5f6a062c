package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"assay/coordinator/console"
	"assay/coordinator/run"
	"assay/shared/config"
)

// explainCommand is `assay explain`.
type explainCommand struct {
	Job string `arg:"" optional:"" help:"Job file, as for run. Flags override it." type:"path"`
	config.Flags
}

// Help is the long help of the command.
func (explainCommand) Help() string {
	return `Prints every key of the job with where its value came from (file and line, flag, or default) and the value, what model
and data hold, and how many inferences the job needs. Nothing is evaluated and nothing is written. Mistakes are the same errors as
those of run.

Examples:
  assay explain deployments/examples/digits/job.json
  assay explain job.json --max-drop 0.005`
}

// Run implements the command.
func (c explainCommand) Run(t *terminal) error {
	job, err := readJob(c.Job, c.Flags)
	if err != nil {
		return err
	}
	u, err := run.Understand(t.ctx, job)
	if err != nil {
		return err
	}
	return console.Understood(t.stdout, job.Settings(c.Flags), u)
}

// readJob reads a job file, if there is one, and applies the flags.
func readJob(path string, f config.Flags) (*config.Job, error) {
	job := config.New()
	if path != "" {
		if strings.EqualFold(filepath.Ext(path), ".onnx") {
			return nil, run.BadInput(fmt.Errorf("%s is a model, and a job file stands there: give the model as -m %s", path, path))
		}
		var err error
		if job, err = config.Read(path); err != nil {
			return nil, run.BadInput(err)
		}
	}
	if err := f.Apply(job); err != nil {
		return nil, run.BadInput(err)
	}
	return job, nil
}
