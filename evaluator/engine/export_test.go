package engine

import "assay/shared/op"

// Apart makes e run every kernel by itself.
func Apart(e *Engine) *Engine {
	e.apart = true
	return e
}

// Steps names the operators of p's steps for the given inputs.
func Steps(p *Program, in map[string]op.Info) ([]string, error) {
	b, err := p.bind(in)
	if err != nil {
		return nil, err
	}
	defer p.engine.packs.release(b.packs.keys)
	var names []string
	for _, s := range b.steps {
		names = append(names, s.node.Op)
	}
	return names, nil
}

// Near sets the arena up to which a batch of floats runs as one.
func Near(e *Engine, bytes int) *Engine {
	e.near = bytes
	return e
}

// Spares is how many sets of results wait for a run of p.
func Spares(p *Program) int { return len(p.results.free) }
