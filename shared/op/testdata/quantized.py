"""Writes single-node models of integer operators with ONNX Runtime's results: quantized.py FOLDER.

Each case is a folder like those of the ONNX conformance suite: model.onnx, test_data_set_0/{input,output}_K.pb.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(11)
KIND = {"u8": (np.uint8, TensorProto.UINT8), "s8": (np.int8, TensorProto.INT8), "f32": (np.float32, TensorProto.FLOAT)}


def ints(kind, shape):
    low, high = (0, 256) if kind == "u8" else (-128, 128)
    return random.integers(low, high, shape).astype(KIND[kind][0])


def scale(shape=()):
    return random.uniform(0.01, 0.05, shape).astype(np.float32)


def case(name, op, data, rest, out, domain="com.microsoft", **attributes):
    """data: names and arrays that are inputs; rest: the order of all inputs, arrays are constants, None is omitted."""
    names, constants = [], []
    for i, v in enumerate(rest):
        if v is None:
            names.append("")
        elif isinstance(v, str):
            names.append(v)
        else:
            names.append(f"c{i}")
            constants.append(numpy_helper.from_array(np.asarray(v), f"c{i}"))
    node = helper.make_node(op, names, ["y"], name="n", domain=domain, **attributes)
    inputs = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in data.items()]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", KIND[out][1], None)], constants)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder + "/test_data_set_0")
    onnx.save(model, folder + "/model.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for k, (name, v) in enumerate(data.items()):
        onnx.save_tensor(numpy_helper.from_array(v, name), f"{folder}/test_data_set_0/input_{k}.pb")
    for k, v in enumerate(session.run(None, data)):
        onnx.save_tensor(numpy_helper.from_array(v, "y"), f"{folder}/test_data_set_0/output_{k}.pb")


def zero(kind):
    return ints(kind, ())


for a, w in [("u8", "s8"), ("u8", "u8"), ("s8", "s8")]:
    x = ints(a, (2, 8, 9, 11))
    for group, name in [(1, "dense"), (2, "groups"), (8, "depthwise")]:
        weight = ints(w, (8, 8 // group, 3, 3))
        wz = np.zeros(8, KIND[w][0]) if w == "s8" else np.full(8, 128, np.uint8)
        case(f"conv_{a}{w}_{name}", "QLinearConv", {"x": x},
             ["x", scale(), zero(a), weight, scale(8), wz, np.float32(2.5), zero(a), random.integers(-9999, 9999, 8).astype(np.int32)],
             a, domain="", pads=[1, 1, 0, 1], strides=[2, 1], group=group)
    x = ints(a, (2, 4, 5, 4, 6))
    for group in (1, 2):
        weight = ints(w, (6, 4 // group, 3, 2, 3))
        wz = np.zeros(6, KIND[w][0]) if w == "s8" else np.full(6, 128, np.uint8)
        case(f"conv3d_{a}{w}_{group}", "QLinearConv", {"x": x},
             ["x", scale(), zero(a), weight, scale(6), wz, np.float32(2.5), zero(a), random.integers(-9999, 9999, 6).astype(np.int32)],
             a, domain="", pads=[1, 0, 1, 1, 1, 1], strides=[1, 2, 1], dilations=[2, 1, 1], group=group)
    x = ints(a, (3, 5, 40))
    case(f"matmul_{a}{w}", "QLinearMatMul", {"x": x}, ["x", scale(), zero(a), ints(w, (40, 24)), scale(), zero(w), np.float32(1.5), zero(a)], a, domain="")
    case(f"tofloat_{a}{w}", "MatMulIntegerToFloat", {"x": x}, ["x", ints(w, (40, 24)), scale(), scale(24), zero(a), np.full(24, zero(w)), None], "f32")
x, b = ints("u8", (6, 40)), random.integers(-9999, 9999, 24).astype(np.int32)
wz = np.zeros(24, np.int8)
case("gemm", "QGemm", {"x": x}, ["x", scale(), zero("u8"), ints("s8", (24, 40)), scale(24), wz, b, np.float32(1.5), zero("u8")], "u8", transB=1)
case("gemm_float", "QGemm", {"x": x}, ["x", scale(), zero("u8"), ints("s8", (40, 24)), scale(24), wz, b], "f32")
batch = ints("u8", (2, 3, 7, 40))
case("matmul_dynamic", "QLinearMatMul", {"x": batch, "w": ints("u8", (2, 3, 40, 5))}, ["x", scale(), zero("u8"), "w", scale(), zero("u8"), np.float32(1.5), zero("u8")], "u8", domain="")
for k in ["u8", "s8"]:
    x = ints(k, (2, 6, 9, 11))
    ends = [scale(), zero(k), scale(), zero(k)]
    case(f"sigmoid_{k}", "QLinearSigmoid", {"x": x}, ["x", scale(), zero(k), np.float32(1 / 256), zero(k)], k)
    case(f"leaky_{k}", "QLinearLeakyRelu", {"x": x}, ["x", *ends], k, alpha=0.1)
    case(f"average_{k}", "QLinearAveragePool", {"x": x}, ["x", *ends], k, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    case(f"global_{k}", "QLinearGlobalAveragePool", {"x": x}, ["x", *ends], k)
    case(f"softmax_{k}", "QLinearSoftmax", {"x": x}, ["x", scale(), zero(k), np.float32(1 / 256), zero(k)], k, axis=-1, opset=13)
    for axis in (0, 1, -2):
        turned = ints(k, (2, 3, 4, 5))
        case(f"softmax_{k}_axis{axis}", "QLinearSoftmax", {"x": turned}, ["x", scale(), zero(k), np.float32(1 / 256), zero(k)], k, axis=axis, opset=13)
    for shape in [(2, 6, 9, 11), (1,), (6, 1, 1), (11,), (2, 6, 1, 1)]:
        o = ints(k, shape)
        name = "x".join(map(str, shape))
        for op in ["Add", "Mul"]:
            s = np.float32(0.08 if op == "Add" else 0.02)
            case(f"{op}_{k}_{name}", "QLinear" + op, {"x": x, "w": o}, ["x", scale(), zero(k), "w", scale(), zero(k), s, zero(k)], k)
            case(f"{op}_{k}_{name}_swapped", "QLinear" + op, {"x": o, "w": x}, ["x", scale(), zero(k), "w", scale(), zero(k), s, zero(k)], k)
    case(f"concat_{k}", "QLinearConcat", {"x": x, "w": ints(k, (2, 3, 9, 11))},
         [ends[0], ends[1], "x", ends[0], ends[1], "w", scale(), zero(k)], k, axis=1)
