package config

import "assay/shared/dataset"

// checkerKeys are those of Accuracy Checker's model entry that stand in engine: what POT's users have there.
func checkerKeys() []key {
	const launcher = "the evaluators run the model; "
	set := "engine.datasets[]"
	split := "write engine.data_source and engine.calibration_source"
	out := readerKeys("engine.reader")
	out = append(out, stepKeys("engine.preprocessing")...)
	out = append(out,
		key{path: "engine.launchers", kind: list, initial: "none", doc: "of Accuracy Checker: read so that its entries need no change"},
		key{path: "engine.launchers[]", kind: object},
		key{path: "engine.launchers[].framework", kind: text, words: []string{"dlsdk", "openvino", "onnx_runtime"}, initial: "none", doc: "says nothing here: the evaluators run the model"},
		key{path: "engine.launchers[].adapter", kind: text, words: []string{"classification"}, initial: "classification", doc: "scores of classes"},
		key{path: "engine.launchers[].device", kind: text, refused: "evaluation runs on CPUs", accept: []string{`"CPU"`}},
		key{path: "engine.launchers[].batch", kind: whole, refused: launcher + "batches do not change a result", accept: []string{"1"}},
		key{path: "engine.launchers[].model", kind: text, refused: "write model.model"},
		key{path: "engine.launchers[].weights", kind: text, refused: onnxReason},
		key{path: "engine.launchers[].inputs", kind: free, refused: launcher + "every input needs data: give arrays by name"},
		key{path: "engine.datasets", kind: list | object, initial: "engine.data_source", doc: "of Accuracy Checker: exactly one entry"},
		key{path: "engine.datasets.optimization", kind: free, refused: split},
		key{path: "engine.datasets.evaluation", kind: free, refused: split},
		key{path: "engine.datasets.preprocessing", kind: free, refused: "write engine.preprocessing"},
		key{path: set, kind: object},
		key{path: set + ".name", kind: text, initial: "none", doc: "for people"},
		key{path: set + ".data_source", kind: text, initial: "engine.data_source", doc: "as engine.data_source"},
		key{path: set + ".annotation_conversion", kind: object, initial: "engine.labels", doc: "the labels"},
		key{path: set + ".annotation_conversion.converter", kind: text, words: []string{"imagenet"}, initial: "imagenet", doc: "a text file with name and class number a line"},
		key{path: set + ".annotation_conversion.annotation_file", kind: text, initial: "engine.labels", doc: "as engine.labels"},
		key{path: set + ".annotation_conversion.has_background", kind: truth, initial: "false", doc: "as engine.has_background"},
		key{path: set + ".annotation_conversion.labels_file", kind: text, refused: "names of classes are not needed"},
		key{path: set + ".annotation", kind: text, refused: "pickled annotations are not read; give annotation_conversion"},
		key{path: set + ".dataset_meta", kind: text, refused: "names of classes are not needed"},
		key{path: set + ".subsample_size", kind: free, refused: "all samples are used; name fewer in the label file"},
		key{path: set + ".postprocessing", kind: free, refused: "scores of classes need none"},
	)
	out = append(out, readerKeys(set+".reader")...)
	out = append(out, stepKeys(set+".preprocessing")...)
	at := set + ".metrics"
	return append(out,
		key{path: at, kind: list, initial: "params.metrics", doc: "what is measured, unless params.metrics says it"},
		key{path: at + "[]", kind: object},
		key{path: at + "[].name", kind: text, initial: "accuracy@topK", doc: "as in params.metrics"},
		key{path: at + "[].type", kind: text, words: []string{"accuracy"}, initial: "from name"},
		key{path: at + "[].top_k", kind: whole, min: "1", max: "1000000", initial: "1", doc: "as in params.metrics"},
		key{path: at + "[].presenter", kind: text, refused: "reports print a number", accept: []string{`"print_scalar"`}},
		key{path: at + "[].reference", kind: number, refused: "the float model is measured on the same samples"},
	)
}

// otherReaders are readers of Accuracy Checker that are known and not supported.
var otherReaders = reasons("name opencv_imread or pillow_imread, or convert the data to .npy",
	"scipy_imread", "skimage_imread", "tf_imread", "rawpy", "opencv_capture", "tifffile_reader", "dicom_reader", "nifti_reader", "wav_reader",
	"json_reader", "pickle_reader", "numpy_dict_reader", "numpy_npz_reader", "numpy_bin_reader", "combine_reader", "lmdb_reader",
	"annotation_features_extractor", "ncf_data_reader", "byte_reader", "kaldi_ark_reader", "flac_reader", "disparity_reader")

// otherSteps are preprocessors of Accuracy Checker that are known and not supported.
var otherSteps = reasons("do it beforehand and give arrays (.npy)",
	"flip", "corner_crop", "crop_rect", "extend_around_rect", "point_alignment", "tiling", "pyramid", "auto_resize", "warp_affine", "crop3d",
	"normalize3d", "resize3d", "similarity_transform_box", "bgr_to_yuv", "rgb_to_yuv", "bgr_to_nv12", "rgb_to_nv12", "nv12_to_bgr", "nv12_to_rgb",
	"bgr_to_lab", "select_channel", "decode_by_vocabulary", "pad_with_eos", "centered_crop", "crop_or_pad", "object_crop_with_scale", "instance_crop",
	"candidate_crop", "image_pyramid", "face_detection_image_pyramid", "resize_audio", "clip_audio", "audio_normalization", "hanning_window",
	"audio_spectrogram", "trimap", "free_form_mask", "rect_mask", "custom_mask", "one_hot_encoding", "transpose", "packed_raw")

// reasons gives each name the same reason why it is not supported.
func reasons(why string, names ...string) map[string]string {
	out := make(map[string]string, len(names))
	for _, n := range names {
		out[n] = why
	}
	return out
}

// readerKeys are a reader by name, or as an object.
func readerKeys(at string) []key {
	return []key{
		{path: at, kind: text | object, words: dataset.Readers(), instead: otherReaders, initial: "pillow_imread; opencv_imread where preprocessing is given",
			doc: "opencv_imread: pixels as cv2.imread gives them, turned as EXIF says, BGR; pillow_imread: RGB, not turned; numpy_reader: arrays; --reader"},
		{path: at + ".type", kind: text, words: dataset.Readers(), instead: otherReaders, initial: "must be given", doc: "the reader's name"},
		{path: at + ".reading_flag", kind: text, refused: "colours are read; bgr_to_gray makes grey", accept: []string{`"color"`}},
		{path: at + ".to_rgb", kind: truth, refused: "pictures are read as RGB", accept: []string{"true"}},
	}
}

// steps are the preprocessors that can be named, each with its parameters. They run in this order; channels may change
// places anywhere.
var steps = []struct {
	name   string
	params []string
}{
	{"resize", []string{"size", "dst_width", "dst_height", "aspect_ratio_scale", "interpolation", "use_pillow", "use_tensorflow", "resize_realization", "factor", "include_boundary"}},
	{"crop", []string{"size", "dst_width", "dst_height", "use_pillow", "central_fraction", "max_square"}},
	{"padding", []string{"size", "dst_width", "dst_height", "stride", "pad_type", "pad_value", "use_numpy", "numpy_pad_mode", "enable_resize", "left_top_extend"}},
	{"normalization", []string{"mean", "std", "images_only"}},
	{"bgr_to_rgb", nil}, {"rgb_to_bgr", nil}, {"bgr_to_gray", nil}, {"rgb_to_gray", nil},
}

// stepKeys are a list of preprocessing steps.
func stepKeys(at string) []key {
	var names []string
	for _, s := range steps {
		names = append(names, s.name)
	}
	p := at + "[]."
	aspects := reasons("write one of greater, width, height, fit_to_window or east_keep_aspect_ratio", "frcnn_keep_aspect_ratio", "ctpn_keep_aspect_ratio",
		"min_ratio", "mask_rcnn_benchmark_aspect_ratio", "scale_factor", "ppcrnn_ratio", "ppocr_max_ratio", "ppocr_cls_ratio")
	return []key{
		{path: at, kind: list, initial: "the keys above", doc: "Accuracy Checker's preprocessors, in place of the keys above; each step an object with its type: central crop, resize, crop, padding, normalization, in this order, and channels anywhere. Without a reader, opencv_imread"},
		{path: at + "[]", kind: object},
		{path: p + "type", kind: text, words: names, instead: otherSteps, initial: "must be given", doc: "the preprocessor's name"},
		{path: p + "size", kind: whole, min: "1", max: "16384", initial: "dst_width and dst_height", doc: "both sides, of resize, crop and padding"},
		{path: p + "dst_width", kind: whole, min: "1", max: "16384", initial: "size"},
		{path: p + "dst_height", kind: whole, min: "1", max: "16384", initial: "size"},
		{path: p + "aspect_ratio_scale", kind: text, words: dataset.Aspects(), instead: aspects, initial: "the aspect is not kept", doc: "of resize. greater: --resize N, the shorter side becomes the size; the others: --resize WxH,NAME"},
		{path: p + "interpolation", kind: text, initial: "linear", doc: "of resize. OpenCV: LINEAR (--resize N,opencv-linear), NEAREST (opencv-nearest); Pillow: BILINEAR, BICUBIC, BOX, NEAREST"},
		{path: p + "use_pillow", kind: truth, initial: "false", doc: "of resize: Pillow's filter (with antialiasing) instead of OpenCV's (without); of crop: round(rest/2) instead of floor (--crop N,floor)"},
		{path: p + "resize_realization", kind: text, words: []string{"opencv", "pillow"}, instead: map[string]string{"tf": "write opencv or pillow"}, initial: "opencv", doc: "as use_pillow"},
		{path: p + "use_tensorflow", kind: truth, refused: "write use_pillow, or neither", accept: []string{"false"}},
		{path: p + "factor", kind: whole, refused: "sizes are not rounded to multiples", accept: []string{"1"}},
		{path: p + "include_boundary", kind: truth, refused: "it belongs to factor", accept: []string{"false"}},
		{path: p + "central_fraction", kind: number, min: "0", over: true, max: "1", initial: "none", doc: "of a crop before the resize: --central-fraction"},
		{path: p + "max_square", kind: truth, refused: "write aspect_ratio_scale greater and a crop", accept: []string{"false"}},
		{path: p + "stride", kind: whole, min: "1", max: "16384", initial: "1", doc: "of padding: --pad stride:N"},
		{path: p + "pad_type", kind: text, words: []string{"center", "left_top", "right_bottom"}, initial: "center", doc: "of padding: where the new pixels go"},
		{path: p + "pad_value", kind: text | whole, min: "0", max: "255", initial: "0", doc: "of padding: one byte, or \"B,G,R\" in the order that the channels have there"},
		{path: p + "use_numpy", kind: truth, refused: "constant padding is the same", accept: []string{"false"}},
		{path: p + "numpy_pad_mode", kind: text, refused: "padding is constant", accept: []string{`"constant"`}},
		{path: p + "enable_resize", kind: truth, refused: "resize before padding", accept: []string{"false"}},
		{path: p + "left_top_extend", kind: truth, refused: "the odd pixel is added right and below", accept: []string{"false"}},
		{path: p + "mean", kind: number | list | text, initial: "0", doc: "of normalization, (x - mean)/std, in the order that the channels have there: --mean; also \"B,G,R\", imagenet or cifar10"},
		{path: p + "mean[]", kind: number},
		{path: p + "std", kind: number | list | text, min: "0", over: true, initial: "1", doc: "of normalization: --std"},
		{path: p + "std[]", kind: number, min: "0", over: true},
		{path: p + "images_only", kind: truth, refused: "there are only images", accept: []string{"false"}},
	}
}
