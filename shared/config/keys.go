package config

// keysOf is every key of a job file, in the order of the page JOBFILE.md. Lists of keys that stand in several places are
// built by the functions behind it.
func keysOf() []key {
	var out []key
	for _, part := range [][]key{modelKeys, engineKeys, checkerKeys(), compressionKeys, paramsKeys(), awareKeys, tuningKeys(), runKeys} {
		out = append(out, part...)
	}
	return out
}

const params = "compression.algorithms[].params"

const (
	checkerReason = "files of the Accuracy Checker are not read; write its entry into engine.datasets, or give engine.data_source, engine.labels and the preprocessing keys"
	serialReason  = "requests are not counted here; the number of in-process evaluators is run.evaluators or --evaluators"
	deviceReason  = "the INT8 model is made for CPUs: write CPU"
	onnxReason    = "an ONNX file holds or names its weights itself; remove the key and let model.model name the .onnx file"
)

var otherDevices = map[string]string{
	"GPU": deviceReason, "CPU_SPR": deviceReason, "VPU": deviceReason, "NPU": deviceReason, "GNA": deviceReason, "GNA3": deviceReason, "GNA3.5": deviceReason,
}

var otherAlgorithms = map[string]string{
	"MinMaxQuantization":         "DefaultQuantization does it, with bias correction",
	"DataFreeQuantization":       "samples are needed; write DefaultQuantization",
	"ActivationChannelAlignment": "channel alignment is not done; write DefaultQuantization",
	"FastBiasCorrection":         "it is part of DefaultQuantization",
	"BiasCorrection":             "fast bias correction is part of DefaultQuantization",
	"INT4MixedQuantization":      "only 8 bits are supported; write AccuracyAwareQuantization",
}

var modelKeys = []key{
	{path: "model", kind: object, doc: "the model"},
	{path: "model.model_name", kind: text, initial: "the file name of model.model without its ending", doc: "stem of the written file"},
	{path: "model.name", kind: text, refused: "POT ignores this spelling; write model_name", doc: ""},
	{path: "model.model", kind: text, initial: "must be given, here or by -m", doc: "the float model, an ONNX file"},
	{path: "model.weights", kind: text, refused: onnxReason},
	{path: "model.cascade", kind: free, refused: "several models in a row are not supported; quantize them one by one"},
	{path: "model.output_dir", kind: text, refused: "write run.output_dir, or give --output-dir"},
	{path: "model.direct_dump", kind: truth, refused: "results go directly into the output directory", accept: []string{"true"}},
	{path: "model.keep_uncompressed_weights", kind: truth, refused: "the runtime would quantize float weights again by itself; INT8 weights are stored as INT8", accept: []string{"false"}},
	{path: "model.model_log_dir", kind: text, refused: "write run.output_dir"},
	{path: "model.exec_log_dir", kind: text, refused: "write run.state_dir"},
	{path: "model.log_algo_name", kind: text, refused: "the output directory has no sub-folders by algorithm"},
	{path: "model.quantization_info", kind: free, refused: "the tool writes it"},
}

var engineKeys = []key{
	{path: "engine", kind: object, doc: "the data"},
	{path: "engine.type", kind: text, words: []string{"simplified", "accuracy_checker"}, instead: map[string]string{"data_free": "samples are needed; give engine.data_source"}, initial: "either", doc: "both read the same keys: data_source and those behind it, or datasets"},
	{path: "engine.data_source", kind: text, initial: "must be given, here or by --data", doc: "a folder of images (with labels, or one folder a class), a pattern, a .txt list of images, .npy, .npz, or MNIST idx files"},
	{path: "engine.labels", own: true, kind: text, initial: "folder per class, counted from 0 in the order of their names; without such folders it must be given", doc: "a text file (file name and class number a line), .npy, or an idx file"},
	{path: "engine.has_background", own: true, kind: truth, initial: "false", doc: "the model has a background class in front that the labels do not count: every label becomes one more"},
	{path: "engine.output", own: true, kind: text, initial: "the first; sqnr, rows: all", doc: "--output: the model's output that is measured; several with commas between"},
	{path: "engine.mask", own: true, kind: text, initial: "attention_mask, or the only input with mask in its name", doc: "for embeddings of sequences: the model's input that is 1 where a position counts for the mean, \"none\" if all do"},
	{path: "engine.calibration_source", own: true, kind: text, initial: "engine.data_source", doc: "other samples for calibration, in any form that data_source takes"},
	{path: "engine.calibration_every", own: true, kind: whole, min: "2", initial: "calibration and search use the same samples", doc: "every K-th sample (0, K, 2K ...) is for calibration only, the others for search only; --calib every:K"},
	{path: "engine.layout", kind: text, words: []string{"NCHW", "NHWC", "CHW", "HWC"}, initial: "from the model's input shape", doc: "of the model's image input"},
	{path: "engine.like", own: true, kind: text, initial: "must be known for images: by this or the keys below", doc: "a usual preprocessing by name: imagenet-torch, imagenet-tf, imagenet-caffe, raw255, unit. The keys below change single parts of it"},
	{path: "engine.resize", own: true, kind: text | whole, min: "1", initial: "to the model's size", doc: "256: the shorter side; \"320x240\": width and height; behind commas a filter (bilinear, bicubic, box, nearest: Pillow's; opencv-linear, opencv-nearest) and how the aspect is kept (greater, width, height, fit_to_window, east_keep_aspect_ratio)"},
	{path: "engine.crop", own: true, kind: text | whole, min: "1", initial: "none", doc: "centre crop: 224 or \"320x240\"; \"224,floor\" begins it at floor(rest/2), as OpenCV's users do"},
	{path: "engine.pad", own: true, kind: text | whole, min: "1", initial: "none", doc: "padding behind the crop: 300, \"stride:32\"; behind commas center, left_top or right_bottom, and value:114 or value:R:G:B"},
	{path: "engine.scale", own: true, kind: number, min: "1", initial: "1", doc: "divisor: (x/scale - mean)/std"},
	{path: "engine.mean", own: true, kind: number | list, initial: "0", doc: "per channel, or one number"},
	{path: "engine.mean[]", own: true, kind: number},
	{path: "engine.std", own: true, kind: number | list, min: "0", over: true, initial: "1", doc: "per channel, or one number"},
	{path: "engine.std[]", own: true, kind: number, min: "0", over: true},
	{path: "engine.channels", own: true, kind: text, words: []string{"rgb", "bgr", "grey"}, initial: "rgb; grey where the model wants one channel", doc: "order of the colours. POT's simplified engine reads BGR"},
	{path: "engine.orient", own: true, kind: truth, initial: "false", doc: "apply the EXIF orientation"},
	{path: "engine.central_fraction", kind: number, min: "0", over: true, max: "1", initial: "all", doc: "the middle of the picture that is kept before the resize, as a share of both sides"},
	{path: "engine.device", kind: text, refused: "evaluation runs on CPUs", accept: []string{`"CPU"`}},
	{path: "engine.batch_dim", kind: whole, refused: "the batch is axis 0", accept: []string{"0"}},
	{path: "engine.evaluate", kind: truth, refused: "the result is always evaluated", accept: []string{"true"}},
	{path: "engine.config", kind: text, refused: checkerReason},
	{path: "engine.name", kind: text, refused: "write model.model_name"},
	{path: "engine.module", kind: text, refused: checkerReason},
	{path: "engine.module_config", kind: free, refused: checkerReason},
	{path: "engine.stat_requests_number", kind: whole, refused: serialReason},
	{path: "engine.eval_requests_number", kind: whole, refused: serialReason},
}

var compressionKeys = []key{
	{path: "compression", kind: object, doc: "what to do"},
	{path: "compression.target_device", kind: text, words: []string{"ANY", "CPU"}, instead: otherDevices, initial: "ANY", doc: "both mean CPUs"},
	{path: "compression.model_type", kind: text, words: []string{"transformer", "None"}, initial: "None", doc: "transformer: Add, Mul, Sub, Pow and ReduceMean stay float, and the operands of products of two computed matrices are symmetric. Placement regions keeps masks, LayerNorm and softmax in float without it"},
	{path: "compression.placement", own: true, kind: text, words: []string{"regions", "pot"}, initial: "regions", doc: "where quantizers go. regions: layers and what lies between them where that stays integer in the runtimes; pot: POT's CPU table"},
	{path: "compression.inplace_statistics", kind: truth, initial: "true", doc: "statistics are always reduced where they arise; both values give the same numbers"},
	{path: "compression.dump_intermediate_model", kind: truth, refused: "every trial is kept in run.state_dir", accept: []string{"false"}},
	{path: "compression.algorithms", kind: list, initial: "one AccuracyAwareQuantization with its defaults", doc: "exactly one"},
	{path: "compression.algorithms[]", kind: object},
	{path: "compression.algorithms[].name", kind: text, words: []string{"AccuracyAwareQuantization", "DefaultQuantization"}, instead: otherAlgorithms, initial: "must be given", doc: "DefaultQuantization stops after everything INT8"},
	{path: params, kind: object, initial: "defaults"},
	{path: "optimizer", kind: free, refused: "the TPE search is not supported; compression.algorithms with AccuracyAwareQuantization is"},
}

// paramsKeys are those of DefaultQuantization, which AccuracyAwareQuantization knows too.
func paramsKeys() []key {
	out := []key{
		{path: params + ".preset", kind: text, words: []string{"performance", "mixed", "symmetric", "accuracy", "asymmetric"}, initial: "performance; mixed where placement is regions and the model has attention, or Swish, GELU or the like before its layers", doc: "performance (symmetric): symmetric activations; mixed: asymmetric ones. accuracy (asymmetric) becomes mixed, as POT does for CPUs"},
		{path: params + ".stat_subset_size", kind: whole, min: "1", initial: "300", doc: "calibration samples; more than there are means all"},
		{path: params + ".shuffle_data", kind: truth, initial: "false", doc: "draw the calibration samples with seed instead of taking the first"},
		{path: params + ".seed", kind: whole, min: "0", initial: "0", doc: "--seed: for shuffle_data"},
		{path: params + ".stat_batch_size", kind: whole, min: "1", initial: "1", doc: "changes nothing: statistics are taken sample by sample, so that the same samples give the same ranges"},
		{path: params + ".saturation_fix", kind: text, refused: "weights keep 8 bits: machines with VNNI do not saturate", accept: []string{`"no"`}},
		{path: params + ".use_fast_bias", kind: truth, initial: "true", doc: "correct biases from the means of calibration samples; POT's slow correction, which false asked for there, is not offered: false corrects none"},
		{path: params + ".threshold", kind: number, min: "0", over: true, initial: "2.0", doc: "fast bias correction skips a layer whose bias would change by more than this times its size"},
		{path: params + ".apply_for_all_nodes", kind: truth, refused: "bias correction treats the layers whose weights are INT8", accept: []string{"false"}},
		{path: params + ".use_layerwise_tuning", kind: truth, refused: "tuning by gradients is not supported", accept: []string{"false"}},
		{path: params + ".layerwise_configs", kind: free, refused: "configurations per quantizer are not supported; ignored.scope leaves single layers out"},
		{path: params + ".ignored", kind: object, doc: "what stays float"},
		{path: params + ".ignored.skip_model", kind: truth, refused: "nothing would be left to do", accept: []string{"false"}},
		{path: params + ".ignored.scope", kind: list, initial: "none", doc: "node names"},
		{path: params + ".ignored.scope[]", kind: text},
		{path: params + ".ignored.operations", kind: list, initial: "none", doc: "operator types"},
		{path: params + ".ignored.operations[]", kind: object},
		{path: params + ".ignored.operations[].type", kind: text, initial: "must be given", doc: "an ONNX operator, such as Add"},
		{path: params + ".ignored.operations[].attributes", kind: free, refused: "nodes are chosen by type or by name; list their names in ignored.scope"},
	}
	out = append(out, rangeKeys(params+".range_estimator", "both")...)
	for _, side := range []string{"weights", "activations"} {
		out = append(out, sideKeys(params+"."+side, side)...)
	}
	return out
}

// sideKeys are those of the section for weights or activations.
func sideKeys(at, side string) []key {
	granularity := key{path: at + ".granularity", kind: text, words: []string{"perchannel", "pertensor"}, initial: "perchannel", doc: "one scale an output channel, or one"}
	if side == "activations" {
		granularity = key{path: at + ".granularity", kind: text, refused: "the runtimes take one scale a tensor", accept: []string{`"pertensor"`}}
	}
	mode := key{path: at + ".mode", kind: text, words: []string{"symmetric", "asymmetric"}, initial: "from preset"}
	if side == "weights" {
		mode = key{path: at + ".mode", kind: text, refused: "weights are symmetric, as the runtimes' fast paths want", accept: []string{`"symmetric"`}}
	}
	levels := "8 bits have fixed levels: weights -127..127, activations 0..255"
	return append([]key{
		{path: at, kind: object, doc: "how " + side + " are quantized"},
		{path: at + ".bits", kind: whole, refused: "only 8 bits are supported", accept: []string{"8"}},
		mode, granularity,
		{path: at + ".level_low", kind: whole, refused: levels},
		{path: at + ".level_high", kind: whole, refused: levels},
	}, rangeKeys(at+".range_estimator", side)...)
}

// rangeKeys are those of a range estimator.
func rangeKeys(at, side string) []key {
	out := []key{
		{path: at, kind: object, doc: "how ranges follow from statistics"},
		{path: at + ".preset", kind: text, words: []string{"default", "quantile"}, initial: "default", doc: "what min and max below change"},
	}
	for _, end := range []string{"min", "max"} {
		types := map[string][]string{"min": {"min", "quantile"}, "max": {"max", "abs_max", "quantile", "abs_quantile"}}[end]
		p := at + "." + end
		out = append(out,
			key{path: p, kind: object},
			key{path: p + ".type", kind: text, words: types, initial: "from preset"},
			key{path: p + ".outlier_prob", kind: number, min: "0", max: "0.5", initial: "0.0001", doc: "for the quantile types"},
			key{path: p + ".clipping_value", kind: number, initial: "none", doc: "bound of the finished range"},
			key{path: p + ".granularity", kind: text, refused: "ranges have the granularity of their quantizer"},
		)
		if side != "weights" {
			out = append(out, key{path: p + ".aggregator", kind: text, initial: "from preset",
				words: []string{"mean", "max", "min", "median", "mean_no_outliers", "median_no_outliers", "hl_estimator"},
				doc:   "over samples"})
		}
	}
	return out
}

var awareKeys = []key{
	{path: params + ".maximal_drop", aware: true, kind: number, min: "0", initial: "0.01", doc: "allowed drop, inclusive and exact"},
	{path: params + ".drop_type", aware: true, kind: text, words: []string{"absolute", "relative"}, initial: "absolute", doc: "relative: a share of the float model's value"},
	{path: params + ".ranking_subset_size", aware: true, kind: whole, min: "1", initial: "300", doc: "samples that score a group; more than there are means all"},
	{path: params + ".max_iter_num", aware: true, kind: whole, min: "0", initial: "no limit", doc: "reverts that are tried"},
	{path: params + ".use_prev_if_drop_increase", aware: true, kind: truth, initial: "true", doc: "undo a revert that made it worse"},
	{path: params + ".base_algorithm", aware: true, kind: text, refused: "other base algorithms are not supported", accept: []string{`"DefaultQuantization"`}},
	{path: params + ".annotation_free", aware: true, kind: truth, initial: "true without labels and metrics", doc: "measure against the float model: agreement for classifiers, sqnr for other outputs (see metrics[].type)"},
	{path: params + ".annotation_conf_threshold", aware: true, kind: number, refused: "all samples count, whatever the float model's confidence"},
	{path: params + ".metric_subset_ratio", aware: true, kind: number, refused: "it only has a meaning with given baselines; all samples are compared"},
	{path: params + ".convert_to_mixed_preset", aware: true, kind: truth, refused: "set preset mixed", accept: []string{"false"}},
	{path: params + ".tune_hyperparams", aware: true, kind: truth, refused: "the grid search is not supported; set preset and range_estimator", accept: []string{"false"}},
	{path: params + ".exec_log_dir", aware: true, kind: text, refused: "write run.state_dir"},
	{path: params + ".metrics", aware: true, kind: list, initial: "accuracy; without labels agreement for classifiers, sqnr for other models, rows where their number follows from the data", doc: "all must hold; --metric"},
	{path: params + ".metrics[]", aware: true, kind: object},
	{path: params + ".metrics[].name", aware: true, kind: text, initial: "must be given", doc: "what reports print; the name of a type, or accuracy@topK, also says type and K"},
	{path: params + ".metrics[].type", aware: true, kind: text, words: metricTypes(), initial: "from name", doc: "accuracy: engine.labels are classes. agreement: the float model's classes are right. sqnr: its outputs are, and maximal_drop is the share of their energy that may be noise: 0.01 is 20 dB, 0.001 is 30 dB. rows: its rows are given, in any order, as behind NonMaxSuppression, whose boxes count by intersection over union, other rows by the share of energy that is no noise. pearson, spearman: they are numbers, one a sample, or one for each two rows, whose embeddings' cosine is compared with it"},
	{path: params + ".metrics[].top_k", aware: true, own: true, kind: whole, min: "1", max: "1000000", initial: "1", doc: "a sample counts when its class is among the K best"},
	{path: params + ".metrics[].baseline_value", aware: true, kind: number, refused: "the float model is always measured, on the same samples"},
}

// tuningKeys are those of layer-wise tuning, all refused.
func tuningKeys() []key {
	var out []key
	for _, n := range []string{
		"num_samples_for_tuning", "batch_size", "calibration_indices_pool", "weights_lr", "bias_lr", "scale_lr", "optimizer", "loss",
		"weight_decay", "use_ranking_subset", "calculate_grads_on_loss_increase_only", "update_every_batch", "use_only_fp_inputs",
		"asymmetric", "tuning_iterations", "random_seed",
	} {
		out = append(out, key{path: params + "." + n, kind: free, refused: "it belongs to layer-wise tuning, which is not supported"})
	}
	return out
}

var runKeys = []key{
	{path: "run", own: true, kind: object, doc: "where and with what; each has a flag, which wins"},
	{path: "run.output_dir", own: true, kind: text, initial: "results", doc: "--output-dir: receives the model and the reports"},
	{path: "run.state_dir", own: true, kind: text, initial: "the user's cache directory", doc: "--state-dir: measured results, so that asking again is free"},
	{path: "run.evaluators", own: true, kind: whole, min: "0", max: "4096", initial: "the number of CPUs", doc: "--evaluators: in-process evaluators"},
	{path: "run.nats", own: true, kind: text, initial: "none: a broker inside the process", doc: "--nats: URL of a NATS server with JetStream"},
	{path: "run.memory", own: true, kind: text | whole, min: "1", initial: "half of the machine's", doc: "--memory: bytes an evaluator process may use, or \"4GiB\""},
}
