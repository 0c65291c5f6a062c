package main

import "testing"

// TestCommittedFilesAreCurrent fails when a committed file is not what the generator writes.
func TestCommittedFilesAreCurrent(t *testing.T) {
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			if err := f.generate("..", true); err != nil {
				t.Error(err)
			}
		})
	}
}
