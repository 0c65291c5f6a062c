"""Writes golden.json: ONNX Runtime's QLinearSoftmax (exact) and float reductions (compared within a bound).

    python golden.py > golden.json        (needs onnxruntime, onnx, numpy)

Inputs are bytes of the generator lcg(seed); float inputs are (byte - 128) / 16.
"""
import json, sys
import numpy as np, onnx, onnxruntime as ort
from onnx import TensorProto as T, helper as h

F = np.float32


def lcg(seed, n):
    out = np.empty(n, np.uint8)
    x = seed
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = x >> 24
    return out


def run(op, x, ti, init=(), names=("x",), domain="", to=None, **attrs):
    g = h.make_graph([h.make_node(op, list(names), ["y"], domain=domain, **attrs)], "g", [h.make_tensor_value_info("x", ti, list(x.shape))],
                     [h.make_tensor_value_info("y", to or ti, None)], list(init))
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 18), h.make_opsetid("com.microsoft", 1)], ir_version=8)
    s = ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    return s.run(None, {"x": x})[0]


def softmaxes(rng):
    out = []
    for i, n in enumerate([1, 2, 10, 37, 128, 384, 1000]):
        for signed in (False, True):
            t, d, lo = (T.INT8, np.int8, -128) if signed else (T.UINT8, np.uint8, 0)
            for sx, sy, zy in [(0.1, 1 / 256, lo), (0.02, 1 / 255, lo), (float(np.exp(rng.normal(-3, 1))), 0.004, lo + 3)]:
                sx, sy = float(F(sx)), float(F(sy))
                x = lcg(i + 1, 4 * n).reshape(4, n)
                init = [h.make_tensor("sx", T.FLOAT, [], [sx]), h.make_tensor("zx", t, [], [5]), h.make_tensor("sy", T.FLOAT, [], [sy]), h.make_tensor("zy", t, [], [zy])]
                y = run("QLinearSoftmax", x.view(d), t, init, ("x", "sx", "zx", "sy", "zy"), "com.microsoft", axis=-1, opset=13)
                out.append({"seed": i + 1, "n": n, "signed": signed, "sx": sx, "sy": sy, "zy": zy, "out": y.tobytes().hex()})
    return out


def folds():
    x = ((lcg(9, 3 * 5 * 47).astype(F) - 128) / 16).reshape(3, 5, 47)
    out = []
    for op in ("Sum", "Mean", "Max", "Min", "SumSquare", "L1", "L2", "LogSumExp"):
        for axes in ([2], [1], [0, 2], [0, 1, 2]):
            init = [h.make_tensor("axes", T.INT64, [len(axes)], axes)]
            y = run("Reduce" + op, x, T.FLOAT, init, ("x", "axes"), keepdims=0)
            out.append({"op": op, "axes": axes, "out": np.asarray(y, F).reshape(-1).tobytes().hex()})
    for op in ("Softmax", "LogSoftmax"):
        for axis in (1, 2):
            out.append({"op": op, "axes": [axis], "out": run(op, x, T.FLOAT, axis=axis).tobytes().hex()})
    for op in ("ArgMax", "ArgMin"):
        for last in (0, 1):
            y = run(op, x, T.FLOAT, to=T.INT64, axis=1, keepdims=0, select_last_index=last)
            out.append({"op": op + (" last" if last else ""), "axes": [1], "out": y.astype(F).tobytes().hex()})
    init = [h.make_tensor("s", T.FLOAT, [47], np.arange(47) / 10), h.make_tensor("b", T.FLOAT, [47], -np.arange(47) / 7)]
    out.append({"op": "LayerNorm", "axes": [2], "out": run("LayerNormalization", x, T.FLOAT, init, ("x", "s", "b"), axis=-1, epsilon=1e-5).tobytes().hex()})
    return out


json.dump({"onnxruntime": ort.__version__, "softmax": softmaxes(np.random.default_rng(4)), "folds": folds()}, sys.stdout, indent=0)
