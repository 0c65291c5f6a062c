"""Runs models without inputs: values.py FOLDER.

For each K.onnx writes its outputs as K_I.pb (TensorProto) and K.txt: "ok" with who computed them, else why nobody did.
"""
import glob
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)


def runtime(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {})


def reference(model):
    out = ReferenceEvaluator(model).run(None, {})
    if any(t.data_type == onnx.TensorProto.DOUBLE for t in model.graph.initializer):
        return out
    return [v.astype(np.float32) if v.dtype == np.float64 else v for v in out]  # it widens where no double is about


for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.onnx"))):
    base, model, said = path[: -len(".onnx")], onnx.load(path), []
    for name, how in [("onnxruntime", runtime), ("the reference", reference)]:
        try:
            for k, value in enumerate(how(model)):
                onnx.save_tensor(numpy_helper.from_array(np.asarray(value), str(k)), f"{base}_{k}.pb")
            said = ["ok " + name]
            break
        except Exception as e:  # whatever an oracle raises is its word on the model
            said.append(f"{name}: {str(e).splitlines()[0][:300]}")
    with open(base + ".txt", "w") as f:
        f.write("; ".join(said))
