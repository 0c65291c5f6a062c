package op

import (
	"strings"

	"assay/shared/graph"
)

// kindsByName says of which kinds an attribute of that name is, at any opset and in every operator here: ONNX gives one name one
// kind, but for those that stand in two lines, which changed with the opset, and for what kindsOf tells apart.
var kindsByName = func() map[string][]graph.Kind {
	out := map[string][]graph.Kind{}
	for kind, names := range map[graph.Kind]string{
		graph.KindFloat: `alpha beta bias clip cubic_coeff_a decay_factor epsilon extrapolation_value gamma height_scale high lambd low
			mask_filter_value max mean min momentum norm_coefficient norm_coefficient_post p ratio scale seed softcap spatial_scale threshold
			value value_float width_scale`,
		graph.KindInt: `align_corners allowzero antialias axis batch_axis batch_dims block_size blocksize broadcast ceil_mode center_point_box
			channels_last chunk_size count_include_pad detect_negative detect_positive do_rotary dtype end exclude_outside exclusive fmod group
			hidden_size ignore_index input_forget interleaved inverse is_causal is_test k keepdims kv_num_heads largest layout linear_before_reset
			mask_index_type max_gram_length max_skip_count min_gram_length new_axis noop_with_empty_axes num_groups num_heads num_outputs num_scan_inputs
			offset_group onesided opset output_datatype output_dtype output_height output_sequence output_width p past_present_share_buffer periodic precision
			q_num_heads qk_matmul_output_mode reverse rotary_embedding_dim sample_size sampling_ratio saturate seed select_last_index size
			softmax_precision sorted spatial start stash_type storage_order time_axis to training_mode trans transA transB transBatch
			transBatchA transBatchB unidirectional upper value_int`,
		graph.KindString: `activation approximate auto_pad coordinate_transformation_mode direction equation keep_aspect_ratio_policy mode
			nearest_mode padding_mode reduction round_mode to update_rule value_string`,
		graph.KindFloats: "activation_alpha activation_beta activation_params scales value_floats weights",
		graph.KindInts: `axes consumed_inputs dilations directions ends kernel_shape ngram_counts ngram_indexes output_padding output_shape
			paddings pads perm pool_int64s pooled_shape qkv_hidden_sizes scan_input_axes scan_input_directions scan_output_axes
			scan_output_directions shape split starts strides value_ints`,
		graph.KindStrings: "activations pool_strings value_strings",
		graph.KindTensor:  "value",
		graph.KindGraph:   "body else_branch then_branch",
	} {
		for name := range strings.FieldsSeq(names) {
			out[name] = append(out[name], kind)
		}
	}
	return out
}()

// kindsOf lists the kinds that an attribute of n may have; none means that it is not known. The fused operators of com.microsoft
// have one activation and a number for it, where recurrent ones have lists.
func kindsOf(n *graph.Node, name string) []graph.Kind {
	switch {
	case name == "value" && n.Op == "Pad", n.Domain == microsoft && (name == "activation_alpha" || name == "activation_beta"):
		return []graph.Kind{graph.KindFloat}
	case name == "value":
		return []graph.Kind{graph.KindTensor}
	}
	return kindsByName[name]
}
