package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// ngramOps count runs of tokens: TfIdfVectorizer on int32 and int64. A run of n tokens is looked for with every distance
// from 1 to max_skip_count+1 between its tokens (a single token has none). ngram_counts says where in the pool the runs of
// each length begin, ngram_indexes which column each run counts. mode IDF gives the weight where the count is not 0, TFIDF
// the count times the weight. Refused: pools of strings, counts that do not cut the pool, columns without bound.
var ngramOps = []*Op{{
	Name: "TfIdfVectorizer", Opsets: []int{9}, Types: indexTypes,
	Attrs: []string{
		"max_gram_length", "max_skip_count", "min_gram_length", "mode", "ngram_counts", "ngram_indexes", "pool_int64s", "weights",
	},
	Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: func(x *Infer) error { _, err := gramsOf(x); return err }, Lower: lowerGrams,
}}

// gram is one run of tokens that is looked for, with the column that counts it.
type gram struct {
	tokens []int64
	column int
	weight float32
}

// grams are what a TfIdfVectorizer counts: runs of tokens that stand 1 to strides apart.
type grams struct {
	list    []gram
	columns int
	strides int
	mode    string
}

// gramsOf reads the pool and sets the output: one row of columns for each row of tokens. ngram_counts[i] is where runs
// of i+1 tokens start in the pool; each run takes as many entries of ngram_indexes, in order. Runs shorter than
// min_gram_length or longer than max_gram_length keep their column but are never counted, so that columns do not move.
func gramsOf(x *Infer) (g grams, err error) {
	n := x.Node
	if g.mode = n.Str("mode", ""); g.mode != "TF" && g.mode != "IDF" && g.mode != "TFIDF" {
		return g, fmt.Errorf("attribute mode is %q; TF, IDF and TFIDF are known", g.mode)
	}
	skip, most, least := n.Int("max_skip_count", 0), n.Int("max_gram_length", 0), n.Int("min_gram_length", 0)
	if skip < 0 || skip > 1<<20 || least < 1 || most < least {
		return g, fmt.Errorf("grams of %d to %d tokens with skips up to %d are not possible", least, most, skip)
	}
	g.strides = int(skip) + 1
	pool, starts, columns := n.Ints("pool_int64s"), n.Ints("ngram_counts"), n.Ints("ngram_indexes")
	var weights []float32
	if a := n.Attr("weights"); a != nil {
		weights = a.Floats
	}
	for i, at := range starts {
		end := int64(len(pool))
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		size := int64(i) + 1
		if at < 0 || end < at || end > int64(len(pool)) || (end-at)%size != 0 {
			return g, fmt.Errorf("attribute ngram_counts %v does not cut a pool of %d tokens", starts, len(pool))
		}
		for ; at < end; at += size {
			k := len(g.list)
			if k >= len(columns) || columns[k] < 0 || columns[k] > 1<<30 || weights != nil && len(weights) != len(columns) {
				return g, fmt.Errorf("attributes ngram_indexes and weights do not fit the pool")
			}
			item := gram{tokens: pool[at : at+size], column: int(columns[k]), weight: 1}
			if weights != nil {
				item.weight = weights[k]
			}
			if size < least || size > most {
				item.tokens = nil
			}
			g.columns = max(g.columns, item.column+1)
			g.list = append(g.list, item)
		}
	}
	if len(g.list) != len(columns) || len(columns) == 0 {
		return g, fmt.Errorf("attribute ngram_indexes has %d entries for %d grams", len(columns), len(g.list))
	}
	switch shape := x.In[0].Shape; len(shape) {
	case 1:
		x.put(0, tensor.Float32, g.columns)
	case 2:
		x.put(0, tensor.Float32, shape[0], g.columns)
	default:
		return g, fmt.Errorf("data shape %v is no row of tokens", shape)
	}
	return g, nil
}

// count is how often a gram stands in a row. A single token has no skips. stride is the distance between neighbours of
// the run. Overlapping runs count each. The loop ends when even the first run of a stride would leave the row.
func (g *grams) count(item *gram, row []int64) (n int) {
	k := len(item.tokens)
	if k == 0 {
		return 0
	}
	for stride := 1; stride <= g.strides && (stride-1)*(k-1) < len(row); stride++ {
		for first := 0; first+(k-1)*stride < len(row); first++ {
			i := 0
			for i < k && row[first+i*stride] == item.tokens[i] {
				i++
			}
			if i == k {
				n++
			}
		}
		if k == 1 {
			break
		}
	}
	return n
}

// lowerGrams writes one dense row of counts per row of tokens; several runs that name one column overwrite each other,
// the last in the pool's order that occurs stays.
func lowerGrams(l *Lower) (Kernel, error) {
	g, err := gramsOf(&Infer{Node: l.Node, In: l.argsInfer().In, Out: make([]Info, 1)})
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	widen, err := converter(l.In[0].DType, tensor.Int64)
	if err != nil {
		return Kernel{}, err
	}
	shape := slices.Clone(l.In[0].Shape)
	tokens := shape[len(shape)-1]
	rows := 1
	if len(shape) == 2 {
		rows = shape[0]
	}
	return Kernel{Alias: -1, Scratch: 8 * rows * tokens, Run: func(c *Call) {
		dst := view[float32](c.Out[0])
		widen(c.Scratch[:8*rows*tokens], src.bytes(c))
		clear(dst)
		for r := range rows {
			row := view[int64](c.Scratch[8*r*tokens : 8*(r+1)*tokens])
			for i := range g.list {
				n := g.count(&g.list[i], row)
				if n == 0 {
					continue
				}
				v := float32(n)
				switch g.mode {
				case "IDF":
					v = g.list[i].weight
				case "TFIDF":
					v = float32(v * g.list[i].weight)
				}
				dst[r*g.columns+g.list[i].column] = numeric.Canon(v)
			}
		}
	}}, nil
}
