package run

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/store"
)

// shelf remembers in the state directory which pieces pictures became, so that asking again decodes nothing. Pieces are in
// the object store; a shelf holds their manifests, one file a key of package dataset. It may be wiped at any time.
type shelf struct {
	dir     string // of the manifests
	objects store.Store
}

// build is set.Build, or the manifest that it gave before for the same files, if all pieces are still stored. Faulty
// samples are an error that names them. known is false when some file changed so lately that its time and size say
// nothing: such data is decoded again.
func (s shelf) build(ctx context.Context, set *dataset.Set, progress func(done, total int)) (dataset.Inputs, error) {
	key, known, err := set.Key(time.Now())
	if err != nil {
		return dataset.Inputs{}, err
	}
	path := filepath.Join(s.dir, hex.EncodeToString(key[:]))
	if known {
		if in, ok := s.recall(ctx, set, path); ok {
			return in, nil
		}
	}
	in, faults, err := set.Build(ctx, func(b []byte) (plan.Digest, error) { return s.objects.Put(ctx, b) }, progress)
	if err == nil {
		err = faults.Err()
	}
	if err != nil {
		return in, err
	}
	if known {
		err = s.keep(path, in)
	}
	return in, err
}

// recall reads a manifest; anything that is not in order means that it is not there. Every piece is looked for, as
// objects may have been pruned.
func (s shelf) recall(ctx context.Context, set *dataset.Set, path string) (dataset.Inputs, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return dataset.Inputs{}, false
	}
	old, err := dataset.Decode(b)
	if err != nil {
		return dataset.Inputs{}, false
	}
	in, err := set.Recall(old)
	if err != nil {
		return dataset.Inputs{}, false
	}
	for _, st := range in.Streams {
		for _, p := range st.Pieces {
			if ok, err := s.objects.Has(ctx, p.Digest); err != nil || !ok {
				return dataset.Inputs{}, false
			}
		}
	}
	return in, true
}

// keep writes a manifest. Half a file, left by a kill, is no manifest and does not come back.
func (s shelf) keep(path string, in dataset.Inputs) error {
	err := os.MkdirAll(s.dir, 0o755)
	if err == nil {
		err = os.WriteFile(path, in.Encode(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("state directory: %w (choose another with --state-dir)", err)
	}
	return nil
}
