"""Writes single-node models of float operators with ONNX Runtime's results: fused.py FOLDER.

Each case is a folder like those of the ONNX conformance suite: model.onnx, test_data_set_0/{input,output}_K.pb.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(5)
MS = "com.microsoft"


def f(*shape, low=-1.0, high=1.0):
    return random.uniform(low, high, shape).astype(np.float32)


def case(name, op, inputs, outputs=1, domain="", opset=17, constants=(), **attributes):
    """inputs: arrays in order, None where omitted; constants: positions that are initializers. outputs: a number, or a
    list of flags for which outputs exist."""
    names, data, fixed = [], {}, []
    for i, v in enumerate(inputs):
        names.append("" if v is None else f"i{i}")
        if v is None:
            continue
        if i in constants:
            fixed.append(numpy_helper.from_array(v, f"i{i}"))
        else:
            data[f"i{i}"] = v
    flags = [True] * outputs if isinstance(outputs, int) else outputs
    made = [f"o{i}" if flag else "" for i, flag in enumerate(flags)]
    node = helper.make_node(op, names, made, name="n", domain=domain, **attributes)
    ports = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in data.items()]
    results = [onnx.ValueInfoProto(name=o) for o in made if o]
    graph = helper.make_graph([node], "g", ports, results, fixed)
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)])
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder + "/test_data_set_0")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for port, value in zip(model.graph.output, session.get_outputs()):
        port.CopyFrom(helper.make_tensor_value_info(port.name, KINDS[value.type], None))
    onnx.save(model, folder + "/model.onnx")
    for k, (name, v) in enumerate(data.items()):
        onnx.save_tensor(numpy_helper.from_array(v, name), f"{folder}/test_data_set_0/input_{k}.pb")
    for k, v in enumerate(session.run(None, data)):
        onnx.save_tensor(numpy_helper.from_array(v, str(k)), f"{folder}/test_data_set_0/output_{k}.pb")


KINDS = {
    "tensor(float)": TensorProto.FLOAT, "tensor(int32)": TensorProto.INT32, "tensor(int64)": TensorProto.INT64,
    "tensor(uint8)": TensorProto.UINT8, "tensor(int8)": TensorProto.INT8, "tensor(bool)": TensorProto.BOOL,
}

# Recurrent operators: directions, lengths, initial states, peepholes, clipping, activations.
STEPS, BATCH, IN, H = 5, 3, 4, 6
lengths = np.array([5, 2, 4], np.int32)
for op, gates in [("RNN", 1), ("GRU", 3), ("LSTM", 4)]:
    for direction, d in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
        x, w, r, b = f(STEPS, BATCH, IN), f(d, gates * H, IN), f(d, gates * H, H), f(d, 2 * gates * H)
        h = f(d, BATCH, H)
        extra = [f(d, BATCH, H), f(d, 3 * H)] if op == "LSTM" else []
        outs = 3 if op == "LSTM" else 2
        fixed = (1, 2, 3, 7)
        case(f"{op}_{direction}", op, [x, w, r], outs, hidden_size=H, direction=direction, constants=fixed)
        case(f"{op}_{direction}_full", op, [x, w, r, b, lengths, h, *extra], outs, hidden_size=H, direction=direction, constants=fixed)
        case(f"{op}_{direction}_clip", op, [x, w, r, b], outs, hidden_size=H, direction=direction, clip=0.5, constants=fixed)
        case(f"{op}_{direction}_last", op, [x, w, r, b, lengths], [False, True], hidden_size=H, direction=direction, constants=fixed)
        if op == "GRU":
            case(f"{op}_{direction}_apart", op, [x, w, r, b, lengths, h], outs, hidden_size=H, direction=direction, linear_before_reset=1, constants=fixed)
    per = {"RNN": 1, "GRU": 2, "LSTM": 3}[op]
    names = ["HardSigmoid", "Elu", "ScaledTanh"][:per]
    alpha, beta = {1: ([0.3], [0.4]), 2: ([0.3, 0.7], [0.4]), 3: ([0.3, 0.7, 0.9], [0.4, 0.8])}[per]
    x, w, r, b = f(STEPS, BATCH, IN), f(1, gates * H, IN), f(1, gates * H, H), f(1, 2 * gates * H)
    if op != "LSTM":
        case(f"{op}_activations", op, [x, w, r, b], 2, hidden_size=H, activations=names, activation_alpha=alpha, activation_beta=beta, constants=(1, 2, 3))
    case(f"{op}_softsign", op, [x, w, r, b], 2, hidden_size=H, activations=["Softsign", "Relu", "Softplus"][:per], constants=(1, 2, 3))
x, w, r, b = f(STEPS, BATCH, IN), f(1, 4 * H, IN), f(1, 4 * H, H), f(1, 8 * H)
case("LSTM_coupled", "LSTM", [x, w, r, b], 3, hidden_size=H, input_forget=1, constants=(1, 2, 3))

# Operators of com.microsoft.
x, y, n = f(2, 5, 8), f(2, 5, 8), f(8)
case("gelu", "Gelu", [x], domain=MS)
case("bias_gelu", "BiasGelu", [x, n], domain=MS, constants=(1,))
case("fast_gelu", "FastGelu", [x], domain=MS)
case("fast_gelu_bias", "FastGelu", [x, n], domain=MS)
case("quick_gelu", "QuickGelu", [x], domain=MS, alpha=1.5)
case("quick_gelu_default", "QuickGelu", [x], domain=MS)
case("simplified", "SimplifiedLayerNormalization", [x, n], constants=(1,), axis=-1, epsilon=1e-6)
case("layer_norm_old", "LayerNormalization", [x, n, f(8)], constants=(1, 2), axis=-1, opset=13)
case("skip_norm", "SkipLayerNormalization", [x, y, n, f(8), f(8)], domain=MS, constants=(2, 3, 4))
case("skip_norm_least", "SkipLayerNormalization", [x, y, n], domain=MS, constants=(2,), epsilon=1e-3)
case("skip_norm_sum", "SkipLayerNormalization", [x, y, n, f(8)], [True, False, False, True], domain=MS, constants=(2, 3))
case("skip_norm_stretched", "SkipLayerNormalization", [x, f(1, 5, 8), n, None, f(8)], domain=MS, constants=(2, 4))
case("skip_simplified", "SkipSimplifiedLayerNormalization", [x, y, n, f(8)], [True, False, False, True], domain=MS, constants=(2, 3))
ids = random.integers(0, 10, (2, 5)).astype(np.int32)
segments = random.integers(0, 2, (2, 5)).astype(np.int32)
tables = [f(10, 8), f(16, 8), f(2, 8), f(8), f(8)]
mask = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]], np.int32)
case("embed", "EmbedLayerNormalization", [ids, segments, *tables, mask], [True, True, True], domain=MS, constants=(2, 3, 4, 5, 6))
case("embed_no_segments", "EmbedLayerNormalization", [ids, None, tables[0], tables[1], None, tables[3], tables[4]], 2, domain=MS, constants=(2, 3, 5, 6))
positions = random.integers(0, 16, (2, 5)).astype(np.int32)
case("embed_positions", "EmbedLayerNormalization", [ids, segments, *tables, None, positions], 2, domain=MS, constants=(2, 3, 4, 5, 6))
for a in (0, 1):
    for b in (0, 1):
        left, right = f(*((2, 3, 6, 5) if a else (2, 3, 5, 6))), f(*((2, 3, 7, 6) if b else (2, 3, 6, 7)))
        case(f"fused_matmul_{a}{b}", "FusedMatMul", [left, right], domain=MS, transA=a, transB=b, alpha=0.25)
case("fused_matmul_batch", "FusedMatMul", [f(5, 2, 6), f(7, 2, 6)], domain=MS, transBatchA=1, transBatchB=1, transB=1)
case("fused_gemm", "FusedGemm", [f(3, 4), f(5, 4), f(5)], domain=MS, transB=1, activation="LeakyRelu", activation_alpha=0.2, constants=(1, 2))
image, kernel = f(2, 4, 9, 8), f(6, 4, 3, 3)
for act, params in [("Relu", None), ("Clip", [-0.5, 1.0]), ("LeakyRelu", [0.2]), ("HardSigmoid", [0.3, 0.4]), ("Tanh", None), ("Sigmoid", None)]:
    more = {} if params is None else {"activation_params": params}
    case(f"fused_conv_{act}", "FusedConv", [image, kernel, f(6)], domain=MS, activation=act, pads=[1, 1, 1, 1], kernel_shape=[3, 3], constants=(1, 2), **more)
case("fused_conv_sum", "FusedConv", [image, kernel, f(6), f(2, 6, 9, 8)], domain=MS, activation="Relu", pads=[1, 1, 1, 1], constants=(1, 2))
w, b = f(8, 24), f(24)
lengths = np.array([5, 3], np.int32)
wide = np.repeat(mask[:, None, :], 5, axis=1)
for name, m in [("none", None), ("2d", mask), ("1d", lengths), ("3d", wide)]:
    case(f"attention_{name}", "Attention", [x, w, b, m], domain=MS, num_heads=2, constants=(1, 2))
case("attention_causal", "Attention", [x, w, b, mask], domain=MS, num_heads=4, unidirectional=1, constants=(1, 2))
case("attention_bias", "Attention", [x, w, b, None, None, f(2, 2, 5, 5)], domain=MS, num_heads=2, scale=0.3, constants=(1, 2))
case("attention_sizes", "Attention", [x, f(8, 20), f(20)], domain=MS, num_heads=2, qkv_hidden_sizes=[6, 6, 8], constants=(1, 2))
case("multi_head", "MultiHeadAttention", [x, f(2, 7, 8), f(2, 7, 8), f(24)], domain=MS, num_heads=2, constants=(3,))
case("multi_head_mask", "MultiHeadAttention", [x, y, y, None, mask, f(2, 2, 5, 5)], domain=MS, num_heads=2, scale=0.4)

# Integers: dynamic quantization, and the forms that the runtime's optimiser writes for its own kernels.
case("dynamic_quantize", "DynamicQuantizeLinear", [f(3, 5, low=-2, high=5)], 3)
case("dynamic_quantize_positive", "DynamicQuantizeLinear", [f(3, 5, low=1, high=5)], 3)
case("dynamic_quantize_zero", "DynamicQuantizeLinear", [np.zeros((2, 3), np.float32)], 3)
u8 = lambda *s: random.integers(0, 256, s).astype(np.uint8)
s8 = lambda *s: random.integers(-128, 128, s).astype(np.int8)
case("matmul_integer", "MatMulInteger", [u8(2, 3, 4), s8(4, 5), np.array(7, np.uint8), s8(5)])
case("matmul_integer_none", "MatMulInteger", [u8(3, 4), u8(4, 5)])
case("conv_integer", "ConvInteger", [u8(2, 4, 7, 6), u8(6, 2, 3, 3), np.array(9, np.uint8), np.array(3, np.uint8)], pads=[1, 0, 1, 2], strides=[2, 1], dilations=[1, 2], group=2)
one = lambda v: np.array(v, np.float32)
case("dynamic_matmul", "DynamicQuantizeMatMul", [f(2, 3, 8), s8(8, 5), f(5, low=0.01, high=0.02), s8(5), f(5)], domain=MS, constants=(1, 2, 3, 4))
case("dynamic_matmul_least", "DynamicQuantizeMatMul", [f(3, 8), u8(8, 5), one(0.02), np.array(120, np.uint8)], domain=MS, constants=(1, 2, 3))
case("integer_to_float_live", "MatMulIntegerToFloat", [u8(3, 8), s8(8, 5), one(0.03), one(0.02), np.array(120, np.uint8), np.array(0, np.int8), f(5)], domain=MS, constants=(1, 3, 5, 6))
case("nhwc_max_pool", "NhwcMaxPool", [u8(2, 7, 6, 3)], domain=MS, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
z = lambda v: np.array(v, np.uint8)
case("nhwc_conv", "QLinearConv", [u8(2, 7, 6, 4), one(0.03), z(3), s8(5, 4, 3, 3), f(5, low=0.01, high=0.02), np.zeros(5, np.int8), one(0.2), z(128)], domain=MS, channels_last=1, kernel_shape=[3, 3], pads=[1, 1, 1, 1], constants=(1, 2, 3, 4, 5, 6, 7))
case("nhwc_mean", "QLinearGlobalAveragePool", [u8(2, 7, 6, 4), one(0.03), z(3), one(0.02), z(100)], domain=MS, channels_last=1, constants=(1, 2, 3, 4))
case("nhwc_average", "QLinearAveragePool", [u8(2, 7, 6, 4), one(0.03), z(3), one(0.02), z(100)], domain=MS, channels_last=1, kernel_shape=[2, 2], constants=(1, 2, 3, 4))
case("q_attention", "QAttention", [u8(2, 5, 8), s8(8, 24), f(24), one(0.01), one(0.02), mask, z(128), np.array(0, np.int8)], domain=MS, num_heads=2, constants=(1, 2, 3, 4, 6, 7))
