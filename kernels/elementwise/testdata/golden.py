"""Writes golden.json: what ONNX Runtime's QLinearAdd and QLinearMul give for all pairs of bytes.

    python golden.py > golden.json        (needs onnxruntime, onnx, numpy)

A case holds the parameters, the SHA-256 of the 65,536 outputs in the order a*256+b, and the first 16 of row a=200. Bytes
are bit patterns. form says how b reaches the operator: as a tensor, as one value (256 runs), or by a broadcast per channel.
"""
import hashlib, json, sys
import numpy as np, onnx, onnxruntime as ort
from onnx import TensorProto as T, helper as h


def run(op, a, b, p, signed):
    t = T.INT8 if signed else T.UINT8
    d = np.int8 if signed else np.uint8
    init = []
    for n, (s, z) in zip("aby", p):
        init.append(h.make_tensor("s" + n, T.FLOAT, [], [float(s)]))
        init.append(h.make_tensor("z" + n, t, [], [int(z)]))
    node = h.make_node(op, ["a", "sa", "za", "b", "sb", "zb", "sy", "zy"], ["y"], domain="com.microsoft")
    g = h.make_graph([node], "g", [h.make_tensor_value_info("a", t, list(a.shape)), h.make_tensor_value_info("b", t, list(b.shape))],
                     [h.make_tensor_value_info("y", t, None)], init)
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("com.microsoft", 1)], ir_version=8)
    s = ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    return s, d


def table(op, form, p, signed):
    idx = np.arange(256, dtype=np.uint8)
    if form == "tensor":
        a, b = np.repeat(idx, 256), np.tile(idx, 256)
        s, d = run(op, a, b, p, signed)
        return s.run(None, {"a": a.view(d), "b": b.view(d)})[0].view(np.uint8)
    if form == "single":
        out = np.empty((256, 256), np.uint8)
        s, d = run(op, idx, idx[:1], p, signed)
        for j in range(256):
            out[:, j] = s.run(None, {"a": idx.view(d), "b": idx[j:j + 1].view(d)})[0].view(np.uint8)
        return out.reshape(-1)
    if form == "channel":  # a [256 channels][256], b [256 channels][1]
        a, b = np.tile(idx, 256).reshape(256, 256), idx.reshape(256, 1)
        s, d = run(op, a, b, p, signed)
        return np.ascontiguousarray(s.run(None, {"a": a.view(d), "b": b.view(d)})[0].view(np.uint8).T).reshape(-1)
    if form == "swapped":  # a is the single value; the table is indexed with the single value as b
        out = np.empty((256, 256), np.uint8)
        q = [p[1], p[0], p[2]]
        s, d = run(op, idx[:1], idx, q, signed)
        for j in range(256):
            out[:, j] = s.run(None, {"a": idx[j:j + 1].view(d), "b": idx.view(d)})[0].view(np.uint8)
        return out.reshape(-1)
    raise ValueError(form)


def main():
    rng = np.random.default_rng(7)
    cases = []
    for op in ("QLinearAdd", "QLinearMul"):
        for signed in (False, True):
            lo, hi = (-128, 127) if signed else (0, 255)
            sets = [
                [(0.5, lo), (0.25, lo), (0.5, lo)], [(0.5, hi), (0.25, lo), (1.0, hi)], [(0.125, (lo + hi) // 2), (0.5, (lo + hi) // 2), (0.25, (lo + hi) // 2)],
                [(1e-3, lo), (2.0, hi), (0.0078125, lo + 3)], [(0.02, lo), (0.03, lo), (1e4, lo)], [(3e-5, lo + 7), (3e-5, hi), (2e-5, hi)],
            ]
            for _ in range(10):
                sets.append([(np.float32(np.exp(rng.normal(-3, 1.5))), int(rng.integers(lo, hi + 1))) for _ in range(3)])
            for i, p in enumerate(sets):
                p = [(float(np.float32(s)), z) for s, z in p]
                for form in ("tensor", "single", "channel", "swapped"):
                    if form != "tensor" and i % 3:
                        continue
                    y = table(op, form, p, signed)
                    cases.append({"op": op, "form": form, "signed": signed, "params": p, "sha256": hashlib.sha256(y.tobytes()).hexdigest(), "row": y[200 * 256:200 * 256 + 16].tobytes().hex()})
    json.dump({"onnxruntime": ort.__version__, "cases": cases}, sys.stdout, indent=0)


main()
