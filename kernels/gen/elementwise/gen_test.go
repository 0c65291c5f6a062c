package main

import "testing"

// TestCommittedFilesAreCurrent fails when a committed file is not what the generator writes.
func TestCommittedFilesAreCurrent(t *testing.T) {
	for _, f := range files {
		t.Run(f.dir+"/"+f.name, func(t *testing.T) {
			if err := generate("../../"+f.dir, f.name, f.write, true); err != nil {
				t.Error(err)
			}
		})
	}
}
