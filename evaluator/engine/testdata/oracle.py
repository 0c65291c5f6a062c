"""What ONNX Runtime makes of a model: python oracle.py quantize|run|time|optimise MODEL KIND COUNT OUT

KIND names the inputs: imagenet, cifar, nhwc (CIFAR, 0..255), mnist, or SHAPE such as 2x1x28x28 or
input_ids=int64:2x32 (random). quantize writes OUT, a QDQ model with u8 activations and s8 weights per
channel, calibrated on COUNT inputs. run writes to folder OUT one file per input and output of COUNT inputs fed
as one batch (batch 1 where the model fixes it): a line of JSON (name, type, shape), then the bytes. time prints
milliseconds per input, one thread. optimise writes OUT, the model after the runtime's optimiser at level KIND.
"""
import glob, json, os, sys, time
import numpy as np, onnxruntime as ort


def images(pattern, size, count):
    from PIL import Image
    files = sorted(glob.glob(pattern, recursive=True))
    files = files[:: max(1, len(files) // count)][:count]
    return np.stack([np.asarray(Image.open(f).convert("RGB").resize((size, size), Image.BILINEAR)) for f in files])


def inputs(session, kind, count):
    assets = os.environ["ASSETS"]
    names = [i.name for i in session.get_inputs()]
    if kind == "imagenet":
        x = images(assets + "/imagenet/**/*.[Jj][Pp]*[Gg]", 224, count).astype(np.float32) / 127.5 - 1
        return {names[0]: np.ascontiguousarray(x.transpose(0, 3, 1, 2))}
    if kind in ("cifar", "nhwc"):
        x = images(assets + "/cifar10/test/**/*.jpg", 32, count).astype(np.float32)
        if kind == "nhwc":
            return {names[0]: x}
        x = (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        return {names[0]: np.ascontiguousarray(x.transpose(0, 3, 1, 2).astype(np.float32))}
    rng = np.random.default_rng(7)
    out = {}
    for i, part in enumerate(kind.split(",")):
        name, _, shape = part.rpartition("=")
        kind_of, _, shape = shape.rpartition(":")
        shape = [int(d) for d in shape.split("x") if d]
        if kind_of:
            high = {"input_ids": 30000, "attention_mask": 2, "token_type_ids": 1}.get(name, 256)
            x = rng.integers(1 if name == "attention_mask" else 0, high, size=shape).astype(kind_of)
        else:
            x = rng.random(size=shape, dtype=np.float32)
        out[name or names[i]] = x
    return out


def session(model):
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    o.log_severity_level = 3
    return ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])


def write(folder, prefix, name, a):
    shape = list(np.shape(a))
    a = np.ascontiguousarray(a)
    head = json.dumps({"name": name, "type": str(a.dtype), "shape": shape})
    with open(os.path.join(folder, prefix), "wb") as f:
        f.write(head.encode() + b"\n" + a.tobytes())


def optimise(model, level, out):
    """Writes the model as the runtime's optimiser leaves it at a level."""
    o = ort.SessionOptions()
    o.graph_optimization_level = {"basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC, "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED, "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL}[level]
    o.optimized_model_filepath = out
    o.log_severity_level = 3
    ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])


def main(what, model, kind, count, out):
    if what == "optimise":
        return optimise(model, kind, out)
    s = session(model)
    feed = inputs(s, kind, int(count))
    fixed = isinstance(s.get_inputs()[0].shape[0], int)
    if what == "quantize":
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static, quant_pre_process

        class Reader(CalibrationDataReader):
            def __init__(self):
                n = len(next(iter(feed.values())))
                self.it = iter([{k: v[i : i + 1] for k, v in feed.items()} for i in range(n)])

            def get_next(self):
                return next(self.it, None)

        ready = out + ".pre.onnx"
        try:
            quant_pre_process(model, ready, skip_symbolic_shape=True)
        except Exception:
            ready = model
        quantize_static(ready, out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        if ready != model:
            os.remove(ready)
        return
    n = len(next(iter(feed.values())))
    step = 1 if fixed and what == "run" and s.get_inputs()[0].shape[0] == 1 else n
    if what == "time":
        one = {k: v[:1] for k, v in feed.items()}
        took = []
        begin = time.time()
        while len(took) < 10 or time.time() - begin < 1.5:
            t = time.perf_counter()
            s.run(None, one)
            took.append(time.perf_counter() - t)
        print(1e3 * sorted(took)[len(took) // 2])
        return
    parts = [s.run(None, {k: v[i : i + step] for k, v in feed.items()}) for i in range(0, n, step)] if all(v.ndim for v in feed.values()) else [s.run(None, feed)]
    os.makedirs(out, exist_ok=True)
    for i, (k, v) in enumerate(feed.items()):
        write(out, "in%d" % i, k, v)
    for i, o in enumerate(s.get_outputs()):
        write(out, "out%d" % i, o.name, np.concatenate([p[i] for p in parts]) if parts[0][i].ndim else parts[0][i])
    from collections import Counter
    import onnx

    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    o.optimized_model_filepath = os.path.join(out, "optimized.onnx")
    o.log_severity_level = 3
    ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])
    with open(os.path.join(out, "operators.json"), "w") as f:
        json.dump(Counter(n.op_type for n in onnx.load(o.optimized_model_filepath).graph.node), f)


main(*sys.argv[1:])
