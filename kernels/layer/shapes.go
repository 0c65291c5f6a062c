package layer

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed shapes.json
var few []byte

// Read parses a list of layers in JSON, as layer_shapes.json has them; nil stands for a built-in list with one of each
// kind. Layers of one name are equal work: the first stays. One that Check refuses is an error for the whole list.
func Read(text []byte) ([]Layer, error) {
	if text == nil {
		text = few
	}
	var all, out []Layer
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("layer shapes: %w", err)
	}
	names := map[string]bool{}
	for _, l := range all {
		if names[l.Name] {
			continue
		}
		names[l.Name] = true
		if err := l.Check(); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}
