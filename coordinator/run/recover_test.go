package run

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/store"
)

// TestPatienceWithABroker: one that takes no task for a minute ends the job; one that refuses now and then, however long the job lasts, does not, and
// neither does one that has nothing to take. What would fail again, and a full disk, is not waited for.
func TestPatienceWithABroker(t *testing.T) {
	away := fmt.Errorf("publish: %w", store.ErrUnavailable)
	for _, permanent := range []error{errors.New("no such stream"), fmt.Errorf("%w: no space left on device", away)} {
		require.Equal(t, permanent, new(lookout).published(3, permanent))
	}
	synctest.Test(t, func(t *testing.T) {
		var l lookout
		require.NoError(t, l.published(0, nil))
		for range 5 { // a job of many minutes
			require.NoError(t, l.published(0, away))
			<-time.After(patience)
			require.NoError(t, l.published(0, away), "for exactly as long")
			require.NoError(t, l.published(0, nil), "nothing was to be published: that says nothing")
			require.NoError(t, l.published(1, away), "it took one, and then no more")
		}
		<-time.After(patience + time.Second)
		require.Equal(t, away, l.published(0, away))
	})
}
