"""Says which operator ONNX Runtime and OpenVINO run for each node of the models in a folder.

runtime.py FOLDER: for every NAME.onnx with NAME.txt (one line: the nodes that must run in integers) checks the model with ONNX's checker, loads it in
ONNX Runtime at three optimisation levels and in OpenVINO, and prints one line for each disagreement. No line: all is as the plan says.
"""
import collections, os, re, sys
import numpy as np
import onnx, onnxruntime as ort
from onnx import numpy_helper

INTEGER = {"QLinearConv", "QGemm", "QLinearMatMul", "MatMulIntegerToFloat", "QLinearAdd", "QLinearMul", "QLinearAveragePool",
           "QLinearGlobalAveragePool", "QLinearConcat", "QLinearSigmoid", "QLinearLeakyRelu"}
FLOAT = {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "Add", "Mul", "AveragePool", "GlobalAveragePool", "Concat",
         "Sigmoid", "LeakyRelu", "QuickGelu"}
LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def optimized(path, level):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel(level)
    options.optimized_model_filepath = path + ".optimized"
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    m = onnx.load(options.optimized_model_filepath)
    os.remove(options.optimized_model_filepath)
    return m.graph


def origin(node, made, names):
    """The node of the file that an optimised node stands for: fusion keeps names with a suffix, or the name of a result."""
    name = re.sub(r"_token_\d+$", "", node.name)
    for cut in (name, re.sub(r"/MatMulAddFusion.*$", "", name), re.sub(r"/MatmulTransposeFusion/.*$", "", name), re.sub(r"_nchwc$", "", name)):
        if cut in names:
            return cut
        if cut in made:
            return made[cut]
    return name


def check(path, want):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = {n.name: n for n in model.graph.node}
    made = {o: n.name for n in model.graph.node for o in n.output}
    for level in (2, 99):
        got = {}
        for n in optimized(path, level).node:
            if n.op_type in INTEGER | FLOAT:
                got[origin(n, made, names)] = n.op_type
        for n in sorted(want):
            if got.get(n) not in INTEGER:
                yield f"onnxruntime level {level}: {n} ({names[n].op_type}) runs as {got.get(n)}, the plan says integer"
        for n in sorted(set(got) - want):
            if got[n] in INTEGER:
                yield f"onnxruntime level {level}: {n} runs as {got[n]}, the plan says float"
    yield from weights(path, model, want, names, made)
    yield from openvino(path, want, names)


def weights(path, model, want, names, made):
    """Float layers must still have the file's float weights after ONNX Runtime's first level, where it quantizes them by itself."""
    mine = {i.name: i for i in model.graph.initializer}
    basic = optimized(path, 1)
    theirs = {i.name: i for i in basic.initializer}
    for n in basic.node:
        name = origin(n, made, names)
        if n.op_type not in LAYERS or name in want or name not in names:
            continue
        source = mine.get(names[name].input[1])
        if source is None or len(n.input) < 2:
            continue
        if n.input[1] not in theirs:
            yield f"onnxruntime level 1: {name} is float and its weight is no longer a constant"
        elif numpy_helper.to_array(theirs[n.input[1]]).tobytes() not in (numpy_helper.to_array(source).tobytes(), numpy_helper.to_array(source).T.tobytes()):
            yield f"onnxruntime level 1: {name} is float and has other weights than the file"


def openvino(path, want, names):
    try:
        import openvino as ov
    except ImportError:
        return
    compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    text = lambda info, key: str(info[key].astype(str)) if key in info else ""
    types = collections.defaultdict(str)
    for o in compiled.get_runtime_model().get_ordered_ops():
        info = o.get_rt_info()
        # Bias and Q may be a kernel of their own behind a layer. With one thread a chain of small layers is one generated kernel (Subgraph), which
        # says nothing about the products inside.
        if text(info, "layerType") in ("Convolution", "FullyConnected", "MatMul", "Subgraph"):
            for part in text(info, "originalLayersNames").split(","):
                types[part.split("/WithoutBiases")[0]] += " " + (text(info, "primitiveType") if text(info, "layerType") != "Subgraph" else "generated_i8?")
    for n in sorted(want):
        if names[n].op_type in ("Conv", "Gemm") and types[n] and not re.search("_[iI]8", types[n]):
            yield f"openvino: {n} runs as{types[n]}, the plan says integer"


for file in sorted(os.listdir(sys.argv[1])):
    if file.endswith(".onnx"):
        path = os.path.join(sys.argv[1], file)
        with open(path[:-5] + ".txt", encoding="utf-8") as f:
            want = {line for line in f.read().split("\n") if line}
        for line in check(path, want):
            print(f"{file}: {line}")
