"""Runs a model in ONNX Runtime: runtime.py MODEL FOLDER [BATCH].

Writes input_K.pb (seeded noise in the range of the model's data) and output_K.pb (TensorProto) into FOLDER.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

path, folder = sys.argv[1:3]
batch = int(sys.argv[3]) if len(sys.argv) > 3 else 1
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
random = np.random.default_rng(7)
feed = {}
for k, i in enumerate(session.get_inputs()):
    shape = [d if isinstance(d, int) else (batch if n == 0 else 224) for n, d in enumerate(i.shape)]
    if "int" in i.type:
        value = random.integers(0, 100, shape).astype(np.int64 if "64" in i.type else np.int32)
    else:
        value = random.uniform(-1, 1, shape).astype(np.float32)
    feed[i.name] = value
    onnx.save_tensor(numpy_helper.from_array(value, i.name), f"{folder}/input_{k}.pb")
for k, value in enumerate(session.run(None, feed)):
    onnx.save_tensor(numpy_helper.from_array(value, str(k)), f"{folder}/output_{k}.pb")
