package engine

// Apart makes e run every kernel by itself.
func Apart(e *Engine) *Engine {
	e.apart = true
	return e
}
