package store

import (
	"context"
	"fmt"
	"sync"

	"assay/shared/plan"
)

// Memory is a store in this process, for tests and small tools.
type Memory struct {
	mu sync.Mutex
	m  map[plan.Digest][]byte
}

// NewMemory makes an empty one.
func NewMemory() *Memory { return &Memory{m: map[plan.Digest][]byte{}} }

// Put implements Store with a copy of b.
func (s *Memory) Put(_ context.Context, b []byte) (plan.Digest, error) {
	d := DigestOf(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.m[d]; !ok {
		s.m[d] = append([]byte(nil), b...)
	}
	return d, nil
}

// Get implements Store.
func (s *Memory) Get(_ context.Context, d plan.Digest) ([]byte, error) {
	s.mu.Lock()
	b, ok := s.m[d]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("object %.8x: %w", d[:], ErrAbsent)
	}
	return b, verify(d, b)
}

// Has implements Store.
func (s *Memory) Has(_ context.Context, d plan.Digest) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.m[d]
	return ok, nil
}
