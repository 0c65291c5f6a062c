"""Runs a model in ONNX Runtime at every level of its optimiser and compares its first output with ours.

levels.py MODEL FOLDER: FOLDER holds in_NAME.bin for each input (a line of JSON with type and shape, then the bytes; the first axis counts samples) and
ours.f32, our output for each sample. Prints one JSON object by level: samples; equal, those whose output is ours bit for bit; error,
max|a-b|/max|b|; noise, the energy of a-b as a share of b's; top1_clear, the rows (along the last axis) whose largest element has our index among
those whose margin is at least 1e-3 of the row's range, and clear, how many these are.
"""
import glob, json, os, sys
import numpy as np, onnxruntime as ort


def load(path):
    with open(path, "rb") as f:
        head = json.loads(f.readline())
        return np.frombuffer(f.read(), head["type"]).reshape(head["shape"])


def main(model, folder):
    feed = {os.path.basename(p)[3:-4]: load(p) for p in glob.glob(os.path.join(folder, "in_*.bin"))}
    n = len(next(iter(feed.values())))
    flat = np.fromfile(os.path.join(folder, "ours.f32"), np.float32)
    report = {}
    for level in (0, 1, 2, 99):
        o = ort.SessionOptions()
        o.intra_op_num_threads = o.inter_op_num_threads = 1
        o.log_severity_level = 3
        o.graph_optimization_level = ort.GraphOptimizationLevel(level)
        s = ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])
        theirs = np.concatenate([s.run(None, {k: v[i : i + 1] for k, v in feed.items()})[0] for i in range(n)])
        ours = flat.reshape(theirs.shape)
        d = (ours.astype(np.float64) - theirs)
        a, b = ours.reshape(-1, ours.shape[-1]), theirs.reshape(-1, theirs.shape[-1])
        ordered = np.sort(a, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] >= 1e-3 * (ordered[:, -1] - ordered[:, 0])
        report[str(level)] = {
            "samples": n,
            "equal": int((ours.reshape(n, -1).view(np.uint32) == theirs.reshape(n, -1).view(np.uint32)).all(axis=1).sum()),
            "error": float(abs(d).max() / abs(theirs).max()),
            "noise": float((d * d).sum() / (theirs.astype(np.float64) ** 2).sum()),
            "top1_clear": int(((a.argmax(1) == b.argmax(1)) & clear).sum()),
            "clear": int(clear.sum()),
        }
    print(json.dumps(report))


main(*sys.argv[1:])
