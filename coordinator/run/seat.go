package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"

	"assay/evaluator/cell"
	"assay/evaluator/engine"
	"assay/evaluator/worker"
	"assay/kernels/tier"
	"assay/shared/broker"
	"assay/shared/config"
	"assay/shared/store"
	"assay/shared/version"
)

// seat is where a job is carried out: a locked state directory, a broker (its own or another's) and evaluators of this
// process on it. err is written by the worker's goroutine and read after working.Wait only.
type seat struct {
	state   *State
	broker  *broker.Broker
	objects store.Store
	cells   *cell.Evaluator // of this process; it also measures times

	hired   bool
	cancel  context.CancelFunc
	working sync.WaitGroup
	err     error // of the evaluators, after working
}

// takeSeat opens everything. slots is the number of evaluators in this process. After an error nothing is left open.
func takeSeat(ctx context.Context, j *config.Job, stateDir string) (*seat, error) {
	state, err := OpenState(stateDir)
	if err != nil {
		return nil, &InputError{err}
	}
	s := &seat{state: state, cancel: func() {}}
	if j.NATS == "" {
		if err = checkState(stateDir, scarce); err == nil {
			s.broker, err = state.embed()
		}
	} else {
		s.broker, err = broker.Dial(ctx, j.NATS, 5*time.Second, func(error) {})
		if err != nil {
			err = &InputError{err}
		}
	}
	if err != nil {
		state.Close()
		return nil, err
	}
	cache := store.NewCache
	if slots(j) > 0 { // evaluators of this process read what it puts
		cache = store.NewSharedCache
	}
	s.objects = cache(s.broker.Objects, engine.DefaultMemory(j.Memory)/8)
	s.cells = cell.New(s.objects, engine.Options{Memory: j.Memory, Slots: slots(j)})
	return s, nil
}

// slots is how many evaluators this process runs for a job.
func slots(j *config.Job) int {
	if j.Evaluators == config.Unset {
		return runtime.GOMAXPROCS(0)
	}
	return j.Evaluators
}

// hire starts n evaluator slots in this process, once, however often it is called; leave waits for what it started.
func (s *seat) hire(ctx context.Context, n int) {
	if n == 0 || s.hired {
		return
	}
	s.hired = true
	ctx, s.cancel = context.WithCancel(ctx)
	host, _ := os.Hostname()
	c := worker.Config{
		Node: fmt.Sprintf("%s-%d", host, os.Getpid()), Build: version.String(), Slots: n, Tier: tier.Current().String(), Log: zap.NewNop(),
	}
	s.working.Go(func() { s.err = worker.Run(ctx, s.broker, s.cells, c) })
}

// leave sends the evaluators home and closes what takeSeat opened. The order is evaluators, broker, lock, so nobody
// writes to the directory when the next process may take it.
func (s *seat) leave() error {
	s.cancel()
	s.working.Wait()
	s.broker.Close()
	if err := s.state.Close(); err != nil {
		return err
	}
	return s.err
}
