package layer

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// stops reads how often and how long collections waited for all goroutines to stop.
func stops() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(s)
	h := s[0].Value.Float64Histogram()
	return &metrics.Float64Histogram{Counts: append([]uint64(nil), h.Counts...), Buckets: h.Buckets}
}

// lowerQuartile is a bound that a quarter of the stops between a and b kept.
func lowerQuartile(a, b *metrics.Float64Histogram) float64 {
	total, seen := uint64(0), uint64(0)
	for i := range b.Counts {
		total += b.Counts[i] - a.Counts[i]
	}
	for i := range b.Counts {
		if seen += b.Counts[i] - a.Counts[i]; seen*4 >= total {
			return b.Buckets[i+1]
		}
	}
	return 0
}

// TestCollectionsNeedNotWait collects garbage while the largest products run: assembly cannot be stopped, so it returns to
// Go often enough. A quarter of the waits is judged, since a busy machine lengthens the others.
func TestCollectionsNeedNotWait(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("skipped: with one processor a collection runs between the kernels")
	}
	deep := Layer{Name: "deep", Op: "MatMul", In: []int{1, 512, 4096}, Weight: []int{4096, 1024}, Group: 1}
	wide := Layer{Name: "wide", Op: "Conv", Batch: 1, In: []int{1, 256, 112, 112}, Weight: []int{256, 1, 3, 3}, Stride: []int{1, 1},
		Pad: []int{1, 1, 1, 1}, Dilation: []int{1, 1}, Group: 256}
	for _, level := range tier.Supported()[1:] {
		for _, l := range []Layer{deep, wide} {
			for _, typ := range []string{"f32", "u8s8"} {
				t.Run(level.String()+"/"+l.Name+"/"+typ, func(t *testing.T) {
					defer tier.Force(level)()
					ready, err := l.Ready(typ)
					require.NoError(t, err)
					ctx, stop := context.WithCancel(context.Background())
					var wg sync.WaitGroup
					wg.Go(func() {
						for ctx.Err() == nil {
							ready()
						}
					})
					before := stops()
					for range 12 {
						runtime.GC()
					}
					after := stops()
					stop()
					wg.Wait()
					require.Less(t, lowerQuartile(before, after), 1e-3)
				})
			}
		}
	}
}
