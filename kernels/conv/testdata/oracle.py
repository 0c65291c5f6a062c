"""Runs QLinearConv of ONNX Runtime on channels-last bytes.

    oracle.py DIR    DIR holds cases.json and, for case i, i.x i.w i.b i.m; writes i.y

Multipliers m become weight scales, with both activation scales 1: float32(1 * m) / 1 is m.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

folder = Path(sys.argv[1])
for i, c in enumerate(json.loads((folder / "cases.json").read_text())):
    x = np.fromfile(folder / f"{i}.x", np.uint8).reshape(c["Batch"], c["H"], c["W"], c["C"])
    inits = {
        "xs": np.float32(1), "xz": np.uint8(c["XZero"]), "ys": np.float32(1), "yz": np.uint8(c["YZero"]),
        "w": np.fromfile(folder / f"{i}.w", np.int8).reshape(c["OC"], c["C"] // c["Group"], c["KH"], c["KW"]),
        "ws": np.fromfile(folder / f"{i}.m", np.float32), "wz": np.zeros(c["OC"], np.int8),
        "b": np.fromfile(folder / f"{i}.b", np.int32),
    }
    node = helper.make_node(
        "QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"], domain="com.microsoft", channels_last=1,
        kernel_shape=[c["KH"], c["KW"]], strides=[c["StrideH"], c["StrideW"]], dilations=[c["DilationH"], c["DilationW"]],
        pads=[c["PadTop"], c["PadLeft"], c["PadBottom"], c["PadRight"]], group=c["Group"],
    )
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in inits.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 8
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    session.run(None, {"x": x})[0].tofile(folder / f"{i}.y")
