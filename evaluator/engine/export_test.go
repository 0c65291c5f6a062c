package engine

// Apart makes e run every kernel by itself.
func Apart(e *Engine) *Engine {
	e.apart = true
	return e
}

// Led makes groups of e follow leads whatever their size.
func Led(e *Engine) *Engine {
	e.led = 0
	return e
}
