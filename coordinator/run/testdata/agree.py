"""Runs a float model and its INT8 file in ONNX Runtime and OpenVINO on given inputs and says what differs.

agree.py FLOAT INT8 BARE FOLDER: BARE is INT8 without a Softmax at its end. FOLDER holds input.f32, ours_float.f32, ours_int8.f32, ours_bare.f32 (our outputs, one row a sample), and shape.json {"input": [...], "rows": N}.
Prints one JSON object: samples; equal, the samples whose outputs of BARE are ONNX Runtime's bit for bit; float_error, max|a-b|/max|b| of
the float outputs; top1_float, top1_int8, the samples whose largest output has the same index; top1_clear, the same among the samples
whose margin is at least 1e-3 of the range of their outputs, and clear, how many these are; literal, the samples with the same top-1 where ONNX Runtime's
optimiser is off and everything runs in float; openvino, those with OpenVINO's.
"""
import json, os, sys
import numpy as np, onnxruntime as ort


def main(float_model, int8_model, bare_model, folder):
    head = json.load(open(os.path.join(folder, "shape.json")))
    read = lambda name: np.fromfile(os.path.join(folder, name), np.float32)
    x = read("input.f32").reshape(head["input"])
    ours = {k: read(f"ours_{k}.f32").reshape(len(x), -1) for k in ("float", "int8", "bare")}

    def runtime(path, level=99):
        o = ort.SessionOptions()
        o.intra_op_num_threads = o.inter_op_num_threads = 1
        o.log_severity_level = 3
        o.graph_optimization_level = ort.GraphOptimizationLevel(level)
        s = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        name = s.get_inputs()[0].name
        return np.concatenate([s.run(None, {name: x[i : i + 1]})[0].reshape(1, -1) for i in range(len(x))])

    theirs = {"float": runtime(float_model), "int8": runtime(int8_model), "bare": runtime(bare_model)}
    q = ours["int8"]
    ordered = np.sort(q, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] >= 1e-3 * (ordered[:, -1] - ordered[:, 0])
    same = q.argmax(1) == theirs["int8"].argmax(1)
    out = {
        "samples": len(x),
        "equal": int((ours["bare"].view(np.uint32) == theirs["bare"].view(np.uint32)).all(axis=1).sum()),
        "float_error": float(abs(ours["float"] - theirs["float"]).max() / abs(theirs["float"]).max()),
        "top1_float": int((ours["float"].argmax(1) == theirs["float"].argmax(1)).sum()),
        "top1_int8": int(same.sum()),
        "top1_clear": int((same & clear).sum()),
        "clear": int(clear.sum()),
        "literal": int((runtime(int8_model, 0).argmax(1) == q.argmax(1)).sum()),
    }
    try:
        import openvino as ov
    except ImportError:
        print(json.dumps(out))
        return
    core = ov.Core()
    compiled = core.compile_model(core.read_model(int8_model), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"})
    v = np.concatenate([compiled(x[i : i + 1])[0].reshape(1, -1) for i in range(len(x))])
    out["openvino"] = int((v.argmax(1) == q.argmax(1)).sum())
    print(json.dumps(out))


main(*sys.argv[1:])
