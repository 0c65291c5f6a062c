package pool

import (
	"testing"

	"assay/kernels/tier"
)

// eachTier runs a test in every tier that this machine has.
func eachTier(t *testing.T, test func(t *testing.T)) {
	for _, k := range tier.Supported() {
		t.Run(k.String(), func(t *testing.T) {
			defer tier.Force(k)()
			test(t)
		})
	}
}
