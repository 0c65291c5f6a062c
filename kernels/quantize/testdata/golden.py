"""Writes golden.json: ONNX Runtime's QuantizeLinear, DequantizeLinear and the operators that are 256-entry tables.

    python golden.py > golden.json        (needs onnxruntime, onnx, numpy)

Tables run over all 256 bit patterns. QuantizeLinear inputs are float32 bit patterns in hex: ties, neighbours of ties,
limits, NaN, infinities, denormals.
"""
import json, sys
import numpy as np, onnx, onnxruntime as ort
from onnx import TensorProto as T, helper as h

F = np.float32


def session(nodes, inputs, outputs, init):
    g = h.make_graph(nodes, "g", [h.make_tensor_value_info(n, t, s) for n, t, s in inputs],
                     [h.make_tensor_value_info(n, t, None) for n, t in outputs], init)
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("com.microsoft", 1)], ir_version=8)
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(m.SerializeToString(), o, providers=["CPUExecutionProvider"])


def params(names, sides, signed):
    t = T.INT8 if signed else T.UINT8
    out = []
    for n, (s, z) in zip(names, sides):
        out += [h.make_tensor("s" + n, T.FLOAT, [], [float(s)]), h.make_tensor("z" + n, t, [], [int(z)])]
    return out


def quantize(x, side, signed):
    t = T.INT8 if signed else T.UINT8
    s = session([h.make_node("QuantizeLinear", ["x", "sy", "zy"], ["y"])], [("x", T.FLOAT, [len(x)])], [("y", t)], params("y", [side], signed))
    return s.run(None, {"x": x})[0]


def table(op, x, y, signed, **attrs):
    t, d = (T.INT8, np.int8) if signed else (T.UINT8, np.uint8)
    idx = np.arange(256, dtype=np.uint8).view(d)
    names = ["x", "sx", "zx", "sy", "zy"] if op != "QLinearConcat" else ["sy", "zy", "x", "sx", "zx"]
    if op == "QLinearConcat":
        attrs = {"axis": 0}
    s = session([h.make_node(op, names, ["y"], domain="com.microsoft", **attrs)], [("x", t, [256])], [("y", t)], params("xy", [x, y], signed))
    return s.run(None, {"x": idx})[0]


def inputs(rng, s):
    k = np.arange(-260, 261, 4, dtype=F)
    ties = F((k + rng.integers(0, 4, len(k)).astype(F) + F(0.5)) * s)
    v = np.concatenate([ties, np.nextafter(ties, F(np.inf)), np.nextafter(ties, F(-np.inf)), F(rng.normal(0, 60, 100) * s)])
    v = np.concatenate([v, np.array([0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 3.4e38, -3.4e38, 1e-45, -1e-45, 2147483648, -2147483648, 4e9], F)])
    return v.astype(F)


def main():
    rng = np.random.default_rng(11)
    q, tables = [], []
    for signed in (False, True):
        lo, hi = (-128, 127) if signed else (0, 255)
        for s, z in [(0.5, lo), (1.0, hi), (0.1, (lo + hi) // 2), (0.0123, lo + 3), (7.3e-6, hi - 9), (1234.5, 7)]:
            x = inputs(rng, F(s))
            q.append({"signed": signed, "y": [float(F(s)), z], "in": x.tobytes().hex(), "out": quantize(x, (s, z), signed).tobytes().hex()})
        for _ in range(5):
            x = (float(F(np.exp(rng.normal(-3, 1)))), int(rng.integers(lo, hi + 1)))
            y = (float(F(np.exp(rng.normal(-3, 1)))), int(rng.integers(lo, hi + 1)))
            one = (float(F(1 / 256)), lo)
            for op, a, b, kw in [("QLinearSigmoid", x, one, {}), ("QLinearSigmoid", x, y, {}), ("QLinearLeakyRelu", x, y, {"alpha": 0.1}), ("QLinearLeakyRelu", x, (x[0] * 2, y[1]), {"alpha": 0.25}), ("QLinearConcat", x, y, {})]:
                tables.append({"op": op, "signed": signed, "x": a, "y": b, "alpha": float(F(kw.get("alpha", 0))), "out": table(op, a, b, signed, **kw).tobytes().hex()})
    json.dump({"onnxruntime": ort.__version__, "quantize": q, "tables": tables}, sys.stdout, indent=0)


main()
