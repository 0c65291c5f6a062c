package run

import (
	"assay/shared/config"
	"assay/shared/quant"
)

// quantConfig says the job's settings in the words of package quant.
func quantConfig(j *config.Job, shapes map[string][]int) quant.Config {
	q := j.Quantize
	c := quant.Config{
		Placement: quant.Placement(q.Placement), Preset: quant.Preset(q.Preset),
		Transformer: q.Transformer, NoFastBias: q.NoFastBias, BiasThreshold: q.Threshold, InputShapes: shapes,
	}
	if q.PerTensor {
		c.Weights.Granularity = quant.PerTensor
	}
	c.Activations.Mode = q.Mode
	c.Weights.Estimator = estimator(q.Weights)
	c.Activations.Estimator = estimator(q.Activations)
	for _, n := range q.IgnoredNames {
		c.Ignored.Scope = append(c.Ignored.Scope, n.Text)
	}
	for _, n := range q.IgnoredTypes {
		c.Ignored.Operations = append(c.Ignored.Operations, quant.Operation{Type: n.Text})
	}
	return c
}

// An empty preset leaves quant's own default of the placement.
func estimator(e config.Estimator) quant.Estimator {
	out := quant.Estimator{Min: side(e.Min), Max: side(e.Max)}
	if e.Quantile {
		out.Preset = "quantile"
	}
	return out
}

// An outlier probability of 0 means that none was given.
func side(e config.End) quant.Side {
	s := quant.Side{Type: e.Type, Aggregator: e.Aggregator, Clipping: e.Clip}
	if e.Outlier > 0 {
		s.OutlierProb = &e.Outlier
	}
	return s
}
