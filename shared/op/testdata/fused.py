"""Writes single-node models of float operators with ONNX Runtime's results: fused.py FOLDER.

Each case is a folder like those of the ONNX conformance suite: model.onnx, test_data_set_0/{input,output}_K.pb.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(5)
MS = "com.microsoft"


def f(*shape, low=-1.0, high=1.0):
    return random.uniform(low, high, shape).astype(np.float32)


def case(name, op, inputs, outputs=1, domain="", opset=17, constants=(), **attributes):
    """inputs: arrays in order, None where omitted; constants: positions that are initializers. outputs: a number, or a
    list of flags for which outputs exist."""
    names, data, fixed = [], {}, []
    for i, v in enumerate(inputs):
        names.append("" if v is None else f"i{i}")
        if v is None:
            continue
        if i in constants:
            fixed.append(numpy_helper.from_array(v, f"i{i}"))
        else:
            data[f"i{i}"] = v
    flags = [True] * outputs if isinstance(outputs, int) else outputs
    made = [f"o{i}" if flag else "" for i, flag in enumerate(flags)]
    node = helper.make_node(op, names, made, name="n", domain=domain, **attributes)
    ports = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in data.items()]
    results = [onnx.ValueInfoProto(name=o) for o in made if o]
    graph = helper.make_graph([node], "g", ports, results, fixed)
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)])
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder + "/test_data_set_0")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for port, value in zip(model.graph.output, session.get_outputs()):
        port.CopyFrom(helper.make_tensor_value_info(port.name, KINDS[value.type], None))
    onnx.save(model, folder + "/model.onnx")
    for k, (name, v) in enumerate(data.items()):
        onnx.save_tensor(numpy_helper.from_array(v, name), f"{folder}/test_data_set_0/input_{k}.pb")
    for k, v in enumerate(session.run(None, data)):
        onnx.save_tensor(numpy_helper.from_array(v, str(k)), f"{folder}/test_data_set_0/output_{k}.pb")


KINDS = {
    "tensor(float)": TensorProto.FLOAT, "tensor(int32)": TensorProto.INT32, "tensor(int64)": TensorProto.INT64,
    "tensor(uint8)": TensorProto.UINT8, "tensor(int8)": TensorProto.INT8, "tensor(bool)": TensorProto.BOOL,
}

# Recurrent operators: directions, lengths, initial states, peepholes, clipping, activations.
STEPS, BATCH, IN, H = 5, 3, 4, 6
lengths = np.array([5, 2, 4], np.int32)
for op, gates in [("RNN", 1), ("GRU", 3), ("LSTM", 4)]:
    for direction, d in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
        x, w, r, b = f(STEPS, BATCH, IN), f(d, gates * H, IN), f(d, gates * H, H), f(d, 2 * gates * H)
        h = f(d, BATCH, H)
        extra = [f(d, BATCH, H), f(d, 3 * H)] if op == "LSTM" else []
        outs = 3 if op == "LSTM" else 2
        fixed = (1, 2, 3, 7)
        case(f"{op}_{direction}", op, [x, w, r], outs, hidden_size=H, direction=direction, constants=fixed)
        case(f"{op}_{direction}_full", op, [x, w, r, b, lengths, h, *extra], outs, hidden_size=H, direction=direction, constants=fixed)
        case(f"{op}_{direction}_clip", op, [x, w, r, b], outs, hidden_size=H, direction=direction, clip=0.5, constants=fixed)
        case(f"{op}_{direction}_last", op, [x, w, r, b, lengths], [False, True], hidden_size=H, direction=direction, constants=fixed)
        if op == "GRU":
            case(f"{op}_{direction}_apart", op, [x, w, r, b, lengths, h], outs, hidden_size=H, direction=direction, linear_before_reset=1, constants=fixed)
    per = {"RNN": 1, "GRU": 2, "LSTM": 3}[op]
    names = ["HardSigmoid", "Elu", "ScaledTanh"][:per]
    alpha, beta = {1: ([0.3], [0.4]), 2: ([0.3, 0.7], [0.4]), 3: ([0.3, 0.7, 0.9], [0.4, 0.8])}[per]
    x, w, r, b = f(STEPS, BATCH, IN), f(1, gates * H, IN), f(1, gates * H, H), f(1, 2 * gates * H)
    if op != "LSTM":
        case(f"{op}_activations", op, [x, w, r, b], 2, hidden_size=H, activations=names, activation_alpha=alpha, activation_beta=beta, constants=(1, 2, 3))
    case(f"{op}_softsign", op, [x, w, r, b], 2, hidden_size=H, activations=["Softsign", "Relu", "Softplus"][:per], constants=(1, 2, 3))
x, w, r, b = f(STEPS, BATCH, IN), f(1, 4 * H, IN), f(1, 4 * H, H), f(1, 8 * H)
case("LSTM_coupled", "LSTM", [x, w, r, b], 3, hidden_size=H, input_forget=1, constants=(1, 2, 3))
