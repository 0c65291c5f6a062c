"""Runs exported models in ONNX Runtime. Reads one JSON request a line and answers each with one line.

Request: model (path); inputs and outputs, each a name and its files: one .npy whose first axis counts samples, or one file a sample; non_negative, a
list of output, axis and range. Answer: faults (texts), worst (per output, the largest difference from the expected results at any optimisation level),
between (the largest difference between the levels off and all).
"""
import json, sys
import numpy as np
import onnx, onnxruntime as ort

LEVELS = {"off": 0, "basic": 1, "extended": 2, "all": 99}


def samples(files):
    if len(files) == 1:
        return [np.asarray(s) for s in np.load(files[0])]
    return [np.load(f) for f in files]


def difference(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    if a.dtype.kind != "f":
        return 0.0 if np.array_equal(a, b) else float("inf")
    return float(np.max(np.abs(a.astype(np.float64) - b), initial=0.0)) if np.isfinite(a).all() else float("inf")


def session(path, level):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel(level)
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answer(request):
    faults = []
    names = [o["name"] for o in request["outputs"]]
    try:
        onnx.checker.check_model(request["model"], full_check=True)
    except Exception as e:
        faults.append(f"ONNX checker: {e}")
    inputs = {i["name"]: samples(i["files"]) for i in request["inputs"]}
    expected = [samples(o["files"]) for o in request["outputs"]]
    got = {}
    for level, number in LEVELS.items():
        try:
            s = session(request["model"], number)
            if [i.name for i in s.get_inputs()] != [i["name"] for i in request["inputs"]] and sorted(i.name for i in s.get_inputs()) != sorted(inputs):
                faults.append(f"level {level}: inputs are {[i.name for i in s.get_inputs()]}")
            if [o.name for o in s.get_outputs()] != names:
                faults.append(f"level {level}: outputs are {[o.name for o in s.get_outputs()]}")
            got[level] = [s.run(names, {n: v[k] for n, v in inputs.items()}) for k in range(len(expected[0]))]
        except Exception as e:
            faults.append(f"ONNX Runtime, level {level}: {str(e).splitlines()[0]}")
    for level, runs in got.items():
        for n in request.get("non_negative") or []:
            o = names.index(n["output"])
            low = min(float(np.take(r[o], range(*n["range"]), axis=n["axis"]).min()) for r in runs)
            if low < 0:
                faults.append(f"level {level}: {n['output']} falls to {low} where it may not be negative")
    worst = [max([difference(r[o], e) for runs in got.values() for r, e in zip(runs, expected[o])], default=float("inf")) for o in range(len(names))]
    between = [max([difference(a[o], b[o]) for a, b in zip(got.get("off", []), got.get("all", []))], default=float("inf")) for o in range(len(names))]
    return {"faults": faults, "worst": worst, "between": between}


for line in sys.stdin:
    try:
        out = answer(json.loads(line))
    except Exception as e:
        out = {"faults": [f"{type(e).__name__}: {e}"], "worst": [], "between": []}
    print(json.dumps(out).replace("Infinity", "1e300"), flush=True)
