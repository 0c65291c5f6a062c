package config

import (
	"path/filepath"
	"strconv"
	"strings"
)

// builder reads the entries of a checked file. The schema has settled types, words and ranges; what is left are rules
// between keys and texts with a form of their own.
type builder struct {
	*walker
	dir string
}

const here = "compression.algorithms[0].params"

// build makes the job. Errors go to w; the job counts only when there are none.
func build(w *walker) *Job {
	b := builder{walker: w, dir: filepath.Dir(w.file)}
	j := New()
	j.File, j.given = w.file, givenBy(w)
	j.Model = b.path("model.model", "")
	j.Name = b.text("model.model_name", "")
	if strings.ContainsAny(j.Name, `/\`) || j.Name == "." || j.Name == ".." {
		b.fail(b.entries["model.model_name"].pos, "model.model_name", "%q is no file name; folders go to run.output_dir", j.Name)
	}
	b.data(&j.Data)
	b.checker(j)
	b.algorithm(j)
	b.calibration(&j.Calibration)
	b.quantize(&j.Quantize)
	b.aware(j)
	b.run(j)
	return j
}

// has reports whether the file has the key at path, whatever its value.
func (b builder) has(path string) bool { _, ok := b.entries[path]; return ok }

// text is a string as JSON decodes it; initial when the key is absent, or holds something that is no string and was refused for
// it.
func (b builder) text(path, initial string) string {
	if e, ok := b.entries[path]; ok && e.literal.Kind() == '"' {
		return e.literal.String()
	}
	return initial
}

// path is a text taken from the job file's folder.
func (b builder) path(path, initial string) string {
	s := b.text(path, "")
	switch {
	case s == "":
		return initial
	case filepath.IsAbs(s):
		return filepath.Clean(s)
	}
	return filepath.Join(b.dir, s)
}

// truth is a true or false; initial when the key is absent.
func (b builder) truth(path string, initial bool) bool {
	if e, ok := b.entries[path]; ok {
		return e.literal.Kind() == 't'
	}
	return initial
}

// whole is exact: the schema bounds it by 2^53.
func (b builder) whole(path string, initial int) int {
	if e, ok := b.entries[path]; ok {
		if n, err := strconv.Atoi(string(e.literal)); err == nil {
			return n
		}
	}
	return initial
}

// number is the float64 next to the number as it is written; initial when the key is absent. The schema has refused what does
// not fit.
func (b builder) number(path string, initial float64) float64 {
	if e, ok := b.entries[path]; ok {
		if f, err := strconv.ParseFloat(string(e.literal), 64); err == nil {
			return f
		}
	}
	return initial
}

// numbers is a list of numbers, or one.
func (b builder) numbers(path string) []float32 {
	e, ok := b.entries[path]
	if !ok {
		return nil
	}
	if e.literal != nil {
		return []float32{float32(b.number(path, 0))}
	}
	if e.length == 0 {
		b.fail(e.pos, path, "an empty list; want one number a channel")
	}
	var out []float32
	for i := range e.length {
		out = append(out, float32(b.number(path+"["+strconv.Itoa(i)+"]", 0)))
	}
	return out
}

// note reports err at the key.
func (b builder) note(path string, err error) {
	if err != nil {
		b.fail(b.entries[path].pos, path, "%v", err)
	}
}

// algorithm checks that there is one, named, and that DefaultQuantization got no key of the other.
func (b builder) algorithm(j *Job) {
	list, ok := b.entries["compression.algorithms"]
	if !ok {
		return
	}
	if list.length != 1 {
		b.fail(list.pos, "compression.algorithms", "%d algorithms; want exactly one", list.length)
		return
	}
	const name = "compression.algorithms[0].name"
	if !b.has(name) {
		if e, ok := b.entries["compression.algorithms[0]"]; ok && !b.failed(name) {
			b.fail(e.pos, name, "missing; want AccuracyAwareQuantization or DefaultQuantization")
		}
		return
	}
	j.Aware = b.text(name, "") == "AccuracyAwareQuantization"
	if j.Aware {
		return
	}
	for _, k := range keysOf() {
		at := strings.Replace(k.path, params, here, 1)
		if e, ok := b.entries[at]; ok && k.aware {
			b.fail(e.pos, at, "a key of AccuracyAwareQuantization; DefaultQuantization does not search")
		}
	}
}

// failed reports whether an error about key was noted before.
func (b builder) failed(key string) bool {
	for _, e := range b.errors {
		if e.Key == key {
			return true
		}
	}
	return false
}

// calibration reads which samples calibrate. A seed without shuffle_data is kept and does nothing.
func (b builder) calibration(c *Calibration) {
	c.Source = b.path("engine.calibration_source", "")
	c.Every = b.whole("engine.calibration_every", 0)
	c.Count = b.whole(here+".stat_subset_size", c.Count)
	c.Shuffle = b.truth(here+".shuffle_data", false)
	c.Seed = uint64(b.whole(here+".seed", 0))
}

// quantize reads what becomes of the model before any search. Names and types to ignore are kept with their places: whether the
// model has them is seen by who has the model.
func (b builder) quantize(q *Quantize) {
	q.Placement = b.text("compression.placement", q.Placement)
	q.Transformer = b.text("compression.model_type", "") == "transformer"
	q.Preset = preset(b.text(here+".preset", q.Preset))
	q.Mode = b.text(here+".activations.mode", "")
	q.PerTensor = b.text(here+".weights.granularity", "") == "pertensor"
	q.NoFastBias = !b.truth(here+".use_fast_bias", true)
	q.Threshold = b.number(here+".threshold", q.Threshold)
	q.Weights = b.estimator("weights")
	q.Activations = b.estimator("activations")
	q.IgnoredNames = b.names(here+".ignored.scope", "")
	q.IgnoredTypes = b.names(here+".ignored.operations", ".type")
}

// preset resolves POT's aliases. On CPUs, POT's command line turns accuracy into mixed.
func preset(word string) string {
	switch word {
	case "":
		return ""
	case "symmetric", Performance:
		return Performance
	}
	return Mixed
}

// names collects the texts of a list of texts, or of a list of objects by their member.
func (b builder) names(path, member string) []Name {
	var out []Name
	for i := range b.entries[path].length {
		at := path + "[" + strconv.Itoa(i) + "]"
		e, ok := b.entries[at+member]
		if !ok {
			if o, ok := b.entries[at]; ok && !b.failed(at+member) {
				b.fail(o.pos, at+member, "missing")
			}
			continue
		}
		out = append(out, Name{Text: e.literal.String(), Pos: e.pos, Key: at + member})
	}
	return out
}

// estimator reads the section of side, or the common one: a section of a side replaces the common one entirely.
func (b builder) estimator(side string) Estimator {
	at := here + "." + side + ".range_estimator"
	if !b.has(at) {
		at = here + ".range_estimator"
	}
	return Estimator{
		Quantile: b.text(at+".preset", "") == "quantile",
		Min:      b.end(at + ".min"), Max: b.end(at + ".max"),
	}
}

// end is one side of a range estimator. The clipping value is a pointer because zero clips too.
func (b builder) end(at string) End {
	e := End{Type: b.text(at+".type", ""), Aggregator: b.text(at+".aggregator", ""), Outlier: b.number(at+".outlier_prob", 0)}
	if b.has(at + ".clipping_value") {
		f := b.number(at+".clipping_value", 0)
		e.Clip = &f
	}
	return e
}

// aware reads what steers the search. maximal_drop is kept as it is written: its decimal text is compared exactly, a float64
// would not be.
func (b builder) aware(j *Job) {
	if e, ok := b.entries[here+".maximal_drop"]; ok {
		j.Drop = string(e.literal)
	}
	j.Relative = b.text(here+".drop_type", "") == "relative"
	j.Subset = b.whole(here+".ranking_subset_size", j.Subset)
	j.Iterations = b.whole(here+".max_iter_num", j.Iterations)
	j.KeepWorse = !b.truth(here+".use_prev_if_drop_increase", true)
	j.Agreement = b.truth(here+".annotation_free", false)
	list, ok := b.entries[here+".metrics"]
	if ok && list.length == 0 {
		b.fail(list.pos, here+".metrics", "an empty list; name a metric or leave the key out")
	}
	for i := range list.length {
		b.metric(j, here+".metrics["+strconv.Itoa(i)+"]")
	}
}

// run reads our own section: where things go and what works on them. Nothing in it may change a result.
func (b builder) run(j *Job) {
	j.OutputDir = b.path("run.output_dir", j.OutputDir)
	j.StateDir = b.path("run.state_dir", "")
	j.Evaluators = b.whole("run.evaluators", Unset)
	j.NATS = b.text("run.nats", "")
	if s := b.spelled("run.memory"); s != "" {
		n, err := ParseBytes(s)
		b.note("run.memory", err)
		j.Memory = n
	}
}
