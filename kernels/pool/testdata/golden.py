"""Writes golden.json: ONNX Runtime's pooling of 8-bit integers (and MaxPool of float32, exact as well).

    python golden.py > golden.json        (needs onnxruntime, onnx, numpy)

Inputs are bytes of the generator lcg(seed), as NHWC; float inputs are those bytes minus 128. A case holds the SHA-256 of
the output in NHWC and its first bytes.
"""
import hashlib, json, sys
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


def run(op, x, ti, init=(), names=("x",), domain="", **attrs):
    g = h.make_graph([h.make_node(op, list(names), ["y"], domain=domain, **attrs)], "g", [h.make_tensor_value_info("x", ti, list(x.shape))],
                     [h.make_tensor_value_info("y", ti, None)], list(init))
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("com.microsoft", 1)], ir_version=8)
    s = ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    return s.run(None, {"x": x})[0]


def main():
    rng = np.random.default_rng(3)
    cases = []
    geometries = [  # n, h, w, c, kernel, strides, dilations, pads, ceil
        (2, 7, 9, 5, (3, 3), (2, 2), (1, 1), (0, 0, 0, 0), 0), (1, 8, 8, 64, (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), 0),
        (1, 13, 11, 70, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), 0), (1, 12, 12, 3, (3, 3), (2, 2), (1, 1), (0, 0, 0, 0), 1),
        (2, 9, 9, 8, (5, 4), (1, 2), (1, 1), (2, 1, 2, 2), 0), (1, 10, 10, 33, (3, 3), (1, 1), (2, 2), (2, 2, 2, 2), 0),
        (1, 7, 7, 130, (7, 7), (1, 1), (1, 1), (0, 0, 0, 0), 0), (1, 16, 16, 9, (13, 12), (3, 3), (1, 1), (0, 0, 0, 0), 0),
        (1, 13, 13, 16, (3, 3), (2, 2), (1, 1), (0, 0, 1, 1), 1), (1, 1, 30, 6, (1, 5), (1, 2), (1, 1), (0, 2, 0, 2), 0),
    ]
    for i, (n, hh, w, c, k, s, d, p, ceil) in enumerate(geometries):
        raw = lcg(i + 1, n * hh * w * c).reshape(n, hh, w, c)
        geo = {"seed": i + 1, "shape": [n, hh, w, c], "kernel": k, "strides": s, "dilations": d, "pads": p}
        attrs = dict(kernel_shape=k, strides=s, pads=p, ceil_mode=ceil)

        def add(kind, out, **more):
            b = np.ascontiguousarray(out).tobytes()
            cases.append({"kind": kind, **geo, "out": list(out.shape[1:3]), **more, "sha256": hashlib.sha256(b).hexdigest(), "head": b[:24].hex()})

        nchw = np.ascontiguousarray(raw.transpose(0, 3, 1, 2))
        add("max u8", run("MaxPool", nchw, T.UINT8, dilations=d, **attrs).transpose(0, 2, 3, 1))
        add("max i8", run("MaxPool", nchw.view(np.int8), T.INT8, dilations=d, **attrs).transpose(0, 2, 3, 1))
        add("max f32", run("MaxPool", (nchw.astype(F) - 128), T.FLOAT, dilations=d, **attrs).transpose(0, 2, 3, 1))
        for rep in range(3):
            for signed in (False, True):
                t, dt = (T.INT8, np.int8) if signed else (T.UINT8, np.uint8)
                lo, hi = (-128, 127) if signed else (0, 255)
                x = (float(F(np.exp(rng.normal(-2, 1)))), int(rng.integers(lo, hi + 1)))
                y = (float(F(x[0] * np.exp(rng.normal(0, 0.3)))), int(np.clip(x[1] + rng.integers(-40, 41), lo, hi)))
                if rep == 0:
                    x, y = (0.5, lo), (0.25 if i % 2 else 0.125, lo + 1)
                init = [h.make_tensor("sx", T.FLOAT, [], [x[0]]), h.make_tensor("zx", t, [], [x[1]]), h.make_tensor("sy", T.FLOAT, [], [y[0]]), h.make_tensor("zy", t, [], [y[1]])]
                names = ("x", "sx", "zx", "sy", "zy")
                if d == (1, 1):
                    for include in (0, 1):
                        out = run("QLinearAveragePool", nchw.view(dt), t, init, names, "com.microsoft", count_include_pad=include, **attrs)
                        add("average", out.transpose(0, 2, 3, 1), signed=signed, x=x, y=y, include=include)
                        last = run("QLinearAveragePool", raw.view(dt), t, init, names, "com.microsoft", count_include_pad=include, channels_last=1, **attrs)
                        if not np.array_equal(last, out.transpose(0, 2, 3, 1)):
                            print("the layouts differ", geo, rep, signed, include, int((last != out.transpose(0, 2, 3, 1)).sum()), file=sys.stderr)
                out = run("QLinearGlobalAveragePool", nchw.view(dt), t, init, names, "com.microsoft", channels_last=0)
                add("global", out.transpose(0, 2, 3, 1), signed=signed, x=x, y=y)
    json.dump({"onnxruntime": ort.__version__, "cases": cases}, sys.stdout, separators=(",", ":"))


main()
