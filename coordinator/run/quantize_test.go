package run

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/config"
	"assay/shared/quant"
)

// TestQuantConfig: every setting of a job reaches package quant, and none changes another.
func TestQuantConfig(t *testing.T) {
	plain := quantConfig(config.New(), nil)
	require.Equal(t, quant.Config{Placement: quant.Regions, BiasThreshold: 2}, plain)
	for name, c := range map[string]struct {
		set  func(*config.Quantize)
		want func(*quant.Config)
	}{
		"placement":    {func(q *config.Quantize) { q.Placement = config.PlacePOT }, func(c *quant.Config) { c.Placement = quant.POT }},
		"preset":       {func(q *config.Quantize) { q.Preset = config.Mixed }, func(c *quant.Config) { c.Preset = quant.Mixed }},
		"mode":         {func(q *config.Quantize) { q.Mode = "asymmetric" }, func(c *quant.Config) { c.Activations.Mode = quant.Asymmetric }},
		"granularity":  {func(q *config.Quantize) { q.PerTensor = true }, func(c *quant.Config) { c.Weights.Granularity = quant.PerTensor }},
		"transformer":  {func(q *config.Quantize) { q.Transformer = true }, func(c *quant.Config) { c.Transformer = true }},
		"no fast bias": {func(q *config.Quantize) { q.NoFastBias = true }, func(c *quant.Config) { c.NoFastBias = true }},
		"threshold":    {func(q *config.Quantize) { q.Threshold = 3 }, func(c *quant.Config) { c.BiasThreshold = 3 }},
		"quantile":     {func(q *config.Quantize) { q.Weights.Quantile = true }, func(c *quant.Config) { c.Weights.Estimator.Preset = "quantile" }},
		"aggregator": {func(q *config.Quantize) { q.Activations.Max.Aggregator = "mean" },
			func(c *quant.Config) { c.Activations.Estimator.Max.Aggregator = "mean" }},
		"ignored name": {func(q *config.Quantize) { q.IgnoredNames = []config.Name{{Text: "fc"}} }, func(c *quant.Config) { c.Ignored.Scope = []string{"fc"} }},
		"ignored type": {func(q *config.Quantize) { q.IgnoredTypes = []config.Name{{Text: "Add"}} },
			func(c *quant.Config) { c.Ignored.Operations = []quant.Operation{{Type: "Add"}} }},
	} {
		t.Run(name, func(t *testing.T) {
			j, want := config.New(), plain
			c.set(&j.Quantize)
			c.want(&want)
			require.Equal(t, want, quantConfig(j, nil))
		})
	}
}
